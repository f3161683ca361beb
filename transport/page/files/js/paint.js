// How the map looks. Everything is drawn anew each time, and only what is in view; small seats are plain squares, which phones draw fastest.

import { num, t } from "./say.js";
import { counts } from "./plan.js";

// dark says whether white stands out more than black on a colour; the better of the two has a contrast of at least 4.5.
export const dark = (hex) => {
  const [r, g, b] = [1, 3, 5].map((i) => (parseInt(hex.slice(i, i + 2), 16) / 255) ** 2.2);
  return r * 0.2126 + g * 0.7152 + b * 0.0722 < 0.179;
};

// tile is a rounded box, plain where the browser knows no rounded ones.
const tile = (ctx, x, y, w, h, r) => (ctx.roundRect ? ctx.roundRect(x, y, w, h, r) : ctx.rect(x, y, w, h));

export function paint(v) {
  const { ctx, m, k, w, h } = v;
  const css = getComputedStyle(v.canvas);
  const ink = Object.fromEntries(["ink", "sheet", "line", "soft"].map((n) => [n, css.getPropertyValue("--" + n).trim()]));
  const px = m.pitch * k;
  ctx.setTransform(v.ratio, 0, 0, v.ratio, 0, 0);
  ctx.fillStyle = ink.sheet;
  ctx.fillRect(0, 0, w, h);
  sections(v, ink, px);
  areas(v, ink, px);
  v.family = css.fontFamily;
  for (const [x, y] of m.front) text(v, "◎ " + t("map.front"), x * k + v.x, y * k + v.y, 15, ink.soft);
  if (px >= 1.2) seats(v, ink, px);
  if (px >= 12) rows(v, ink, px);
  v.pills = [];
  if (px < 10) pills(v, ink);
}

const color = (v, id) => v.o.cats.find((c) => c.id == id)?.color || "#7c8a83";

function trace(v, poly) {
  const { ctx, k } = v;
  ctx.beginPath();
  poly.forEach(([x, y], i) => ctx[i ? "lineTo" : "moveTo"](x * k + v.x, y * k + v.y));
  ctx.closePath();
}

function sections(v, ink, px) {
  const { ctx, m } = v;
  m.hulls.forEach((h, s) => {
    if (h.length < 3 || m.areas.some((a) => a.section == s)) return;
    const first = m.rows.find((r) => r.section == s);
    const c = first ? color(v, m.category[first.first]) : ink.soft;
    trace(v, h);
    ctx.lineJoin = "round";
    ctx.lineWidth = Math.max(px * 1.3, 4);
    ctx.globalAlpha = px < 1.2 ? 0.55 : 0.13;
    ctx.strokeStyle = ctx.fillStyle = c;
    ctx.stroke();
    ctx.fill();
    ctx.globalAlpha = 1;
  });
}

function areas(v, ink, px) {
  const { ctx, m, k } = v;
  for (const a of m.areas) {
    const poly = a.outline?.length > 2 ? a.outline : null;
    if (poly) trace(v, poly);
    else {
      ctx.beginPath();
      ctx.arc(a.x * k + v.x, a.y * k + v.y, 26, 0, 7);
    }
    const free = v.o.areas().get(a.unit) || 0;
    ctx.globalAlpha = free ? 0.3 : 0.1;
    ctx.fillStyle = ctx.strokeStyle = color(v, a.category);
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.lineWidth = v.o.chosen.has(a.unit) ? 5 : 2;
    if (v.o.chosen.has(a.unit)) ctx.strokeStyle = ink.ink;
    ctx.stroke();
    if (px >= 10) text(v, a.label, a.x * k + v.x, a.y * k + v.y, 16, ink.ink);
  }
}

function text(v, s, x, y, size, fill) {
  const { ctx } = v;
  ctx.font = "700 " + size + "px " + v.family;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillStyle = fill;
  ctx.fillText(s, x, y);
}

// seats draws the visible ones: as squares while they are small, in the shape of their category when there is room.
function seats(v, ink, px) {
  const { ctx, m, k, w, h, o } = v;
  const status = o.status();
  const free = new Map();
  const mine = [];
  const side = Math.max(px * 0.68, 1);
  const dot = Math.max(px * 0.24, 0.8);
  ctx.fillStyle = ink.soft;
  ctx.globalAlpha = 0.55;
  for (let u = 0; u < m.n; u++) {
    const x = m.x[u] * k + v.x;
    const y = m.y[u] * k + v.y;
    if (x < -px || y < -px || x > w + px || y > h + px) continue;
    if (o.chosen.has(u) || status[u] == "m") mine.push([u, x, y]);
    else if (status[u] != "f") ctx.fillRect(x - dot / 2, y - dot / 2, dot, dot);
    else {
      const c = m.category[u];
      if (!free.has(c)) free.set(c, []);
      free.get(c).push([u, x, y]);
    }
  }
  ctx.globalAlpha = 1;
  for (const [c, list] of free) group(v, ink, px, side, c, list);
  for (const [u, x, y] of mine) chosen(v, ink, px, x, y, m.label[u]);
}

