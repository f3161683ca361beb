// A page that could not be shown tries again by itself, spread over a few seconds.

import { $, boot, t } from "./say.js";

const due = Date.now() + 1000 * boot.retry * (0.75 + Math.random() / 2);
const timer = setInterval(() => {
  const s = Math.ceil((due - Date.now()) / 1000);
  $("net").textContent = s > 0 ? t("busy.retry", { n: s }) : t("busy.trying");
  if (s > 0) return;
  clearInterval(timer);
  location.replace(boot.back);
}, 500);
