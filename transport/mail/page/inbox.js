// Keeps the list of messages fresh: asks every two seconds what the newest one is and, when that changed, takes the
// list out of a newly fetched page. Nothing moves focus or scrolls.
const period = 2000;
const list = () => document.getElementById("list");

async function look() {
  const query = new URLSearchParams(location.search);
  const to = query.get("to") ?? "";
  const answer = await fetch(`${base()}/api/messages?to=${encodeURIComponent(to)}`, { cache: "no-store" });
  if (!answer.ok) return;
  const { items } = await answer.json();
  const newest = String(items[0]?.id ?? 0);
  if (newest === list().dataset.newest) return;
  const page = await fetch(location.href, { cache: "no-store" });
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html").getElementById("list");
  if (!fresh) return;
  const top = list().scrollTop;
  const focused = document.activeElement?.closest?.("#list a")?.getAttribute("href");
  list().replaceWith(fresh);
  fresh.scrollTop = top;
  if (focused) fresh.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function base() {
  return new URL(document.querySelector("h1 a").href).pathname;
}

async function loop() {
  if (!document.hidden) {
    try {
      await look();
    } catch {
      // the server restarts; the next look finds it again
    }
  }
  setTimeout(loop, period);
}

setTimeout(loop, period);
