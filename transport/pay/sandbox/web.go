package sandbox

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/language"
)

//go:embed web
var webFiles embed.FS

// pages are the parsed templates, texts and files for the payer.
type pages struct {
	html   *template.Template
	text   map[string]map[string]string
	css    []byte
	svg    map[string][]byte
	cssURL string
	tags   []language.Tag
	match  language.Matcher
}

func newPages() (*pages, error) {
	p := &pages{svg: map[string][]byte{}, tags: []language.Tag{language.BrazilianPortuguese, language.English, language.Spanish}}
	p.match = language.NewMatcher(p.tags)
	var err error
	if p.html, err = template.ParseFS(webFiles, "web/page.html"); err != nil {
		return nil, fmt.Errorf("parse payment pages: %w", err)
	}
	raw, err := webFiles.ReadFile("web/text.json")
	if err == nil {
		err = json.Unmarshal(raw, &p.text)
	}
	if err != nil {
		return nil, fmt.Errorf("read payment page texts: %w", err)
	}
	if p.css, err = webFiles.ReadFile("web/sandbox.css"); err != nil {
		return nil, fmt.Errorf("read payment page style: %w", err)
	}
	for _, name := range []string{"bank.svg", "icon.svg"} {
		if p.svg[name], err = webFiles.ReadFile("web/" + name); err != nil {
			return nil, fmt.Errorf("read payment page picture: %w", err)
		}
	}
	sum := sha256.Sum256(p.css)
	p.cssURL = "/assets/sandbox." + hex.EncodeToString(sum[:6]) + ".css"
	return p, nil
}

// lang picks one of our languages: what was asked for, else what the browser prefers, else Portuguese.
func (p *pages) lang(asked, accept string) string {
	_, i := language.MatchStrings(p.match, asked, accept)
	return p.tags[i].String()
}

func (p *pages) say(lang, key string) string {
	if t, ok := p.text[lang][key]; ok {
		return t
	}
	return key
}

// view is what every page is drawn from.
type view struct {
	pages *pages

	Lang, Title, CSS, Icon  string
	Refresh                 string
	Langs                   []langLink
	Secret, ReturnURL       string
	Action, BackURL, Submit string
	Amount, Description     string
	Alert                   *alert
	Fields                  []pageField
	Cards                   []pageCard
	Last4, QR, Code, Left   string
	Kind, Text              string
}

// T is for the templates.
func (v *view) T(key string) string { return v.pages.say(v.Lang, key) }

type langLink struct {
	Tag, Name, URL string
	Here           bool
}

type alert struct {
	Title string
	Lines []string
}

type pageField struct {
	Name, Label, Value, Auto, Mode, Hint, Error, Class string
	Max                                                int
	Focus                                              bool
}

type pageCard struct{ URL, Number, Spoken, Label, Kind string }

// show draws a page. Nothing of it is ever cached, framed or mixed with foreign content.
func (s *Server) show(w http.ResponseWriter, status int, name string, v *view) {
	v.pages, v.CSS, v.Icon = s.pages, s.pages.cssURL, "/assets/icon.svg"
	var out bytes.Buffer
	if err := s.pages.html.ExecuteTemplate(&out, name, v); err != nil {
		s.log.Error("payment page not drawn", "page", name, "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Language", v.Lang)
	h.Set("Content-Security-Policy", s.policy())
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer") // the address holds the client secret
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser is gone
}

// policy is the content security policy. Browsers apply form-action to the redirect after a form too, so the places a
// payer may be sent back to are part of it.
func (s *Server) policy() string {
	targets := []string{"'self'"}
	for _, p := range s.o.ReturnPrefixes {
		if u, err := url.Parse(p); err == nil && !strings.ContainsAny(u.Host, "; ,") {
			targets = append(targets, u.Scheme+"://"+u.Host)
		}
	}
	return "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action " + strings.Join(targets, " ")
}

func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case "/assets/"+name == s.pages.cssURL:
		h.Set("Content-Type", "text/css; charset=utf-8")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.pages.css))
	case s.pages.svg[name] != nil:
		h.Set("Content-Type", "image/svg+xml")
		h.Set("Cache-Control", "public, max-age=3600")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.pages.svg[name]))
	default:
		http.NotFound(w, r)
	}
}
