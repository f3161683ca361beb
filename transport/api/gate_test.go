package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/pass"
	"github.com/catraca/catraca/transport/wire"
)

func TestScan(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan, gate := h.Virtual(t, cfg), h.Person(t, account.RoleGate)
	o := fan.Buy(t, cfg, 0, 1)
	tickets := apitest.Into[wire.List[wire.Ticket]](t, fan.Do(t, "GET", "/api/v1/orders/"+o.ID+"/tickets", nil)).Items
	scan := func(gateNumber, code, nonce string) wire.Scan {
		t.Helper()
		return apitest.Into[wire.Scan](t, gate.Do(t, "POST", "/api/v1/gates/"+gateNumber+"/scans", wire.ScanRequest{Code: code, Nonce: nonce}).Want(t, http.StatusOK))
	}
	got := scan("7", tickets[0].Code, "n1")
	if got.Result != "accepted" || got.Ticket == nil || got.Ticket.Seat != "1" || got.Ticket.Row != "A" || got.Ticket.Holder == "" || got.Ticket.Code != "" || got.Ticket.Scanned == 0 {
		t.Errorf("first scan: %+v, ticket %+v", got, got.Ticket)
	}
	if again := scan("7", tickets[0].Code, "n1"); again.Result != "accepted" {
		t.Errorf("the scanner repeated itself: %+v", again)
	}
	second := scan("8", tickets[0].Code, "n2")
	if second.Result != "already_scanned" || second.First == nil || second.First.Gate != 7 || second.First.At != got.Ticket.Scanned {
		t.Errorf("second scan: %+v, first %+v", second, second.First)
	}
	if late := scan("7", tickets[0].Code, ""); late.Result != "already_scanned" {
		t.Errorf("without a nonce: %+v", late)
	}

	forged := []byte(tickets[1].Code)
	for i := len(forged) - 3; ; i-- {
		if forged[i] != 'A' {
			forged[i] = 'A'
			break
		}
	}
	stranger, err := pass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]string{
		"forged": string(forged), "of another house": stranger.Sign(pass.Claims{Event: uint32(cfg.Event), Ticket: 2, Version: 1, Number: 1}),
		"no code": "CT1.AAAA", "a poem": strings.Repeat("x", 600),
	} {
		if got := scan("1", code, ""); got.Result != "invalid" || got.Ticket != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for name, c := range map[string]struct {
		claims pass.Claims
		want   string
	}{
		"unknown ticket": {pass.Claims{Event: uint32(cfg.Event), Ticket: 999, Version: 1}, "unknown"},
		"unknown event":  {pass.Claims{Event: 4_000_000, Ticket: 1, Version: 1}, "unknown"},
		"old version":    {pass.Claims{Event: uint32(cfg.Event), Ticket: 2, Version: 9}, "superseded"},
	} {
		if got := scan("1", h.Keys.Sign(c.claims), ""); got.Result != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}

	op := h.Person(t, account.RoleOperator)
	op.Do(t, "POST", "/api/v1/orders/"+o.ID+"/refunds", map[string]any{"reason": "fell ill"}).Problem(t, wire.WrongState) // one is inside
	op.Do(t, "POST", "/api/v1/orders/"+o.ID+"/refunds", map[string]any{"reason": "fell ill", "force": true}).Want(t, http.StatusAccepted)
	if got := scan("7", tickets[1].Code, ""); got.Result != "revoked" {
		t.Errorf("after the refund: %+v", got)
	}
}

func TestScanRequestsAreChecked(t *testing.T) {
	h := house(t)
	gate := h.Person(t, account.RoleGate)
	for _, number := range []string{"0", "1000", "x", "-1", "65537"} {
		gate.Do(t, "POST", "/api/v1/gates/"+number+"/scans", wire.ScanRequest{Code: "x"}).Problem(t, wire.InvalidRequest)
	}
	gate.Do(t, "POST", "/api/v1/gates/1/scans", wire.ScanRequest{}).Problem(t, wire.InvalidRequest)
	a := h.Nobody().Do(t, "GET", "/.well-known/jwks.json", nil).Want(t, http.StatusOK)
	v, err := pass.ParseJWKS(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(h.Issuer.Code(1, sale.Ticket{ID: 1, Version: 1})); err != nil {
		t.Error(err)
	}
}
