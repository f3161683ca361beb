// The live client against sockets that only pretend, with time running fast. liveRules(m) returns what is wrong.
async function liveRules({ Live }) {
  const bad = [];
  const expect = (what, ok, got) => ok || bad.push(what + ": " + JSON.stringify(got));
  const real = { WebSocket: window.WebSocket, setTimeout: window.setTimeout, fetch: window.fetch };
  const wait = (ms) => new Promise((done) => real.setTimeout.call(window, done, ms));
  const sockets = [];
  const asked = [];
  window.setTimeout = (f, ms) => real.setTimeout.call(window, f, Math.min(ms, ms == 12000 ? 60 : 5));
  window.WebSocket = class {
    constructor(url, protocols) {
      Object.assign(this, { url, protocols, readyState: 0, sent: [] });
      sockets.push(this);
    }
    send(s) {
      this.sent.push(JSON.parse(s));
    }
    close() {}
    up() {
      this.readyState = 1;
      this.onopen();
    }
    say(f) {
      this.onmessage({ data: JSON.stringify(f) });
    }
    async down(code) {
      this.onclose({ code });
      await wait(25);
    }
  };
  window.fetch = async (url, o) => {
    asked.push({ url, method: o.method || "GET", key: o.headers["Idempotency-Key"] });
    return new Response(JSON.stringify({ state: "waiting", ahead: 7, number: 9 }), { status: 200 });
  };
  try {
    const states = [];
    const frames = [];
    const live = new Live("aurora", "es", { frame: (f) => frames.push(f), state: (s) => states.push(s) });
    const last = () => sockets.at(-1);
    expect("address", last().url.endsWith("/api/v1/events/aurora/live") && last().protocols[0] == "catraca.v1.json", last());
    for (let i = 0; i < 6; i++) await last().down(1006);
    expect("states after six failures", states.join() == "connecting,poll", states);
    expect("the place is asked for in between", asked.some((a) => a.url.endsWith("/queue/me")) && frames[0]?.ahead == 7, frames[0]);
    expect("no budget runs out", sockets.length == 7, sockets.length);
    last().up();
    expect("hello", last().sent[0].t == "hello" && last().sent[0].lang == "es", last().sent);
    last().say({ t: "tick", seq: 1 });
    last().onmessage({ data: "not json" });
    expect("live", states.at(-1) == "live" && frames.at(-1).t == "tick", states);
    await wait(40);
    const polls = asked.length;
    await wait(40);
    expect("asking stops when live", asked.length == polls, asked.length - polls);

    let r = live.call("pay", { id: "o1-5", method: "pix" }, "k1");
    const call = last().sent.at(-1);
    expect("a call goes over the socket", call.t == "call" && call.op == "pay" && call.key == "k1" && call.body.method == "pix", call);
    last().say({ t: "reply", id: 99, status: 500 });
    last().say({ t: "reply", id: call.id, status: 200, body: { id: "o1-5" } });
    r = await r;
    expect("a reply answers it", r.status == 200 && r.body.id == "o1-5", r);
    asked.length = 0;
    r = live.call("hold", { seats: [1] }, "k2");
    const lost = last();
    await lost.down(1012);
    r = await r;
    expect("a call without a reply is asked by HTTP with its key", r.status == 200 && asked.find((a) => a.key == "k2")?.url.endsWith("/holds"), asked);
    expect("a restart is told as one", states.includes("moving") || states.includes("poll"), states);
    last().up();
    asked.length = 0;
    r = await live.call("order.get", { id: "o1-5" }, "k3");
    expect("a silent socket does not block a call", r.status == 200 && asked.find((a) => a.key == "k3")?.url == "/api/v1/orders/o1-5", asked);
    const n = sockets.length;
    await last().down(4410);
    await wait(60);
    expect("the end of the sale is the end", states.at(-1) == "stopped" && sockets.length == n, states);
  } finally {
    Object.assign(window, real);
  }
  return bad;
}
