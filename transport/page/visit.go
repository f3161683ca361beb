package page

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// visit is one request to a page: who asks, in which language, and what the screen wants to show.
type visit struct {
	h    *Handler
	b    *bundle
	w    http.ResponseWriter
	r    *http.Request
	lang *tongue
	who  *account // nil when signed out
	key  string   // idempotency key sent by the form, for the API

	unsure *problem       // why it is not known who this is
	fresh  []*http.Cookie // given by the API during this request
}

// view is what a template sees as the dot.
type view struct {
	Lang    string
	Title   string
	Screen  string
	Script  string // the screen's module, "" for none
	Preload []string
	Boot    string // JSON for the scripts
	Refresh int    // seconds, for visitors without scripts; 0 never
	Path    string // where the language menu comes back to
	Account *account
	Mail    string
	Alert   notice // shown at the top in an alert region
	Secure  bool
	D       any // the screen's own data
}

// serve turns a screen into a handler: reads the language, the account and the form, and shows failures as pages.
func (h *Handler) serve(s screen) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := h.bundle()
		if err != nil {
			h.log.Error("read files", "error", err)
			http.Error(w, "files are broken: "+err.Error(), http.StatusInternalServerError)
			return
		}
		v := &visit{h: h, b: b, w: w, r: r}
		v.protect()
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
			if err := r.ParseForm(); err != nil {
				v.lang = b.tongues[pickTag(r, "")]
				v.fail(&problem{Code: "invalid-request", Status: http.StatusBadRequest, Detail: err.Error()})
				return
			}
			v.key = plainKey(r.PostForm.Get("key"))
		}
		v.greet()
		if err := s(v); err != nil {
			v.fail(err)
		}
	}
}

// greet finds the account and the language. Visitors without a cookie cost no call.
func (v *visit) greet() {
	v.lang = v.b.tongues[pickTag(v.r, "")]
	if v.r.Header.Get("Cookie") == "" {
		return
	}
	var got struct{ Account account }
	err := v.api(http.MethodGet, "accounts/me", nil, &got)
	if p, ok := errors.AsType[*problem](err); ok && p.Status != http.StatusUnauthorized {
		v.unsure = p
	}
	if err == nil && got.Account.ID != "" {
		v.who = &got.Account
		v.lang = v.b.tongues[pickTag(v.r, got.Account.Lang)]
	}
}

// plainKey accepts what the API accepts as an idempotency key; anything else counts as none.
func plainKey(s string) string {
	if len(s) > 128 || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return ""
	}
	return s
}

// needAccount sends the visitor to sign in and back here. When it is not known who this is because the API is busy, the
// visitor is told that, and not sent to sign in again.
func (v *visit) needAccount() error {
	switch {
	case v.who != nil:
		return nil
	case v.unsure != nil:
		return v.unsure
	}
	return &problem{Code: "unauthenticated", Status: http.StatusUnauthorized}
}

// slug is the event's name in this address, ready to stand in a path.
func (v *visit) slug() string { return url.PathEscape(v.r.PathValue("slug")) }

// here is the address of this page with its query, for coming back.
func (v *visit) here() string { return v.r.URL.RequestURI() }

// goTo answers a form or a page that has moved on.
func (v *visit) goTo(to string) error {
	v.w.Header().Set("Cache-Control", "no-store")
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// page is a screen to render.
type page struct {
	screen  string         // template and, when there is one, script of that name
	title   string         // already in the visitor's language
	status  int            // 200 when zero
	data    any            //
	boot    map[string]any // what the script needs; nil for a page without script
	refresh int
	alert   notice
	public  bool // the same for everybody who is signed out: may be revalidated instead of resent
}

// show renders p.
func (v *visit) show(p page) error {
	vw := view{
		Lang: v.lang.tag, Title: p.title, Screen: p.screen, Refresh: p.refresh, Path: v.backPath(), Account: v.who,
		Mail: v.h.opts.MailURL, Alert: p.alert, Secure: v.h.opts.Secure, D: p.data,
	}
	if p.boot != nil {
		if err := v.scripts(&vw, p); err != nil {
			return err
		}
	}
	var buf bytes.Buffer
	t := v.b.screens[v.lang.tag+"/"+p.screen]
	if t == nil {
		return errors.New("render page: no template " + p.screen)
	}
	if err := t.ExecuteTemplate(&buf, "layout.html", vw); err != nil {
		return err
	}
	v.send(p, trim(buf.Bytes()))
	return nil
}

// scripts fills what the screen's module needs: its name, what to load ahead, texts and data.
func (v *visit) scripts(vw *view, p page) error {
	name := p.screen + ".js"
	boot := map[string]any{
		"lang": v.lang.tag, "sep": []string{v.lang.group, v.lang.decimal},
		"t": v.b.scriptTexts(name, v.lang),
	}
	maps.Copy(boot, p.boot)
	raw, err := json.Marshal(boot)
	if err != nil {
		return err
	}
	vw.Boot = string(raw)
	for _, dep := range v.b.needs(name) {
		vw.Preload = append(vw.Preload, v.b.names[dep])
	}
	vw.Script = v.b.names[name]
	return nil
}

// backPath is where the language menu returns: this page if it was a GET, else where the form stands.
func (v *visit) backPath() string {
	if v.r.Method == http.MethodGet {
		return safeNext(v.here())
	}
	return safeNext(v.r.PostForm.Get("back"))
}

// trim drops the indentation of the templates: a fifth of an uncompressed page.
func trim(html []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(html))
	for l := range bytes.Lines(html) {
		if l = bytes.TrimSpace(l); len(l) > 0 {
			out.Write(l)
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

// fail shows an error as the page that helps most.
func (v *visit) fail(err error) {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		if errors.Is(v.r.Context().Err(), context.Canceled) {
			return
		}
		v.h.log.Error("render page", "path", v.r.URL.Path, "error", err)
		p = &problem{Code: "unavailable", Status: http.StatusInternalServerError}
	}
	if p.Code == "unauthenticated" {
		back := v.here()
		if v.r.Method != http.MethodGet {
			back = safeNext(v.r.PostForm.Get("back"))
		}
		v.goTo("/sign-in?next=" + url.QueryEscape(safeNext(back))) //nolint:errcheck // never fails
		return
	}
	if err := v.showProblem(p); err != nil {
		v.h.log.Error("render page", "path", v.r.URL.Path, "error", err)
		http.Error(v.w, "unavailable", http.StatusInternalServerError)
	}
}
