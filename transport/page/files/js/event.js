// The event page: counts down, shows the visitor's own time when it differs, and changes when the sale does.

import { $, boot, js, say, t } from "./say.js";
import { clock, learn } from "./clock.js";

const url = "/api/v1/events/" + boot.event;

// local writes an instant in the visitor's zone, or nothing when that reads the same as at the venue.
function local(el) {
  const at = new Date(el.dateTime);
  const form = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const here = new Intl.DateTimeFormat(boot.lang, form).format(at);
  const there = new Intl.DateTimeFormat(boot.lang, { ...form, timeZone: el.dataset.local }).format(at);
  return here == there ? "" : t("event.local", { t: here });
}

// check asks what the phase is now and reloads when it has changed; the wait spreads those who all look at once.
async function check() {
  let again = 5000 + Math.random() * 10000;
  try {
    const r = await fetch(url);
    again = Math.max(again, 1000 * (r.headers.get("Retry-After") | 0));
    if (r.ok) {
      const e = await r.json();
      learn(e.now);
      if (e.phase != boot.phase) {
        if (e.phase == "open" || e.phase == "lobby") say(t("event.announce_open"));
        setTimeout(() => location.reload(), 500);
        return;
      }
    }
  } catch {
    // Offline: the next round tries again.
  }
  setTimeout(check, boot.phase == "open" ? 60000 + again : again * 2);
}

js();
const el = document.querySelector("time[data-local]");
const out = document.querySelector("[data-local-out]");
const text = el && local(el);
if (text) {
  out.textContent = text;
  out.hidden = false;
}
clock($("count"), {
  marks: [600000, 300000, 60000],
  at: (m) => say(t("event.announce_min", { n: m / 60000 })),
  end: () => setTimeout(check, Math.random() * 2000),
});
check();
