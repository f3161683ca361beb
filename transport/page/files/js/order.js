// An order after paying: waits for the tickets and for the mail, then stays quiet.

import { $, boot, say, t } from "./say.js";
import { Live } from "./live.js";

const moving = boot.state == "paid" || boot.state == "refunding" || (boot.state == "fulfilled" && !boot.tickets);

function look(o) {
  if (!o || o.id != boot.order) return;
  if (o.state != boot.state || (moving && o.tickets?.length != boot.tickets)) return location.reload();
  if (o.mailed && !boot.mailed) {
    boot.mailed = true;
    const p = document.createElement("p");
    p.className = "notice";
    p.textContent = t("order.mailed", { e: boot.email });
    document.querySelector(".lead").after(p);
    say(p.textContent);
  }
}

async function ask() {
  const r = await live.call("order.get", { id: boot.order });
  if (r.status == 200) look(r.body);
}

let live;
if (moving || !boot.mailed) {
  live = new Live(boot.event, boot.lang, {
    frame(f) {
      if (f.t == "order") look(f.order);
      if (f.t == "moved") live.stop();
    },
    state(to) {
      if ($("net")) $("net").dataset.net = to;
      if (to == "live") ask();
    },
  });
  setInterval(() => (moving || !boot.mailed) && ask(), 5000);
}
