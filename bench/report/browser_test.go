package report

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/catraca/catraca/bench/record"
)

// browser opens Chromium; the returned function says what it has complained of.
func browser(t *testing.T) (context.Context, func() []string) {
	t.Helper()
	path := ""
	for _, p := range []string{"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		if _, err := os.Stat(p); err == nil {
			path = p
		}
	}
	if path == "" {
		t.Skip("no Chromium here: install chromium to run the browser tests")
	}
	alloc, stop := chromedp.NewExecAllocator(t.Context(), chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-background-networking", true), chromedp.WSURLReadTimeout(60*time.Second))
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("Chromium does not start here: %v", err)
	}
	var mu sync.Mutex
	var complaints []string
	if err := chromedp.Listen(ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch ev := ev.(type) {
		case *log.EventEntryAdded:
			complaints = append(complaints, ev.Entry.Text)
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, ev.ExceptionDetails.Text+" "+fmt.Sprint(ev.ExceptionDetails.Exception))
		}
	}); err != nil {
		t.Fatal(err)
	}
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(complaints)
	}
}

// TestInBrowser: Chromium draws every chart of every page, light and dark, wide and narrow, without an error in its
// console, and no page is wider than its window. With CATRACA_SHOTS naming a folder it leaves pictures there.
func TestInBrowser(t *testing.T) {
	t.Parallel()
	ctx, complaints := browser(t)
	kept, err := ReadKept(keptFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	var compared bytes.Buffer
	if err := Compare(passed(), brokenRun()).HTML(&compared); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, page := range map[string]string{"passed": pageOf(t, passed()), "broken": pageOf(t, brokenRun()), "compared": compared.String(), "history": historyPageOf(t, kept), "set": setHTML(t, madeSet())} {
		file := filepath.Join(folder, name+".html")
		if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, view := range []struct {
			width  int64
			colour string
		}{{1280, "light"}, {1280, "dark"}, {360, "light"}} {
			if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.colour}}}); err != nil {
				t.Fatal(err)
			}
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(view.width, 800), chromedp.Navigate("file://"+file)); err != nil {
				t.Fatal(err)
			}
			seen, err := chromedp.Run(ctx, chromedp.Evaluate[[]int](`[+document.documentElement.dataset.drawn, document.querySelectorAll("[data-chart]").length, document.querySelectorAll("canvas").length, document.documentElement.scrollWidth]`))
			if err != nil {
				t.Fatal(err)
			}
			if seen[0] != seen[1] || seen[2] != seen[1] || int64(seen[3]) > view.width {
				t.Errorf("%s, %d px, %s: %d of %d charts drawn on %d canvases, %d px wide", name, view.width, view.colour, seen[0], seen[1], seen[2], seen[3])
			}
			if shots := os.Getenv("CATRACA_SHOTS"); shots != "" {
				png, err := chromedp.Run(ctx, chromedp.FullScreenshot(90))
				if err == nil {
					err = os.WriteFile(filepath.Join(shots, fmt.Sprintf("%s-%d-%s.png", name, view.width, view.colour)), png, 0o600)
				}
				if err != nil {
					t.Error(err)
				}
			}
		}
	}
	if list := complaints(); len(list) > 0 {
		t.Errorf("the browser complains: %q", list)
	}
}

// TestLiveInBrowser: the page of a run that goes on takes new seconds and new operations, and says when it is over.
func TestLiveInBrowser(t *testing.T) {
	t.Parallel()
	ctx, complaints := browser(t)
	moments := make(chan int)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		if err := LivePage(w, "<b>spike"); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /favicon.ico", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for n := range moments {
			_, _ = io.WriteString(w, "data: ")
			if err := LiveState(w, stood(n), passed().Server); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(w, "\n")
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, "event: over\ndata: x\n\n")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate(server.URL)); err != nil {
		t.Fatal(err)
	}
	until := func(expression string) {
		t.Helper()
		if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
			t.Fatalf("never true: %s: %v", expression, err)
		}
	}
	for _, n := range []int{0, 3, 60, 61} { // nothing, one operation, all of them, the same with another second
		moments <- n
		until(fmt.Sprintf(`document.getElementById("says").textContent === %q`, span(float64(n))+" so far"))
		charts := len(stood(n).Seconds)
		if charts > 0 {
			until(`document.querySelectorAll("canvas").length === document.querySelectorAll("[data-chart]").length && document.querySelectorAll("canvas").length > 4`)
		}
	}
	if shots := os.Getenv("CATRACA_SHOTS"); shots != "" {
		png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err == nil {
			err = os.WriteFile(filepath.Join(shots, "live.png"), png, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
	close(moments)
	until(`document.documentElement.dataset.over === "yes"`)
	if list := complaints(); len(list) > 0 {
		t.Errorf("the browser complains: %q", list)
	}
}

// stood is how the made-up run stood after so many seconds.
func stood(n int) record.Live {
	run := passed()
	l := record.Live{At: float64(n), Planned: 50000, Active: 45000, Sockets: 44000, Seconds: run.Seconds[:n], Operations: run.Operations, Starts: record.Starts{Started: 41000, Counted: 40000, Late: 90}}
	for _, m := range run.Marks {
		if m.At <= l.At {
			l.Marks = append(l.Marks, m)
		}
	}
	return l
}
