package catraca

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// browser opens a tab of a fresh browser, as large as asked.
func browser(t *testing.T, width, height int64, mobile bool, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: the pages were not tested in a browser (apt-get install chromium)")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.NoFirstRun,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(int(width), int(height)))
	alloc, stop := chromedp.NewExecAllocator(t.Context(), append(opts, more...)...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	var emulate []chromedp.EmulateViewportOption
	if mobile {
		emulate = append(emulate, chromedp.EmulateMobile)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height, emulate...)); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}

// eval runs a script on the page and returns its value.
func eval[T any](t *testing.T, ctx context.Context, script string) T { //nolint:revive // the test comes first in tests
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	v, err := chromedp.Run(limited, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("run %.80s: %v", script, err)
	}
	return v
}

// script runs a script for its effect.
func script(code string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](code)
}

// poll waits until an expression is true.
func poll(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Poll[chromedp.Void](expression)
}

// do runs steps, each with a time limit, and leaves a picture of the page when one fails.
func do(t *testing.T, ctx context.Context, what string, within time.Duration, steps ...chromedp.Action[chromedp.Void]) { //nolint:revive // the test comes first in tests
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := chromedp.Do(limited, steps...); err != nil {
		shot(ctx, "failed")
		url, _ := chromedp.Run(ctx, chromedp.Location())
		text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText.slice(0, 1500)`))
		t.Fatalf("%s: %v\nat %s the page says:\n%s", what, err, url, text)
	}
}

// shot keeps a picture of the page when CATRACA_SHOTS names a folder.
func shot(ctx context.Context, name string) {
	dir := os.Getenv("CATRACA_SHOTS")
	if dir == "" {
		return
	}
	if png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
		_ = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
}

// signUp makes an account and leads back to the event's page.
func signUp(t *testing.T, ctx context.Context, d *demoStage, lang, email string) { //nolint:revive // as above
	t.Helper()
	do(t, ctx, "sign up", 30*time.Second,
		chromedp.Navigate(d.url+"/sign-up?next=/e/aurora"),
		script(`document.cookie = "lang=`+lang+`;path=/"`),
		chromedp.Navigate(d.url+"/sign-up?next=/e/aurora"),
		chromedp.SendKeys("#name", "Ana Conceição"), chromedp.SendKeys("#email", email),
		chromedp.SendKeys("#password", "uma senha bem comprida 7"),
	)
	shot(ctx, "sign-up-"+lang)
	do(t, ctx, "press sign up", 30*time.Second, chromedp.Click("form.fields button.go"), chromedp.WaitVisible(".bill-head h1"))
	shot(ctx, "event-"+lang)
}

// joinAndClaim waits in the queue and takes the turn. The people ahead have to be seen falling at least so many
// times, and never rising.
func joinAndClaim(t *testing.T, ctx context.Context, d *demoStage, falling int) { //nolint:revive // as above
	t.Helper()
	do(t, ctx, "join", 30*time.Second, chromedp.Navigate(d.url+"/e/aurora"),
		chromedp.Click(`form[action="/e/aurora/queue"] button.go`), chromedp.WaitVisible(`section[data-s]:not([hidden]) h1`))
	shot(ctx, "queue")
	watched := fallingPlace(t, ctx)
	do(t, ctx, "turn", 3*time.Minute, chromedp.WaitVisible("#claim"))
	shot(ctx, "turn")
	if seen := watched(); len(seen) < falling {
		t.Errorf("people ahead were seen at %v only: they should fall live", seen)
	}
	do(t, ctx, "claim", 30*time.Second, chromedp.Click("#claim"), chromedp.WaitVisible(".best button.go"))
}

// awaitQueue waits until so many fans are in the queue.
func awaitQueue(t *testing.T, d *demoStage, want float64) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		res, err := http.Get(d.metrics)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		_, after, found := strings.Cut(string(b), `catraca_queue_places{event="1",state="waiting"} `)
		value, _, _ := strings.Cut(after, "\n")
		if n, err := strconv.ParseFloat(value, 64); found && err == nil && n >= want {
			return
		}
	}
	t.Fatalf("never %v fans in the queue", want)
}

// fallingPlace records every number of people ahead that the page shows, without a reload, and returns them.
func fallingPlace(t *testing.T, ctx context.Context) func() []int { //nolint:revive // as above
	t.Helper()
	do(t, ctx, "watch the place", 10*time.Second, script(`
		window.seen = [];
		setInterval(() => {
			const n = document.querySelector("#ahead")?.dataset.n ?? document.querySelector("#ahead")?.textContent.replace(/\D/g, "");
			if (n !== undefined && n !== "" && window.seen.at(-1) !== +n) window.seen.push(+n);
		}, 100); 0`))
	return func() []int {
		seen := eval[[]int](t, ctx, `window.seen ?? []`)
		for i := 1; i < len(seen); i++ {
			if seen[i] > seen[i-1] {
				t.Errorf("people ahead rose from %d to %d", seen[i-1], seen[i])
			}
		}
		return seen
	}
}

// payByCard types a card on the payment page.
func payByCard(t *testing.T, ctx context.Context, card string) { //nolint:revive // as above
	t.Helper()
	do(t, ctx, "payment page", 30*time.Second, chromedp.WaitVisible("#number"),
		script(`for (const f of document.querySelectorAll("#form input[type=text]")) f.value = ""`),
		chromedp.SendKeys("#number", card), chromedp.SendKeys("#expiry", "1234"),
		chromedp.SendKeys("#cvc", "123"), chromedp.SendKeys("#name", "ANA CONCEICAO"))
	shot(ctx, "payment-page")
	do(t, ctx, "press pay", 30*time.Second, chromedp.Click("#form button.main"))
}

// tickets waits for the order's page with its tickets and returns the order's reference and the codes read from the
// pictures of their QR.
func tickets(t *testing.T, ctx context.Context, want int) (order string, codes []string) { //nolint:revive // as above
	t.Helper()
	do(t, ctx, "tickets", time.Minute, chromedp.WaitVisible(".tickets img.qr"),
		poll(`[...document.querySelectorAll(".tickets img.qr")].every((i) => i.complete && i.naturalWidth > 0)`))
	shot(ctx, "tickets")
	url := eval[string](t, ctx, `location.href`)
	count := eval[int](t, ctx, `document.querySelectorAll(".tickets img.qr").length`)
	if count != want {
		t.Fatalf("the page shows %d tickets, want %d", count, want)
	}
	for i := range count {
		codes = append(codes, readCode(t, ctx, fmt.Sprintf(".tickets li:nth-child(%d) img.qr", i+1)))
	}
	url, _, _ = strings.Cut(url, "?")
	return filepath.Base(url), codes
}

// readCode reads the QR that the page shows. The page may still move under the camera, so it is held up again.
func readCode(t *testing.T, ctx context.Context, selector string) string { //nolint:revive // as above
	t.Helper()
	var last error
	// The decoder misses some symbols at some sizes, as a scanner does until the phone is held a little nearer.
	for i, deadline := 0, time.Now().Add(60*time.Second); time.Now().Before(deadline); i++ {
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		png, err := chromedp.Run(limited, chromedp.ScreenshotScale(selector, 1+float64(i%8)*0.5))
		cancel()
		if err != nil {
			last = err
			continue
		}
		code, err := readQR(png)
		if err == nil {
			return code
		}
		last = err
	}
	shot(ctx, "failed")
	t.Fatalf("the QR on the page cannot be read: %v", last)
	return ""
}

func readQR(png []byte) (string, error) {
	img, _, err := image.Decode(bytes.NewReader(png))
	if err != nil {
		return "", err
	}
	bmp, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", err
	}
	res, err := qrcode.NewQRCodeReader().Decode(bmp, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		res, err = qrcode.NewQRCodeReader().Decode(bmp, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	}
	if err != nil {
		return "", err
	}
	return res.GetText(), nil
}

// checkTickets holds the codes against the published key and lets each in once.
func checkTickets(t *testing.T, d *demoStage, codes []string) {
	t.Helper()
	gate := signIn(t, d.url, "admin@catraca.example", d.admin)
	for _, code := range codes {
		out, err := exec.CommandContext(t.Context(), binary(t), "verify", "ticket", code, "--jwks", d.url+"/.well-known/jwks.json").CombinedOutput()
		if err != nil {
			t.Fatalf("verify ticket: %v\n%s", err, out)
		}
		for _, want := range []string{"accepted", "already_scanned"} {
			var scan struct {
				Result string `json:"result"`
			}
			if status := apiCall(t, http.MethodPost, d.url+"/api/v1/gates/1/scans", gate, map[string]string{"code": code}, &scan); status != http.StatusOK || scan.Result != want {
				t.Fatalf("scan answered %d %q, want %q", status, scan.Result, want)
			}
		}
	}
}

// checkMail waits for the confirmation with the tickets attached.
func checkMail(t *testing.T, d *demoStage, to, order string) {
	t.Helper()
	var list struct {
		Items []struct {
			ID        int    `json:"id"`
			MessageID string `json:"message_id"`
		} `json:"items"`
	}
	var mail struct {
		Files []struct {
			Type string `json:"type"`
			URL  string `json:"url"`
		} `json:"files"`
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		apiCall(t, http.MethodGet, d.url+"/mail/api/messages?to="+to, "", nil, &list)
		if len(list.Items) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no mail for order %s to %s", order, to)
		}
	}
	if len(list.Items) != 1 || !strings.HasPrefix(list.Items[0].MessageID, "tickets."+order+"@") {
		t.Fatalf("the mailbox has %+v, want one mail for order %s", list.Items, order)
	}
	apiCall(t, http.MethodGet, fmt.Sprintf("%s/mail/api/messages/%d", d.url, list.Items[0].ID), "", nil, &mail)
	var pdf, calendar bool
	for _, f := range mail.Files {
		res, err := http.Get(d.url + f.URL)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		pdf = pdf || bytes.HasPrefix(b, []byte("%PDF-"))
		calendar = calendar || bytes.HasPrefix(b, []byte("BEGIN:VCALENDAR"))
	}
	if !pdf || !calendar {
		t.Fatalf("the mail carries %+v, want the PDF and the calendar entry", mail.Files)
	}
}

// chooseOnMap taps two adjacent free seats on the canvas.
func chooseOnMap(t *testing.T, ctx context.Context) { //nolint:revive // as above
	t.Helper()
	do(t, ctx, "open the map", 30*time.Second, chromedp.Click("#show-map"), chromedp.WaitVisible("#canvas"),
		poll(`document.querySelector("#canvas").view?.k > 0`))
	shot(ctx, "map")
	raw := eval[string](t, ctx, findPair)
	var pair []int
	if err := json.Unmarshal([]byte(raw), &pair); err != nil || len(pair) != 2 {
		t.Fatalf("no pair of free seats on the map: %s", raw)
	}
	for _, unit := range pair {
		at := eval[[]float64](t, ctx, fmt.Sprintf(seatOnScreen, unit))
		do(t, ctx, "tap a seat", 20*time.Second, chromedp.MouseClickXY(at[0], at[1]))
	}
	do(t, ctx, "two seats in the tray", 20*time.Second, poll(`document.querySelectorAll("#picked li").length == 2`))
	shot(ctx, "map-picked")
	do(t, ctx, "hold", 30*time.Second, chromedp.Click("#take"), chromedp.WaitVisible("#pay"))
}

// findPair looks for a row of the dearer category whose first four seats are free, and comes close to it. The
// simulated fans take the cheaper ones first, so that nobody is quicker here.
const findPair = `(() => {
	const v = document.querySelector("#canvas").view, m = v.m, s = v.o.status();
	for (const r of m.rows) for (let i = 0; i + 4 <= r.count; i += 2) {
		const u = r.first + i;
		const free = [0, 1, 2, 3].every((k) => s[u + k] === "f" && !(m.flags[u + k] & 3) && (k === 0 || !(m.flags[u + k] & 8)) && m.category[u + k] === 1);
		if (!free || i !== 0) continue;
		const x = (m.x[u] + m.x[u + 1]) / 2, y = (m.y[u] + m.y[u + 1]) / 2, p = m.pitch * 6;
		v.look([x - p, y - p, x + p, y + p], 1e9);
		return JSON.stringify([u, u + 1]);
	}
	return "[]";
})()`

const seatOnScreen = `(() => {
	const c = document.querySelector("#canvas");
	c.scrollIntoView({block: "center"});
	const r = c.getBoundingClientRect(), v = c.view, u = %d;
	return [r.left + v.m.x[u] * v.k + v.x, r.top + v.m.y[u] * v.k + v.y];
})()`

// TestBrowserBuysWithCard is the promise of the README: two seats together of the 8,897, with 300 fans around.
func TestBrowserBuysWithCard(t *testing.T) {
	ctx := browser(t, 1280, 900, false)
	d := startDemo(t, "--fans", "300", "--opens-in", "12s")
	signUp(t, ctx, d, "pt-BR", "ana@exemplo.com.br")
	awaitQueue(t, d, 150)
	joinAndClaim(t, ctx, d, 8)
	shot(ctx, "seats")
	chooseOnMap(t, ctx)
	shot(ctx, "checkout")
	do(t, ctx, "choose card", 30*time.Second, chromedp.Click(`#pay button[value="card"]`))
	payByCard(t, ctx, "4242424242424242")
	order, codes := tickets(t, ctx, 2)
	checkTickets(t, d, codes)
	checkMail(t, d, "ana@exemplo.com.br", order)
}

// TestBrowserPixDeclineAndKeyboard shares one demonstration among three fans.
func TestBrowserPixDeclineAndKeyboard(t *testing.T) {
	ctx := browser(t, 1280, 900, false)
	d := startDemo(t, "--fans", "300", "--opens-in", "8s", "--pix-after", "3s")
	t.Run("pix", func(t *testing.T) {
		signUp(t, ctx, d, "pt-BR", "bia@exemplo.com.br")
		awaitQueue(t, d, 150)
		joinAndClaim(t, ctx, d, 8)
		do(t, ctx, "best available", 30*time.Second, chromedp.Click(`input[name="quantity"][value="3"] + span`),
			chromedp.Click(".best button.go"), chromedp.WaitVisible("#pay"))
		do(t, ctx, "pix", 30*time.Second, chromedp.Click(`#pay button[value="pix"]`), chromedp.WaitVisible("#code"))
		shot(ctx, "pix")
		order, codes := tickets(t, ctx, 3)
		checkTickets(t, d, codes)
		checkMail(t, d, "bia@exemplo.com.br", order)
	})
	t.Run("declined, then good", func(t *testing.T) {
		ctx := browser(t, 360, 800, true)
		signUp(t, ctx, d, "es", "caio@exemplo.com.br")
		joinAndClaim(t, ctx, d, 0)
		do(t, ctx, "best available", 30*time.Second, chromedp.Click(".best button.go"), chromedp.WaitVisible("#pay"))
		do(t, ctx, "choose card", 30*time.Second, chromedp.Click(`#pay button[value="card"]`))
		payByCard(t, ctx, "4000000000000002")
		do(t, ctx, "declined", 30*time.Second, chromedp.WaitVisible(`[role="alert"]`))
		shot(ctx, "declined")
		payByCard(t, ctx, "4242424242424242")
		order, codes := tickets(t, ctx, 2)
		checkTickets(t, d, codes)
		checkMail(t, d, "caio@exemplo.com.br", order)
	})
	t.Run("english, 360 px, keyboard alone", func(t *testing.T) {
		ctx := browser(t, 360, 800, true)
		keyboardOnly(t, ctx, d)
	})
}

// press sends keys to whatever has the focus.
func press(keys string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(keys) }

// tabTo presses Tab until the element has the focus, as a person without a pointer has to.
func tabTo(t *testing.T, ctx context.Context, selector string) { //nolint:revive // as above
	t.Helper()
	for range 120 {
		if eval[bool](t, ctx, fmt.Sprintf(`document.activeElement?.matches(%q) ?? false`, selector)) {
			return
		}
		do(t, ctx, "tab", 10*time.Second, press(kb.Tab))
	}
	t.Fatalf("%s is not reached with the Tab key", selector)
}

func keyboardOnly(t *testing.T, ctx context.Context, d *demoStage) { //nolint:revive // as above
	t.Helper()
	do(t, ctx, "open", 30*time.Second, chromedp.Navigate(d.url+"/sign-up?next=/e/aurora"),
		script(`document.cookie = "lang=en;path=/"`), chromedp.Reload(), chromedp.WaitVisible("#name"))
	for _, f := range [][2]string{{"#name", "Dan Brown"}, {"#email", "dan@example.com"}, {"#password", "a very long password 9"}} {
		tabTo(t, ctx, f[0])
		do(t, ctx, "type", 10*time.Second, press(f[1]))
	}
	do(t, ctx, "sign up", 30*time.Second, press(kb.Enter), chromedp.WaitVisible(".bill-head h1"))
	tabTo(t, ctx, `form[action="/e/aurora/queue"] button.go`)
	do(t, ctx, "join", 3*time.Minute, press(kb.Enter), chromedp.WaitVisible("#claim"))
	tabTo(t, ctx, "#claim")
	do(t, ctx, "claim", 30*time.Second, press(kb.Enter), chromedp.WaitVisible(".best button.go"))
	shot(ctx, "seats-360-en")
	tabTo(t, ctx, ".best button.go")
	do(t, ctx, "hold", 30*time.Second, press(kb.Enter), chromedp.WaitVisible("#pay"))
	shot(ctx, "checkout-360-en")
	tabTo(t, ctx, `#pay button[value="card"]`)
	do(t, ctx, "pay", 30*time.Second, press(kb.Enter), chromedp.WaitVisible("#number"))
	for _, f := range [][2]string{{"#number", "4242424242424242"}, {"#expiry", "1234"}, {"#cvc", "123"}, {"#name", "DAN BROWN"}} {
		tabTo(t, ctx, f[0])
		do(t, ctx, "type", 10*time.Second, press(f[1]))
	}
	do(t, ctx, "pay", 30*time.Second, press(kb.Enter))
	order, codes := tickets(t, ctx, 2)
	shot(ctx, "tickets-360-en")
	checkTickets(t, d, codes)
	checkMail(t, d, "dan@example.com", order)
}
