package main

import (
	"strings"
	"testing"

	"github.com/catraca/catraca/transport/pay/sandbox"
	"github.com/catraca/catraca/transport/wire"
)

func brl(n int64) wire.Money { return wire.Money{Amount: n, Currency: "BRL"} }

// cleanBooks are those of a sale of ten seats and an area of 20: one order of two seats by card, one of three places of
// the area whose second payment was given back, one refunded, one that ran out, and one committed.
func cleanBooks() *books {
	row := func(id, state string, total int64, units []wire.LedgerUnit, tickets []string, pays ...wire.LedgerPayment) wire.LedgerRow {
		r := wire.LedgerRow{Order: id, State: state, Total: brl(total), Units: units, Tickets: tickets, Payments: pays}
		for _, p := range pays {
			r.Captured.Amount += p.Captured
			if p.Refund == "succeeded" {
				r.Refunded.Amount += p.Captured
			}
		}
		return r
	}
	paid := func(ref string, n int64, refund string) wire.LedgerPayment {
		return wire.LedgerPayment{Ref: ref, Method: "card", State: "captured", Captured: n, Refund: refund}
	}
	line := func(pay, order string, captured, refunded, reserved int64) sandbox.LedgerLine {
		return sandbox.LedgerLine{
			Payment: pay, Currency: "BRL", Captured: captured, Refunded: refunded, Authorized: reserved,
			Metadata: map[string]string{"event": "1", "reference": order},
		}
	}
	return &books{
		seats: 10, areas: map[uint32]uint32{10: 20},
		ledger: wire.Ledger{
			Event: "aurora", Phase: "closed", Clean: true,
			Categories: []wire.LedgerCategory{{Key: "a", LedgerPlaces: wire.LedgerPlaces{Capacity: 30, Free: 24, Sold: 6}}},
			Places:     wire.LedgerPlaces{Capacity: 30, Free: 24, Sold: 6},
			Money:      wire.LedgerMoney{Captured: brl(930), Refunded: brl(430), Refunding: brl(0), SoldFace: brl(450), SoldFees: brl(50)},
			Orders:     map[string]uint32{"fulfilled": 2, "refunded": 1, "expired": 1, "committed": 1, "awaiting": 0},
			Tickets:    wire.LedgerTickets{Issued: 6, Revoked: 1},
			Queue:      wire.LedgerQueue{Issued: 9, Waiting: 1, Away: 1, Offered: 1, Shopping: 1, Parked: 1, Done: 2, Left: 1, Removed: 1},
			Rows: []wire.LedgerRow{
				row("o1-1", "fulfilled", 200, []wire.LedgerUnit{{Unit: 0, Count: 1}, {Unit: 1, Count: 1}}, []string{"t1-1", "t1-2"}, paid("pi_1", 200, "none")),
				row("o1-2", "fulfilled", 300, []wire.LedgerUnit{{Unit: 10, Count: 3}}, []string{"t1-3", "t1-4", "t1-5"}, paid("pi_2", 300, "succeeded"), paid("pi_3", 300, "none")),
				row("o1-3", "refunded", 130, []wire.LedgerUnit{{Unit: 2, Count: 1}}, []string{"t1-6"}, paid("pi_4", 130, "succeeded")),
				row("o1-4", "expired", 100, []wire.LedgerUnit{{Unit: 0, Count: 1}}, nil, wire.LedgerPayment{Ref: "pi_5", State: "canceled", Refund: "none"}),
				row("o1-5", "committed", 100, []wire.LedgerUnit{{Unit: 3, Count: 1}}, nil, wire.LedgerPayment{Ref: "pi_6", State: "authorized", Refund: "none"}),
			},
		},
		provider: &sandbox.Ledger{
			Totals: map[string]sandbox.LedgerTotal{},
			Payments: []sandbox.LedgerLine{
				line("pi_1", "o1-1", 200, 0, 0), line("pi_2", "o1-2", 300, 300, 0), line("pi_3", "o1-2", 300, 0, 0),
				line("pi_4", "o1-3", 130, 130, 0), line("pi_5", "o1-4", 0, 0, 0), line("pi_6", "o1-5", 0, 0, 0),
				{Payment: "pi_9", Currency: "BRL", Captured: 999, Metadata: map[string]string{"event": "2", "reference": "o2-1"}},
			},
		},
	}
}

