package api

import (
	"net/http"
	"strconv"
	"strings"
)

// language of a visitor who is not signed in: the cookie, else what the browser likes best of what we speak.
func language(r *http.Request) string {
	if c, err := r.Cookie("lang"); err == nil {
		if l, ok := known(c.Value); ok {
			return l
		}
	}
	best, weight := "pt-BR", 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		l, ok := known(strings.TrimSpace(tag))
		if !ok {
			continue
		}
		if q := quality(params); q > weight {
			best, weight = l, q
		}
	}
	return best
}

// quality reads ";q=0.8" of RFC 9110; without one it is 1, and what cannot be read counts as nothing.
func quality(params string) float64 {
	value, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(value, 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}

// known finds the language of the house that a tag asks for.
func known(tag string) (string, bool) {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	switch primary {
	case "pt":
		return "pt-BR", true
	case "en":
		return "en", true
	case "es":
		return "es", true
	default:
		return "", false
	}
}
