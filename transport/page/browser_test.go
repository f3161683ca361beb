package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is one page open in the browser.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string
	w   *world
}

// openTab shows path of w to a signed-in visitor.
func openTab(ctx context.Context, t *testing.T, w *world, path string, width int64) *tab {
	t.Helper()
	server := httptest.NewServer(open(t, w, Options{}))
	t.Cleanup(func() {
		chromedp.Do(ctx, chromedp.Navigate("about:blank")) // closes the socket, or Close would wait for it
		server.CloseClientConnections()
		server.Close()
	})
	visitor(ctx, t, server.URL, true, width, 800, "light")
	p := &tab{t, ctx, server.URL, w}
	p.do(chromedp.Navigate(server.URL + path))
	return p
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("browser: %v", err)
	}
}

func (p *tab) run(js string) { p.t.Helper(); p.do(chromedp.Evaluate[chromedp.Void](js)) }

// until waits for a JavaScript expression to be true.
func (p *tab) until(expression string) {
	p.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && ok {
			return
		}
		time.Sleep(50 * time.Millisecond) // a page on its way elsewhere answers with an error, so ask again
	}
	p.t.Fatalf("never true: %s\n%s: %s", expression, eval[string](p, `location.href`), eval[string](p, `document.body.innerText`))
}

func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("evaluate %s: %v", expression, err)
	}
	return v
}

