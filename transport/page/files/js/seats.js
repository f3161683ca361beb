// Choosing seats: the plan and its live availability, what is chosen, and holding it. Map and list show the same state.

import { $, boot, js, money, num, say, t } from "./say.js";
import { clock, learn, until } from "./clock.js";
import { Live, newKey, toSignIn } from "./live.js";
import { List } from "./list.js";
import { SeatMap } from "./map.js";
import { model, nameOf, nearest } from "./plan.js";

const base = "/e/" + boot.event;
const api = "/api/v1/events/" + boot.event;
const chosen = new Map(); // unit -> how many
const free = new Map(); // area -> places left
let status = [];
let version = 0;
let m, map, list;
let key = newKey();

const seatName = (u) => {
  const n = nameOf(m, u);
  return n.area ?? t("seat.full", n);
};
const category = (u) => boot.cats.find((c) => c.id == (u < m.n ? m.category[u] : m.areas.find((a) => a.unit == u).category));
const count = () => [...chosen.values()].reduce((a, b) => a + b, 0);

function total() {
  let amount = 0;
  for (const [u, n] of chosen) amount += n * (category(u).price.amount + category(u).fee.amount);
  return t("tray.total", { n: count(), p: money({ amount, currency: boot.cats[0]?.price.currency }) });
}

// update shows a change everywhere: tray, map and list.
function update() {
  key = newKey();
  $("tray").hidden = !chosen.size;
  $("picked").replaceChildren(...[...chosen].map(([u, n]) => chip(u, n)));
  $("sum").textContent = total();
  document.body.classList.toggle("picking", chosen.size > 0);
  map.draw();
  list.update();
}

function chip(u, n) {
  const b = document.createElement("button");
  b.type = "button";
  b.textContent = seatName(u) + (n > 1 || u >= m.n ? " × " + num(n) : "") + " ✕";
  b.setAttribute("aria-label", t("tray.drop", { s: seatName(u) }));
  b.onclick = () => change(u, -n);
  const li = document.createElement("li");
  li.append(b);
  return li;
}

// change adds or takes away places of a unit.
function change(u, by) {
  const n = (chosen.get(u) || 0) + by;
  if (by > 0 && count() + by > boot.limit) return say(t("tray.limit", { n: boot.limit }), true);
  if (by > 0 && u >= m.n && n > (free.get(u) || 0)) return say(t("stock.gone"), true);
  if (n > 0) chosen.set(u, n);
  else chosen.delete(u);
  clear();
  update();
  note(by > 0 ? t("tray.added", { s: seatName(u), total: total() }) : t("tray.removed", { s: seatName(u), total: total() }));
}

function seat(u) {
  if (chosen.has(u)) change(u, -1);
  else if (status[u] == "f") change(u, 1);
  else note(seatName(u) + ": " + t("pick.taken"));
}

// note says something small where eyes and ears find it.
function note(text) {
  $("maphint").textContent = text;
  say(text);
}

const area = (u, by = 1) => (by > 0 || chosen.has(u)) && change(u, by);

// clear empties the alert together with its buttons.
function clear() {
  clearTimeout($("alert").timer);
  $("alert").textContent = "";
  $("alert").nextElementSibling?.remove();
}

// refuse says what cannot be had, with one press that helps when there is one.
function refuse(what, label, press) {
  clear();
  say(what, true, true);
  if (!label) return;
  const b = Object.assign(document.createElement("button"), { className: "quiet offer", textContent: label });
  b.onclick = () => {
    clear();
    press();
  };
  $("alert").after(b);
}

// instead offers other units for those that cannot be had.
function instead(what, units, swap) {
  refuse(what, units.length && t("tray.instead", { s: units.map(seatName).join("; ") }), () => {
    swap();
    update();
    $("take").focus();
  });
}

// lost drops units that others took and looks for the nearest ones that are free.
function lost(units) {
  const gone = units.filter((u) => chosen.has(u));
  if (!gone.length) return;
  for (const u of gone) chosen.delete(u);
  const out = new Set(chosen.keys());
  const other = gone.filter((u) => u < m.n).map((u) => {
    const v = nearest(m, u, (x) => out.has(x) || status[x] != "f");
    out.add(v);
    return v;
  });
  const ok = other.length == gone.length && !other.includes(-1);
  update();
  instead(t("tray.lost", { n: gone.length, s: gone.map(seatName).join("; ") }), ok ? other : [], () => other.forEach((v) => chosen.set(v, 1)));
}

function set(u, s) {
  const was = status[u];
  status[u] = s;
  return was == "f" && s != "f" && s != "m";
}