func TestAuditOfCleanBooks(t *testing.T) {
	for _, c := range audit(cleanBooks()) {
		if len(c.Defects) > 0 {
			t.Errorf("%s: %v", c.Name, c.Defects)
		}
	}
	if n := len(audit(cleanBooks())); n != 10 {
		t.Errorf("%d checks", n)
	}
	b := cleanBooks()
	b.provider = nil
	if n := len(audit(b)); n != 8 {
		t.Errorf("%d checks without the provider", n)
	}
}

// TestAuditFinds changes one thing at a time and wants it named.
func TestAuditFinds(t *testing.T) {
	tests := []struct {
		want   string
		change func(*books)
	}{
		{"inventory has", func(b *books) { b.ledger.Defects = []string{"inventory has 7"} }},
		{"it says that it is not clean", func(b *books) { b.ledger.Clean = false }},
		{"category a: 24 free + 0 held + 6 sold + 1 blocked of 30", func(b *books) { b.ledger.Categories[0].Blocked = 1 }},
		{"the sale has", func(b *books) { b.ledger.Places.Free = 23 }},
		{"the plan has 31 places, the sale 30", func(b *books) { b.seats = 11; b.areas = map[uint32]uint32{11: 20} }},
		{"seat 1: sold in o1-1 and in o1-5", func(b *books) { b.ledger.Rows[4].Units[0].Unit = 1 }},
		{"area 10: 3 places sold by order o1-2, it has 2", func(b *books) { b.areas[10] = 2 }},
		{"order o1-5: 2 of unit 3, which is no such place", func(b *books) { b.ledger.Rows[4].Units[0].Count = 2 }},
		{"order o1-5: 1 of unit 99, which is no such place", func(b *books) { b.ledger.Rows[4].Units[0].Unit = 99 }},
		{"the sale has 7 sold places, the orders 6", func(b *books) { b.ledger.Places.Sold, b.ledger.Places.Free = 7, 23 }},
		{"order o1-4 stands twice", func(b *books) { b.ledger.Rows[4].Order = "o1-4" }},
		{"order o1-5 is missing", func(b *books) { b.ledger.Rows[4].Order = "o1-6" }},
		{"1 orders are expired, the sale says 2", func(b *books) { b.ledger.Orders["expired"] = 2 }},
		{"order o1-1: payments took 200, gave back 0 and owe 0; the row says 201", func(b *books) { b.ledger.Rows[0].Captured.Amount = 201 }},
		{"order o1-1 (fulfilled): kept R$2.00, right is R$2.01", func(b *books) { b.ledger.Rows[0].Total.Amount = 201 }},
		{"order o1-4 (expired): kept R$1.00, right is R$0.00", func(b *books) { b.ledger.Rows[3].Payments[0].Captured = 100 }},
		{"order o1-1 (fulfilled): kept R$0.00, right is R$2.00", func(b *books) { b.ledger.Rows[0].Payments[0].Refund = "pending" }},
		{"captured: the sale says R$9.31, the orders are R$9.30", func(b *books) { b.ledger.Money.Captured.Amount++ }},
		{"refunded: the sale says", func(b *books) { b.ledger.Money.Refunded.Amount-- }},
		{"on its way back: the sale says", func(b *books) { b.ledger.Money.Refunding.Amount++ }},
		{"kept R$5.00, sold R$4.99", func(b *books) { b.ledger.Money.SoldFace.Amount-- }},
		{"order o1-1 (fulfilled): 2 places and 1 tickets", func(b *books) { b.ledger.Rows[0].Tickets = b.ledger.Rows[0].Tickets[:1] }},
		{"order o1-4 (expired): 1 places and 1 tickets", func(b *books) { b.ledger.Rows[3].Tickets = []string{"t1-7"} }},
		{"ticket t1-1 is of order o1-1 and of o1-2", func(b *books) { b.ledger.Rows[1].Tickets[0] = "t1-1" }},
		{"the sale says 6 tickets, 2 of them revoked; the orders have 6 and 1", func(b *books) { b.ledger.Tickets.Revoked = 2 }},
		{"9 places were given out, the states have 10", func(b *books) { b.ledger.Queue.Waiting = 2 }},
		{"payment pi_7 of order o1-1: the provider took 5 and reserved 0, the sale does not know it", func(b *books) {
			b.provider.Payments[5] = sandbox.LedgerLine{Payment: "pi_7", Currency: "BRL", Captured: 5, Metadata: map[string]string{"event": "1", "reference": "o1-1"}}
		}},
		{"payment pi_1 of order o1-1: the provider took 199, the sale has 200", func(b *books) { b.provider.Payments[0].Captured = 199 }},
		{"payment pi_4 of order o1-3: given back says the sale, the provider gave back 129 of 130", func(b *books) { b.provider.Payments[3].Refunded = 129 }},
		{"payment pi_1 of order o1-1: the provider gave back 200, the sale does not know it", func(b *books) { b.provider.Payments[0].Refunded = 200 }},
		{"payment pi_2 of order o1-2: the provider took 300 and gave back 301", func(b *books) { b.provider.Payments[1].Pending = 1 }},
		{"payment pi_1 of order o1-1: the sale took 200, the provider does not know it", func(b *books) { b.provider.Payments = b.provider.Payments[1:] }},
		{"order o1-3 (refunded, 1 tickets): the provider kept R$0.30, its tickets cost R$0.00", func(b *books) { b.provider.Payments[3].Refunded = 100 }},
		{"order o1-5: R$1.00 are reserved, and neither taken nor released", func(b *books) { b.provider.Payments[5].Authorized = 100 }},
		{"order o1-77: the provider kept R$0.07, and there is no such order", func(b *books) {
			b.provider.Payments[5].Captured, b.provider.Payments[5].Metadata["reference"] = 7, "o1-77"
		}},
		{"order o1-1: 200 USD were taken, another currency than the sale's", func(b *books) { b.provider.Payments[0].Currency = "USD" }},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			b := cleanBooks()
			tt.change(b)
			found := ""
			for _, c := range audit(b) {
				found += strings.Join(c.Defects, "\n") + "\n"
			}
			if !strings.Contains(found, tt.want) {
				t.Errorf("found %q", found)
			}
		})
	}
}

