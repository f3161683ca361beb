package page

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// browser starts Chromium for one test, or skips it where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
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
	return ctx
}

// visitor opens the browser's tab anew for a scene: cookies, language, colours and size.
func visitor(ctx context.Context, t *testing.T, url string, signed bool, width, height int64, mode string) {
	t.Helper()
	_, err := chromedp.Call(ctx, network.ClearBrowserCookies, cdp.Empty{})
	if err == nil && signed {
		_, err = chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "catraca", Value: "x", URL: url})
	}
	if err == nil {
		_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: mode}}})
	}
	if err == nil {
		_, err = chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
			Headers: network.Headers{"Accept-Language": lang(os.Getenv("CATRACA_LANG"))}})
	}
	if err == nil {
		err = chromedp.Do(ctx, chromedp.EmulateViewport(width, height))
	}
	if err != nil {
		t.Fatalf("prepare the browser: %v", err)
	}
}

// TestPreview takes pictures of all states of all screens: CATRACA_SHOTS=dir go test -run Preview ./transport/page
// (CATRACA_ONLY=queue for some of them, CATRACA_SIZE=360-dark for one size, CATRACA_LANG=es for another language).
func TestPreview(t *testing.T) {
	dir := os.Getenv("CATRACA_SHOTS")
	if dir == "" {
		t.Skip("set CATRACA_SHOTS to a directory to take pictures of all screens")
	}
	ctx := browser(t)
	sizes := []struct {
		name string
		w, h int64
		mode string
	}{{"360-light", 360, 800, "light"}, {"360-dark", 360, 800, "dark"}, {"1280-light", 1280, 900, "light"}, {"1280-dark", 1280, 900, "dark"}}
	for _, s := range scenes() {
		if only := os.Getenv("CATRACA_ONLY"); !strings.Contains(s.name, only) {
			continue
		}
		w := newWorld()
		s.set(w)
		server := httptest.NewServer(open(t, w, Options{Files: os.DirFS("files"), MailURL: "/mail"}))
		for _, size := range sizes {
			if m := os.Getenv("CATRACA_SIZE"); !strings.Contains(size.name, m) {
				continue
			}
			visitor(ctx, t, server.URL, s.signed, size.w, size.h, size.mode)
			if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+s.path), chromedp.Sleep(900*time.Millisecond)); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%s.png", s.name, size.name)), shot, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		server.Close()
	}
}

func lang(s string) string {
	if s == "" {
		return "pt-BR"
	}
	return s
}
