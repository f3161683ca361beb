package page

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// visit is one page open in the browser.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string
	w   *world
}

func openTab(ctx context.Context, t *testing.T, w *world, path string, width, height int64) *tab {
	t.Helper()
	server := httptest.NewServer(open(t, w, Options{}))
	t.Cleanup(server.Close)
	visitor(ctx, t, server.URL, true, width, height, "light")
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

// until waits for a JavaScript expression to be true.
func (p *tab) until(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression)); err != nil {
		text := eval[string](p, `document.body.innerText`)
		p.t.Fatalf("never true: %s (%v)\npage: %s", expression, err, text)
	}
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

// tap clicks a point of the canvas, given in parts of its width and height.
func (p *tab) tap(fx, fy float64) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("canvas").scrollIntoView({block: "center"})`))
	r := eval[[]float64](p, `(() => { const r = document.getElementById("canvas").getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()`)
	p.do(chromedp.MouseClickXY(r[0]+r[2]*fx, r[1]+r[3]*fy), chromedp.Sleep(150*time.Millisecond))
}

func (p *tab) called(part string) bool {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return strings.Contains(strings.Join(p.w.calls, "\n"), part)
}

func TestSeatsOnTheMap(t *testing.T) {
	ctx := browser(t)
	w := newWorld()
	placed("shopping")(w)
	p := openTab(ctx, t, w, "/e/aurora/seats", 360, 800)
	p.until(`!document.getElementById("map").hidden`)
	p.shot("map-1-all")
	p.tap(.38, .62)
	p.shot("map-2-section")
	p.tap(.5, .5)
	p.shot("map-3-seats")
	p.tap(.5, .5)
	p.tap(.62, .5)
	p.tap(.5, .4)
	p.shot("map-4-chosen")
}

func TestDebugHeld(t *testing.T) {
	ctx := browser(t)
	w := newWorld()
	holding()(w)
	p := openTab(ctx, t, w, "/e/aurora/seats", 360, 800)
	p.until(`!document.getElementById("map").hidden`)
	p.do(chromedp.Sleep(500 * time.Millisecond))
	t.Log(eval[string](p, `(() => { const v = document.getElementById("canvas").view; return JSON.stringify({w: v.w, h: v.h, k: v.k, x: v.x, y: v.y, least: v.least, box: v.m.box}) })()`))
	p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("canvas").scrollIntoView({block: "center"})`), chromedp.Sleep(300*time.Millisecond))
	p.shot("held")
}
