package page

import (
	"errors"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
)

type signData struct {
	Up     bool // creating an account
	Next   string
	Then   string // "join": take a place right after
	Email  string
	Name   string
	Errors []fieldError
}

// fieldError belongs to the input with that id.
type fieldError struct{ Field, Text string }

// For is the error of one field, "" when it is fine.
func (d signData) For(field string) string {
	for _, e := range d.Errors {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

func (h *Handler) signInForm(v *visit) error { return v.signForm(false) }
func (h *Handler) signUpForm(v *visit) error { return v.signForm(true) }

func (v *visit) signForm(up bool) error {
	q := v.r.URL.Query()
	d := signData{Up: up, Next: safeNext(q.Get("next")), Then: q.Get("then")}
	if v.who != nil {
		return v.goTo(d.Next)
	}
	return v.showSign(d)
}

func (v *visit) showSign(d signData) error {
	title, screen := v.lang.T("signin.title"), "sign"
	if d.Up {
		title = v.lang.T("signup.title")
	}
	p := page{screen: screen, title: title, data: d, public: true}
	if len(d.Errors) > 0 {
		p.title, p.status = v.lang.T("form.error_title", "title", title), http.StatusUnprocessableEntity
	}
	return v.show(p)
}

// signIn opens a session; the API's cookie goes to the visitor.
func (h *Handler) signIn(v *visit) error {
	f := v.r.PostForm
	d := signData{Next: safeNext(f.Get("next")), Then: f.Get("then"), Email: strings.TrimSpace(f.Get("email"))}
	v.checkEmail(&d)
	if f.Get("password") == "" {
		d.Errors = append(d.Errors, fieldError{"password", v.lang.T("form.password_missing")})
	}
	if len(d.Errors) > 0 {
		return v.showSign(d)
	}
	err := v.api(http.MethodPost, "sessions", map[string]string{"email": d.Email, "password": f.Get("password")}, nil)
	return v.signed(d, err)
}

// signUp makes an account and is signed in with it.
func (h *Handler) signUp(v *visit) error {
	f := v.r.PostForm
	d := signData{Up: true, Next: safeNext(f.Get("next")), Then: f.Get("then"), Email: strings.TrimSpace(f.Get("email")), Name: strings.TrimSpace(f.Get("name"))}
	if d.Name == "" {
		d.Errors = append(d.Errors, fieldError{"name", v.lang.T("form.name_missing")})
	}
	v.checkEmail(&d)
	if f.Get("password") == "" {
		d.Errors = append(d.Errors, fieldError{"password", v.lang.T("form.password_missing")})
	}
	if len(d.Errors) > 0 {
		return v.showSign(d)
	}
	err := v.api(http.MethodPost, "accounts", map[string]string{
		"email": d.Email, "name": d.Name, "password": f.Get("password"), "lang": v.lang.tag,
	}, nil)
	return v.signed(d, err)
}

func (v *visit) checkEmail(d *signData) {
	if at, err := mail.ParseAddress(d.Email); err != nil || at.Address != d.Email {
		d.Errors = append(d.Errors, fieldError{"email", v.lang.T("form.email_bad")})
	}
}

// signed goes on to next, or shows the form again with what was wrong beside the field it is about.
func (v *visit) signed(d signData, err error) error {
	if err == nil {
		return v.afterSign(d)
	}
	p, ok := errors.AsType[*problem](err)
	if !ok {
		return err
	}
	switch p.Code {
	case "wrong-password", "unauthenticated":
		d.Errors = []fieldError{{"password", v.lang.T("problem.wrong-password.title")}}
	case "email-taken":
		d.Errors = []fieldError{{"email", v.lang.T("problem.email-taken.title")}}
	case "weak-password":
		d.Errors = []fieldError{{"password", strings.TrimSpace(v.lang.T("problem.weak-password.title") + ". " + p.Detail)}}
	case "invalid-request":
		for _, e := range p.Errors {
			d.Errors = append(d.Errors, fieldError{strings.TrimPrefix(e.Pointer, "/"), e.Detail})
		}
		if len(d.Errors) == 0 {
			d.Errors = []fieldError{{"email", p.Detail}}
		}
	default:
		return err
	}
	return v.showSign(d)
}

// afterSign takes the place the visitor asked for before signing in, then goes on.
func (v *visit) afterSign(d signData) error {
	u, err := url.Parse(d.Next)
	if d.Then == "join" && err == nil && strings.HasPrefix(u.Path, "/e/") && strings.HasSuffix(u.Path, "/queue") {
		slug := strings.TrimSuffix(strings.TrimPrefix(u.Path, "/e/"), "/queue")
		// Failing here is no loss: the queue page offers the same button.
		if err := v.api(http.MethodPost, "events/"+url.PathEscape(slug)+"/queue", struct{}{}, nil); err != nil {
			v.h.log.Debug("join after sign in", "error", err)
		}
	}
	return v.goTo(d.Next)
}

// signOut ends the session at the API, whose answer clears the cookie.
func (h *Handler) signOut(v *visit) error {
	if err := v.api(http.MethodDelete, "sessions/current", nil, nil); err != nil && !is(err, "unauthenticated") {
		return err
	}
	return v.goTo("/")
}
