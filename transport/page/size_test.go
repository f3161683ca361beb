package page

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
)

// fetch is a GET as a phone makes it; it returns the status, the header and the body as it went over the wire.
func fetch(t testing.TB, h http.Handler, path string, signed bool, tag string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Language", tag)
	r.Header.Set("Accept-Encoding", "gzip, br")
	if signed {
		r.AddCookie(&http.Cookie{Name: "catraca", Value: "x"})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func wire(t testing.TB, r *http.Response) int {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return len(b)
}

var assetLink = regexp.MustCompile(`"(/assets/[^"]+\.(?:css|js))"`)

// TestQueuePageBudget keeps the page that everybody opens at once inside the first 14 KB, with its style and scripts.
func TestQueuePageBudget(t *testing.T) {
	t.Parallel()
	const budget = 14 << 10
	for _, state := range []string{"waiting", "offered"} {
		for _, tag := range tags() {
			w := newWorld()
			placed(state)(w)
			h := open(t, w, Options{MailURL: "/mail"})
			page := fetch(t, h, "/e/aurora/queue", true, tag)
			if page.Header.Get("Content-Encoding") != "gzip" {
				t.Fatalf("the page came uncompressed")
			}
			total := wire(t, page)
			sizes := map[string]int{"page": total}
			seen := map[string]bool{}
			for _, m := range assetLink.FindAllStringSubmatch(plainBody(t, h, "/e/aurora/queue", true, tag), -1) {
				if seen[m[1]] {
					continue
				}
				seen[m[1]] = true
				n := wire(t, fetch(t, h, m[1], true, tag))
				sizes[m[1]] = n
				total += n
			}
			if len(seen) < 5 {
				t.Errorf("%s %s: only %d assets found, want the style sheets and the modules", state, tag, len(seen))
			}
			if total > budget {
				t.Errorf("%s %s: %d bytes, budget is %d: %v", state, tag, total, budget, sizes)
			}
			t.Logf("%s %s: %d bytes %v", state, tag, total, sizes)
		}
	}
}

// plainBody is the page uncompressed.
func plainBody(t testing.TB, h http.Handler, path string, signed bool, tag string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Language", tag)
	if signed {
		r.AddCookie(&http.Cookie{Name: "catraca", Value: "x"})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Body.String()
}
