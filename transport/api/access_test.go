package api_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func number(f *apitest.Fan) string { return strconv.FormatUint(uint64(f.Account), 10) }

// public operations may be called by anybody; roles are those of openapi.yaml, fan where it names none.
func leastRole(op map[string]any) string {
	if role, ok := op["x-role"].(string); ok {
		return role
	}
	if security, ok := op["security"].([]any); ok && slices.ContainsFunc(security, func(s any) bool { return len(s.(map[string]any)) == 0 }) {
		return ""
	}
	return "fan"
}

// Every operation is called by everybody who may not, with things that belong to somebody else.
func TestRolesAndForeignThings(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	owner := h.Virtual(t, cfg)
	order := owner.Buy(t, cfg, 0, 1)
	owner2 := h.Virtual(t, cfg)
	owner2.Shop(t, cfg)
	hold := owner2.Hold(t, cfg, 5, 6)

	people := []struct {
		role string
		fan  *apitest.Fan
	}{{"", h.Nobody()}}
	for _, role := range []account.Role{account.RoleFan, account.RoleGate, account.RoleViewer, account.RoleOperator, account.RoleOwner} {
		people = append(people, struct {
			role string
			fan  *apitest.Fan
		}{role.String(), h.Person(t, role)})
	}
	rank := []string{"", "fan", "gate", "viewer", "operator", "owner"}
	path := strings.NewReplacer("{event}", cfg.Slug, "{gate}", "1", "/admin/accounts/{id}", "/admin/accounts/"+number(owner),
		"/holds/{id}", "/holds/"+hold.ID, "/orders/{id}", "/orders/"+order.ID, "/tickets/{file}", "/tickets/"+order.Tickets[0])
	for _, pattern := range h.Spec.Operations() {
		method, template, _ := strings.Cut(pattern, " ")
		least := leastRole(h.Spec.Operation(pattern))
		for _, p := range people {
			if slices.Index(rank, p.role) >= slices.Index(rank, least) {
				continue
			}
			want := wire.Forbidden
			if p.role == "" {
				want = wire.Unauthenticated
			}
			a := p.fan.Do(t, method, path.Replace(template), nil)
			if a.Status != want.Status() {
				t.Errorf("%s by %q answers %d, want %d: %.200s", pattern, p.role, a.Status, want.Status(), a.Body)
			}
		}
	}

	stranger := h.Virtual(t, cfg)
	stranger.Shop(t, cfg)
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/api/v1/orders/" + order.ID, nil},
		{"POST", "/api/v1/orders/" + order.ID + "/pay", wire.PayRequest{Method: "card"}},
		{"POST", "/api/v1/orders/" + order.ID + "/cancel", nil},
		{"GET", "/api/v1/orders/" + order.ID + "/tickets", nil},
		{"GET", "/api/v1/orders/" + order.ID + "/tickets.pdf", nil},
		{"GET", "/api/v1/orders/" + order.ID + "/pix.svg", nil},
		{"GET", "/api/v1/tickets/" + order.Tickets[0], nil},
		{"GET", "/api/v1/tickets/" + order.Tickets[0] + ".pdf", nil},
		{"GET", "/api/v1/tickets/" + order.Tickets[0] + ".png", nil},
		{"PATCH", apitest.Path(cfg, "holds", hold.ID), wire.HoldChange{Renew: true}},
		{"PATCH", apitest.Path(cfg, "holds", hold.ID), wire.HoldChange{Drop: &wire.HoldRequest{Seats: []uint32{5}}}},
		{"DELETE", apitest.Path(cfg, "holds", hold.ID), nil},
		{"POST", apitest.Path(cfg, "orders"), wire.OrderRequest{Hold: hold.ID}},
	} {
		theirs := stranger.Do(t, c.method, c.path, c.body)
		if theirs.Status != http.StatusNotFound {
			t.Errorf("%s %s of somebody else answers %d: %s", c.method, c.path, theirs.Status, theirs.Body)
		}
	}
	if got := apitest.Into[wire.Hold](t, owner2.Do(t, "GET", apitest.Path(cfg, "holds/me"), nil)); got.ID != hold.ID || len(got.Lines) != 2 {
		t.Errorf("the hold became %+v", got)
	}
}

// A virtual fan may act on the rehearsal it was made for, and on nothing else.
func TestVirtualFansStayInTheirRehearsal(t *testing.T) {
	h := house(t)
	mine, other := h.Event(t, nil), h.Event(t, nil)
	fan := h.Virtual(t, mine)
	fan.Do(t, "GET", apitest.Path(mine, "seats"), nil).Want(t, http.StatusOK)
	for _, c := range []struct{ method, path string }{
		{"GET", "seats"}, {"POST", "queue"}, {"GET", "queue/me"}, {"POST", "admission"}, {"POST", "holds"}, {"GET", "holds/me"}, {"POST", "orders"},
	} {
		fan.Do(t, c.method, apitest.Path(other, c.path), nil).Problem(t, wire.Forbidden)
	}
}

func TestStaffReadOrdersButNoCodes(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	order := fan.Buy(t, cfg, 0, 1)
	viewer := h.Person(t, account.RoleViewer)
	if got := apitest.Into[wire.Order](t, viewer.Do(t, "GET", "/api/v1/orders/"+order.ID, nil).Want(t, http.StatusOK)); got.ID != order.ID {
		t.Errorf("order is %+v", got)
	}
	for _, f := range []*apitest.Fan{fan, viewer} {
		list := apitest.Into[wire.List[wire.Ticket]](t, f.Do(t, "GET", "/api/v1/orders/"+order.ID+"/tickets", nil).Want(t, http.StatusOK))
		one := apitest.Into[wire.Ticket](t, f.Do(t, "GET", "/api/v1/tickets/"+order.Tickets[0], nil).Want(t, http.StatusOK))
		if len(list.Items) != 2 || list.Items[0] != one || (one.Code != "") != (f == fan) {
			t.Errorf("tickets are %+v and %+v", list.Items, one)
		}
	}
	for _, form := range []string{"orders/" + order.ID + "/tickets.pdf", "tickets/" + order.Tickets[0] + ".pdf", "tickets/" + order.Tickets[0] + ".svg"} {
		viewer.Do(t, "GET", "/api/v1/"+form, nil).Problem(t, wire.Forbidden)
	}
}

func TestNothingThere(t *testing.T) {
	h := house(t)
	fan := h.Person(t, account.RoleFan)
	for _, path := range []string{
		"/api/v1", "/api/v1/nothing", "/", "/api/v1/events/none", "/api/v1/events/none/queue/me", "/api/v1/orders/x", "/api/v1/orders/o1-0",
		"/api/v1/orders/o9999999999-1", "/api/v1/tickets/t1-4000000000", "/api/v1/tickets/o1-1", "/api/v1/tickets/t1-1.exe",
	} {
		fan.Do(t, "GET", path, nil).Problem(t, wire.NotFound)
	}
	h.Nobody().Do(t, "PUT", "/api/v1/events", nil).Problem(t, wire.NotFound)
}
