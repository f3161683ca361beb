package main

import (
	"strconv"
	"strings"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pay/sandbox"
	"github.com/catraca/catraca/transport/wire"
)

func firstOrder(rows []wire.LedgerRow) string {
	if len(rows) == 0 {
		return ""
	}
	return rows[0].Order
}

// orderNumberBits of an order's identifier are its number, and those above the epoch: how often the sale had been
// restored from a backup when the order was opened.
const orderNumberBits = 26

// missingOrders finds gaps in the numbers. They go on from epoch to epoch, and an epoch never comes after a later one.
func missingOrders(refs map[string]bool) (missing []string) {
	var event sale.EventID
	epochs := make([]sale.OrderID, len(refs)) // by number
	there := make([]bool, len(refs))
	for ref := range refs {
		e, id, err := wire.ParseOrderRef(ref)
		if err != nil {
			return []string{"with a good reference instead of " + ref}
		}
		event = e
		number := int(id & (1<<orderNumberBits - 1))
		if number < 1 || number > len(refs) || there[number-1] {
			continue // then another number is missing
		}
		there[number-1], epochs[number-1] = true, id>>orderNumberBits
	}
	epoch := sale.OrderID(0)
	for i := range there {
		if there[i] && epochs[i] >= epoch {
			epoch = epochs[i]
			continue
		}
		missing = append(missing, wire.OrderRef(event, epoch<<orderNumberBits|sale.OrderID(i+1)))
	}
	return missing
}

// ours are the provider's payments of this sale: its metadata names the order.
func (b *books) ours() []sandbox.LedgerLine {
	event, _, err := wire.ParseOrderRef(firstOrder(b.ledger.Rows))
	if err != nil {
		return nil // a sale without an order has no payment
	}
	var out []sandbox.LedgerLine
	for _, l := range b.provider.Payments {
		if l.Metadata["event"] == strconv.FormatUint(uint64(event), 10) {
			out = append(out, l)
		}
	}
	return out
}

// providerAgrees compares every payment, both ways.
func (b *books) providerAgrees() check {
	c := check{Name: "the provider's books and the sale's tell the same of every payment"}
	type known struct {
		row *wire.LedgerRow
		pay *wire.LedgerPayment
	}
	byRef := map[string]known{}
	for i := range b.ledger.Rows {
		r := &b.ledger.Rows[i]
		for j := range r.Payments {
			if p := &r.Payments[j]; p.Ref != "" {
				byRef[p.Ref] = known{r, p}
			}
		}
	}
	seen := map[string]bool{}
	for _, l := range b.ours() {
		seen[l.Payment] = true
		k, ok := byRef[l.Payment]
		switch {
		case !ok && l.Captured+l.Authorized > 0:
			c.bad("payment %s of order %s: the provider took %d and reserved %d, the sale does not know it", l.Payment, l.Metadata["reference"], l.Captured, l.Authorized)
		case !ok: // begun, lost, and never paid
		case l.Captured != k.pay.Captured:
			c.bad("payment %s of order %s: the provider took %d, the sale has %d", l.Payment, k.row.Order, l.Captured, k.pay.Captured)
		case k.pay.Refund == "succeeded" && l.Refunded != l.Captured:
			c.bad("payment %s of order %s: given back says the sale, the provider gave back %d of %d", l.Payment, k.row.Order, l.Refunded, l.Captured)
		case k.pay.Refund == "none" && l.Refunded+l.Pending != 0:
			c.bad("payment %s of order %s: the provider gave back %d, the sale does not know it", l.Payment, k.row.Order, l.Refunded+l.Pending)
		case l.Refunded+l.Pending > l.Captured:
			c.bad("payment %s of order %s: the provider took %d and gave back %d", l.Payment, k.row.Order, l.Captured, l.Refunded+l.Pending)
		}
	}
	for ref, k := range byRef {
		if k.pay.Captured > 0 && !seen[ref] {
			c.bad("payment %s of order %s: the sale took %d, the provider does not know it", ref, k.row.Order, k.pay.Captured)
		}
	}
	return c
}

// moneyBacked is the promise to those who paid: what the provider kept of an order is, to the cent, what its tickets
// cost; everything else was given back, and nothing is left reserved.
func (b *books) moneyBacked() check {
	c := check{Name: "every capture has its tickets or its refund, to the cent"}
	kept := map[string]int64{}
	for _, l := range b.ours() {
		order := l.Metadata["reference"]
		if !strings.EqualFold(l.Currency, b.ledger.Money.Captured.Currency) {
			if l.Captured != l.Refunded+l.Pending {
				c.bad("order %s: %d %s were taken, another currency than the sale's, and not given back", order, l.Captured-l.Refunded-l.Pending, l.Currency)
			}
			continue
		}
		kept[order] += l.Captured - l.Refunded - l.Pending
		if l.Authorized > 0 {
			c.bad("order %s: %s are reserved, and neither taken nor released", order, amount(b.money(l.Authorized)))
		}
	}
	for i := range b.ledger.Rows {
		r := &b.ledger.Rows[i]
		want, got := int64(0), kept[r.Order]
		if r.State == "fulfilled" && uint32(len(r.Tickets)) == places(r) {
			want = r.Total.Amount
		}
		if got != want {
			c.bad("order %s (%s, %d tickets): the provider kept %s, its tickets cost %s", r.Order, r.State, len(r.Tickets), amount(b.money(got)), amount(b.money(want)))
		}
		delete(kept, r.Order)
	}
	for order, n := range kept {
		if n != 0 {
			c.bad("order %s: the provider kept %s, and there is no such order", order, amount(b.money(n)))
		}
	}
	return c
}
