// The waiting page, live. All its states are in the HTML; this switches between them and moves the number.

import { $, boot, drums, has, js, money, num, say, t, wait } from "./say.js";
import { clock, learn, now, until } from "./clock.js";
import { Live, toSignIn } from "./live.js";
import { ahead, few, progress, worth } from "./place.js";

const s = { ahead: null, number: 0, phase: boot.phase, show: boot.show, first: null };
const said = { n: Infinity, at: Date.now() };
let fresh = true;
let audio;

function show(name) {
  if (s.show == name) return;
  s.show = name;
  for (const el of document.querySelectorAll("[data-s]")) el.hidden = el.dataset.s != name;
  $("leave").hidden = name != "waiting";
  title();
  if (name == "offered") turn();
  else if (name != "waiting") say(t("queue.title." + name), true);
}

function title() {
  const n = s.show == "waiting" && s.ahead !== null ? num(s.ahead) + " · " : "";
  document.title = n + t("queue.title." + s.show) + " · " + boot.name;
  document.body.classList.toggle("go-time", s.show == "offered");
}

// turn is the one moment worth interrupting for.
function turn() {
  say(t("turn.say"), true);
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([200, 100, 200, 100, 400]);
  if (audio) beep();
}

function beep() {
  [0, 0.25, 0.5].forEach((after, i) => {
    const o = audio.createOscillator();
    const g = audio.createGain();
    o.frequency.value = [523, 659, 784][i];
    g.gain.setValueAtTime(0.25, audio.currentTime + after);
    g.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + after + 0.4);
    o.connect(g).connect(audio.destination);
    o.start(audio.currentTime + after);
    o.stop(audio.currentTime + after + 0.4);
  });
}

// first remembers how far back this place began, so the bar starts at zero and survives a reload.
function first() {
  const key = "catraca:" + boot.event + ":" + s.number;
  try {
    s.first = Math.max(Number(sessionStorage.getItem(key)), s.ahead);
    sessionStorage.setItem(key, s.first);
  } catch {
    s.first = Math.max(s.first, s.ahead);
  }
}

function draw() {
  drums($("ahead"), s.ahead);
  $("cap").textContent = s.ahead ? t("queue.ahead", { n: s.ahead }) : t("queue.next");
  $("number").textContent = num(s.number);
  first();
  $("bar").value = progress(s.first, s.ahead);
  title();
  if (worth(said, s.ahead, Date.now())) {
    Object.assign(said, { n: s.ahead, at: Date.now() });
    say(t("queue.say_ahead", { n: s.ahead }));
  } else if (said.n == Infinity) said.n = s.ahead;
}

function place(f) {
  learn(f.now);
  const p = { ...f, t: "place" };
  // Over the socket the phase comes with its reason in a tick; while polling there is only this.
  if (f.phase && live?.state == "poll") phase(f.phase);
  $("eta").textContent = wait(f.eta);
  $("chance").textContent = t("chance." + (f.chance || ""));
  const why = f.eta?.why;
  $("why").hidden = !why;
  if (why) $("why").textContent = has("pace." + why) ? t("pace." + why) : t("pace.other");
  if (f.eta?.hi_ms <= 120000 && !said.soon) {
    said.soon = true;
    say(t("queue.soon"));
  }
  if (f.state == "offered") until($("claim-by"), f.deadline);
  const name = f.state == "away" ? "waiting" : f.state;
  s.ahead = name == "waiting" ? ahead(s, p) : null;
  s.number = f.number;
  if (name == "waiting") draw();
  show(name);
}

function phase(to, reason) {
  if (reason) $("pause").textContent = reason;
  if (to == s.phase) return;
  if (s.phase == "paused" && to == "open") say(t("queue.resumed"));
  if (to == "paused") say(t("queue.paused") + " " + (reason || "") + " " + t("queue.safe"));
  s.phase = to;
  $("paused").hidden = to != "paused";
  $("lobby").hidden = to != "lobby";
  if (to == "closed" && s.show == "waiting") show("closed");
  if (s.show == "early" && to != "scheduled") location.reload();
}

function tick(f) {
  learn(f.now);
  phase(f.phase, f.pause_reason);
  const n = ahead(s, f);
  if (n !== s.ahead && s.show == "waiting") {
    s.ahead = n;
    draw();
  }
  $("message").hidden = !f.message;
  if ($("message").textContent != (f.message || "")) {
    $("message").textContent = f.message || "";
    if (f.message) say(f.message);
  }
  if (f.price_from) $("range").textContent = t("price.range", { a: money(f.price_from), b: money(f.price_to) });
  for (const c of f.stock || []) stock(c);
}

function stock({ category, free }) {
  const el = document.querySelector('.stock [data-cat="' + category + '"] .free');
  if (!el) return;
  el.textContent = !free ? t("stock.gone") : few(free, boot.cats[category]) ? t("stock.few", { n: free }) : t("stock.free", { n: free });
  el.classList.toggle("few", few(free, boot.cats[category]));
}

function frame(f) {
  if (fresh) {
    fresh = false;
    $("place").classList.remove("stale");
  }
  if (f.t == "place") place(f);
  else if (f.t == "tick") tick(f);
  else if (f.t == "offer") {
    until($("claim-by"), f.deadline);
    show("offered");
  } else if (f.t == "moved") {
    show("moved");
    live.stop();
  } else if (f.t == "removed" || f.t == "closed") {
    $(f.t + "-why").textContent = f.reason || "";
    show(f.t);
  } else if (f.t == "error") say(f.problem?.title || "", true);
}

function state(to, code) {
  $("net").dataset.net = to;
  $("net").textContent = t("net." + to);
  if (to != "live") {
    fresh = true;
    $("place").classList.add("stale");
  }
  if (code == 4401) toSignIn();
  if (code == 4409) show("moved");
  if (code == 4410) show("closed");
}

js();
learn(boot.now);
if (boot.place) {
  if (s.show == "waiting") s.ahead = boot.place.ahead;
  s.number = boot.place.number;
  if (s.show == "waiting") draw();
}
title();
clock($("claim-by"), { marks: [60000, 20000], at: (m) => say(t("turn.soon", { n: m / 1000 }), true) });
clock($("count"), { marks: [600000, 300000, 60000], at: (m) => say(t("event.announce_min", { n: m / 60000 })) });
clock($("early-count"), { end: () => setTimeout(() => location.reload(), Math.random() * 3000) });
$("here").onclick = () => location.reload();
$("sound").onchange = () => {
  audio = $("sound").checked ? new AudioContext() : null;
  if (audio) beep();
};
// Who has no place, or is done with it, needs no connection.
const live = ["none", "left", "done", "removed", "closed"].includes(s.show) ? null : new Live(boot.event, boot.lang, { frame, state });
