package page

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// codes are the refusals that have a help page, in the order of the help page.
func codes() []string {
	return []string{
		"not-open", "closed", "no-place", "not-your-turn", "no-lease", "removed",
		"conflict", "sold-out", "limit", "orphan", "unknown-unit", "hold-exists", "expired", "already-renewed",
		"payment-in-progress", "wrong-state", "too-many-attempts", "idempotency-mismatch",
		"unauthenticated", "wrong-password", "weak-password", "email-taken", "forbidden", "foreign-origin",
		"busy", "unavailable", "internal", "too-many-requests", "too-large", "invalid-request", "not-found",
	}
}

// notice is one thing said to the visitor at the top of a page.
type notice struct{ Title, Body string }

// notice explains a refusal in the visitor's language. An unknown code is explained as the site being unavailable,
// with the API's own sentence.
func (v *visit) notice(p *problem) notice {
	code := p.Code
	if !slices.Contains(codes(), code) {
		n := v.notice(&problem{Code: "unavailable"})
		if p.Title != "" {
			n.Title = p.Title
		}
		return n
	}
	body := v.lang.T("problem."+code+".body", "n", p.Allowed)
	if code == "limit" && p.Allowed <= 0 {
		body = v.lang.T("problem.limit.any")
	}
	return notice{v.lang.T("problem." + code + ".title"), body}
}

// asked reads ?why=code, which a form leaves behind when it sends the visitor back.
func (v *visit) asked() notice {
	code := v.r.URL.Query().Get("why")
	if !slices.Contains(codes(), code) {
		return notice{}
	}
	return v.notice(&problem{Code: code})
}

type problemData struct {
	Code    string
	Notice  notice
	Detail  string
	Retry   int    // seconds until the page tries again, 0 never
	Back    string // where trying again leads
	Help    bool   // a help page, not a failure
	Missing bool
}

// showProblem is the page of an error that ended a screen.
func (v *visit) showProblem(p *problem) error {
	d := problemData{Code: p.Code, Notice: v.notice(p), Back: v.backPath(), Missing: p.Status == http.StatusNotFound}
	status := max(p.Status, http.StatusBadRequest)
	switch p.Code {
	case "busy", "unavailable", "too-many-requests":
		d.Retry = min(max(int((p.RetryAfterMs+999)/1000), 5), 60)
		v.w.Header().Set("Retry-After", fmt.Sprint(d.Retry))
	case "invalid-request":
		d.Detail = p.Detail
	}
	pg := page{screen: "problem", title: d.Notice.Title, status: status, data: d}
	if d.Retry > 0 {
		pg.boot = map[string]any{"retry": d.Retry, "back": d.Back}
		pg.refresh = d.Retry
	}
	return v.show(pg)
}

// problem is the help page of one code: /problems/{code}.
func (h *Handler) problem(v *visit) error {
	code := v.r.PathValue("code")
	if !slices.Contains(codes(), code) {
		return h.missing(v)
	}
	n := v.notice(&problem{Code: code})
	return v.show(page{screen: "problem", title: n.Title, data: problemData{Code: code, Notice: n, Back: "/", Help: true}, public: true})
}

type helpItem struct {
	Code  string
	Title string
}

// help lists how the queue works and every problem page.
func (h *Handler) help(v *visit) error {
	var list []helpItem
	for _, c := range codes() {
		list = append(list, helpItem{c, v.lang.T("problem." + c + ".title")})
	}
	return v.show(page{screen: "help", title: v.lang.T("help.title"), data: list, public: true})
}

func (h *Handler) missing(*visit) error {
	return &problem{Code: "not-found", Status: http.StatusNotFound}
}

// language keeps the choice of the language menu: in a cookie, and in the account when signed in.
func (h *Handler) language(v *visit) error {
	tag := v.r.PostForm.Get("lang")
	all := tags()
	if !slices.Contains(all[:], tag) {
		return &problem{Code: "invalid-request", Status: http.StatusBadRequest, Detail: "lang"}
	}
	http.SetCookie(v.w, &http.Cookie{
		Name: "lang", Value: tag, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: true, Secure: h.opts.Secure, SameSite: http.SameSiteLaxMode,
	})
	if v.who != nil {
		if err := v.api(http.MethodPatch, "accounts/me", map[string]string{"lang": tag}, nil); err != nil {
			return err
		}
	}
	return v.goTo(safeNext(v.r.PostForm.Get("next")))
}
