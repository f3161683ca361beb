// Paying: the clock, copying the Pix code, and noticing by itself that the money has moved. The forms need no script.

import { $, boot, js, say, t } from "./say.js";
import { clock, learn, until } from "./clock.js";
import { Live, toSignIn } from "./live.js";

const seen = (o) => [o.state, o.payment?.state, o.payment?.attempt].join();

// look goes to the order's page as soon as anything about it has changed.
function look(o) {
  if (o && o.id == boot.order && seen(o) != boot.seen) location.replace("/orders/" + o.id);
}

async function ask() {
  const r = await live.call("order.get", { id: boot.order });
  if (r.status == 200) look(r.body);
  if (boot.step == "confirming") say(t("confirming.wait"));
}

js();
learn(boot.now);
clock($("clock"), {
  marks: [300000, 120000, 60000],
  at: (m) => say(t("seats.left_min", { n: m / 60000 }), m == 60000),
  end: () => {
    say(t("checkout.over"), true);
    setTimeout(() => location.reload(), 4000);
  },
});

$("pay")?.addEventListener("submit", () => {
  $("sending").hidden = false;
  say(t("pay.sending"));
  // After this turn: a button disabled at once would not be sent.
  setTimeout(() => document.querySelectorAll(".method").forEach((b) => (b.disabled = true)));
});
addEventListener("pageshow", () => document.querySelectorAll(".method").forEach((b) => (b.disabled = false)));

$("copy")?.addEventListener("click", async () => {
  const code = $("code");
  try {
    await navigator.clipboard.writeText(code.value);
  } catch {
    code.select();
    document.execCommand("copy");
  }
  $("copy").textContent = t("pix.copied");
  say(t("pix.copied"));
  setTimeout(() => ($("copy").textContent = t("pix.copy")), 4000);
});

const live = new Live(boot.event, boot.lang, {
  frame(f) {
    if (f.t == "order") look(f.order);
    if (f.t == "moved") live.stop();
    if (f.t == "hold" && f.hold && !boot.order) until($("clock"), f.hold.expires_at);
  },
  state(to, code) {
    const net = $("net");
    if (net) net.dataset.net = to;
    if (net && boot.step == "action") net.textContent = t("net." + to);
    if (to == "live" && boot.order) ask();
    if (code == 4401) toSignIn();
  },
});
if (boot.order && boot.step != "choose") setInterval(ask, 15000);