async function load() {
  const r = await fetch(api + "/seats" + (version ? "?since=" + version : ""));
  if (!r.ok) throw new Error("seats " + r.status);
  apply(await r.json());
}

function apply(f) {
  if (f.status) status = [...f.status];
  const took = (f.changes || []).filter(([u, s]) => set(u, s)).map(([u]) => u);
  for (const a of f.areas || []) Array.isArray(a) ? free.set(...a) : free.set(a.unit, a.free);
  version = f.version ?? version;
  if (!map) return;
  lost(f.status ? [...chosen.keys()].filter((u) => u < m.n && status[u] != "f" && status[u] != "m") : took);
  map.draw();
  list.update();
}

async function hold() {
  const seats = [...chosen.keys()].filter((u) => u < m.n);
  const areas = [...chosen].filter(([u]) => u >= m.n).map(([unit, count]) => ({ unit, count }));
  $("take").disabled = true;
  say(t("tray.working"));
  const r = await live.call("hold", { seats, areas }, key);
  $("take").disabled = false;
  const b = r.body || {};
  if (r.status == 201 || r.status == 200 || b.code == "hold-exists") return location.assign(base + "/checkout");
  key = newKey();
  if (b.code == "conflict") {
    (b.units || []).forEach((u) => set(u, "h"));
    lost(b.units || []);
  } else if (b.code == "orphan" && b.suggest?.length) {
    instead(t("tray.orphan"), b.suggest, () => {
      for (const u of seats) chosen.delete(u);
      for (const u of b.suggest) chosen.set(u, 1);
    });
  } else if (b.code == "no-lease" || b.code == "not-your-turn") location.assign(base + "/queue?why=" + b.code);
  else if (r.status == 401) toSignIn();
  else refuse([b.title || t("net.offline"), b.detail].filter(Boolean).join(". "));
}

function view(name) {
  $("map").hidden = name != "map";
  $("list").hidden = name != "list";
  $("show-map").setAttribute("aria-pressed", name == "map");
  $("show-list").setAttribute("aria-pressed", name == "list");
  if (name == "map") map.size();
}

async function start() {
  const [p] = await Promise.all([fetch(boot.plan).then((r) => (r.ok ? r.json() : Promise.reject(new Error("plan " + r.status)))), load()]);
  m = model(p);
  const o = { status: () => status, areas: () => free, chosen, seat, area, cats: boot.cats, glyphs: boot.glyphs };
  map = new SeatMap($("canvas"), m, o);
  list = new List(m, o);
  $("show-map").onclick = () => view("map");
  $("show-list").onclick = () => view("list");
  $("zoom-in").onclick = () => map.zoom(1.6);
  $("zoom-out").onclick = () => map.zoom(1 / 1.6);
  $("zoom-all").onclick = () => map.all();
  for (const b of document.querySelectorAll("[data-pan]")) {
    const [x, y] = b.dataset.pan.split(",");
    b.onclick = () => map.pan(x * -90, y * -90);
  }
  $("take").onclick = hold;
  js();
  if (m.squeezed) $("maphint").textContent = t("map.hint") + " " + t("map.squeezed");
  view(location.search.includes("section=") ? "list" : "map");
}

function over() {
  say(t("seats.over"), true);
  setTimeout(() => location.assign(base + "/queue"), 3000);
}

learn(boot.now);
clock($("clock"), { marks: [300000, 120000, 60000], at: (ms) => say(t("seats.left_min", { n: ms / 60000 }), ms == 60000), end: over });
let joined = false;
const live = new Live(boot.event, boot.lang, {
  open() {
    live.send({ t: "stock", on: true });
    if (joined && m) load().catch(() => {});
    joined = true;
  },
  frame(f) {
    if (f.now) learn(f.now);
    if (f.t == "stock" && m) f.reset ? ((version = 0), load().catch(() => {})) : f.version > version && apply(f);
    if (f.t == "place" && f.state == "shopping") until($("clock"), f.deadline);
    if (f.t == "place" && f.state != "shopping") over();
    if (f.t == "moved") live.stop(4409);
    if (f.t == "removed" || f.t == "closed") location.assign(base + "/queue");
  },
  state(to, code) {
    $("net").dataset.net = to;
    $("net").textContent = t("net." + to);
    if (code == 4401) toSignIn();
    if (code == 4409) refuse(t("moved.title") + ". " + t("moved.body"), t("moved.button"), () => location.reload());
  },
});
start().catch(() => {
  refuse(t("list.failed"), t("list.retry"), () => location.reload());
  js();
});
