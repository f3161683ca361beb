// The seats as a list: section, row, seat. Works with the keyboard alone: sections and rows are ordinary stops, within
// a row the arrow keys move and Space chooses.

import { $, money, num, t } from "./say.js";
import { counts } from "./plan.js";

const make = (tag, props = {}, ...kids) => {
  const el = Object.assign(document.createElement(tag), props);
  el.append(...kids);
  return el;
};

// List shows m in #list. o is the same as the map's.
export class List {
  constructor(m, o) {
    Object.assign(this, { m, o, section: -1, seats: new Map() });
    for (const a of document.querySelectorAll("[data-section]")) {
      a.addEventListener("click", (e) => {
        e.preventDefault();
        this.open(Number(a.dataset.section), true);
      });
    }
    $("rows").addEventListener("submit", (e) => e.preventDefault());
    $("rows").addEventListener("keydown", (e) => this.key(e));
    $("rows").replaceChildren();
    const query = new URLSearchParams(location.search).get("section");
    if (query !== null && m.sections[query]) this.open(Number(query));
    else if (m.areas.length) this.areas();
    this.update();
  }

  // open lists the rows of a section; its seats are made when a row is opened.
  open(s, focus) {
    const { m } = this;
    this.section = s;
    this.seats.clear();
    const title = make("h3", { textContent: t("list.section", { s: m.sections[s].label }), tabIndex: -1 });
    $("rows").replaceChildren(title, make("p", { className: "soft", textContent: t("list.keys") }));
    m.rows.forEach((r, i) => {
      if (r.section == s) $("rows").append(this.row(r, i));
    });
    this.areas(s);
    if (!counts(m, this.o.status(), this.o.areas())[s]) title.after(make("p", { textContent: t("list.none") }));
    this.update();
    document.querySelectorAll("[data-section]").forEach((a) => a.setAttribute("aria-current", a.dataset.section == s));
    if (focus) title.focus();
  }

  row(r, i) {
    const free = make("small");
    const box = make("div", { className: "seats" });
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", t("list.row", { r: r.label }));
    const d = make("details", { className: "line" }, make("summary", {}, t("list.row", { r: r.label }) + " ", free), box);
    d.dataset.row = i;
    d.addEventListener("toggle", () => {
      if (d.open && !box.firstChild) this.fill(r, box);
    });
    return d;
  }

  fill(r, box) {
    for (let u = r.first; u < r.first + r.count; u++) {
      const b = make("button", { type: "button", className: "place", tabIndex: -1 });
      b.dataset.unit = u;
      b.addEventListener("click", () => b.getAttribute("aria-disabled") == "true" || this.o.seat(u));
      this.seats.set(u, b);
      box.append(b);
      this.dress(u);
    }
    this.rove(box);
  }

  // rove makes the first seat that can be chosen the row's one stop of the Tab key.
  rove(box) {
    if (box.querySelector('[tabindex="0"]:not([aria-disabled=true])')) return;
    const first = box.querySelector("button:not([aria-disabled=true])");
    if (first) first.tabIndex = 0;
  }

  // dress brings one seat's button up to date.
  dress(u) {
    const b = this.seats.get(u);
    const { m, o } = this;
    const mine = o.chosen.has(u);
    const can = mine || o.status()[u] == "f";
    const c = o.cats.find((c) => c.id == m.category[u]);
    const more = [[1, "seat.accessible"], [2, "seat.companion"], [4, "seat.restricted"]].filter(([bit]) => m.flags[u] & bit).map(([, k]) => this.word(k));
    b.textContent = (m.flags[u] & 1 ? "♿\ufe0e " : "") + m.label[u];
    b.title = [c?.name, ...more].join(", ");
    const price = c ? money({ amount: c.price.amount + c.fee.amount, currency: c.price.currency }) : "";
    b.setAttribute("aria-label", [t("seat.seat") + " " + m.label[u], ...more, c?.name, price, can ? "" : t("pick.taken")].filter(Boolean).join(", "));
    b.setAttribute("aria-pressed", mine);
    b.setAttribute("aria-disabled", !can);
    b.style.setProperty("--cat", c?.color || "");
    if (!can) b.tabIndex = -1;
  }

  word(k) {
    if (k == "seat.accessible") return t("seat.accessible");
    return k == "seat.companion" ? t("seat.companion") : t("seat.restricted");
  }

  // areas offers the places without numbers, by a stepper.
  areas(s = -1) {
    const { m, o } = this;
    for (const a of m.areas) {
      if (s >= 0 && a.section != s) continue;
      const c = o.cats.find((c) => c.id == a.category);
      const less = make("button", { type: "button", textContent: "−", className: "step" });
      const more = make("button", { type: "button", textContent: "+", className: "step" });
      less.setAttribute("aria-label", t("list.fewer", { s: a.label }));
      more.setAttribute("aria-label", t("list.more", { s: a.label }));
      less.onclick = () => o.area(a.unit, -1);
      more.onclick = () => o.area(a.unit, 1);
      const price = money({ amount: c.price.amount + c.fee.amount, currency: c.price.currency });
      const count = make("output", { textContent: "0" });
      count.dataset.area = a.unit;
      $("rows").append(make("div", { className: "area" }, make("span", {}, a.label + " ", make("small", { textContent: price })), less, count, more));
    }
  }

  // update follows a change of availability or of what is chosen.
  update() {
    const { m, o } = this;
    const left = counts(m, o.status(), o.areas());
    for (const a of document.querySelectorAll("[data-section]")) {
      const s = a.dataset.section;
      const out = a.querySelector("span");
      const price = out.textContent.split(" · ")[1];
      out.textContent = left[s] ? t("stock.free", { n: left[s] }) + (price ? " · " + price : "") : t("stock.gone");
    }
    for (const d of $("rows").querySelectorAll("[data-row]")) {
      const r = m.rows[d.dataset.row];
      let n = 0;
      for (let u = r.first; u < r.first + r.count; u++) n += o.status()[u] == "f";
      d.querySelector("small").textContent = n ? t("list.row_free", { n }) : t("stock.gone");
      d.classList.toggle("empty", !n);
    }
    for (const u of this.seats.keys()) this.dress(u);
    for (const box of $("rows").querySelectorAll(".seats")) this.rove(box);
    for (const out of document.querySelectorAll("output[data-area]")) out.textContent = num(o.chosen.get(Number(out.dataset.area)) || 0);
  }

  key(e) {
    const b = e.target.closest?.(".place");
    const to = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity }[e.key];
    if (!b || !to) return;
    e.preventDefault();
    const all = [...b.parentElement.querySelectorAll("button:not([aria-disabled=true])")];
    const next = all[Math.min(Math.max(all.indexOf(b) + to, 0), all.length - 1)];
    b.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