// shot keeps a picture when CATRACA_SHOTS names a directory.
func (p *tab) shot(name string) {
	p.t.Helper()
	dir := os.Getenv("CATRACA_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) set(change func(w *world)) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	change(p.w)
}

// TestInBrowser runs the pages in one Chromium. Anything it complains about (a blocked resource, an exception) fails.
func TestInBrowser(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	var mu sync.Mutex
	var complaints []string
	err := chromedp.Listen(ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch ev := ev.(type) {
		case *log.EventEntryAdded:
			if ev.Entry.Level == log.EntryLevelError && !strings.Contains(ev.Entry.Text, "WebSocket") && !strings.Contains(ev.Entry.Text, "Failed to load resource") {
				complaints = append(complaints, ev.Entry.Text)
			}
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, ev.ExceptionDetails.Text+" "+fmt.Sprint(ev.ExceptionDetails.Exception))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(context.Context, *testing.T){
		"rules": browserRules, "queue": browserQueue, "reconnect": browserReconnect, "map": browserMap, "keyboard": browserKeyboard,
		"pix": browserPix, "moved": browserMoved, "layout": browserLayout,
	} {
		t.Run(name, func(t *testing.T) {
			f(ctx, t)
			mu.Lock()
			defer mu.Unlock()
			for _, c := range complaints {
				t.Errorf("the browser complains: %s", c)
			}
			complaints = nil
		})
	}
}

// browserQueue: the number falls live and never rises, the turn is announced, claiming leads to the seats.
func browserQueue(ctx context.Context, t *testing.T) {
	w := newWorld()
	placed("waiting")(w)
	p := openTab(ctx, t, w, "/e/aurora/queue", 360)
	shows := func(n string) string { return `document.getElementById("ahead").textContent == "` + n + `"` }
	p.until(shows("4.538") + ` && document.getElementById("net").dataset.net == "live"`)
	p.set(func(w *world) { w.place["ahead"] = 4501 })
	p.until(shows("4.501") + ` && document.title.startsWith("4.501 · ")`)
	p.set(func(w *world) { w.place["ahead"], w.place["chance"] = 4700, "unlikely" })
	p.until(`document.getElementById("chance").textContent == "Pequena"`)
	if !eval[bool](p, shows("4.501")) {
		t.Error("the number rose")
	}
	p.until(`document.querySelector('.stock [data-cat="0"] .free').textContent == "últimos 120"`)
	p.set(func(w *world) { w.events[0]["phase"], w.events[0]["pause_reason"] = "paused", "Chuva forte." })
	p.until(`!document.getElementById("paused").hidden && document.getElementById("say").textContent.includes("Chuva forte.")`)
	p.set(func(w *world) {
		w.events[0]["phase"] = "open"
		w.place["state"], w.place["ahead"], w.place["deadline"] = "offered", 0, stamp(90*time.Second)
	})
	p.until(`document.title.startsWith("É a sua vez!") && document.getElementById("alert").textContent.includes("É a sua vez!")`)
	p.until(`/^1:[0-3]\d$/.test(document.getElementById("claim-by").textContent)`)
	if eval[bool](p, `document.activeElement.id == "claim"`) {
		t.Error("focus was moved while waiting")
	}
	p.do(chromedp.Click("#claim"))
	p.until(`location.pathname == "/e/aurora/seats"`)
}

// browserReconnect: the page greys, comes back, and stops where the server says so.
func browserReconnect(ctx context.Context, t *testing.T) {
	w := newWorld()
	placed("waiting")(w)
	w.ending = "1012"
	p := openTab(ctx, t, w, "/e/aurora/queue", 360)
	p.until(`document.getElementById("net").dataset.net == "moving" && document.getElementById("place").classList.contains("stale")`)
	p.set(func(w *world) { w.ending = "" })
	p.until(`document.getElementById("net").dataset.net == "live" && !document.getElementById("place").classList.contains("stale")`)
	p.set(func(w *world) { w.ending = "4401"; w.account = nil })
	p.run(`location.reload()`)
	p.until(`location.pathname == "/sign-in"`)
}

// browserMap: coming closer by tapping, choosing, losing a seat to somebody else, taking the replacement, holding.
func browserMap(ctx context.Context, t *testing.T) {
	w := newWorld()
	placed("shopping")(w)
	w.refuse["ws hold"] = refusal(409, "conflict", nil)
	p := openTab(ctx, t, w, "/e/aurora/seats", 360)
	p.until(`!document.getElementById("map").hidden && document.getElementById("canvas").view?.pills.length > 8 && document.getElementById("net").dataset.net == "live"`)
	p.run(`document.getElementById("canvas").scrollIntoView({ block: "center" })`)
	p.shot("map-1-all")
	unit := strings.Index(w.status, "fff") // three neighbours
	click := func(u int) {
		t.Helper()
		at := eval[[]float64](p, fmt.Sprintf(`(() => { const c = document.getElementById("canvas"), v = c.view, r = c.getBoundingClientRect();
			return [r.left + v.m.x[%d] * v.k + v.x, r.top + v.m.y[%d] * v.k + v.y, v.m.pitch * v.k]; })()`, u, u))
		p.do(chromedp.MouseClickXY(at[0], at[1]))
	}
	pitch := `document.getElementById("canvas").view.m.pitch * document.getElementById("canvas").view.k`
	before := eval[float64](p, pitch)
	click(unit)
	p.until(fmt.Sprintf(`%s > %f * 1.5`, pitch, before))
	p.shot("map-2-section")
	click(unit)
	p.until(pitch + ` > 30`)
	p.shot("map-3-seats")
	click(unit)
	click(unit + 1)
	p.until(`document.getElementById("sum").textContent.startsWith("2 lugares · R$\u00a0572,00")`)
	p.shot("map-4-chosen")
	p.set(func(w *world) { w.refuse["ws hold"]["units"] = []int{unit} })
	p.run(`document.getElementById("take").click()`)
	p.until(`document.getElementById("alert").textContent.includes("acabou de ser reservado") && document.querySelector(".offer")`)
	p.shot("map-5-lost")
	p.set(func(w *world) { delete(w.refuse, "ws hold") })
	p.run(`document.querySelector(".offer").click(); document.getElementById("take").click()`)
	p.until(`location.pathname == "/e/aurora/checkout"`)
	want := fmt.Sprintf(`ws call hold {"seats":[%d,%d],"areas":[]}`, unit+1, unit+2)
	p.set(func(w *world) {
		if !strings.Contains(strings.Join(w.calls, "\n"), want) {
			t.Errorf("the calls lack %s", want)
		}
	})
}

// browserKeyboard: two seats from the list without a pointer.
func browserKeyboard(ctx context.Context, t *testing.T) {
	w := newWorld()
	placed("shopping")(w)
	w.account["lang"] = "en"
	p := openTab(ctx, t, w, "/e/aurora/seats", 360)
	p.until(`!document.getElementById("map").hidden`)
	press := func(keys ...string) {
		for _, k := range keys {
			p.do(chromedp.KeyEvent(k))
		}
	}
	const tabKey, enter, right = "\t", "\r", "\u0303"
	p.run(`document.getElementById("show-list").focus()`)
	press(enter)
	p.until(`!document.getElementById("list").hidden`)
	press(tabKey, tabKey, tabKey, enter) // the third section
	p.until(`document.activeElement.textContent == "Section 103"`)
	press(tabKey, enter)
	p.until(`document.querySelector(".place")`)
	press(tabKey)
	p.until(`document.activeElement.classList.contains("place")`)
	label := eval[string](p, `document.activeElement.getAttribute("aria-label")`)
	if !strings.HasPrefix(label, "Seat ") || !strings.Contains(label, "R$286.00") {
		t.Errorf("a seat is read as %q", label)
	}
	press(" ", right, " ")
	p.until(`document.getElementById("sum").textContent.startsWith("2 seats")`)
	p.until(`document.getElementById("say").textContent.includes("chosen")`)
	if n := eval[int](p, `document.querySelectorAll('#rows .seats [tabindex="0"]').length`); n != 1 {
		t.Errorf("%d stops for the Tab key in a row, want 1", n)
	}
	p.shot("list-chosen")
	p.run(`document.getElementById("take").focus()`)
	press(enter)
	p.until(`location.pathname == "/e/aurora/checkout"`)
}

// browserPix: the page moves to the tickets by itself once the money has come.
func browserPix(ctx context.Context, t *testing.T) {
	w := newWorld()
	ordered("awaiting", pixWaiting())(w)
	p := openTab(ctx, t, w, "/orders/o1-5", 360)
	p.until(`!document.getElementById("copy").hidden && document.getElementById("net").dataset.net == "live"`)
	p.set(func(w *world) {
		w.order["state"], w.order["payment"] = "fulfilled", newPayment("pix", "captured", nil)
		issued(w)
	})
	p.until(`document.querySelectorAll(".ticket img").length == 2`)
}

// audit finds what a small screen or weak eyes would trip over: sideways scrolling, targets under 44 px (links within
// text are exempt), and text with too little contrast.
const audit = `(() => {
	const bad = [];
	const wide = document.scrollingElement.scrollWidth;
	if (wide > innerWidth) bad.push("scrolls sideways: " + wide + " px");
	const seen = (el) => el.checkVisibility() && el.getBoundingClientRect().width > 1;
	for (const el of document.querySelectorAll("button, summary, select, input:not([type=hidden]):not([type=radio]), a.go, a.quiet, .top a, .foot a, .sections a, .index a")) {
		const box = (el.type == "checkbox" ? el.closest("label") : el).getBoundingClientRect();
		if (seen(el) && !el.closest(".skip") && box.height < 43.5) bad.push("small target " + el.outerHTML.slice(0, 90) + " " + box.height);
	}
	const rgb = (s) => (s.match(/[\d.]+/g) || []).map(Number);
	const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((a, v, i) => a + v * [0.2126, 0.7152, 0.0722][i], 0);
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const el = walk.currentNode.parentElement;
		if (!walk.currentNode.data.trim() || !seen(el) || el.closest(".vh, :disabled, .skip") || el.closest("label")?.querySelector(":disabled")) continue;
		let back = el;
		while (back && getComputedStyle(back).backgroundImage == "none" && (rgb(getComputedStyle(back).backgroundColor)[3] ?? 1) == 0) back = back.parentElement;
		const s = getComputedStyle(back || document.documentElement);
		if (s.backgroundImage != "none") continue;
		const [a, b] = [light(rgb(getComputedStyle(el).color)), light(rgb(s.backgroundColor))].sort((x, y) => y - x);
		const size = parseFloat(getComputedStyle(el).fontSize);
		const need = size >= 24 || (size >= 18.6 && getComputedStyle(el).fontWeight >= 700) ? 3 : 4.5;
		if ((a + 0.05) / (b + 0.05) < need) bad.push("contrast " + ((a + 0.05) / (b + 0.05)).toFixed(2) + ": " + walk.currentNode.data.trim().slice(0, 40));
	}
	return bad;
})()`

// browserLayout audits screens at 320 px, in both colour schemes; all of them when CATRACA_AUDIT is set.
func browserLayout(ctx context.Context, t *testing.T) {
	some := "event-open queue-waiting queue-turn seats checkout order-tickets"
	if os.Getenv("CATRACA_AUDIT") != "" {
		some = ""
	}
	for i, s := range scenes() {
		if some != "" && !strings.Contains(" "+some+" ", " "+s.name+" ") {
			continue
		}
		w := newWorld()
		s.set(w)
		server := httptest.NewServer(open(t, w, Options{MailURL: "/mail"}))
		modes := []string{"light", "dark"}
		if some != "" {
			modes = modes[i%2 : i%2+1]
		}
		for _, mode := range modes {
			visitor(ctx, t, server.URL, s.signed, 320, 700, mode)
			p := &tab{t, ctx, server.URL, w}
			p.do(chromedp.Navigate(server.URL+s.path), chromedp.Sleep(150*time.Millisecond))
			for _, bad := range eval[[]string](p, audit) {
				t.Errorf("%s, %s: %s", s.name, mode, bad)
			}
		}
		chromedp.Do(ctx, chromedp.Navigate("about:blank"))
		server.CloseClientConnections()
		server.Close()
	}
}

// browserRules runs the scripts' pure rules, against the same tables as the Go side where both decide.
func browserRules(ctx context.Context, t *testing.T) {
	w := newWorld()
	p := openTab(ctx, t, w, "/help", 360)
	b := loaded(t)
	load := func(module string) string { return `await import("/assets/` + b.names[module] + `")` }
	rules, err := os.ReadFile("testdata/rules.js")
	if err != nil {
		t.Fatal(err)
	}
	type language struct {
		Tag     string            `json:"lang"`
		Sep     []string          `json:"sep"`
		Texts   map[string]phrase `json:"t"`
		Plurals map[string]string `json:"plurals"`
		Money   string            `json:"money"`
		Say     string            `json:"say"`
	}
	var all []language
	for _, l := range b.ordered() {
		x := language{l.tag, []string{l.group, l.decimal}, l.texts, map[string]string{}, l.Money(money{123450, "BRL"}), l.T("queue.say_ahead", "n", 4538)}
		for _, n := range []int64{0, 1, 2, 21, 1_000_000, 2_000_000, 1_000_001} {
			x.Plurals[fmt.Sprint(n)] = l.plural(n)
		}
		all = append(all, x)
	}
	type estimate struct {
		E    any    `json:"e"`
		Want string `json:"want"`
	}
	var es []estimate
	for _, c := range waits {
		if c.e == nil {
			es = append(es, estimate{nil, c.want})
			continue
		}
		es = append(es, estimate{obj{"lo_ms": c.e.LoMs, "hi_ms": c.e.HiMs, "over_hour": c.e.OverHour}, c.want})
	}
	given, err := json.Marshal(obj{"languages": all, "waits": es})
	if err != nil {
		t.Fatal(err)
	}
	bad := eval[[]string](p, `(async () => { const given = `+string(given)+`; const m = { say: `+load("say.js")+`, clock: `+load("clock.js")+`, live: `+load("live.js")+
		`, place: `+load("place.js")+`, plan: `+load("plan.js")+`, paint: `+load("paint.js")+` };`+string(rules)+`; return rules(m, given); })()`)
	for _, s := range bad {
		t.Error(s)
	}
	client, err := os.ReadFile("testdata/live.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range eval[[]string](p, `(async () => { const m = `+load("live.js")+`; `+string(client)+`; return liveRules(m); })()`) {
		t.Error(s)
	}
}

// browserMoved: another device took over; nothing is lost and one press brings the fan back here.
func browserMoved(ctx context.Context, t *testing.T) {
	w := newWorld()
	placed("waiting")(w)
	p := openTab(ctx, t, w, "/e/aurora/queue", 360)
	p.until(`document.getElementById("net").dataset.net == "live"`)
	p.set(func(w *world) { w.moved = true })
	p.until(`!document.querySelector('[data-s="moved"]').hidden && document.getElementById("net").dataset.net == "stopped"`)
	p.set(func(w *world) { w.moved = false })
	p.do(chromedp.Click("#here"))
	p.until(`document.getElementById("net").dataset.net == "live" && !document.querySelector('[data-s="waiting"]').hidden`)

	p.set(func(w *world) { placed("shopping")(w) })
	p.do(chromedp.Navigate(p.url + "/e/aurora/seats"))
	p.until(`document.getElementById("net").dataset.net == "live" && !document.getElementById("map").hidden`)
	p.set(func(w *world) { w.moved = true })
	p.until(`document.querySelector(".offer")?.textContent == "Continuar aqui" && location.pathname == "/e/aurora/seats"`)
}
