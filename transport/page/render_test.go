package page

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// TestScreens renders every state of every screen in every language and reads the HTML as a strict browser would.
func TestScreens(t *testing.T) {
	t.Parallel()
	var w *world
	api := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.ServeHTTP(rw, r) })
	h, err := newHandler(Options{API: api, MailURL: "/mail", PaymentOrigins: []string{"https://pay.example"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenes() {
		for _, tag := range tags() {
			t.Run(s.name+"/"+tag, func(t *testing.T) {
				w = newWorld()
				s.set(w)
				r := fetch(t, h, s.path, s.signed, tag)
				if want := max(s.status, 200); r.StatusCode != want {
					t.Fatalf("status %d, want %d (to %s)", r.StatusCode, want, r.Header.Get("Location"))
				}
				body := plainBody(t, h, s.path, s.signed, tag)
				checkHeaders(t, r)
				checkHTML(t, body, tag)
				if text := h.fixed.tongues[tag].T(s.want); !strings.Contains(html.UnescapeString(body), beforeArgument(text)) {
					t.Errorf("the page does not say %q", text)
				}
			})
		}
	}
}

// beforeArgument is the fixed beginning of a text with arguments.
func beforeArgument(s string) string {
	before, _, _ := strings.Cut(s, "{")
	return before
}

func checkHeaders(t *testing.T, r *http.Response) {
	t.Helper()
	const want = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self' ws://example.com wss://example.com; form-action 'self' https://pay.example; frame-ancestors 'none'; base-uri 'none'"
	if got := r.Header.Get("Content-Security-Policy"); got != want {
		t.Errorf("policy is\n%s\nwant\n%s", got, want)
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// checkHTML reads the page token by token: elements close in order, ids are unique, nothing runs inline, nothing
// comes from elsewhere, labels and descriptions point at something, and no text is missing.
func checkHTML(t *testing.T, body, tag string) {
	t.Helper()
	for _, bad := range []string{"⟦", "no value", "%!", "ZgotmplZ", "<nil>", "1970", "0001"} {
		if i := strings.Index(body, bad); i >= 0 {
			t.Errorf("the page has %q: …%s…", bad, body[max(i-60, 0):min(i+60, len(body))])
		}
	}
	void := []string{"meta", "link", "input", "img", "br"}
	c := checker{t: t, ids: map[string]int{}, roles: map[string]int{}}
	z := html.NewTokenizer(strings.NewReader(body))
	var open []string
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("not closed: %v", open)
			}
			c.finish(tag)
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			c.element(tok, open)
			if kind == html.StartTagToken && !slices.Contains(void, tok.Data) {
				open = append(open, mark(tok))
			}
		case html.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || strings.TrimSuffix(open[len(open)-1], " hidden") != name {
				t.Fatalf("</%s> closes %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// mark is the element's name, with a note when it is hidden.
func mark(tok html.Token) string {
	if _, ok := attr(tok, "hidden"); ok {
		return tok.Data + " hidden"
	}
	return tok.Data
}

func attr(tok html.Token, name string) (string, bool) {
	for _, a := range tok.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

type checker struct {
	t     *testing.T
	ids   map[string]int
	roles map[string]int
	refs  []string
	heads int
	lang  string
}

func (c *checker) element(tok html.Token, open []string) {
	hidden := slices.ContainsFunc(open, func(s string) bool { return strings.HasSuffix(s, " hidden") })
	for _, a := range tok.Attr {
		switch {
		case a.Key == "id":
			c.ids[a.Val]++
		case strings.HasPrefix(a.Key, "on"), a.Key == "style", strings.HasPrefix(strings.ToLower(a.Val), "javascript:"):
			c.t.Errorf("inline %s=%q on <%s>", a.Key, a.Val, tok.Data)
		case a.Key == "for", a.Key == "aria-describedby":
			c.refs = append(c.refs, a.Val)
		case a.Key == "role":
			c.roles[a.Val]++
		case a.Key == "src", a.Key == "href" && tok.Data == "link", a.Key == "action":
			if !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//") {
				c.t.Errorf("%s=%q leads away", a.Key, a.Val)
			}
		}
	}
	switch tok.Data {
	case "html":
		c.lang, _ = attr(tok, "lang")
	case "script":
		if _, ok := attr(tok, "src"); !ok {
			c.t.Error("a script is inline")
		}
	case "style":
		c.t.Error("a style is inline")
	case "img":
		if alt, _ := attr(tok, "alt"); alt == "" {
			c.t.Error("an image has no alt text")
		}
	case "meta":
		if v, _ := attr(tok, "http-equiv"); v == "refresh" && (len(open) == 0 || open[len(open)-1] != "noscript") {
			c.t.Error("the page refreshes itself although scripts run")
		}
	case "h1":
		if !hidden {
			c.heads++
		}
	}
}

func (c *checker) finish(tag string) {
	for id, n := range c.ids {
		if n > 1 {
			c.t.Errorf("id %s is there %d times", id, n)
		}
	}
	for _, id := range c.refs {
		if c.ids[id] == 0 {
			c.t.Errorf("something points at #%s, which is not there", id)
		}
	}
	if c.heads != 1 {
		c.t.Errorf("%d visible h1, want 1", c.heads)
	}
	if c.lang != tag {
		c.t.Errorf("lang is %q, want %q", c.lang, tag)
	}
	if c.roles["status"] != 1 || c.roles["alert"] != 1 {
		c.t.Errorf("live regions: %d status, %d alert, want one of each", c.roles["status"], c.roles["alert"])
	}
}

// TestPolicyTakesNoForeignHost shows that a strange Host cannot write into the policy.
func TestPolicyTakesNoForeignHost(t *testing.T) {
	h, err := newHandler(Options{API: newWorld()})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{
		"fila.example:8080":             "connect-src 'self' ws://fila.example:8080 wss://fila.example:8080;",
		"[::1]:8080":                    "connect-src 'self' ws://[::1]:8080 wss://[::1]:8080;",
		"a; script-src *":               "connect-src 'self';",
		"a b":                           "connect-src 'self';",
		"":                              "connect-src 'self';",
		strings.Repeat("a", 300) + ".x": "connect-src 'self';",
	} {
		if got := h.policy(host); !strings.Contains(got, want) {
			t.Errorf("host %q: policy %q, want %q in it", host, got, want)
		}
	}
}

func TestSecureAddsTransportSecurity(t *testing.T) {
	for _, secure := range []bool{true, false} {
		h, err := New(Options{API: newWorld(), Secure: secure})
		if err != nil {
			t.Fatal(err)
		}
		if got := fetch(t, h, "/help", false, "en").Header.Get("Strict-Transport-Security") != ""; got != secure {
			t.Errorf("Secure %v: Strict-Transport-Security there is %v", secure, got)
		}
	}
}

func TestCaching(t *testing.T) {
	w := newWorld()
	placed("waiting")(w)
	h := open(t, w, Options{})
	out := fetch(t, h, "/help", false, "en")
	tag := out.Header.Get("ETag")
	if tag == "" || out.Header.Get("Cache-Control") != "private, no-cache" {
		t.Fatalf("public page: ETag %q, Cache-Control %q", tag, out.Header.Get("Cache-Control"))
	}
	r := httptest.NewRequest(http.MethodGet, "/help", nil)
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("If-None-Match", tag)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if rec.Code != http.StatusNotModified || rec.Body.Len() != 0 {
		t.Errorf("revalidation gave %d with %d bytes, want 304 and nothing", rec.Code, rec.Body.Len())
	}
	for _, path := range []string{"/help", "/e/aurora/queue", "/orders"} {
		if got := fetch(t, h, path, true, "en").Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s signed in: Cache-Control %q, want no-store", path, got)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("New without an API is accepted")
	}
	for _, origin := range []string{"pay.example", "https://pay.example/", "https://a b", "ftp://pay.example", "https://x;y", ""} {
		if _, err := New(Options{API: newWorld(), PaymentOrigins: []string{origin}}); err == nil {
			t.Errorf("payment origin %q is accepted", origin)
		}
	}
}
