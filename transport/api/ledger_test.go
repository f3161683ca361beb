package api_test

import (
	"net/http"
	"testing"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func later(c *sale.Config) {
	c.LobbyAt, c.OpensAt, c.ClosesAt = c.StartsAt-7200_000, c.StartsAt-3600_000, c.StartsAt
}

func realSale(c *sale.Config) { c.Rehearsal = false }

func mustID(t *testing.T, s string) account.ID {
	t.Helper()
	var n account.ID
	for _, c := range s {
		n = 10*n + account.ID(c-'0')
	}
	return n
}

func books(t *testing.T, f *apitest.Fan, cfg *sale.Config, query string) wire.Ledger {
	t.Helper()
	return apitest.Into[wire.Ledger](t, f.Do(t, "GET", "/api/v1/admin/events/"+cfg.Slug+"/ledger"+query, nil).Want(t, http.StatusOK))
}

func TestLedger(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	viewer, op := h.Person(t, account.RoleViewer), h.Person(t, account.RoleOperator)
	empty := books(t, viewer, cfg, "")
	if !empty.Clean || !empty.Recounted || empty.Places.Free != apitest.Seats+apitest.AreaSize || len(empty.Rows) != 0 || empty.Next != nil {
		t.Errorf("empty books are %+v", empty)
	}
	kept := h.Virtual(t, cfg).Buy(t, cfg, 0, 1)
	back := h.Virtual(t, cfg).Buy(t, cfg, 10, 11)
	op.Do(t, "POST", "/api/v1/orders/"+back.ID+"/refunds", map[string]string{"reason": "fell ill"}).Want(t, http.StatusAccepted)
	holder := shopper(t, h, cfg)
	holder.Hold(t, cfg, 20, 21)
	// A fan changes the method: two payments of one order, one paid and one voided.
	twice := shopper(t, h, cfg)
	o := twice.Order(t, cfg, twice.Hold(t, cfg, 24, 25))
	twice.Pay(t, o)
	pix := apitest.Into[wire.Order](t, twice.Do(t, "POST", "/api/v1/orders/"+o.ID+"/pay", wire.PayRequest{Method: "pix"}).Want(t, http.StatusOK))
	twice.Settle(t, pix, sale.PayCaptured)
	twice.Until(t, o, "the tickets", func(o wire.Order) bool { return o.State == "fulfilled" })

	var got wire.Ledger
	apitest.Eventually(t, "the refund and the void", func() bool {
		got = books(t, viewer, cfg, "")
		return got.Orders["refunded"] == 1 && len(got.Rows) == 3 && len(got.Rows[2].Payments) == 2 && got.Rows[2].Payments[0].State == "canceled"
	})
	front, rest := int64(2*(apitest.FrontPrice+apitest.FrontFee)), int64(2*(apitest.BackPrice+apitest.BackFee))
	if !got.Clean || len(got.Defects) != 0 {
		t.Errorf("defects are %v", got.Defects)
	}
	if p := got.Places; p.Capacity != 80 || p.Sold != 4 || p.Held != 2 || p.Free != 74 || p.Blocked != 0 {
		t.Errorf("places are %+v", p)
	}
	if c := got.Categories[1]; c.Key != "back" || c.Sold != 2 || c.Held != 2 || c.Capacity != 20 {
		t.Errorf("category is %+v", c)
	}
	if m := got.Money; m.Captured.Amount != front+2*rest || m.Refunded.Amount != rest || m.Refunding.Amount != 0 ||
		m.SoldFace.Amount != 2*(apitest.FrontPrice+apitest.BackPrice) || m.SoldFees.Amount != 2*(apitest.FrontFee+apitest.BackFee) {
		t.Errorf("money is %+v", m)
	}
	if k := got.Tickets; k.Issued != 6 || k.Revoked != 2 || k.Scanned != 0 || got.Orders["fulfilled"] != 2 {
		t.Errorf("tickets are %+v, orders %v", k, got.Orders)
	}
	if q := got.Queue; q.Issued != 4 || q.Done != 3 || q.Shopping != 1 || len(q.Digest) != 64 || q.Digest == empty.Queue.Digest {
		t.Errorf("queue is %+v", q)
	}
	rows := got.Rows
	if rows[0].Order != kept.ID || rows[0].State != "fulfilled" || rows[0].Captured.Amount != front || len(rows[0].Tickets) != 2 ||
		len(rows[0].Units) != 2 || rows[0].Payments[0].Ref == "" || rows[0].Payments[0].Captured != front {
		t.Errorf("row is %+v", rows[0])
	}
	if rows[1].State != "refunded" || rows[1].Refunded.Amount != rest || rows[1].Payments[0].Refund != "succeeded" {
		t.Errorf("row is %+v", rows[1])
	}
	if p := rows[2].Payments; p[1].Method != "pix" || p[1].State != "captured" || p[0].Captured != 0 || rows[2].Captured.Amount != rest {
		t.Errorf("row is %+v", rows[2])
	}
	// The order of the queue never changes; a later page has the rest.
	page := books(t, viewer, cfg, "?cursor=2")
	if page.Recounted || !page.Clean || len(page.Rows) != 1 || page.Rows[0].Order != o.ID || page.Queue.Digest != "" {
		t.Errorf("page is %+v", page)
	}
	if again := books(t, viewer, cfg, ""); again.Queue.Digest != got.Queue.Digest {
		t.Error("the order of the queue changed")
	}
	viewer.Do(t, "GET", "/api/v1/admin/events/"+cfg.Slug+"/ledger?cursor=x", nil).Problem(t, wire.InvalidRequest)
}