function group(v, ink, px, side, c, list) {
  const { ctx, m } = v;
  const fill = color(v, c);
  ctx.fillStyle = fill;
  if (px < 12) {
    for (const [, x, y] of list) ctx.fillRect(x - side / 2, y - side / 2, side, side);
    return;
  }
  const path = v.paths[c % v.paths.length];
  const scale = (px * 0.8) / 20;
  ctx.lineWidth = 1 / scale;
  ctx.strokeStyle = ink.ink;
  for (const [, x, y] of list) {
    ctx.setTransform(v.ratio * scale, 0, 0, v.ratio * scale, v.ratio * (x - 10 * scale), v.ratio * (y - 10 * scale));
    ctx.fill(path);
    ctx.stroke(path);
  }
  ctx.setTransform(v.ratio, 0, 0, v.ratio, 0, 0);
  for (const [u, x, y] of list) {
    if (px >= 24) text(v, m.label[u], x, y + 1, px * 0.36, dark(fill) ? "#fff" : "#000");
    if (m.flags[u] & 3) mark(v, ink, px, x, y, m.flags[u]);
  }
}

// mark puts a ring on wheelchair places, a dashed one on their companions.
function mark(v, ink, px, x, y, flags) {
  const { ctx } = v;
  ctx.strokeStyle = ink.ink;
  ctx.lineWidth = Math.max(px * 0.09, 1.5);
  if (!(flags & 1)) ctx.setLineDash([px * 0.14, px * 0.1]);
  ctx.beginPath();
  ctx.arc(x, y, px * 0.5, 0, 7);
  ctx.stroke();
  ctx.setLineDash([]);
}

function chosen(v, ink, px, x, y, label) {
  const { ctx } = v;
  const r = Math.max(px * 0.5, 6);
  ctx.fillStyle = ink.ink;
  ctx.strokeStyle = ink.sheet;
  ctx.lineWidth = 2;
  ctx.beginPath();
  tile(ctx, x - r, y - r, 2 * r, 2 * r, r * 0.35);
  ctx.fill();
  ctx.stroke();
  ctx.lineWidth = r * 0.28;
  ctx.beginPath();
  ctx.moveTo(x - r * 0.5, y + r * 0.02);
  ctx.lineTo(x - r * 0.12, y + r * 0.4);
  ctx.lineTo(x + r * 0.52, y - r * 0.38);
  ctx.stroke();
}

// rows writes the row's letter before its first and after its last seat.
function rows(v, ink, px) {
  const { m, k } = v;
  for (const r of m.rows) {
    if (r.count < 2) continue;
    const end = r.first + r.count - 1;
    for (const [a, b] of [[r.first, r.first + 1], [end, end - 1]]) {
      const x = (2 * m.x[a] - m.x[b]) * k + v.x;
      const y = (2 * m.y[a] - m.y[b]) * k + v.y;
      if (x > 0 && y > 0 && x < v.w && y < v.h) text(v, r.label, x, y, Math.min(px * 0.5, 16), ink.soft);
    }
  }
}

// pills name the sections with what is left in them; each is a target of 44 px, and none lies on another.
function pills(v, ink) {
  const { ctx, m, k } = v;
  const left = counts(m, v.o.status(), v.o.areas());
  const narrow = v.w < 480 && m.sections.length > 6;
  ctx.font = "700 14px " + v.family;
  m.boxes.forEach(([x0, y0, x1, y1], s) => {
    if (x0 > x1) return;
    const words = m.sections[s].label + (narrow ? "" : " · " + num(left[s]));
    const half = ctx.measureText(words).width / 2 + 9;
    const small = (x1 - x0) * k < half * 2 || (y1 - y0) * k < 34;
    const x = Math.min(Math.max(((x0 + x1) / 2) * k + v.x, half + 2), v.w - half - 2);
    let y = small ? y0 * k + v.y - 18 : ((y0 + y1) / 2) * k + v.y;
    const hits = (p) => x + half > p.x0 && x - half < p.x1 && y + 13 > p.y0 + 9 && y - 13 < p.y1 - 9;
    for (let i = 0; i < 4 && v.pills.some(hits); i++) y += 28;
    if (v.pills.some(hits) || x1 * k + v.x < 0 || x0 * k + v.x > v.w) return;
    v.pills.push({ section: s, x0: x - half, x1: x + half, y0: y - 22, y1: y + 22 });
    ctx.fillStyle = left[s] ? ink.ink : ink.line;
    ctx.beginPath();
    tile(ctx, x - half, y - 13, half * 2, 26, 5);
    ctx.fill();
    text(v, words, x, y + 1, 14, left[s] ? ink.sheet : ink.ink);
  });
}
