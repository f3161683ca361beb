package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func TestApplyEvent(t *testing.T) {
	h := house(t)
	op := h.Person(t, account.RoleOperator)
	file := apitest.File{Slug: h.Name("aurora"), Rehearsal: true}
	type applied struct {
		Event  wire.Event
		Import map[string]any
	}
	first := apitest.Into[applied](t, op.Do(t, "POST", "/api/v1/admin/events", file).Want(t, http.StatusOK))
	if first.Event.Slug != file.Slug || first.Event.Phase != "open" || !first.Event.Rehearsal || first.Import["seats"] != float64(apitest.Seats) {
		t.Errorf("applied: %+v", first)
	}
	again := apitest.Into[applied](t, op.Do(t, "POST", "/api/v1/admin/events", file).Want(t, http.StatusOK))
	if again.Event.ID != first.Event.ID || again.Event.PolicyHash != first.Event.PolicyHash || again.Event.PlanURL != first.Event.PlanURL {
		t.Errorf("applied again: %+v", again.Event)
	}
	op.Do(t, "POST", "/api/v1/admin/events", `{`).Problem(t, wire.InvalidRequest)
	if p := op.Do(t, "POST", "/api/v1/admin/events", `{}`).Problem(t, wire.InvalidRequest); !strings.Contains(p.Detail, "slug") {
		t.Errorf("detail is %q", p.Detail)
	}
	// What the sale would refuse must not get into the catalogue either.
	bad := apitest.File{Slug: "Not A Slug"}
	op.Do(t, "POST", "/api/v1/admin/events", bad).Problem(t, wire.InvalidRequest)
	// A sale under way is not changed by another file, and says so.
	other := file
	other.Rehearsal = false
	if p := op.Do(t, "POST", "/api/v1/admin/events", other).Problem(t, wire.WrongState); !strings.Contains(p.Detail, "slug") {
		t.Errorf("detail is %q", p.Detail)
	}
	for _, path := range []string{"/api/v1/events", "/api/v1/admin/events"} {
		list := apitest.Into[wire.List[wire.Event]](t, op.Do(t, "GET", path, nil).Want(t, http.StatusOK))
		n := 0
		for _, e := range list.Items {
			if e.Slug == file.Slug {
				n++
			}
			if e.Slug == bad.Slug {
				t.Errorf("%s lists %+v", path, e)
			}
		}
		if n != 1 {
			t.Errorf("%s lists it %d times", path, n)
		}
	}
}

// An event that is made after a restore begins in the house's epoch, and what was announced is the same as before.
func TestApplyEventInALaterEpoch(t *testing.T) {
	h := apitest.New(t, apitest.Options{})
	before := h.Event(t, nil)
	if r, err := h.Directory.Submit(t.Context(), &account.Command{Op: account.OpEpoch, Count: 3}); err != nil || r.Refusal != account.Done {
		t.Fatalf("raise: %+v, %v", r, err)
	}
	cfg := apitest.Config("later")
	file := *cfg
	v, err := h.API.ApplyEvent(t.Context(), 0, cfg)
	if err != nil || v.Config.Epoch != 3 {
		t.Fatalf("made in epoch %d: %v", v.Config.Epoch, err)
	}
	for _, c := range []sale.Config{file, *before} { // neither says anything of an epoch, or changes one
		c.Event, c.Epoch = 0, 0
		if _, err := h.API.ApplyEvent(t.Context(), 0, &c); err != nil {
			t.Errorf("%s applied again: %v", c.Slug, err)
		}
	}
	file.Event = v.Event
	announced := sha256.Sum256(sale.AppendConfig(nil, &file))
	e := apitest.Into[wire.Event](t, h.Virtual(t, cfg).Do(t, "GET", "/api/v1/events/later", nil).Want(t, http.StatusOK))
	if e.PolicyHash != hex.EncodeToString(announced[:]) {
		t.Errorf("the policy's hash %s is not that of what was announced", e.PolicyHash)
	}
}

