package api_test

import (
	"bytes"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func cookieOf(t *testing.T, a *apitest.Answer, name string) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no cookie %s in %v", name, a.Header["Set-Cookie"])
	return nil
}

func TestSignUpSignInSignOut(t *testing.T) {
	h := house(t)
	email := h.Name("ana") + "@Example.com"
	up := wire.SignUp{Email: " " + email, Name: "Ana Souza", Password: "uma senha bem comprida", Lang: "en"}
	a := h.Nobody().Do(t, "POST", "/api/v1/accounts", up).Want(t, http.StatusCreated)
	s := apitest.Into[wire.Session](t, a)
	if s.Account.Email != strings.ToLower(email) || s.Account.Name != "Ana Souza" || s.Account.Lang != "en" || s.Account.Role != "fan" || s.Token != "" {
		t.Errorf("signed up as %+v", s)
	}
	if left := time.Until(time.UnixMilli(int64(s.Expires))); left < 11*time.Hour || left > 12*time.Hour {
		t.Errorf("the session lasts %v", left)
	}
	c := cookieOf(t, a, "catraca")
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Secure || c.Domain != "" {
		t.Errorf("cookie is %+v", c)
	}
	fan := &apitest.Fan{H: h, Cookie: c}
	if me := fan.Do(t, "GET", "/api/v1/accounts/me", nil).Want(t, http.StatusOK); !bytes.Contains(me.Body, []byte(s.Account.Email)) {
		t.Errorf("me is %s", me.Body)
	}
	h.Nobody().Do(t, "POST", "/api/v1/accounts", up).Problem(t, wire.EmailTaken)

	a = h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: email, Password: up.Password, Token: true}).Want(t, http.StatusCreated)
	if in := apitest.Into[wire.Session](t, a); in.Token == "" || in.Account.ID != s.Account.ID || len(a.Header["Set-Cookie"]) > 0 {
		t.Errorf("signed in as %+v with cookies %v", in, a.Header["Set-Cookie"])
	}
	out := fan.Do(t, "DELETE", "/api/v1/sessions/current", nil).Want(t, http.StatusNoContent)
	if gone := cookieOf(t, out, "catraca"); gone.MaxAge >= 0 || gone.Value != "" {
		t.Errorf("cookie after signing out is %+v", gone)
	}
	fan.Do(t, "GET", "/api/v1/accounts/me", nil).Problem(t, wire.Unauthenticated)
	// The program's session is another one.
	(&apitest.Fan{H: h, Token: apitest.Into[wire.Session](t, a).Token}).Do(t, "GET", "/api/v1/accounts/me", nil).Want(t, http.StatusOK)
	h.Nobody().Do(t, "DELETE", "/api/v1/sessions/current", nil).Want(t, http.StatusNoContent)
}

func TestCookieOverTLS(t *testing.T) {
	h := apitest.New(t, apitest.Options{API: func(o *api.Options) { o.Secure = true }})
	p := h.Person(t, account.RoleFan)
	a := h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: p.Email, Password: apitest.Password}).Want(t, http.StatusCreated)
	c := cookieOf(t, a, "__Host-catraca")
	if !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie is %+v", c)
	}
	(&apitest.Fan{H: h, Cookie: c}).Do(t, "GET", "/api/v1/accounts/me", nil).Want(t, http.StatusOK)
	// The name for plain loopback opens nothing here: a neighbour on another port could have set it.
	(&apitest.Fan{H: h, Cookie: &http.Cookie{Name: "catraca", Value: c.Value}}).Do(t, "GET", "/api/v1/accounts/me", nil).Problem(t, wire.Unauthenticated)
}

