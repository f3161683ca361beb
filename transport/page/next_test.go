package page

import (
	"net/url"
	"strings"
	"testing"
)

func TestSafeNext(t *testing.T) {
	for in, want := range map[string]string{
		"/":                            "/",
		"/e/aurora/queue":              "/e/aurora/queue",
		"/e/aurora/seats?section=2":    "/e/aurora/seats?section=2",
		"/orders/o1-5#top":             "/orders/o1-5#top",
		"":                             "/",
		"e/aurora":                     "/",
		"//evil.example":               "/",
		"///evil.example":              "/",
		`/\evil.example`:               "/",
		`\/evil.example`:               "/",
		"/\t/evil.example":             "/",
		"/\n/evil.example":             "/",
		" /evil":                       "/",
		"https://evil.example":         "/",
		"https:/evil.example":          "/",
		"javascript:alert(1)":          "/",
		"/e//evil.example":             "/",
		"/..//evil.example":            "/",
		"/%zz":                         "/",
		"/sign-in?next=/":              "/",
		"/sign-out":                    "/",
		"/api/v1/events":               "/",
		"/" + strings.Repeat("a", 600): "/",
	} {
		if got := safeNext(in); got != want {
			t.Errorf("safeNext(%q) is %q, want %q", in, got, want)
		}
	}
}

func FuzzSafeNext(f *testing.F) {
	for _, s := range []string{"/e/a", "//x", `/\x`, "/\x00", "http://x", "/%2f%2fx", "/a?b=//c", "/é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := safeNext(s)
		base := &url.URL{Scheme: "https", Host: "fila.example", Path: "/sign-in"}
		u, err := base.Parse(got)
		if err != nil {
			t.Fatalf("safeNext(%q) is %q, which is no address: %v", s, got, err)
		}
		if u.Scheme != "https" || u.Host != "fila.example" || u.User != nil || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.Contains(got, `\`) {
			t.Fatalf("safeNext(%q) is %q, which leads to %s", s, got, u)
		}
	})
}