func TestSteerASale(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	op, fan := h.Person(t, account.RoleOperator), h.Virtual(t, cfg)
	steer := func(what string, body any) *apitest.Answer {
		return op.Do(t, "POST", "/api/v1/admin/events/"+cfg.Slug+"/"+what, body)
	}
	if e := apitest.Into[wire.Event](t, steer("pause", map[string]string{"reason": "provider is\ndown"}).Want(t, http.StatusOK)); e.Phase != "paused" || e.PauseReason != "provider is\ndown" {
		t.Errorf("paused: %+v", e)
	}
	steer("pause", nil).Problem(t, wire.WrongState)
	fan.Do(t, "POST", apitest.Path(cfg, "queue"), nil).Want(t, http.StatusCreated)
	if e := apitest.Into[wire.Event](t, steer("resume", nil).Want(t, http.StatusOK)); e.Phase != "open" || e.PauseReason != "" {
		t.Errorf("resumed: %+v", e)
	}
	if e := apitest.Into[wire.Event](t, steer("message", map[string]string{"text": "Boa noite"}).Want(t, http.StatusOK)); e.Message != "Boa noite" {
		t.Errorf("message: %+v", e)
	}
	steer("message", map[string]string{"text": strings.Repeat("x", 501)}).Problem(t, wire.InvalidRequest)
	steer("message", map[string]string{"reason": "x"}).Problem(t, wire.InvalidRequest)
	steer("rate", map[string]int{"per_minute": 60, "active": 5}).Want(t, http.StatusOK)
	steer("rate", nil).Problem(t, wire.InvalidRequest)
	steer("rate", map[string]int{"per_minute": -1}).Problem(t, wire.InvalidRequest)
	steer("open", nil).Problem(t, wire.WrongState)
	if e := apitest.Into[wire.Event](t, steer("close", nil).Want(t, http.StatusOK)); e.Phase != "closed" {
		t.Errorf("closed: %+v", e)
	}
	steer("resume", nil).Problem(t, wire.Closed)
	if n := audited(t, op, "event.pause", cfg.Slug); n != 1 {
		t.Errorf("the pause is in the audit %d times", n)
	}
	later := h.Event(t, later)
	if e := apitest.Into[wire.Event](t, op.Do(t, "POST", "/api/v1/admin/events/"+later.Slug+"/open", nil).Want(t, http.StatusOK)); e.Phase != "open" {
		t.Errorf("opened: %+v", e)
	}
}

