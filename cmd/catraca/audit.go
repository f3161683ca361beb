package main

import (
	"fmt"
	"slices"

	"github.com/catraca/catraca/transport/pay/sandbox"
	"github.com/catraca/catraca/transport/wire"
)

// books are what an audit looks at: the sale's ledger with the rows of all pages, the plan's capacities, and what the
// payment provider says, if it is known.
type books struct {
	ledger   wire.Ledger
	seats    uint32            // units below this are seats, of one place each
	areas    map[uint32]uint32 // places by unit
	provider *sandbox.Ledger
}

// check is one thing that has to be true, and where it is not.
type check struct {
	Name    string   `json:"name"`
	Defects []string `json:"defects"`
}

func (c *check) bad(format string, args ...any) {
	c.Defects = append(c.Defects, fmt.Sprintf(format, args...))
}

// audit recounts everything from the single orders. It believes no total and no verdict of the server.
func audit(b *books) []check {
	all := []check{
		b.ownVerdict(), b.placeCounts(), b.soldOnce(), b.orderStates(), b.orderMoney(), b.moneyTotals(), b.ticketsOfOrders(),
		b.queueCounts(),
	}
	if b.provider != nil {
		all = append(all, b.providerAgrees(), b.moneyBacked())
	}
	return all
}

// owns says whether an order has its places for sure. One whose refund is on its way has them until it is confirmed.
func owns(r *wire.LedgerRow) bool {
	return slices.Contains([]string{"committed", "paid", "fulfilled"}, r.State)
}

func isSale(r *wire.LedgerRow) bool { return r.State == "paid" || r.State == "fulfilled" }

func places(r *wire.LedgerRow) uint32 {
	n := uint32(0)
	for _, u := range r.Units {
		n += u.Count
	}
	return n
}

func (b *books) ownVerdict() check {
	c := check{Name: "the server finds no defect itself"}
	for _, d := range b.ledger.Defects {
		c.bad("%s", d)
	}
	if !b.ledger.Clean && len(b.ledger.Defects) == 0 {
		c.bad("it says that it is not clean")
	}
	return c
}

func (b *books) placeCounts() check {
	c := check{Name: "every place is free, held, sold or blocked"}
	var sum wire.LedgerPlaces
	for _, k := range b.ledger.Categories {
		if k.Free+k.Held+k.Sold+k.Blocked != k.Capacity {
			c.bad("category %s: %d free + %d held + %d sold + %d blocked of %d", k.Key, k.Free, k.Held, k.Sold, k.Blocked, k.Capacity)
		}
		sum.Capacity, sum.Free, sum.Held = sum.Capacity+k.Capacity, sum.Free+k.Free, sum.Held+k.Held
		sum.Sold, sum.Blocked = sum.Sold+k.Sold, sum.Blocked+k.Blocked
	}
	if sum != b.ledger.Places {
		c.bad("the categories have %+v, the sale has %+v", sum, b.ledger.Places)
	}
	capacity := b.seats
	for _, n := range b.areas {
		capacity += n
	}
	if capacity != b.ledger.Places.Capacity {
		c.bad("the plan has %d places, the sale %d", capacity, b.ledger.Places.Capacity)
	}
	return c
}

// soldOnce recounts who owns what. Orders whose refund is on its way may have their places still.
func (b *books) soldOnce() check {
	c := check{Name: "no place is sold twice, and every sold place has its order"}
	owner := map[uint32]string{}
	taken := map[uint32]uint32{}
	sure, open := uint32(0), uint32(0)
	for i := range b.ledger.Rows {
		r := &b.ledger.Rows[i]
		if r.State == "refunding" {
			open += places(r)
		}
		if !owns(r) {
			continue
		}
		sure += places(r)
		for _, u := range r.Units {
			capacity, area := b.areas[u.Unit]
			switch {
			case area:
				if taken[u.Unit] += u.Count; taken[u.Unit] > capacity {
					c.bad("area %d: %d places sold by order %s, it has %d", u.Unit, taken[u.Unit], r.Order, capacity)
				}
			case u.Unit >= b.seats || u.Count != 1:
				c.bad("order %s: %d of unit %d, which is no such place", r.Order, u.Count, u.Unit)
			case owner[u.Unit] != "":
				c.bad("seat %d: sold in %s and in %s", u.Unit, owner[u.Unit], r.Order)
			default:
				owner[u.Unit] = r.Order
			}
		}
	}
	if n := b.ledger.Places.Sold; n < sure || n > sure+open {
		c.bad("the sale has %d sold places, the orders %d, and up to %d more whose refund is on its way", n, sure, open)
	}
	return c
}

