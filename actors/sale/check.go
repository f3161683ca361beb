package sale

import (
	"errors"
	"fmt"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

func (s *State) active() uint32 {
	c := s.line.Counts()
	return c.Offered + c.Shopping
}

// checkBatch is what is checked after every batch: places and money add up, no account of the batch has more
// than its limit, and nobody was let in beyond the cap. before is how many had a turn before the batch's offers.
func (s *State) checkBatch(before uint32) error {
	t := s.inventory.Totals()
	if t.Held != s.heldPlaces || t.Sold != s.soldPlaces {
		return fmt.Errorf("check sale: inventory has %d held and %d sold, holds and orders have %d and %d",
			t.Held, t.Sold, s.heldPlaces, s.soldPlaces)
	}
	if err := s.checkMoney(&s.book); err != nil {
		return err
	}
	if n := s.active(); n > before && n > s.line.Policy().ActiveCap {
		return fmt.Errorf("check sale: %d have a turn, the cap is %d", n, s.line.Policy().ActiveCap)
	}
	for i := range s.changes {
		c := &s.changes[i]
		if c.Kind != ChangeHold && c.Kind != ChangeOrder {
			continue
		}
		if acc := s.accountOf(c.Account); acc == nil || acc.taken > s.cfg.Limits.PerAccount {
			return fmt.Errorf("check sale: account of order %d, hold %d has more than %d places", c.Order, c.Hold, s.cfg.Limits.PerAccount)
		}
	}
	return nil
}

func (s *State) checkMoney(b *Book) error {
	if b.Captured-b.Refunded-b.Refunding != b.SoldFace+b.SoldFees || b.Refunding < 0 {
		return fmt.Errorf("check sale: captured %d − refunded %d − refunding %d is not sold %d + fees %d",
			b.Captured, b.Refunded, b.Refunding, b.SoldFace, b.SoldFees)
	}
	return nil
}

// Verify recounts everything from the records and compares. An error names the first thing that is wrong. It takes
// time in proportion to the whole state.
func (s *State) Verify() error {
	for _, check := range [...]func() error{
		s.inventory.Verify, s.line.Verify, s.verifyHolds, s.verifyOrders, s.verifyPayments, s.verifyTickets,
		s.verifyIntents, s.verifyUnits, s.verifyAccounts, s.verifyBook,
		func() error { return s.checkBatch(s.active()) },
	} {
		if err := check(); err != nil {
			return fmt.Errorf("verify sale: %w", err)
		}
	}
	return nil
}

func (s *State) verifyHolds() error {
	live := 0
	for i := range s.holds {
		h := &s.holds[i]
		if h.id == 0 {
			continue
		}
		live++
		acc := s.accountOf(h.account)
		switch {
		case h.id >= s.nextHold || s.holdOf(h.id) != h:
			return fmt.Errorf("hold %d: not found by its id", h.id)
		case acc == nil || acc.hold != h.id:
			return fmt.Errorf("hold %d: its account does not have it", h.id)
		case h.expires > h.cap:
			return fmt.Errorf("hold %d: expires %d after its cap %d", h.id, h.expires, h.cap)
		case h.deadline() <= s.clock:
			return fmt.Errorf("hold %d: ran out at %d, it is %d", h.id, h.deadline(), s.clock)
		case h.lines == 0 || h.lines > s.cfg.Limits.PerHold:
			return fmt.Errorf("hold %d: has %d units", h.id, h.lines)
		}
		if err := s.verifyLines(s.linesOf(h), h.places, h.amount); err != nil {
			return fmt.Errorf("hold %d: %w", h.id, err)
		}
		if h.places > s.cfg.Limits.PerHold {
			return fmt.Errorf("hold %d: has %d places", h.id, h.places)
		}
		if o := s.orderOf(h.order); h.order != 0 && (o == nil || o.hold != h.id || o.state != OrderAwaiting) {
			return fmt.Errorf("hold %d: order %d does not wait for it", h.id, h.order)
		}
	}
	if live != len(s.holds)-len(s.freeHolds) || live != s.holdAt.used || len(s.due) < live {
		return fmt.Errorf("holds: %d live, %d slots, %d free, %d deadlines", live, len(s.holds), len(s.freeHolds), len(s.due))
	}
	return nil
}

// verifyLines checks units, counts and sums of a hold or order.
func (s *State) verifyLines(lines []OrderLine, places uint32, amount int64) error {
	sum, n := int64(0), uint64(0)
	for _, l := range lines {
		if int64(l.Unit) >= int64(s.cfg.Plan.Units()) || l.Count == 0 || l.Count > MaxPerHold {
			return fmt.Errorf("unit %d ×%d", l.Unit, l.Count)
		}
		if l.Price < 0 || l.Fee < 0 || l.Price > MaxPrice || l.Fee > MaxPrice {
			return fmt.Errorf("unit %d has price %d and fee %d", l.Unit, l.Price, l.Fee)
		}
		sum += int64(l.Count) * (l.Price + l.Fee)
		n += uint64(l.Count)
	}
	if !s.inventory.ValidLines(plain(nil, lines)) || n != uint64(places) || sum != amount {
		return fmt.Errorf("units, %d places or amount %d do not add up", places, amount)
	}
	return nil
}

// owns says whether an order has its units.
func (o *order) owns() bool {
	switch o.state {
	case OrderCommitted, OrderPaid, OrderFulfilled:
		return true
	case OrderRefunding, OrderRefunded:
		return !o.freed
	}
	return false
}

func (s *State) verifyOrders() error {
	for i := range s.orders {
		o, id := &s.orders[i], OrderID(i+1)
		if err := s.verifyLines(s.orderLinesOf(o), o.places, o.total); err != nil {
			return fmt.Errorf("order %d: %w", id, err)
		}
		h := s.holdOf(o.hold)
		waits := o.state == OrderAwaiting
		switch {
		case o.state < OrderAwaiting || o.state > OrderRefunded:
			return fmt.Errorf("order %d: no state %d", id, o.state)
		case waits && (h == nil || h.order != id || h.places != o.places || h.expires != o.expires || h.account != o.account):
			return fmt.Errorf("order %d: waits without its hold %d", id, o.hold)
		case !waits && h != nil || o.hold >= s.nextHold:
			return fmt.Errorf("order %d: hold %d still lives", id, o.hold)
		case o.settling && (!waits || h.settleBy == 0) || waits && h.settleBy != 0 && !o.settling:
			return fmt.Errorf("order %d: settles in state %d", id, o.state)
		case o.state == OrderRefunded && !o.freed || o.freed && o.state < OrderRefunding:
			return fmt.Errorf("order %d: state %d and units given back: %t", id, o.state, o.freed)
		case o.total > 0 && (o.owns() || o.state == OrderRefunded) && o.paid == 0:
			return fmt.Errorf("order %d: nobody paid it", id)
		case o.fees < 0 || o.fees > o.total:
			return fmt.Errorf("order %d: fees %d of %d", id, o.fees, o.total)
		}
		if o.paid != 0 {
			if p := &s.payments[o.paid-1]; isSale(o.state) && (p.state != PayCaptured || p.amount != o.total || p.refund != RefundNone) ||
				o.state == OrderCommitted && p.state != PayAuthorized {
				return fmt.Errorf("order %d: state %d by payment %d in state %d", id, o.state, p.attempt, p.state)
			}
		}
	}
	return nil
}

// verifyPayments checks that every capture is exactly one of: an order's money, or given back.
func (s *State) verifyPayments() error {
	for i := range s.payments {
		p, record := &s.payments[i], uint32(i+1)
		o := s.orderOf(p.order)
		if o == nil || s.byAttempt(o, p.attempt) != record || p.state > PayCanceled || p.refund > RefundFailed {
			return fmt.Errorf("payment %d: not found in order %d", record, p.order)
		}
		if p.ref != "" && s.refs[p.ref] != record {
			return fmt.Errorf("payment %d: not found by its ref", record)
		}
		earns := o.paid == record && isSale(o.state)
		if p.state == PayCaptured && earns == (p.refund != RefundNone) {
			return fmt.Errorf("payment %d: captured, order %d is in state %d, refund %d", record, p.order, o.state, p.refund)
		}
		if p.state != PayCaptured && (p.refund != RefundNone || p.amount != 0) {
			return fmt.Errorf("payment %d: refund of nothing", record)
		}
		if (p.repay != 0) != (p.refund == RefundPending) {
			return fmt.Errorf("payment %d: refund %d, intent %d", record, p.refund, p.repay)
		}
	}
	return nil
}

func (s *State) verifyTickets() error {
	issued := 0
	for i := range s.orders {
		o, id := &s.orders[i], OrderID(i+1)
		if want := o.state == OrderFulfilled || o.state == OrderRefunding || o.state == OrderRefunded; want && o.issued != o.places || !want && o.issued != 0 {
			return fmt.Errorf("order %d: state %d, %d places, %d tickets", id, o.state, o.places, o.issued)
		}
		issued += int(o.issued)
		for _, t := range s.ticketsOf(o) {
			if t.Order != id || t.Account != o.account || t.Revoked == (o.state == OrderFulfilled) {
				return fmt.Errorf("ticket %d: order %d in state %d, revoked: %t", t.ID, id, o.state, t.Revoked)
			}
		}
	}
	if issued != len(s.tickets) {
		return fmt.Errorf("tickets: %d issued, orders have %d", len(s.tickets), issued)
	}
	return nil
}

// verifyIntents checks that every open intent is named by exactly the record it is for.
func (s *State) verifyIntents() error {
	named, mails := 0, 0
	name := func(id uint64, kind IntentKind, order OrderID, record uint32) error {
		if id == 0 {
			return nil
		}
		named++
		if x := s.intents.get(id); x == nil || x.Kind != kind || x.Order != order || x.payment != record {
			return fmt.Errorf("order %d: intent %d of kind %d is not open", order, id, kind)
		}
		return nil
	}
	for i := range s.payments {
		p, record := &s.payments[i], uint32(i+1)
		if err := errors.Join(
			name(p.start, IntentPayStart, p.order, record), name(p.query, IntentPayQuery, p.order, record),
			name(p.capture, IntentCapture, p.order, record), name(p.void, IntentVoid, p.order, record),
			name(p.repay, IntentRefund, p.order, record),
		); err != nil {
			return err
		}
	}
	for i := range s.orders {
		if err := name(s.orders[i].mail, IntentMail, OrderID(i+1), 0); err != nil {
			return err
		}
	}
	last, open := uint64(0), 0
	for slot := s.intents.first; slot != 0; slot = s.intents.slots[slot-1].more {
		x := &s.intents.slots[slot-1]
		if x.ID <= last || x.ID >= s.intents.next || s.intents.get(x.ID) != x || s.orderOf(x.Order) == nil {
			return fmt.Errorf("intent %d: out of order", x.ID)
		}
		if x.Kind == IntentMailRefund {
			mails++
		}
		last = x.ID
		open++
	}
	if open != named+mails || open != s.intents.at.used {
		return fmt.Errorf("intents: %d open, %d named", open, named+mails)
	}
	return nil
}

// verifyUnits recounts who owns what.
func (s *State) verifyUnits() error {
	type owner struct {
		held, sold uint32
		id         uint32
	}
	owners := make([]owner, s.cfg.Plan.Units())
	for i := range s.holds {
		if h := &s.holds[i]; h.id != 0 {
			for _, l := range s.linesOf(h) {
				owners[l.Unit].held += l.Count
				owners[l.Unit].id = uint32(h.id)
			}
		}
	}
	for i := range s.orders {
		if o := &s.orders[i]; o.owns() {
			for _, l := range s.orderLinesOf(o) {
				owners[l.Unit].sold += l.Count
				owners[l.Unit].id = uint32(i + 1)
			}
		}
	}
	for i, w := range owners {
		u := UnitID(i)
		if s.cfg.Plan.IsArea(u) {
			if c := s.inventory.AreaCount(u); c.Held != w.held || c.Sold != w.sold {
				return fmt.Errorf("area %d: inventory has %d held and %d sold, owners have %d and %d", u, c.Held, c.Sold, w.held, w.sold)
			}
			continue
		}
		st := s.inventory.Status(u)
		if w.held+w.sold > 1 || (st == seatmap.Held) != (w.held == 1) || (st == seatmap.Sold) != (w.sold == 1) || s.inventory.Owner(u) != w.id {
			return fmt.Errorf("seat %d: inventory has status %d of %d, owners have %d held and %d sold, %d", u, st, s.inventory.Owner(u), w.held, w.sold, w.id)
		}
	}
	return nil
}

func (s *State) verifyAccounts() error {
	taken := make([]uint32, len(s.accounts))
	add := func(a AccountID, n uint32) bool {
		slot, ok := s.accountAt.get(uint64(a))
		if ok {
			taken[slot] += n
		}
		return ok
	}
	for i := range s.holds {
		if h := &s.holds[i]; h.id != 0 && !add(h.account, h.places) {
			return fmt.Errorf("hold %d: no account", h.id)
		}
	}
	for i := range s.orders {
		o := &s.orders[i]
		n := uint32(0)
		if o.owns() {
			n = o.places
		}
		if !add(o.account, n) {
			return fmt.Errorf("order %d: no account", i+1)
		}
	}
	for i := range s.accounts {
		a := &s.accounts[i]
		if a.taken != taken[i] || a.taken > s.cfg.Limits.PerAccount {
			return fmt.Errorf("account %d: has %d places, counted %d, allowed are %d", i, a.taken, taken[i], s.cfg.Limits.PerAccount)
		}
		if h := s.holdOf(a.hold); a.hold != 0 && (h == nil || h.account != a.id) {
			return fmt.Errorf("account %d: hold %d is not its own", i, a.hold)
		}
	}
	return nil
}

// verifyBook recounts the book. Four of its counts are history and cannot be recounted.
func (s *State) verifyBook() error {
	b := Book{
		LateSaved: s.book.LateSaved, LateGone: s.book.LateGone, Repaid: s.book.Repaid, Unmatched: s.book.Unmatched,
	}
	for i := range s.orders {
		o := &s.orders[i]
		b.Orders[o.state]++
		if isSale(o.state) {
			b.SoldFace += o.total - o.fees
			b.SoldFees += o.fees
		}
		if o.attention {
			b.Attention++
		}
	}
	for i := range s.payments {
		p := &s.payments[i]
		switch {
		case p.state != PayCaptured:
		case p.foreign:
			b.Foreign++
		default:
			b.Captured += p.amount
			if p.refund == RefundSucceeded {
				b.Refunded += p.amount
			} else if p.refund != RefundNone {
				b.Refunding += p.amount
			}
		}
	}
	for i := range s.tickets {
		t := &s.tickets[i]
		b.TicketsIssued++
		if t.Revoked {
			b.TicketsRevoked++
		}
		if t.ScannedAt != 0 {
			b.TicketsScanned++
		}
	}
	if b != s.book {
		return fmt.Errorf("book is %+v, counted %+v", s.book, b)
	}
	return nil
}
