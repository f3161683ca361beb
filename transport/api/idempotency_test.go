package api_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func key(k string) func(*http.Request) { return apitest.Header("Idempotency-Key", k) }

func TestRepeatedRequestsGetTheStoredAnswer(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	ask := wire.HoldRequest{Seats: []uint32{2, 3}}
	post := func(body any, k string) *apitest.Answer {
		return fan.Do(t, "POST", apitest.Path(cfg, "holds"), body, key(k))
	}
	first := post(ask, "a").Want(t, http.StatusCreated)
	if again := post(ask, "a").Want(t, http.StatusCreated); !bytes.Equal(first.Body, again.Body) {
		t.Errorf("the same request got %s and %s", first.Body, again.Body)
	}
	post(wire.HoldRequest{Seats: []uint32{4, 5}}, "a").Problem(t, wire.IdempotencyMismatch)
	post(ask, "b").Problem(t, wire.HoldExists)
	// A key is its caller's own.
	other := shopper(t, h, cfg)
	other.Do(t, "POST", apitest.Path(cfg, "holds"), ask, key("a")).Problem(t, wire.Conflict)

	hold := apitest.Into[wire.Hold](t, first)
	change := func(c wire.HoldChange, k string) *apitest.Answer {
		return fan.Do(t, "PATCH", apitest.Path(cfg, "holds", hold.ID), c, key(k))
	}
	add := wire.HoldChange{Add: &wire.HoldRequest{Seats: []uint32{4}}}
	change(add, "c").Want(t, http.StatusOK)
	change(add, "c").Want(t, http.StatusOK)
	change(wire.HoldChange{Drop: add.Add}, "c").Problem(t, wire.IdempotencyMismatch)

	open := func(k string) *apitest.Answer {
		return fan.Do(t, "POST", apitest.Path(cfg, "orders"), wire.OrderRequest{Hold: hold.ID}, key(k))
	}
	order := apitest.Into[wire.Order](t, open("d").Want(t, http.StatusCreated))
	if again := apitest.Into[wire.Order](t, open("d").Want(t, http.StatusCreated)); again.ID != order.ID {
		t.Errorf("the same request opened %s and %s", order.ID, again.ID)
	}
	pay := func(method, k string) *apitest.Answer {
		return fan.Do(t, "POST", "/api/v1/orders/"+order.ID+"/pay", wire.PayRequest{Method: method}, key(k))
	}
	pay("card", "e").Want(t, http.StatusOK)
	if o := apitest.Into[wire.Order](t, pay("card", "e").Want(t, http.StatusOK)); o.Payment.Attempt != 1 {
		t.Errorf("the same request paid as attempt %d", o.Payment.Attempt)
	}
	pay("pix", "e").Problem(t, wire.IdempotencyMismatch)
}

// The answer to a hold that is over by now is the one it got.
func TestStoredAnswerOutlivesTheHold(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	ask := wire.HoldRequest{Best: &wire.BestRequest{Quantity: 2}}
	first := fan.Do(t, "POST", apitest.Path(cfg, "holds"), ask, key("a")).Want(t, http.StatusCreated)
	fan.Do(t, "DELETE", apitest.Path(cfg, "holds", apitest.Into[wire.Hold](t, first).ID), nil, key("a")).Want(t, http.StatusNoContent)
	fan.Do(t, "DELETE", apitest.Path(cfg, "holds", apitest.Into[wire.Hold](t, first).ID), nil, key("a")).Want(t, http.StatusNoContent)
	again := fan.Do(t, "POST", apitest.Path(cfg, "holds"), ask, key("a")).Want(t, http.StatusCreated)
	if !bytes.Equal(first.Body, again.Body) {
		t.Errorf("the same request got %s and %s", first.Body, again.Body)
	}
	fan.Do(t, "GET", apitest.Path(cfg, "holds/me"), nil).Problem(t, wire.NotFound)
}

