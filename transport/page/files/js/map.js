// The seats as a picture on a canvas. Far away it shows sections, nearer the seats, and close up their numbers. A tap
// on a section comes closer; a tap on a seat, when seats are large enough to hit, chooses it.

import { paint } from "./paint.js";
import { inside } from "./plan.js";

const HIT = 18; // px between seats from which they can be tapped
const CLOSE = 40; // px between seats when a tap comes closer, and about the most there is

// SeatMap draws m. o: status() and areas() give availability, chosen has the chosen units, seat(u) and area(u) are
// called on a tap, cats are the categories, glyphs their shapes.
export class SeatMap {
  constructor(canvas, m, o) {
    Object.assign(this, { canvas, m, o, fingers: new Map(), pills: [] });
    canvas.view = this;
    this.ctx = canvas.getContext("2d");
    this.paths = o.glyphs.map((d) => new Path2D(d));
    new ResizeObserver(() => this.size()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.listen();
    this.size();
  }

  size() {
    const r = this.canvas.getBoundingClientRect();
    if (!r.width) return;
    const ratio = Math.min(devicePixelRatio || 1, 2.5);
    const first = !this.w;
    Object.assign(this, { w: r.width, h: r.height, ratio });
    this.canvas.width = Math.round(r.width * ratio);
    this.canvas.height = Math.round(r.height * ratio);
    if (first || this.k <= this.least * 1.01) this.all();
    else this.draw();
  }

  // fit is the scale at which a box fills the canvas.
  fit([x0, y0, x1, y1], pad = this.w < 480 ? 22 : 34) {
    return Math.min((this.w - 2 * pad) / Math.max(x1 - x0, 1), (this.h - 2 * pad) / Math.max(y1 - y0, 1));
  }

  all() {
    this.least = this.fit(this.m.box);
    this.look(this.m.box, this.least);
  }

  look([x0, y0, x1, y1], k) {
    this.k = Math.min(Math.max(k, this.least), Math.max((CLOSE * 1.2) / this.m.pitch, this.least));
    this.x = this.w / 2 - ((x0 + x1) / 2) * this.k;
    this.y = this.h / 2 - ((y0 + y1) / 2) * this.k;
    this.settle();
  }

  // zoom scales by f around a point of the canvas.
  zoom(f, px = this.w / 2, py = this.h / 2) {
    const most = Math.max((CLOSE * 1.2) / this.m.pitch, this.least);
    const k = Math.min(Math.max(this.k * f, this.least), most);
    this.x = px - ((px - this.x) * k) / this.k;
    this.y = py - ((py - this.y) * k) / this.k;
    this.k = k;
    this.settle();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.settle();
  }

  // settle keeps some of the plan in view and lets the page scroll while everything is visible anyway.
  settle() {
    const [x0, y0, x1, y1] = this.m.box;
    const keep = 60;
    this.x = Math.min(Math.max(this.x, keep - x1 * this.k), this.w - keep - x0 * this.k);
    this.y = Math.min(Math.max(this.y, keep - y1 * this.k), this.h - keep - y0 * this.k);
    this.canvas.style.touchAction = this.k <= this.least * 1.01 ? "pan-y" : "none";
    this.draw();
  }

  draw() {
    if (!this.w || this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      if (this.fingers.size && this.cost > 10) this.slide();
      else this.full();
    });
  }

  full() {
    clearTimeout(this.rest);
    this.copy = null;
    const t = performance.now();
    paint(this);
    this.cost = performance.now() - t;
    this.drawn = { k: this.k, x: this.x, y: this.y };
  }