func (b *books) orderStates() check {
	c := check{Name: "orders are numbered without a gap, and their states add up"}
	states := map[string]uint32{}
	seen := map[string]bool{}
	for i := range b.ledger.Rows {
		r := &b.ledger.Rows[i]
		states[r.State]++
		if seen[r.Order] {
			c.bad("order %s stands twice", r.Order)
		}
		seen[r.Order] = true
	}
	for _, ref := range missingOrders(seen) {
		c.bad("order %s is missing", ref)
	}
	for state, n := range b.ledger.Orders {
		if states[state] != n {
			c.bad("%d orders are %s, the sale says %d", states[state], state, n)
		}
	}
	return c
}

// orderMoney wants of each order that exactly its money was kept if it was sold, and none if it was not.
func (b *books) orderMoney() check {
	c := check{Name: "every order kept exactly its money, or gave it all back"}
	for i := range b.ledger.Rows {
		r := &b.ledger.Rows[i]
		var captured, refunded, refunding int64
		for _, p := range r.Payments {
			if p.Foreign {
				continue
			}
			captured += p.Captured
			switch p.Refund {
			case "succeeded":
				refunded += p.Captured
			case "pending", "failed":
				refunding += p.Captured
			}
		}
		if captured != r.Captured.Amount || refunded != r.Refunded.Amount || refunding != r.Refunding.Amount {
			c.bad("order %s: payments took %d, gave back %d and owe %d; the row says %d, %d and %d",
				r.Order, captured, refunded, refunding, r.Captured.Amount, r.Refunded.Amount, r.Refunding.Amount)
		}
		want := int64(0)
		if isSale(r) {
			want = r.Total.Amount
		}
		if kept := captured - refunded - refunding; kept != want {
			c.bad("order %s (%s): kept %s, right is %s", r.Order, r.State, amount(b.money(kept)), amount(b.money(want)))
		}
	}
	return c
}

func (b *books) moneyTotals() check {
	c := check{Name: "captured − refunded − on its way back = sold + fees, and is the sum of the orders"}
	var sum, sold wire.LedgerMoney
	for i := range b.ledger.Rows {
		r := &b.ledger.Rows[i]
		sum.Captured.Amount += r.Captured.Amount
		sum.Refunded.Amount += r.Refunded.Amount
		sum.Refunding.Amount += r.Refunding.Amount
		if isSale(r) {
			sold.SoldFace.Amount += r.Total.Amount
		}
	}
	m := b.ledger.Money
	for _, x := range []struct {
		name        string
		total, rows int64
	}{
		{"captured", m.Captured.Amount, sum.Captured.Amount}, {"refunded", m.Refunded.Amount, sum.Refunded.Amount},
		{"on its way back", m.Refunding.Amount, sum.Refunding.Amount}, {"sold with fees", m.SoldFace.Amount + m.SoldFees.Amount, sold.SoldFace.Amount},
	} {
		if x.total != x.rows {
			c.bad("%s: the sale says %s, the orders are %s", x.name, amount(b.money(x.total)), amount(b.money(x.rows)))
		}
	}
	if kept, soldAll := m.Captured.Amount-m.Refunded.Amount-m.Refunding.Amount, m.SoldFace.Amount+m.SoldFees.Amount; kept != soldAll {
		c.bad("kept %s, sold %s", amount(b.money(kept)), amount(b.money(soldAll)))
	}
	return c
}

func (b *books) ticketsOfOrders() check {
	c := check{Name: "every paid place has one ticket, and no other ticket is valid"}
	seen := map[string]string{}
	issued, revoked := uint32(0), uint32(0)
	for i := range b.ledger.Rows {
		r := &b.ledger.Rows[i]
		n := uint32(len(r.Tickets))
		if r.State == "fulfilled" && n != places(r) || !isSale(r) && r.State != "refunding" && r.State != "refunded" && n != 0 {
			c.bad("order %s (%s): %d places and %d tickets", r.Order, r.State, places(r), n)
		}
		issued += n
		if !isSale(r) {
			revoked += n
		}
		for _, t := range r.Tickets {
			if seen[t] != "" {
				c.bad("ticket %s is of order %s and of %s", t, seen[t], r.Order)
			}
			seen[t] = r.Order
		}
	}
	if t := b.ledger.Tickets; t.Issued != issued || t.Revoked != revoked {
		c.bad("the sale says %d tickets, %d of them revoked; the orders have %d and %d", t.Issued, t.Revoked, issued, revoked)
	}
	return c
}

func (b *books) queueCounts() check {
	c := check{Name: "every place in the queue is in one state"}
	q := b.ledger.Queue
	if n := q.Waiting + q.Away + q.Offered + q.Shopping + q.Parked + q.Done + q.Left + q.Removed; n != q.Issued {
		c.bad("%d places were given out, the states have %d", q.Issued, n)
	}
	return c
}

func (b *books) money(n int64) wire.Money {
	return wire.Money{Amount: n, Currency: b.ledger.Money.Captured.Currency}
}
