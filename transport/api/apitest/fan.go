package apitest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// Password of every account made by [House.Person]. Its stored hash is a cheap one.
const Password = "uma senha comprida"

// Fan is somebody who calls the house: with a token, with a cookie, or as nobody.
type Fan struct {
	H       *House
	Account account.ID
	Email   string
	Token   string
	Cookie  *http.Cookie // instead of the token
	Lang    string       // Accept-Language
}

// Nobody is not signed in.
func (h *House) Nobody() *Fan { return &Fan{H: h} }

// Virtual makes a virtual fan of a rehearsal, signed in.
func (h *House) Virtual(t testing.TB, cfg *sale.Config) *Fan {
	t.Helper()
	fans, err := h.API.MintFans(t.Context(), 0, cfg.Event, 1)
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.ParseUint(fans[0].Account, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return &Fan{H: h, Account: account.ID(id), Token: fans[0].Token}
}

// Person makes an account of a role with [Password], signed in.
func (h *House) Person(t testing.TB, role account.Role) *Fan {
	t.Helper()
	salt := []byte("saltsaltsaltsalt")
	key := argon2.IDKey([]byte(Password), salt, 1, 8, 1, 32)
	b64 := base64.RawStdEncoding
	f := &Fan{H: h, Email: h.Name("pessoa") + "@example.com"}
	res, err := h.Directory.Submit(t.Context(), &account.Command{
		Op: account.OpCreate, Email: f.Email, Name: "Ana " + f.Email[:8], Lang: "pt-BR", Role: role,
		Hash: fmt.Sprintf("$argon2id$v=19$m=8,t=1,p=1$%s$%s", b64.EncodeToString(salt), b64.EncodeToString(key)),
	})
	if err != nil || res.Refusal != account.Done {
		t.Fatalf("make account: %v, %v", res.Refusal, err)
	}
	f.Account = res.Account
	f.Token = h.Session(t, f.Account)
	return f
}

// Session opens one more session of an account and returns its token.
func (h *House) Session(t testing.TB, id account.ID) string {
	t.Helper()
	token, hash := directory.NewToken()
	res, err := h.Directory.Submit(t.Context(), &account.Command{
		Op: account.OpSessionOpen, Account: id, TokenHash: hash, Expires: time.Now().Add(time.Hour).UnixMilli(),
	})
	if err != nil || res.Refusal != account.Done {
		t.Fatalf("open session: %v, %v", res.Refusal, err)
	}
	return token
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request and checks it and the answer against openapi.yaml. A body that is not nil, []byte or string is
// sent as JSON.
func (f *Fan) Do(t testing.TB, method, path string, body any, change ...func(*http.Request)) *Answer {
	t.Helper()
	sent := encode(t, body)
	r, err := http.NewRequestWithContext(t.Context(), method, f.H.Server.URL+path, bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if f.Cookie != nil {
		r.AddCookie(f.Cookie)
	} else if f.Token != "" {
		r.Header.Set("Authorization", "Bearer "+f.Token)
	}
	if f.Lang != "" {
		r.Header.Set("Accept-Language", f.Lang)
	}
	for _, c := range change {
		c(r)
	}
	resp, err := f.H.Server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.H.Spec.Answer(r, sent, resp.StatusCode, resp.Header, got); err != nil {
		t.Errorf("%s %s: %v", method, path, err)
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: got}
}

func encode(t testing.TB, body any) []byte {
	t.Helper()
	switch b := body.(type) {
	case nil:
		return nil
	case []byte:
		return b
	case string:
		return []byte(b)
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Header sets a header of a request.
func Header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// Want ends the test when the status is another one.
func (a *Answer) Want(t testing.TB, status int) *Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %.500s", a.Status, status, a.Body)
	}
	return a
}

// Problem ends the test when the answer is not this problem, and returns it.
func (a *Answer) Problem(t testing.TB, code wire.Code) wire.Problem {
	t.Helper()
	a.Want(t, code.Status())
	var p wire.Problem
	a.JSON(t, &p)
	if p.Code != code {
		t.Fatalf("problem %s, want %s: %s", p.Code, code, a.Body)
	}
	return p
}

// JSON reads the body.
func (a *Answer) JSON(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("%v: %.500s", err, a.Body)
	}
}

// Into reads the body as one type.
func Into[T any](t testing.TB, a *Answer) T {
	t.Helper()
	var v T
	a.JSON(t, &v)
	return v
}

// Path is an address under a sale.
func Path(cfg *sale.Config, parts ...string) string {
	return "/api/v1/events/" + cfg.Slug + "/" + strings.Join(parts, "/")
}

// Eventually tries until ok, for ten seconds.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came: %s", what)
		}
	}
}