  // slide moves a copy of the last drawing while fingers do, on phones that take long to draw; at rest it is drawn anew.
  slide() {
    const { ctx, drawn, ratio, w, h } = this;
    if (!this.copy) {
      this.copy = Object.assign(document.createElement("canvas"), { width: this.canvas.width, height: this.canvas.height });
      this.copy.getContext("2d").drawImage(this.canvas, 0, 0);
    }
    const f = this.k / drawn.k;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = getComputedStyle(this.canvas).backgroundColor;
    ctx.fillRect(0, 0, w, h);
    ctx.drawImage(this.copy, this.x - drawn.x * f, this.y - drawn.y * f, w * f, h * f);
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.full(), 120);
  }

  listen() {
    const c = this.canvas;
    const at = (e) => {
      const r = c.getBoundingClientRect();
      return [e.clientX - r.left, e.clientY - r.top];
    };
    c.addEventListener("pointerdown", (e) => {
      c.setPointerCapture(e.pointerId);
      this.fingers.set(e.pointerId, at(e));
      this.down = this.fingers.size == 1 ? { at: at(e), when: e.timeStamp, moved: false } : null;
    });
    c.addEventListener("pointermove", (e) => {
      const was = this.fingers.get(e.pointerId);
      if (was) this.move(e.pointerId, was, at(e));
    });
    c.addEventListener("pointerup", (e) => {
      this.fingers.delete(e.pointerId);
      const d = this.down;
      this.down = null;
      if (d && !d.moved && e.timeStamp - d.when < 700) this.tap(...d.at);
    });
    c.addEventListener("pointercancel", (e) => {
      this.fingers.delete(e.pointerId);
      this.down = null;
    });
    c.addEventListener("wheel", (e) => {
      if (!e.ctrlKey && document.activeElement != c) return;
      e.preventDefault();
      this.zoom(Math.exp(-e.deltaY / 300), ...at(e));
    }, { passive: false });
    c.addEventListener("keydown", (e) => this.key(e));
  }

  move(id, [x0, y0], [x, y]) {
    if (this.fingers.size == 1) {
      if (this.down && !this.down.moved && Math.hypot(x - this.down.at[0], y - this.down.at[1]) < 8) return;
      if (this.down) this.down.moved = true;
      this.fingers.set(id, [x, y]);
      this.pan(x - x0, y - y0);
      return;
    }
    const [, other] = [...this.fingers].find(([k]) => k != id);
    this.fingers.set(id, [x, y]);
    const before = Math.hypot(x0 - other[0], y0 - other[1]);
    const after = Math.hypot(x - other[0], y - other[1]);
    this.x += (x - x0) / 2;
    this.y += (y - y0) / 2;
    this.zoom(after / Math.max(before, 1), (x + other[0]) / 2, (y + other[1]) / 2);
  }

  key(e) {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[e.key];
    if (step) this.pan(...step);
    else if (e.key == "+" || e.key == "=") this.zoom(1.5);
    else if (e.key == "-") this.zoom(1 / 1.5);
    else if (e.key == "0") this.all();
    else return;
    e.preventDefault();
  }

  tap(px, py) {
    const { m, k } = this;
    const x = (px - this.x) / k;
    const y = (py - this.y) / k;
    if (m.pitch * k >= HIT) {
      const u = this.seatAt(x, y);
      if (u >= 0) return this.o.seat(u);
    }
    const area = m.areas.find((a) => (a.outline?.length > 2 ? inside(a.outline, x, y) : Math.hypot(a.x - x, a.y - y) * k < 30));
    if (area) return this.o.area(area.unit);
    if (m.pitch * k < HIT) this.closer(px, py, x, y);
  }

  seatAt(x, y, far = this.m.pitch * 0.65) {
    const { m } = this;
    let best = -1;
    for (let u = 0; u < m.n; u++) {
      const d = Math.hypot(m.x[u] - x, m.y[u] - y);
      if (d < far) [far, best] = [d, u];
    }
    return best;
  }

  // closer goes to the section that was hit, or, when that fills the view already, to where its seats can be tapped.
  closer(px, py, x, y) {
    const { m, k } = this;
    let s = this.pills.find((p) => px > p.x0 && px < p.x1 && py > p.y0 && py < p.y1)?.section ?? -1;
    if (s < 0) s = m.hulls.findIndex((h) => inside(h, x, y));
    if (s < 0) {
      const u = this.seatAt(x, y, 22 / k);
      if (u >= 0) s = m.rows[m.row[u]].section;
    }
    if (s < 0) return;
    const fit = this.fit(m.boxes[s]);
    if (fit > k * 1.3) this.look(m.boxes[s], fit);
    else this.zoom(CLOSE / (m.pitch * k), px, py);
  }

  // show comes close to one seat.
  show(u) {
    const { m } = this;
    this.look([m.x[u], m.y[u], m.x[u], m.y[u]], CLOSE / m.pitch);
  }
}
