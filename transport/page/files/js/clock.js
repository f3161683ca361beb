// The server's clock, and everything on the page that counts down. Instants are compared, never timers added up: a
// sleeping phone wakes with the right time.

let offset = null;

// learn takes the server's time. An answer is always a little old, so the largest difference is the truest; one that
// differs by more than 5 s means that the phone's own clock was set.
export function learn(iso) {
  const d = Date.parse(iso) - Date.now();
  if (isNaN(d)) return;
  if (offset === null || d > offset || offset - d > 5000) offset = d;
}

export const now = () => Date.now() + (offset ?? 0);

// clockface is m:ss, h:mm:ss, or days and h:mm:ss.
export function clockface(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  if (s < 3600) return Math.floor(s / 60) + ":" + two(s % 60);
  const h = two((s / 60) % 60) + ":" + two(s % 60);
  return s < 86400 ? Math.floor(s / 3600) + ":" + h : Math.floor(s / 86400) + " d " + two((s / 3600) % 24) + ":" + h;
}

// crossed lists the marks (ms left) passed on the way from before to after.
export const crossed = (marks, before, after) => marks.filter((m) => before > m && after <= m);

const clocks = new Map();
let timer;

// clock keeps el counting down to its data-until. at(mark) is called as each mark is passed, end() once at zero.
export function clock(el, { marks = [], at, end } = {}) {
  if (!el) return;
  clocks.set(el, { marks, at, end, before: null });
  turn(el);
  timer ||= setInterval(() => clocks.forEach((_, c) => turn(c)), 500);
}

function turn(el) {
  const c = clocks.get(el);
  const until = Date.parse(el.dataset.until);
  if (isNaN(until)) return;
  const left = until - now();
  el.textContent = clockface(left);
  el.classList.toggle("soon", left < 60000);
  if (c.before !== null) {
    for (const m of crossed(c.marks, c.before, left)) c.at(m);
    if (c.before > 0 && left <= 0) c.end?.();
  }
  c.before = left;
}

// until moves a clock to another instant.
export function until(el, iso) {
  if (!el || !iso || el.dataset.until == iso) return;
  el.dataset.until = iso;
  const c = clocks.get(el);
  if (c) c.before = null;
  if (c) turn(el);
}