func TestRepeatedQueueRequests(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	fan.Do(t, "POST", apitest.Path(cfg, "queue"), nil, key("j")).Want(t, http.StatusCreated)
	fan.Do(t, "DELETE", apitest.Path(cfg, "queue/me"), nil, key("l")).Want(t, http.StatusNoContent)
	fan.Do(t, "DELETE", apitest.Path(cfg, "queue/me"), nil, key("l")).Want(t, http.StatusNoContent)
	fan.Do(t, "DELETE", apitest.Path(cfg, "queue/me"), nil, key("m")).Problem(t, wire.NoPlace)
	// The first joining once more is no second joining.
	fan.Do(t, "POST", apitest.Path(cfg, "queue"), nil, key("j")).Want(t, http.StatusOK)
	if p := place(t, fan, cfg); p.State != "left" || p.Number != 1 {
		t.Errorf("place is %+v", p)
	}
}

func TestRepeatedAccountRequests(t *testing.T) {
	h := house(t)
	up := map[string]any{"email": h.Name("eva") + "@example.com", "name": "Eva", "password": "uma senha bem comprida", "token": true}
	sign := func(change ...func(*http.Request)) *apitest.Answer {
		return h.Nobody().Do(t, "POST", "/api/v1/accounts", up, change...)
	}
	first := apitest.Into[wire.Session](t, sign(key("k")).Want(t, http.StatusCreated))
	again := apitest.Into[wire.Session](t, sign(key("k")).Want(t, http.StatusCreated))
	if again.Account != first.Account || again.Token == first.Token {
		t.Errorf("the same request signed up %+v and %+v", first, again)
	}
	up["password"] = "uma outra senha comprida"
	sign(key("k")).Problem(t, wire.IdempotencyMismatch)
	sign(key("k2")).Problem(t, wire.EmailTaken)
	// Another person's first request with a plain key is not this one.
	up["email"] = h.Name("eva") + "@example.com"
	sign(key("k")).Want(t, http.StatusCreated)

	owner := h.Person(t, account.RoleOwner)
	add := map[string]any{"email": h.Name("gate") + "@example.com", "name": "Portão", "password": "uma senha bem comprida", "role": "gate"}
	one := owner.Do(t, "POST", "/api/v1/admin/accounts", add, key("s")).Want(t, http.StatusCreated)
	two := owner.Do(t, "POST", "/api/v1/admin/accounts", add, key("s")).Want(t, http.StatusCreated)
	if !bytes.Equal(one.Body, two.Body) {
		t.Errorf("the same request got %s and %s", one.Body, two.Body)
	}
	a, b := h.Person(t, account.RoleFan), h.Person(t, account.RoleFan)
	owner.Do(t, "POST", "/api/v1/admin/accounts/"+number(a)+"/disable", nil, key("d")).Want(t, http.StatusNoContent)
	owner.Do(t, "POST", "/api/v1/admin/accounts/"+number(b)+"/disable", nil, key("d")).Problem(t, wire.IdempotencyMismatch)
}

func TestRepeatedMinting(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	op := h.Person(t, account.RoleOperator)
	mint := func(n int, k string) *apitest.Answer {
		return op.Do(t, "POST", "/api/v1/admin/events/"+cfg.Slug+"/rehearsal-fans", map[string]int{"count": n}, key(k))
	}
	first := mint(3, "m").Want(t, http.StatusCreated)
	if again := mint(3, "m").Want(t, http.StatusCreated); !bytes.Equal(first.Body, again.Body) {
		t.Errorf("the same request made %s and %s", first.Body, again.Body)
	}
	mint(4, "m").Problem(t, wire.IdempotencyMismatch)
	if other := mint(3, "n").Want(t, http.StatusCreated); bytes.Equal(first.Body, other.Body) {
		t.Error("two keys made the same fans")
	}
}

func TestKeysAreChecked(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	for _, k := range []string{"", "a b", "ã", strings.Repeat("x", 129)} {
		fan.Do(t, "POST", apitest.Path(cfg, "holds"), wire.HoldRequest{Seats: []uint32{0, 1}}, key(k)).Problem(t, wire.InvalidRequest)
	}
	two := func(r *http.Request) { r.Header["Idempotency-Key"] = []string{"a", "b"} }
	fan.Do(t, "POST", apitest.Path(cfg, "queue"), nil, two).Problem(t, wire.InvalidRequest)
	fan.Do(t, "POST", apitest.Path(cfg, "holds"), wire.HoldRequest{Seats: []uint32{0, 1}}, key(strings.Repeat("x", 128))).Want(t, http.StatusCreated)
}
