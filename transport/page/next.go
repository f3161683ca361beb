package page

import (
	"net/url"
	"strings"
)

// safeNext lets a visitor go only to a page of ours: a path with one leading slash. Everything else, and the
// sign-in pages themselves, becomes the home page. Browsers treat a backslash as a slash and drop tabs and line
// breaks, so those are refused too.
func safeNext(s string) string {
	if len(s) > 512 || !strings.HasPrefix(s, "/") || strings.Contains(s, "//") || strings.ContainsRune(s, '\\') ||
		strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return "/"
	}
	u, err := url.Parse(s)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	switch {
	case strings.HasPrefix(u.Path, "/sign-"), strings.HasPrefix(u.Path, "/api/"), strings.HasPrefix(u.Path, "/assets/"):
		return "/"
	}
	return s
}
