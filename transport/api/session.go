package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/directory/password"
	"github.com/catraca/catraca/transport/wire"
)

// CookieName of the session. Over TLS the __Host- prefix binds it to this very host.
func CookieName(secure bool) string {
	if secure {
		return "__Host-catraca"
	}
	return "catraca"
}

// token finds the caller's token and says whether a cookie carried it.
func (s *Server) token(r *http.Request) (token string, cookie bool) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, value, _ := strings.Cut(h, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(value), false
		}
		return "", false
	}
	if c, err := r.Cookie(CookieName(s.o.Secure)); err == nil {
		return c.Value, true
	}
	return "", false
}

// Person tells who a request comes from, for the other carriers of the same session.
func (s *Server) Person(r *http.Request) (directory.Person, error) {
	token, _ := s.token(r)
	if token == "" {
		return directory.Person{}, directory.ErrNoSession
	}
	return s.o.Directory.Authenticate(r.Context(), token)
}

func (s *Server) cookie(token string, expires time.Time) *http.Cookie {
	return &http.Cookie{
		Name: CookieName(s.o.Secure), Value: token, Path: "/", Expires: expires,
		HttpOnly: true, Secure: s.o.Secure, SameSite: http.SameSiteLaxMode,
	}
}

func (s *Server) signUp(ctx context.Context, r *request) (answer, error) {
	var in wire.SignUp
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	email, err := account.NormalizeEmail(in.Email)
	if err != nil {
		return answer{}, invalid(r.lang, "/email", "email", err.Error())
	}
	if err := s.throttle(r, email); err != nil {
		return answer{}, err
	}
	name := strings.TrimSpace(in.Name)
	if err := checkName(name, r.lang); err != nil {
		return answer{}, err
	}
	lang := r.lang
	if in.Lang != "" {
		l, ok := known(in.Lang)
		if !ok {
			return answer{}, invalid(r.lang, "/lang", "unknown", "one of pt-BR, en, es")
		}
		lang = l
	}
	if err := weak(in.Password, r.lang); err != nil {
		return answer{}, err
	}
	hash, err := s.o.Passwords.Hash(ctx, in.Password)
	if err != nil {
		return answer{}, err
	}
	res, err := s.submitAccount(ctx, r, "accounts.create "+email, account.Command{
		Op: account.OpCreate, Email: email, Name: name, Lang: lang, Hash: hash, Role: account.RoleFan,
	})
	if err != nil {
		return answer{}, err
	}
	return s.openSession(ctx, r, res.Account, in.Token, http.StatusCreated)
}

// checkName refuses what the directory would, with the reason.
func checkName(name, lang string) error {
	if name == "" || len(name) > 100 {
		return invalid(lang, "/name", "length", "a name has 1 to 100 bytes")
	}
	if err := account.CheckName(name); err != nil {
		return invalid(lang, "/name", "characters", err.Error())
	}
	return nil
}

// weak says why a password may not be chosen.
func weak(chosen, lang string) error {
	err := password.Check(chosen)
	if err == nil {
		return nil
	}
	p := wire.NewProblem(wire.WeakPassword, lang)
	p.Errors = []wire.FieldError{{Pointer: "/password", Code: "weak", Detail: err.Error()}}
	return p
}

// submitAccount does a command of the request's sender, once for one Idempotency-Key.
func (s *Server) submitAccount(ctx context.Context, r *request, op string, cmd account.Command) (account.Result, error) {
	if err := s.keyed(r, op, r.raw, &cmd); err != nil {
		return account.Result{}, err
	}
	res, err := s.o.Directory.Submit(ctx, &cmd)
	if err != nil {
		return res, err
	}
	return res, s.accountRefusal(res.Refusal, r.lang)
}

// signIn answers an unknown address and a wrong password alike and in the same time.
func (s *Server) signIn(ctx context.Context, r *request) (answer, error) {
	var in wire.SignIn
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	email, err := account.NormalizeEmail(in.Email)
	if err != nil {
		return answer{}, invalid(r.lang, "/email", "email", err.Error())
	}
	if err := s.throttle(r, email); err != nil {
		return answer{}, err
	}
	var found account.Account
	if err := s.o.Directory.ReadStrict(ctx, func(st *account.State) { found, _ = st.ByEmail(email) }); err != nil {
		return answer{}, err
	}
	ok, _, err := s.o.Passwords.Verify(ctx, found.Hash, in.Password)
	if err != nil {
		return answer{}, err
	}
	ok = ok && found.ID != 0 && !found.Disabled && !found.Erased
	s.metrics.signedIn(ok)
	if !ok {
		return answer{}, s.problem(wire.WrongPassword, r.lang)
	}
	return s.openSession(ctx, r, found.ID, in.Token, http.StatusCreated)
}

