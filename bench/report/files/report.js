"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const root = getComputedStyle(document.documentElement);
  const ink = name => root.getPropertyValue("--" + name).trim();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const sync = uPlot.sync("time");
  const trim = v => v >= 100 ? Math.round(v).toLocaleString("en") : String(+v.toPrecision(3));
  const scaled = (v, step, names) => { let i = 0; while (v >= step && i < names.length - 1) { v /= step; i++; } return trim(v) + names[i]; };
  const say = {
    seconds: v => v < 1e-3 ? trim(v * 1e6) + " µs" : v < 1 ? trim(v * 1e3) + " ms" : v < 100 ? trim(v) + " s" : trim(v / 60) + " min",
    bytes: v => scaled(v, 1024, [" B", " KiB", " MiB", " GiB", " TiB"]),
    per_second: v => scaled(v, 1000, ["", " k", " M"]) + "/s",
    "": v => v < 0 ? "−" + say[""](-v) : v >= 1e4 ? scaled(v, 1000, ["", " k", " M", " G"]) : trim(v),
  };
  const unit = u => say[u] || (v => trim(v) + (u ? " " + u : ""));
  const clock = v => v < 60 ? trim(v) + " s" : Math.floor(v / 60) + ":" + String(Math.round(v % 60)).padStart(2, "0");
  const nines = v => v < 0.005 ? "all" : String(+(100 * (1 - Math.pow(10, -v))).toFixed(Math.max(0, Math.ceil(v) - (v % 1 ? 1 : 2)) + (v % 1 ? 1 : 0))) + " %";
  const day = v => new Date(v * 1000).toISOString().slice(0, 10);
  const across = { time: clock, spread: nines, dates: day };

  const marks = b => u => {
    const { ctx } = u, { left, top, width, height } = u.bbox, px = devicePixelRatio;
    ctx.save();
    ctx.beginPath(); ctx.rect(left, top, width, height); ctx.clip();
    ctx.lineWidth = px; ctx.setLineDash([4 * px, 3 * px]);
    for (const m of b.c.marks || []) {
      const x = Math.round(u.valToPos(m.at, "x", true));
      ctx.strokeStyle = m.kind === "fault" ? ink("bad") : m.kind === "heal" ? ink("good") : ink("muted");
      ctx.beginPath(); ctx.moveTo(x, top); ctx.lineTo(x, top + height); ctx.stroke();
    }
    ctx.restore();
  };

  const powers = Array.from({ length: 50 }, (_, i) => 2 ** i);
  // The days that have a result, as many of them as there is room for.
  const spread = days => u => {
    const step = Math.ceil(days.length / Math.max(1, Math.floor(u.bbox.width / devicePixelRatio / 90)));
    return days.filter((_, i) => i % step === 0);
  };

  const draw = b => {
    const { box, c } = b;
    const name = unit(c.unit);
    const axis = { stroke: ink("soft"), font: "12px system-ui, sans-serif", grid: { stroke: ink("line"), width: 1 }, ticks: { stroke: ink("line"), width: 1, size: 4 } };
    let hue = 0;
    const lines = c.lines.map(l => {
      const colour = l.tone === "bad" ? ink("bad") : l.tone === "muted" ? ink("muted") : ink("c" + hue++ % 8);
      return { label: l.name, stroke: colour, width: l.tone === "muted" ? 1.25 : 1.75, spanGaps: c.kind === "dates", fill: l.fill || l.bars ? colour + (l.bars ? "99" : "26") : undefined,
        paths: l.bars ? uPlot.paths.bars({ size: [0.8, 20] }) : undefined, points: { show: c.kind === "dates", size: 6, fill: colour }, value: (u, v) => v == null ? "" : name(v) };
    });
    const opts = {
      padding: [null, c.kind === "spread" ? 32 : null, null, null],
      width: box.clientWidth - 20, height: c.wide ? 320 : 230,
      cursor: c.kind === "time" ? { sync: { key: sync.key, setSeries: false } } : {},
      scales: { x: { time: false }, y: c.log ? { distr: 3, range: (u, a, b) => a > 0 ? [10 ** Math.floor(Math.log10(a)), 10 ** Math.ceil(Math.log10(b * 1.0001))] : [1e-3, 1] } : { range: (u, a, b) => [Math.min(0, a), b > 0 ? b * 1.08 : 1] } },
      axes: [
        { ...axis, values: (u, s) => s.map(v => across[c.kind](v)), space: c.kind === "dates" ? 90 : 56, splits: c.kind === "dates" ? spread(c.x) : undefined, incrs: c.kind === "spread" ? [1, 2] : c.kind === "dates" ? undefined : [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600] },
        { ...axis, size: 66, incrs: c.unit === "bytes" ? powers : undefined, values: (u, s) => s.map(v => v == null ? "" : name(v)), ...(c.log ? { filter: (u, s) => s.map(v => { const e = Math.log10(v); return Math.abs(e - Math.round(e)) < 1e-6 ? v : null; }) } : {}) },
      ],
      series: [{ label: c.kind === "time" ? "at" : c.kind === "spread" ? "faster" : "day", value: (u, v, k, i) => v == null ? "" : c.names && i != null ? c.names[i] : across[c.kind](v) }, ...lines],
      hooks: { draw: [marks(b)] },
    };
    return new uPlot(opts, [c.x, ...c.lines.map(l => l.y)], box);
  };

  let boxes = [];
  const show = b => {
    if (b.c.wide) b.box.classList.add("wide");
    const caption = document.createElement("figcaption");
    caption.textContent = b.c.title;
    b.box.append(caption);
    b.box.setAttribute("role", "img");
    b.box.setAttribute("aria-label", b.c.title + ": " + b.c.lines.map(l => l.name).join(", "));
    b.plot = draw(b);
    sync.sub(b.plot);
  };
  const showAll = charts => {
    boxes = [...document.querySelectorAll("[data-chart]")].map(box => ({ box, c: charts[+box.dataset.chart], plot: null }));
    boxes.forEach(show);
    document.documentElement.dataset.drawn = boxes.length;
  };
  const fit = () => boxes.forEach(b => b.plot.setSize({ width: b.box.clientWidth - 20, height: b.plot.height }));
  let due = 0;
  addEventListener("resize", () => { cancelAnimationFrame(due); due = requestAnimationFrame(fit); });
  dark.addEventListener("change", () => boxes.forEach(b => { sync.unsub(b.plot); b.plot.destroy(); b.plot = draw(b); sync.sub(b.plot); }));

  const make = (tag, name, text) => {
    const e = document.createElement(tag);
    if (name) e.className = name;
    if (text != null) e.textContent = text;
    return e;
  };
  const byId = id => document.getElementById(id);

  // A run as it goes: the charts are made anew only when others are to be shown, else they get the new figures.
  let shape = "";
  const update = s => {
    byId("says").textContent = s.says;
    byId("tiles").replaceChildren(...s.tiles.map(t => { const e = make("div", "tile " + t.tone); e.append(make("b", "", t.value), make("span", "", t.label)); return e; }));
    byId("marks").replaceChildren(...s.marks.map(m => { const e = make("li"); e.append(make("b", "", m.name), make("span", "", m.text)); return e; }));
    const now = JSON.stringify([s.sections, s.charts.map(c => [c.title, c.lines.map(l => l.name)])]);
    if (now === shape) {
      boxes.forEach(b => { b.c = s.charts[+b.box.dataset.chart]; b.plot.setData([b.c.x, ...b.c.lines.map(l => l.y)]); });
      return;
    }
    shape = now;
    boxes.forEach(b => { sync.unsub(b.plot); b.plot.destroy(); });
    byId("sections").replaceChildren(...s.sections.map(x => {
      const e = make("section"), grid = make("div", "charts");
      grid.append(...x.charts.map(i => { const f = make("figure", "chart"); f.dataset.chart = i; return f; }));
      e.append(make("h2", "", x.title), make("p", "hint", x.says), grid);
      return e;
    }));
    showAll(s.charts);
  };
  const follow = () => {
    const source = new EventSource("events");
    const over = () => { source.close(); byId("says").textContent = "The run is over"; document.documentElement.dataset.over = "yes"; };
    source.onmessage = e => update(JSON.parse(e.data));
    source.addEventListener("over", over);
    source.onerror = over;
  };
  if (byId("live")) follow(); else showAll(charts);
})();
