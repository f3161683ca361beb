package sandbox

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// maxForm bounds a form a payer sends.
const maxForm = 16 << 10

// visit is one request of a payer who showed the right client secret.
type visit struct {
	s      *Server
	r      *http.Request
	lang   string
	in     *intent // as it was when the request came; never changed
	back   string  // where the payer may be sent, or ""
	secret string
	now    time.Time
}

func (s *Server) pageRoutes() {
	s.mux.HandleFunc("GET /{$}", s.home)
	s.mux.HandleFunc("GET /assets/{file}", s.asset)
	s.mux.HandleFunc("GET /pay/{id}", s.visitor((*visit).payPage))
	s.mux.HandleFunc("POST /pay/{id}", s.visitor((*visit).pay))
	s.mux.HandleFunc("GET /3ds/{id}", s.visitor((*visit).bankPage))
	s.mux.HandleFunc("POST /3ds/{id}", s.visitor((*visit).bank))
	s.mux.HandleFunc("GET /pix/{id}", s.visitor((*visit).pixPage))
	s.mux.HandleFunc("POST /pix/{id}", s.visitor((*visit).pix))
	s.mux.HandleFunc("GET /pix/{id}/qr.svg", s.visitor((*visit).qrSVG))
	s.mux.HandleFunc("GET /pix/{id}/qr.png", s.visitor((*visit).qrPNG))
}

func (s *Server) home(w http.ResponseWriter, r *http.Request) {
	lang := s.pages.lang(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	s.show(w, http.StatusOK, "notice", &view{Lang: lang, Title: s.pages.say(lang, "home_title"), Text: s.pages.say(lang, "home_text"), Kind: "wait"})
}

// visitor lets a request in that knows the client secret, and only to a place it may return to.
func (s *Server) visitor(page func(*visit, http.ResponseWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		bad := r.ParseForm()
		v := &visit{s: s, r: r, secret: r.Form.Get("client_secret"), back: r.Form.Get("return_url"), now: s.o.Now()}
		v.lang = s.pages.lang(r.Form.Get("lang"), r.Header.Get("Accept-Language"))
		s.mu.Lock()
		v.in = s.intents[r.PathValue("id")]
		s.mu.Unlock()
		if bad != nil || v.in == nil || subtle.ConstantTimeCompare([]byte(v.in.Secret), []byte(v.secret)) != 1 {
			v.back = ""
			v.notice(w, http.StatusNotFound, "unknown", "bad")
			return
		}
		if v.back == "" {
			v.back = v.in.ReturnURL
		}
		if v.back != "" && !s.o.mayReturn(v.back) {
			s.log.Warn("return address refused", "payment", v.in.ID, "return_url", v.back)
			v.back = ""
			v.notice(w, http.StatusBadRequest, "return", "bad")
			return
		}
		page(v, w)
	}
}

func (v *visit) say(key string) string { return v.s.pages.say(v.lang, key) }

// view begins a page about the payment.
func (v *visit) view(title string) *view {
	return &view{
		Lang: v.lang, Title: v.say(title), Langs: v.languages(), Secret: v.secret, ReturnURL: v.back,
		Action: v.r.URL.Path, Amount: money(v.lang, v.in.Currency, v.in.Amount), Description: v.in.Description,
		BackURL: v.returnTo("canceled"),
	}
}

// notice is a page with a title and a sentence.
func (v *visit) notice(w http.ResponseWriter, status int, key, kind string) {
	page := &view{Lang: v.lang, Title: v.say(key + "_title"), Text: v.say(key + "_text"), Kind: kind}
	if v.in != nil && v.back != "" {
		page.BackURL = v.returnTo(v.standing())
	}
	v.s.show(w, status, "notice", page)
}

func (v *visit) languages() []langLink {
	var out []langLink
	for i, name := range []string{"Português", "English", "Español"} {
		tag := v.s.pages.tags[i].String()
		out = append(out, langLink{Tag: tag, Name: name, URL: v.address(v.r.URL.Path, "lang", tag), Here: tag == v.lang})
	}
	return out
}

// address of a page of this server for this visit; more are additional name, value pairs.
func (v *visit) address(path string, more ...string) string {
	q := url.Values{"client_secret": {v.secret}, "lang": {v.lang}}
	if v.back != "" {
		q.Set("return_url", v.back)
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return path + "?" + q.Encode()
}

// returnTo is where the payer goes back to, telling how it went; "" when nowhere.
func (v *visit) returnTo(status string) string {
	if v.back == "" || v.in == nil {
		return ""
	}
	u, err := url.Parse(v.back)
	if err != nil { // it was parsed before
		return ""
	}
	q := u.Query()
	q.Set("payment_intent", v.in.ID)
	q.Set("redirect_status", status)
	u.RawQuery = q.Encode()
	return u.String()
}

// standing is the redirect status of the payment as it is.
func (v *visit) standing() string {
	switch v.in.Status {
	case needsCapture, succeeded:
		return "succeeded"
	case processing:
		return "pending"
	case canceled:
		return "canceled"
	default:
		return "failed"
	}
}

// over sends a payer on whose payment needs nothing more from them. It tells whether it did.
func (v *visit) over(w http.ResponseWriter) bool {
	switch v.in.Status {
	case needsCapture, succeeded:
		v.leave(w, "paid", "good")
	case processing:
		v.leave(w, "wait", "wait")
	case canceled:
		v.notice(w, http.StatusOK, "canceled", "bad")
	default:
		return false
	}
	return true
}

// leave goes back to the shop, or says how it went when there is no way back.
func (v *visit) leave(w http.ResponseWriter, key, kind string) {
	if to := v.returnTo(v.standing()); to != "" {
		v.redirect(w, to)
		return
	}
	v.notice(w, http.StatusOK, key, kind)
}

// redirect after a form or to the next step; never cached, and without telling the next page where from.
func (v *visit) redirect(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", v.s.policy())
	http.Redirect(w, v.r, to, http.StatusSeeOther)
}

// change runs fn on the payment and takes the visit to the payment as it is afterwards.
func (v *visit) change(w http.ResponseWriter, fn func(*tx, *intent)) bool {
	events, err := v.s.update(&tx{r: v.r}, func(t *tx) {
		in := t.intent(v.in.ID)
		fn(t, in)
		v.in = in
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return false
	}
	v.s.moment(w)
	v.s.publish(events)
	return true
}

// left writes a time span for people.
func (v *visit) left(d time.Duration) string {
	if d >= 2*time.Hour {
		return fmt.Sprintf(v.say("hours"), int(d/time.Hour))
	}
	if d >= 2*time.Minute {
		return fmt.Sprintf(v.say("minutes"), int(d/time.Minute))
	}
	return fmt.Sprintf(v.say("seconds"), max(int(d/time.Second), 0))
}