func TestStaff(t *testing.T) {
	h := house(t)
	owner := h.Person(t, account.RoleOwner)
	email := h.Name("portao") + "@example.com"
	add := map[string]string{"email": email, "name": "Portão 3", "password": "uma senha bem comprida", "role": "gate"}
	made := apitest.Into[struct{ Account wire.Account }](t, owner.Do(t, "POST", "/api/v1/admin/accounts", add).Want(t, http.StatusCreated)).Account
	if made.Role != "gate" || made.Email != email {
		t.Errorf("made %+v", made)
	}
	owner.Do(t, "POST", "/api/v1/admin/accounts", add).Problem(t, wire.EmailTaken)
	for field, value := range map[string]string{"role": "king", "email": "x", "name": ""} {
		bad := map[string]string{"email": h.Name("x") + "@example.com", "name": "X", "password": "uma senha bem comprida", "role": "gate"}
		bad[field] = value
		if p := owner.Do(t, "POST", "/api/v1/admin/accounts", bad).Problem(t, wire.InvalidRequest); len(p.Errors) != 1 || p.Errors[0].Pointer != "/"+field {
			t.Errorf("%s %q: %+v", field, value, p.Errors)
		}
	}
	add["email"], add["password"] = h.Name("x")+"@example.com", "curta"
	owner.Do(t, "POST", "/api/v1/admin/accounts", add).Problem(t, wire.WeakPassword)

	found := apitest.Into[wire.List[wire.Account]](t, owner.Do(t, "GET", "/api/v1/admin/accounts?email="+email, nil).Want(t, http.StatusOK))
	if len(found.Items) != 1 || found.Items[0] != made {
		t.Errorf("found %+v", found)
	}
	if none := apitest.Into[wire.List[wire.Account]](t, owner.Do(t, "GET", "/api/v1/admin/accounts?email=x"+email, nil).Want(t, http.StatusOK)); len(none.Items) != 0 {
		t.Errorf("found %+v", none)
	}
	owner.Do(t, "GET", "/api/v1/admin/accounts?email=x", nil).Problem(t, wire.InvalidRequest)
	if staff := owner.Do(t, "GET", "/api/v1/admin/accounts", nil).Want(t, http.StatusOK); !bytes.Contains(staff.Body, []byte(email)) || bytes.Contains(staff.Body, []byte(`"role":"fan"`)) {
		t.Errorf("staff is %s", staff.Body)
	}
	owner.Do(t, "GET", "/api/v1/admin/accounts?cursor=x", nil).Problem(t, wire.InvalidRequest)

	signed := &apitest.Fan{H: h, Token: h.Session(t, mustID(t, made.ID))}
	signed.Do(t, "GET", "/api/v1/admin/status", nil).Problem(t, wire.Forbidden)
	owner.Do(t, "POST", "/api/v1/admin/accounts/"+made.ID+"/role", map[string]string{"role": "viewer"}).Want(t, http.StatusNoContent)
	signed.Do(t, "GET", "/api/v1/admin/status", nil).Want(t, http.StatusOK)
	owner.Do(t, "POST", "/api/v1/admin/accounts/"+made.ID+"/role", map[string]string{"role": "king"}).Problem(t, wire.InvalidRequest)
	owner.Do(t, "POST", "/api/v1/admin/accounts/999999/role", map[string]string{"role": "viewer"}).Problem(t, wire.NotFound)
	owner.Do(t, "POST", "/api/v1/admin/accounts/x/role", map[string]string{"role": "viewer"}).Problem(t, wire.NotFound)
	owner.Do(t, "POST", "/api/v1/admin/accounts/"+made.ID+"/disable", nil).Want(t, http.StatusNoContent)
	signed.Do(t, "GET", "/api/v1/admin/status", nil).Problem(t, wire.Unauthenticated)
}

func TestRehearsalFans(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	op := h.Person(t, account.RoleOperator)
	mint := func(slug string, n int) *apitest.Answer {
		return op.Do(t, "POST", "/api/v1/admin/events/"+slug+"/rehearsal-fans", map[string]int{"count": n})
	}
	var made struct {
		Fans []struct{ Account, Token string }
	}
	mint(cfg.Slug, 1500).Want(t, http.StatusCreated).JSON(t, &made)
	seen := make(map[string]bool)
	for _, f := range made.Fans {
		seen[f.Account+" "+f.Token] = true
	}
	if len(seen) != 1500 {
		t.Errorf("%d different fans of %d", len(seen), len(made.Fans))
	}
	for _, i := range []int{0, 999, 1000, 1499} {
		me := (&apitest.Fan{H: h, Token: made.Fans[i].Token}).Do(t, "GET", "/api/v1/accounts/me", nil).Want(t, http.StatusOK)
		if !bytes.Contains(me.Body, []byte(`"id":"`+made.Fans[i].Account+`"`)) {
			t.Errorf("fan %d is %s", i, me.Body)
		}
	}
	mint(cfg.Slug, 0).Problem(t, wire.InvalidRequest)
	mint(cfg.Slug, 10_001).Problem(t, wire.InvalidRequest)
	mint(h.Event(t, realSale).Slug, 1).Problem(t, wire.Forbidden)
}

func TestHealth(t *testing.T) {
	h := house(t)
	for _, path := range []string{"/livez", "/readyz"} {
		if a := h.Nobody().Do(t, "GET", path, nil).Want(t, http.StatusOK); !bytes.Contains(a.Body, []byte("ok")) {
			t.Errorf("%s says %s", path, a.Body)
		}
	}
	h.Ready.Store(false)
	defer h.Ready.Store(true)
	if a := h.Nobody().Do(t, "GET", "/readyz", nil).Want(t, http.StatusServiceUnavailable); a.Header.Get("Retry-After") == "" {
		t.Errorf("not ready: %v", a.Header)
	}
	h.Nobody().Do(t, "GET", "/livez", nil).Want(t, http.StatusOK)
}
