// The seating plan as the map and the list need it. Pure: no page, no network.

// hull is the convex outline of points.
export function hull(pts) {
  if (pts.length < 3) return pts;
  const p = [...pts].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (list) => {
    const h = [];
    for (const q of list) {
      while (h.length > 1 && cross(h.at(-2), h.at(-1), q) <= 0) h.pop();
      h.push(q);
    }
    return h.slice(0, -1);
  };
  return [...half(p), ...half(p.reverse())];
}

const cross = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);

// inside says whether (x, y) lies in a polygon.
export function inside(poly, x, y) {
  let odd = false;
  for (let i = 0, j = poly.length - 1; i < poly.length; j = i++) {
    const [xi, yi] = poly[i];
    const [xj, yj] = poly[j];
    if (yi > y != yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

// boxOf is [x0, y0, x1, y1] around points.
export function boxOf(pts) {
  const b = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of pts) {
    b[0] = Math.min(b[0], x);
    b[1] = Math.min(b[1], y);
    b[2] = Math.max(b[2], x);
    b[3] = Math.max(b[3], y);
  }
  return b;
}

// closer maps a coordinate so that the gaps between spans become narrow: a tenth of what the spans fill.
export function closer(spans) {
  const merged = [];
  for (const s of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && s[0] <= last[1]) last[1] = Math.max(last[1], s[1]);
    else merged.push([...s]);
  }
  const most = merged.reduce((sum, s) => sum + s[1] - s[0], 0) / 10;
  const gaps = merged.slice(1).map((s, i) => [merged[i][1], s[0]]).filter(([from, to]) => to - from > most);
  const f = (v) => gaps.reduce((shift, [from, to]) => shift - (to - from - most) * Math.min(Math.max((v - from) / (to - from), 0), 1), v);
  f.cuts = gaps.length;
  return f;
}

// squeeze brings sections that stand far apart closer together, as on a sketch. They keep shape, order and direction.
function squeeze(p) {
  const { x, y } = p.seats;
  const boxes = p.sections.map(() => [Infinity, Infinity, -Infinity, -Infinity]);
  const grow = (s, px, py) => {
    const b = boxes[s];
    boxes[s] = [Math.min(b[0], px), Math.min(b[1], py), Math.max(b[2], px), Math.max(b[3], py)];
  };
  for (const r of p.rows) for (let u = r.first; u < r.first + r.count; u++) grow(r.section, x[u], y[u]);
  for (const a of p.areas || []) for (const [px, py] of [...(a.outline || []), [a.x, a.y]]) grow(a.section, px, py);
  const some = boxes.filter((b) => b[0] <= b[2]);
  const fx = closer(some.map((b) => [b[0], b[2]]));
  const fy = closer(some.map((b) => [b[1], b[3]]));
  return {
    x: x.map(fx), y: y.map(fy), squeezed: fx.cuts + fy.cuts > 0,
    areas: (p.areas || []).map((a) => ({ ...a, x: fx(a.x), y: fy(a.y), outline: a.outline?.map(([px, py]) => [fx(px), fy(py)]) })),
    focal: p.sections.map((s) => s.focal || [0, 0]).filter(([px, py]) => px || py).map(([px, py]) => [fx(px), fy(py)]),
  };
}

// model adds to the plan of the API: the row of each seat, outlines and boxes of sections, the usual distance of
// neighbours, what the seats look at, and the box of everything.
export function model(p) {
  const { label, category, flags } = p.seats;
  const { x, y, areas, focal, squeezed } = squeeze(p);
  const row = new Int32Array(x.length).fill(-1);
  const points = p.sections.map(() => []);
  const gaps = [];
  p.rows.forEach((r, i) => {
    for (let u = r.first; u < r.first + r.count; u++) {
      row[u] = i;
      points[r.section].push([x[u], y[u]]);
    }
    const u = r.first + (r.count >> 1);
    if (r.count > 1) gaps.push(Math.hypot(x[u] - x[u - 1], y[u] - y[u - 1]));
  });
  for (const a of areas) points[a.section].push(...(a.outline?.length ? a.outline : [[a.x, a.y]]));
  gaps.sort((a, b) => a - b);
  const pitch = gaps[gaps.length >> 1] || 1;
  const hulls = points.map(hull);
  const all = hulls.flat();
  const box = boxOf(all.length ? all : [[0, 0], [p.width || 1, p.height || 1]]);
  // Where a section looks belongs to the picture when it is not far off.
  const [w, h] = [box[2] - box[0], box[3] - box[1]];
  const near = ([x, y]) => x > box[0] - w / 3 && x < box[2] + w / 3 && y > box[1] - h / 3 && y < box[3] + h / 3;
  const fronts = new Map(focal.map((f) => [f.join(), f]));
  const front = [...fronts.values()].filter(near);
  return {
    n: x.length, x, y, label, category, flags, row, pitch, hulls,
    rows: p.rows, sections: p.sections, areas, squeezed,
    boxes: hulls.map(boxOf), box: boxOf([box.slice(0, 2), box.slice(2), ...front]), front,
  };
}

// nameOf gives section, row and seat of a unit, to be put into words.
export function nameOf(m, u) {
  if (u >= m.n) {
    const a = m.areas.find((a) => a.unit == u);
    return { area: a?.label ?? "" };
  }
  const r = m.rows[m.row[u]];
  return { section: m.sections[r.section].label, row: r.label, seat: m.label[u] };
}

// nearest is the free seat most like u: of the same category, in the same row if there is one, else in the same
// section. taken(v) says what cannot be had. -1 when there is none.
export function nearest(m, u, taken) {
  const r = m.rows[m.row[u]];
  let best = -1;
  let far = Infinity;
  m.rows.forEach((q, i) => {
    if (q.section != r.section) return;
    for (let v = q.first; v < q.first + q.count; v++) {
      if (v == u || m.category[v] != m.category[u] || taken(v)) continue;
      const d = Math.hypot(m.x[v] - m.x[u], m.y[v] - m.y[u]) + (i == m.row[u] ? 0 : 4 * m.pitch);
      if (d < far) [far, best] = [d, v];
    }
  });
  return best;
}

// counts are the free seats per section.
export function counts(m, status, areas) {
  const c = m.sections.map(() => 0);
  for (const r of m.rows) for (let u = r.first; u < r.first + r.count; u++) if (status[u] == "f") c[r.section]++;
  for (const a of m.areas) c[a.section] += areas.get(a.unit) || 0;
  return c;
}
