// The live socket: one connection that always comes back. Waiting is by full jitter, silence is judged by timestamps,
// and no number of failures makes it give up. Only the server can end it, by a close code.

// stops are the close codes after which connecting again is pointless: sign in, forbidden, another device, sale over.
export const stops = (code) => [4401, 4403, 4409, 4410].includes(code);

// delay is how many ms to wait before try n (0 is the first after a loss), full jitter between half a second and a
// ceiling that doubles up to 20 s. A busy server (1013, 4429) is given longer at once.
export function delay(n, code, dice = Math.random) {
  if (code == 1013 || code == 4429) return 5000 + dice() * 15000;
  if (n < 1) return 500 + dice() * 1000;
  return 500 + dice() * (Math.min(20000, 1000 * 2 ** Math.min(n, 10)) - 500);
}

// stale says whether a connection deserves to be opened anew when the page is looked at again.
export const stale = (hiddenMs, quietMs) => quietMs > 20000 || (hiddenMs > 5000 && quietMs > 5000);

export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

// route is the HTTP request that does the same as a call over the socket.
export function route(event, op, b) {
  const e = "/api/v1/events/" + event;
  const { id, ...rest } = b;
  return {
    hold: ["POST", e + "/holds", b],
    "hold.get": ["GET", e + "/holds/me"],
    "hold.change": ["PATCH", e + "/holds/" + id, rest],
    "hold.release": ["DELETE", e + "/holds/" + id],
    order: ["POST", e + "/orders", b],
    "order.get": ["GET", "/api/v1/orders/" + id],
    pay: ["POST", "/api/v1/orders/" + id + "/pay", rest],
    "order.cancel": ["POST", "/api/v1/orders/" + id + "/cancel", {}],
    finish: ["DELETE", e + "/admission"],
  }[op];
}

// toSignIn leads to the sign-in page and back. A page that was refused as soon as it opened stays: the server has just
// taken the same visitor as signed in, and going round in circles helps nobody.
export function toSignIn() {
  if (performance.now() > 3000) location.assign("/sign-in?next=" + encodeURIComponent(location.pathname));
}

const SILENCE = 60000;

// Live calls on.frame(f) for every frame and on.state(s) for live, connecting, offline, poll, moving, stopped.
export class Live {
  constructor(event, lang, on) {
    Object.assign(this, { event, lang, on, tries: 0, ids: 0, last: Date.now(), hidden: 0, waiting: new Map() });
    const wake = () => this.wake();
    addEventListener("online", wake);
    addEventListener("focus", wake);
    addEventListener("pageshow", wake);
    addEventListener("offline", () => this.tell("offline"));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.hidden = Date.now();
      else wake();
    });
    setInterval(() => {
      if (this.sock && Date.now() - this.last > SILENCE) this.again(delay(0));
    }, 5000);
    this.open();
  }

  tell(s, code) {
    if (s == this.state) return;
    this.state = s;
    this.on.state?.(s, code);
  }

  open() {
    clearTimeout(this.timer);
    this.drop();
    const s = new WebSocket(location.origin.replace("http", "ws") + "/api/v1/events/" + this.event + "/live", ["catraca.v1.json"]);
    this.sock = s;
    this.last = Date.now();
    s.onopen = () => {
      this.opened = this.last = Date.now();
      this.send({ t: "hello", lang: this.lang });
      this.on.open?.();
    };
    s.onmessage = (m) => {
      this.last = Date.now();
      if (this.last - this.opened > 10000) this.tries = 0;
      this.tell("live");
      let f;
      try {
        f = JSON.parse(m.data);
      } catch {
        return;
      }
      if (f.t == "reply") this.answer(f);
      else this.on.frame(f);
    };
    s.onclose = (c) => {
      if (s != this.sock) return;
      if (Date.now() - this.opened > 10000) this.tries = 0;
      if (stops(c.code)) return this.stop(c.code);
      this.again(delay(this.tries++, c.code), c.code);
    };
  }

  // again opens a new socket in ms; after four failures the place is asked for by HTTP in between.
  again(ms, code) {
    this.drop();
    this.opened = NaN;
    this.tell(navigator.onLine === false ? "offline" : this.tries > 4 ? "poll" : code == 1012 ? "moving" : "connecting");
    if (this.tries > 4 && !this.polls) this.poll();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), ms);
  }

  // wake looks after the connection when somebody looks at the page.
  wake() {
    if (document.hidden || this.state == "stopped") return;
    const away = this.hidden ? Date.now() - this.hidden : 0;
    this.hidden = 0;
    const quiet = Date.now() - this.last;
    if (this.sock?.readyState == 0 && quiet < 10000) return;
    if (this.sock?.readyState != 1 || stale(away, quiet)) this.again(Math.random() * 1000);
  }

  // drop forgets the socket; calls that wait for it are asked over HTTP, with the same key.
  drop() {
    const s = this.sock;
    this.sock = null;
    if (s) s.onclose = s.onmessage = s.onopen = null;
    s?.close();
    for (const w of this.waiting.values()) w.retry();
    this.waiting.clear();
  }

  stop(code) {
    clearTimeout(this.timer);
    this.drop();
    this.tell("stopped", code);
  }

  send(f) {
    if (this.sock?.readyState != 1) return false;
    this.sock.send(JSON.stringify(f));
    return true;
  }

  async poll() {
    this.polls = true;
    let ms = 15000 + Math.random() * 15000;
    try {
      const r = await fetch("/api/v1/events/" + this.event + "/queue/me", { headers: { Accept: "application/json" } });
      if (r.ok) this.on.frame({ t: "place", ...(await r.json()) });
      if (r.status == 401) return this.stop(4401);
      ms = Math.max(ms, 1000 * (r.headers.get("Retry-After") | 0));
    } catch {
      // Offline: the next round tries again.
    }
    this.polls = this.tries > 4 && this.state != "live" && this.state != "stopped";
    if (this.polls) setTimeout(() => this.poll(), ms);
  }

  // call does a shopping operation: over the socket, or by HTTP when there is none or it does not answer in 12 s.
  // The key is the same on both ways, so it is done once. It answers {status, body}; status 0 is no connection.
  call(op, body = {}, key = newKey()) {
    const id = ++this.ids;
    if (!this.send({ t: "call", id, op, key, body })) return this.http(op, body, key);
    return new Promise((done) => {
      const retry = () => {
        clearTimeout(late);
        this.waiting.delete(id);
        done(this.http(op, body, key));
      };
      const late = setTimeout(retry, 12000);
      this.waiting.set(id, { done, retry, late });
    });
  }

  answer(f) {
    const w = this.waiting.get(f.id);
    if (!w) return;
    clearTimeout(w.late);
    this.waiting.delete(f.id);
    w.done({ status: f.status, body: f.body });
  }

  async http(op, body, key) {
    const [method, path, send] = route(this.event, op, body);
    try {
      const r = await fetch(path, {
        method,
        headers: { Accept: "application/json", "Content-Type": "application/json", "Idempotency-Key": key },
        body: send && JSON.stringify(send),
      });
      return { status: r.status, body: await r.json().catch(() => null) };
    } catch {
      return { status: 0, body: null };
    }
  }
}