func TestWrongPasswordAndUnknownAddressAreAlike(t *testing.T) {
	h := house(t)
	p := h.Person(t, account.RoleFan)
	wrong := h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: p.Email, Password: "nicht diese hier"})
	wrong.Problem(t, wire.WrongPassword)
	unknown := h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: "x" + p.Email, Password: apitest.Password})
	unknown.Problem(t, wire.WrongPassword)
	if !bytes.Equal(wrong.Body, unknown.Body) {
		t.Errorf("answers differ: %s and %s", wrong.Body, unknown.Body)
	}
	owner := h.Person(t, account.RoleOwner)
	owner.Do(t, "POST", "/api/v1/admin/accounts/"+number(p)+"/disable", nil).Want(t, http.StatusNoContent)
	disabled := h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: p.Email, Password: apitest.Password})
	if disabled.Problem(t, wire.WrongPassword); !bytes.Equal(wrong.Body, disabled.Body) {
		t.Errorf("a disabled account is told apart: %s", disabled.Body)
	}
	p.Do(t, "GET", "/api/v1/accounts/me", nil).Problem(t, wire.Unauthenticated)
	owner.Do(t, "POST", "/api/v1/admin/accounts/"+number(p)+"/enable", nil).Want(t, http.StatusNoContent)
	h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: p.Email, Password: apitest.Password}).Want(t, http.StatusCreated)
}

func TestSignUpRefuses(t *testing.T) {
	h := house(t)
	good := func() map[string]any {
		return map[string]any{"email": h.Name("bia") + "@example.com", "name": "Bia", "password": "uma senha bem comprida"}
	}
	for _, c := range []struct {
		field   string
		value   any
		code    wire.Code
		pointer string
	}{
		{"email", "ninguem", wire.InvalidRequest, "/email"},
		{"email", "a@b@c", wire.InvalidRequest, "/email"},
		{"email", "", wire.InvalidRequest, "/email"},
		{"name", "", wire.InvalidRequest, "/name"},
		{"name", strings.Repeat("x", 101), wire.InvalidRequest, "/name"},
		{"name", "a\u202eb", wire.InvalidRequest, "/name"},
		{"lang", "de", wire.InvalidRequest, "/lang"},
		{"password", "curta", wire.WeakPassword, "/password"},
		{"password", "password", wire.WeakPassword, "/password"},
		{"password", "12345678", wire.WeakPassword, "/password"},
		{"password", 5, wire.InvalidRequest, "/password"},
		{"role", "owner", wire.InvalidRequest, "/role"},
		{"token", "yes", wire.InvalidRequest, "/token"},
	} {
		body := good()
		body[c.field] = c.value
		p := h.Nobody().Do(t, "POST", "/api/v1/accounts", body).Problem(t, c.code)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer || p.Errors[0].Detail == "" {
			t.Errorf("%s %v: errors are %+v, want one at %s", c.field, c.value, p.Errors, c.pointer)
		}
	}
}

func TestSignInsAreThrottled(t *testing.T) {
	h := apitest.New(t, apitest.Options{})
	p := h.Person(t, account.RoleFan)
	h.Address.Store(new(netip.MustParseAddr("203.0.113.1")))
	try := func() *apitest.Answer {
		return h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: p.Email, Password: "errada errada"})
	}
	for range 5 {
		try().Problem(t, wire.WrongPassword)
	}
	a := try()
	if p := a.Problem(t, wire.TooManyRequests); p.RetryAfter <= 0 || a.Header.Get("Retry-After") == "" {
		t.Errorf("refused without a time to come back: %+v", p)
	}
	// The account is limited from everywhere; the right password has to wait as well.
	h.Address.Store(new(netip.MustParseAddr("2001:db8::1")))
	h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: p.Email, Password: apitest.Password}).Problem(t, wire.TooManyRequests)
	// An address is limited for all accounts.
	other := 0
	for range 40 {
		a := h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: h.Name("nobody") + "@example.com", Password: "x"})
		if other++; a.Status == http.StatusTooManyRequests {
			break
		}
		a.Problem(t, wire.WrongPassword)
	}
	if other < 10 || other == 40 {
		t.Errorf("an address could try %d accounts", other)
	}
	// Its neighbours in the same IPv6 network count with it, others do not.
	h.Address.Store(new(netip.MustParseAddr("2001:db8::2")))
	h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: "n@example.com", Password: "x"}).Problem(t, wire.TooManyRequests)
	h.Address.Store(new(netip.MustParseAddr("2001:db8:1::2")))
	h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: "n@example.com", Password: "x"}).Problem(t, wire.WrongPassword)
}