// TestAuditAllowsRefundsOnTheirWay has an order whose places may be sold still or free already.
func TestAuditAllowsRefundsOnTheirWay(t *testing.T) {
	for _, sold := range []uint32{6, 7} {
		b := cleanBooks()
		r := &b.ledger.Rows[2]
		r.State, r.Payments[0].Refund = "refunding", "pending"
		r.Refunded.Amount, r.Refunding.Amount = 0, 130
		b.ledger.Orders["refunded"], b.ledger.Orders["refunding"] = 0, 1
		b.ledger.Money.Refunded.Amount, b.ledger.Money.Refunding.Amount = 300, 130
		b.ledger.Places.Sold, b.ledger.Places.Free = sold, 30-sold
		b.ledger.Categories[0].Sold, b.ledger.Categories[0].Free = sold, 30-sold
		b.provider.Payments[3].Refunded, b.provider.Payments[3].Pending = 0, 130
		for _, c := range audit(b) {
			if len(c.Defects) > 0 {
				t.Errorf("%d sold: %s: %v", sold, c.Name, c.Defects)
			}
		}
	}
}

func TestVerdict(t *testing.T) {
	judge := func(b *books, restless bool) (string, error) {
		var out syncBuffer
		err := judgeBooks(environment{stdout: &out, lookup: func(string) (string, bool) { return "", false }}, b, restless, false)
		return out.String(), err
	}
	page, err := judge(cleanBooks(), false)
	if err != nil || !strings.HasSuffix(page, "\nCLEAN\n") {
		t.Errorf("%v\n%s", err, page)
	}
	for _, want := range []string{
		"Books of aurora, closed", "30: 24 free, 0 held, 6 sold, 0 blocked", "1 committed, 1 expired, 2 fulfilled, 1 refunded",
		"5 valid, 1 revoked", "captured R$9.30 − refunded R$4.30 − on its way back R$0.00 = sold R$4.50 + fees R$0.50",
		"6 payments: captured R$9.30 − refunded R$4.30 − on its way back R$0.00 = kept R$5.00; reserved R$0.00",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("missing %q in\n%s", want, page)
		}
	}
	if page, err := judge(cleanBooks(), true); err == nil || !strings.Contains(page, "NOT SURE: the sale went on") {
		t.Errorf("%v\n%s", err, page)
	}
	b := cleanBooks()
	for range 30 {
		b.ledger.Defects = append(b.ledger.Defects, "wrong")
	}
	if page, err := judge(b, false); err == nil || !strings.HasSuffix(page, "\nNOT CLEAN: 30 defects\n") || !strings.Contains(page, "and 10 more") {
		t.Errorf("%v\n%s", err, page)
	}
}
