package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/catraca/catraca/transport/wire"
)

// Provider is the payment provider's own ledger, as the sandbox tells it. Sums are minor units.
type Provider struct {
	Payments []ProviderPayment `json:"payments"`
}

// ProviderPayment is one payment at the provider.
type ProviderPayment struct {
	Payment    string            `json:"payment"`
	Status     string            `json:"status"`
	Currency   string            `json:"currency"`
	Authorized int64             `json:"authorized"`
	Captured   int64             `json:"captured"`
	Refunded   int64             `json:"refunded"`
	Pending    int64             `json:"pending"`
	Metadata   map[string]string `json:"metadata"`
}

// String is the payment as evidence.
func (c *ProviderPayment) String() string {
	cur := strings.ToUpper(c.Currency)
	var b strings.Builder
	fmt.Fprintf(&b, "payment %s %s: %s taken", c.Payment, c.Status, amount(c.Captured, cur))
	for _, p := range []struct {
		n    int64
		what string
	}{{c.Authorized, "reserved"}, {c.Refunded, "given back"}, {c.Pending, "on its way back"}} {
		if p.n != 0 {
			fmt.Fprintf(&b, ", %s %s", amount(p.n, cur), p.what)
		}
	}
	return b.String()
}

// AuditMoney holds the books against the provider's: every charge is a paid order's with all its tickets, or was given
// back in full; nothing stays reserved; every paid order was charged once, its exact price; the sums agree to the
// cent. It returns an *[AuditError], or nil. Money on its way makes findings: ask again after it has settled.
func AuditMoney(books wire.Ledger, p Provider) error {
	f := &findings{}
	auditMoney(f, books, p)
	return f.err()
}

// charged is what the provider has of one order.
type charged struct {
	kept     int64 // captured and not given back
	times    int   // payments of which something was kept
	payments []string
}

func auditMoney(f *findings, books wire.Ledger, p Provider) {
	rows := make(map[string]*wire.LedgerRow, len(books.Rows))
	moving := false // money is on its way, somewhere
	for i := range books.Rows {
		r := &books.Rows[i]
		rows[r.Order] = r
		moving = moving || underWay(r)
	}
	all := make(map[string]*charged)
	var net int64
	for i := range p.Payments {
		c := &p.Payments[i]
		order := c.Metadata["reference"]
		wait := rows[order] != nil && underWay(rows[order])
		cur := strings.ToUpper(c.Currency)
		if c.Authorized != 0 {
			f.money(wait, "payment %s of order %s still has %s reserved at the provider", c.Payment, whose(rows[order], order), amount(c.Authorized, cur))
		}
		if c.Pending != 0 {
			moving = true
			f.money(true, "payment %s of order %s still has a refund of %s under way", c.Payment, whose(rows[order], order), amount(c.Pending, cur))
		}
		o := all[order]
		if o == nil {
			o = &charged{}
			all[order] = o
		}
		o.payments = append(o.payments, c.String())
		keep := c.Captured - c.Refunded - c.Pending
		net += keep
		if keep != 0 {
			o.kept += keep
			o.times++
		}
	}
	face := auditRows(f, books.Rows, all)
	for _, order := range slices.Sorted(maps.Keys(all)) {
		if o := all[order]; rows[order] == nil && o.kept != 0 {
			f.add(moneyAgrees, "the provider kept %s for order %q, which is not in the books (%s)", amount(o.kept, books.Money.Captured.Currency), order, listed(o.payments))
		}
	}
	auditSums(f, books, net, face, moving)
}

// auditRows holds each order against what the provider has of it, and returns what orders cost that are sold.
func auditRows(f *findings, rows []wire.LedgerRow, all map[string]*charged) (face int64) {
	for i := range rows {
		r := &rows[i]
		o := all[r.Order]
		if o == nil {
			o = &charged{payments: []string{"no payment"}}
		}
		want := int64(0)
		if owns(r.State) {
			want = r.Total.Amount
		}
		face += want
		cur := r.Total.Currency
		switch at := listed(o.payments); {
		case o.kept == want:
		case o.kept == 0:
			f.money(underWay(r), "order %s is %s with %s for %s, and the provider took 0 of it (%s)", whose(r, r.Order), r.State, tickets(r), cost(r.Total), at)
		case want == 0:
			f.money(underWay(r), "the provider kept %s of order %s, which is %s and has %s (%s)", amount(o.kept, cur), whose(r, r.Order), r.State, valid(r), at)
		default:
			f.money(underWay(r), "order %s is %s with %s for %s, and the provider kept %s of it (%s)", whose(r, r.Order), r.State, tickets(r), cost(r.Total), amount(o.kept, cur), at)
		}
		if o.times > 1 {
			f.money(underWay(r), "order %s was charged %d times (%s)", whose(r, r.Order), o.times, listed(o.payments))
		}
		if r.State == "committed" || r.State == "paid" || r.State == "refunding" {
			f.money(true, "order %s is still %s", whose(r, r.Order), r.State)
		}
	}
	return face
}

// auditSums holds the sums of the books against what the provider kept and what orders cost.
func auditSums(f *findings, books wire.Ledger, net, face int64, moving bool) {
	m := books.Money
	cur := m.Captured.Currency
	if booked := m.Captured.Amount - m.Refunded.Amount - m.Refunding.Amount; booked != net {
		f.money(moving, "the provider kept %s, the books say %s", amount(net, cur), amount(booked, cur))
	}
	if sold := m.SoldFace.Amount + m.SoldFees.Amount; sold != net || sold != face {
		f.money(moving, "the provider kept %s, tickets were sold for %s, orders cost %s", amount(net, cur), amount(sold, cur), amount(face, cur))
	}
}

// auditBookedMoney holds the books' money against their orders.
func auditBookedMoney(f *findings, books wire.Ledger) {
	var face int64
	moving := false
	for i := range books.Rows {
		if owns(books.Rows[i].State) {
			face += books.Rows[i].Total.Amount
		}
		moving = moving || underWay(&books.Rows[i])
	}
	m := books.Money
	kept := m.Captured.Amount - m.Refunded.Amount - m.Refunding.Amount
	if sold := m.SoldFace.Amount + m.SoldFees.Amount; sold != kept || sold != face {
		cur := m.Captured.Currency
		f.money(moving, "by the books %s was kept, tickets were sold for %s, orders cost %s", amount(kept, cur), amount(sold, cur), amount(face, cur))
	}
}

// underWay says whether the server still does something about the money of an order, or may be told something.
func underWay(r *wire.LedgerRow) bool {
	switch r.State {
	case "awaiting", "committed", "paid", "refunding":
		return true
	}
	return slices.ContainsFunc(r.Payments, func(p wire.LedgerPayment) bool {
		return p.Refund == "pending" || p.Ref != "" && p.State != "captured" && p.State != "canceled"
	})
}

// whose is an order and its account, as the books have it.
func whose(r *wire.LedgerRow, order string) string {
	if r == nil {
		return fmt.Sprintf("%.40s (not in the books)", order)
	}
	return r.Order + " of account " + r.Account
}

func tickets(r *wire.LedgerRow) string {
	if len(r.Tickets) == 0 {
		return "no ticket"
	}
	return fmt.Sprintf("%s (%s)", many(len(r.Tickets), "ticket"), listed(r.Tickets))
}

// valid is [tickets] of an order that has been ended: what was issued is worthless.
func valid(r *wire.LedgerRow) string {
	if len(r.Tickets) == 0 {
		return "no ticket"
	}
	return many(len(r.Tickets), "revoked ticket")
}

func many(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
