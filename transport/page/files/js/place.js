// What a fan sees of a place, as pure rules.

// ahead is the number to show after frame f when s = {ahead, number} was shown (ahead null: nothing yet). While a place
// waits it only falls: a tick can lower it (all up to front have had their turn), nothing can raise it. Who had a turn
// before and came back is not after front; only place frames speak of them.
export function ahead(s, f) {
  if (f.t == "tick") return s.ahead === null || !(s.number > f.front) ? s.ahead : Math.min(s.ahead, s.number - f.front);
  return s.ahead === null || s.number != f.number ? f.ahead : Math.min(s.ahead, f.ahead);
}

// worth says whether to announce the number: when it has halved, or passes 100 or 10, but never twice in 30 s.
export function worth(last, n, at) {
  if (at - last.at < 30000 || n >= last.n) return false;
  return n <= last.n / 2 || (last.n > 100 && n <= 100) || (last.n > 10 && n <= 10);
}

// progress is 0..1000 of the way from the first number seen.
export const progress = (first, n) => (first > 0 ? Math.round(1000 * (1 - Math.min(n, first) / first)) : 1000);

// few says whether what is left is little: a tenth.
export const few = (free, capacity) => free * 10 < capacity;