func TestLanguage(t *testing.T) {
	h := house(t)
	titles := map[string]string{}
	for _, lang := range []string{"pt-BR", "en", "es"} {
		titles[lang] = wire.Sentence(wire.Unauthenticated, lang)
	}
	if titles["pt-BR"] == titles["en"] || titles["en"] == titles["es"] {
		t.Fatalf("sentences are %v", titles)
	}
	for _, c := range []struct{ accept, cookie, want string }{
		{"", "", "pt-BR"}, {"en-GB,en;q=0.9", "", "en"}, {"de, es;q=0.5, en;q=0.2", "", "es"}, {"fr", "", "pt-BR"},
		{"en;q=0, es;q=0.1", "", "es"}, {"en;q=x, pt", "", "pt-BR"}, {"en", "es", "es"}, {"en", "klingon", "en"}, {"PT-pt", "", "pt-BR"},
	} {
		change := func(r *http.Request) {
			if c.cookie != "" {
				r.AddCookie(&http.Cookie{Name: "lang", Value: c.cookie})
			}
		}
		fan := &apitest.Fan{H: h, Lang: c.accept}
		if p := fan.Do(t, "GET", "/api/v1/accounts/me", nil, change).Problem(t, wire.Unauthenticated); p.Title != titles[c.want] {
			t.Errorf("%+v: title is %q", c, p.Title)
		}
	}
	// The account's language counts before all of them.
	p := h.Person(t, account.RoleFan)
	p.Lang = "es"
	if got := p.Do(t, "GET", "/api/v1/orders/o1-999999", nil).Problem(t, wire.NotFound); got.Title != wire.Sentence(wire.NotFound, "pt-BR") {
		t.Errorf("title is %q", got.Title)
	}
	p.Do(t, "PATCH", "/api/v1/accounts/me", map[string]string{"lang": "en"}).Want(t, http.StatusOK)
	if got := p.Do(t, "GET", "/api/v1/orders/o1-999999", nil).Problem(t, wire.NotFound); got.Title != wire.Sentence(wire.NotFound, "en") {
		t.Errorf("title is %q", got.Title)
	}
	p.Do(t, "PATCH", "/api/v1/accounts/me", map[string]string{"lang": "xx"}).Problem(t, wire.InvalidRequest)
}

func TestEraseMe(t *testing.T) {
	h := house(t)
	p := h.Person(t, account.RoleFan)
	second := &apitest.Fan{H: h, Token: h.Session(t, p.Account)}
	p.Do(t, "DELETE", "/api/v1/accounts/me", nil).Want(t, http.StatusNoContent)
	p.Do(t, "GET", "/api/v1/accounts/me", nil).Problem(t, wire.Unauthenticated)
	second.Do(t, "GET", "/api/v1/accounts/me", nil).Problem(t, wire.Unauthenticated)
	h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: p.Email, Password: apitest.Password}).Problem(t, wire.WrongPassword)
}

func TestTokensThatOpenNothing(t *testing.T) {
	h := house(t)
	p := h.Person(t, account.RoleFan)
	for _, auth := range []string{
		"Bearer", "Bearer ", "Bearer x", "Basic " + p.Token, p.Token, "Bearer " + p.Token + "A", "Bearer " + p.Token[:len(p.Token)-1],
		"Bearer " + strings.Repeat("A", 43),
	} {
		h.Nobody().Do(t, "GET", "/api/v1/accounts/me", nil, apitest.Header("Authorization", auth)).Problem(t, wire.Unauthenticated)
	}
	h.Nobody().Do(t, "GET", "/api/v1/accounts/me", nil, apitest.Header("Authorization", "bEARER "+p.Token)).Want(t, http.StatusOK)
	// A session ends by itself.
	token, hash := directory.NewToken()
	if _, err := h.Directory.Submit(t.Context(), &account.Command{
		Op: account.OpSessionOpen, Account: p.Account, TokenHash: hash, Expires: time.Now().Add(100 * time.Millisecond).UnixMilli(),
	}); err != nil {
		t.Fatal(err)
	}
	brief := &apitest.Fan{H: h, Token: token}
	apitest.Eventually(t, "the session's end", func() bool {
		return brief.Do(t, "GET", "/api/v1/accounts/me", nil).Status == http.StatusUnauthorized
	})
}