func (s *Server) openSession(ctx context.Context, r *request, id account.ID, asToken bool, status int) (answer, error) {
	token, hash := directory.NewToken()
	expires := s.o.Now().Add(s.o.SessionLife)
	res, err := s.o.Directory.Submit(ctx, &account.Command{
		Op: account.OpSessionOpen, Account: id, TokenHash: hash, Expires: expires.UnixMilli(), Key: account.Key(hash[:16]),
	})
	if err != nil {
		return answer{}, err
	}
	if err := s.accountRefusal(res.Refusal, r.lang); err != nil {
		return answer{}, err
	}
	p, ok, err := s.o.Directory.Person(ctx, id)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return answer{}, s.problem(wire.WrongPassword, r.lang)
	}
	out := wire.Session{Account: renderAccount(p), Expires: wire.Time(expires.UnixMilli())}
	if asToken {
		out.Token = token
		return answer{status: status, body: out}, nil
	}
	return answer{status: status, body: out, header: http.Header{"Set-Cookie": {s.cookie(token, expires).String()}}}, nil
}

func (s *Server) signOut(ctx context.Context, r *request) (answer, error) {
	if r.person.Account != 0 {
		if _, err := s.o.Directory.Submit(ctx, &account.Command{Op: account.OpSessionRevoke, TokenHash: r.person.Token}); err != nil {
			return answer{}, err
		}
	}
	return answer{header: http.Header{"Set-Cookie": {s.noCookie().String()}}}, nil
}

// noCookie takes the session's cookie away.
func (s *Server) noCookie() *http.Cookie {
	gone := s.cookie("", time.Unix(1, 0))
	gone.MaxAge = -1
	return gone
}

func (s *Server) me(_ context.Context, r *request) (answer, error) {
	return answer{body: map[string]any{"account": renderAccount(r.person)}}, nil
}

func (s *Server) changeMe(ctx context.Context, r *request) (answer, error) {
	var in struct {
		Lang string `json:"lang"`
	}
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	lang, ok := known(in.Lang)
	if !ok {
		return answer{}, invalid(r.lang, "/lang", "unknown", "one of pt-BR, en, es")
	}
	if _, err := s.submitAccount(ctx, r, "accounts.lang", account.Command{
		Op: account.OpLangSet, Account: r.person.Account, Lang: lang,
	}); err != nil {
		return answer{}, err
	}
	r.person.Lang = lang
	return s.me(ctx, r)
}

func (s *Server) eraseMe(ctx context.Context, r *request) (answer, error) {
	if _, err := s.submitAccount(ctx, r, "accounts.erase", account.Command{Op: account.OpErase, Account: r.person.Account}); err != nil {
		return answer{}, err
	}
	return answer{header: http.Header{"Set-Cookie": {s.noCookie().String()}}}, nil
}

func renderAccount(p directory.Person) wire.Account {
	return wire.Account{
		ID: strconv.FormatUint(uint64(p.Account), 10), Email: p.Email, Name: p.Name, Lang: p.Lang, Role: p.Role.String(),
	}
}

// read reads and decodes the body.
func (s *Server) read(r *request, v any) error {
	var err error
	if r.raw, err = s.body(r, maxBody); err != nil {
		return err
	}
	return decode(r.raw, v, r.lang)
}

// throttle limits one address and one account before anything costly is done for them.
func (s *Server) throttle(r *request, email string) error {
	if wait, ok := s.o.SignIns.Allow(email, s.o.Address(r.Request), s.o.Now()); !ok {
		return s.tooMany(wait, r.lang)
	}
	return nil
}

func (s *Server) tooMany(wait time.Duration, lang string) error {
	p := s.problem(wire.TooManyRequests, lang)
	p.RetryAfter = max(wait.Milliseconds(), 1)
	return p
}

// accountRefusal turns what the directory refused into a problem; nil when it was done.
func (s *Server) accountRefusal(r account.Refusal, lang string) error {
	switch r {
	case account.Done:
		return nil
	case account.RefusedEmailTaken:
		return s.problem(wire.EmailTaken, lang)
	case account.RefusedUnknown:
		return s.problem(wire.NotFound, lang)
	case account.RefusedMismatch:
		return s.problem(wire.IdempotencyMismatch, lang)
	case account.RefusedRole, account.RefusedDisabled, account.RefusedNotRehearsal:
		return s.problem(wire.Forbidden, lang)
	case account.RefusedState, account.RefusedLastOwner, account.RefusedTokenTaken, account.RefusedExpired:
		return s.problem(wire.WrongState, lang)
	case account.RefusedInvalid:
		return s.problem(wire.InvalidRequest, lang)
	default:
		p := s.problem(wire.Busy, lang)
		p.RetryAfter = 1000
		return p
	}
}
