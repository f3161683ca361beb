// Texts, numbers and the two live regions. The page brings its texts and data in main's data-boot attribute.

export const $ = (id) => document.getElementById(id);

export const boot = JSON.parse($("main")?.dataset.boot || "{}");

let lang, sep, texts, rules;

// speak chooses the language; the page's own one is chosen below.
export function speak(b) {
  lang = b.lang || "pt-BR";
  sep = b.sep || [".", ","];
  texts = b.t || {};
  rules = new Intl.PluralRules(lang);
}
speak(boot);

// num writes a whole number with the language's thousands separator.
export const num = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, sep[0]);

// money writes {amount, currency}; sign is the currency's sign when the page knows it.
export function money(m, sign = boot.cur || m.currency) {
  const gap = lang == "en" && sign != m.currency ? "" : "\u00a0";
  const n = Math.abs(m.amount);
  return (m.amount < 0 ? "-" : "") + sign + gap + num(Math.floor(n / 100)) + sep[1] + String(n % 100).padStart(2, "0");
}

// t is the text of key; {name} is replaced, and the number n chooses the plural form.
export function t(key, vars = {}) {
  let s = texts[key] ?? "⟦" + key + "⟧";
  if (typeof s == "object") s = s[rules.select(vars.n ?? 0)] || s.other;
  return s.replace(/\{(\w+)\}/g, (all, k) => (k in vars ? (typeof vars[k] == "number" ? num(vars[k]) : vars[k]) : all));
}

// has says whether the page brought a text for key.
export const has = (key) => key in texts;

// wait writes an estimated wait as a range of minutes.
export function wait(e) {
  if (!e) return t("eta.unknown");
  if (e.over_hour) return t("eta.over_hour");
  const a = Math.floor(e.lo_ms / 60000);
  const b = Math.ceil(e.hi_ms / 60000);
  if (b <= 1) return t("eta.under_minute");
  if (a < 1) return t("eta.up_to", { n: b });
  return a == b ? t("eta.about", { n: b }) : t("eta.range", { a, b });
}

// say tells a screen reader; loud interrupts and is seen as well, for 20 s or, with keep, until something else is
// said. The region is emptied first, or a repeated text would be silent.
export function say(text, loud, keep) {
  const el = $(loud ? "alert" : "say");
  el.textContent = "";
  clearTimeout(el.timer);
  el.timer = setTimeout(() => {
    el.textContent = text;
    if (loud && !keep) el.timer = setTimeout(() => (el.textContent = ""), 20000);
  }, 120);
}

// drums writes a number as a row of counter wheels.
export function drums(el, n) {
  const all = [...num(n)];
  el.innerHTML = "";
  const row = document.createElement("span");
  row.className = "drums";
  row.dataset.n = all.length;
  row.setAttribute("aria-hidden", "true");
  for (const c of all) row.append(Object.assign(document.createElement(c >= "0" && c <= "9" ? "b" : "i"), { textContent: c }));
  el.append(row);
}

// js reveals what only works with scripts.
export function js() {
  document.documentElement.classList.add("on");
  for (const el of document.querySelectorAll(".js")) el.hidden = false;
}
