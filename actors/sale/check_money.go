package sale

import (
	"errors"
	"fmt"
)

// owns says whether an order has its units.
func (o *order) owns() bool {
	switch o.state {
	case OrderCommitted, OrderPaid, OrderFulfilled:
		return true
	case OrderRefunding, OrderRefunded:
		return !o.freed
	default:
		return false
	}
}

func (s *State) verifyOrders() error {
	promised := uint32(0)
	for i := range s.orders.Len() {
		o, id := s.orders.Read(i), s.epochs.order(i)
		if o.state.promises() {
			promised += o.places
		}
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
			if p := s.payment(o.paid); isSale(o.state) && (p.state != PayCaptured || p.amount != o.total || p.refund != RefundNone) ||
				o.state == OrderCommitted && p.state != PayAuthorized {
				return fmt.Errorf("order %d: state %d by payment %d in state %d", id, o.state, p.attempt, p.state)
			}
		}
	}
	if promised != s.promised || uint64(promised)+uint64(s.tickets.Len()) > maxTickets {
		return fmt.Errorf("orders: %d places promised, counted %d, %d tickets", s.promised, promised, s.tickets.Len())
	}
	return nil
}

// verifyPayments checks that every capture is exactly one of: an order's money, or given back.
func (s *State) verifyPayments() error {
	for i := range s.payments.Len() {
		p, record := s.payments.Read(i), uint32(i+1)
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
	for i := range s.orders.Len() {
		o, id := s.orders.Read(i), s.epochs.order(i)
		if want := o.state == OrderFulfilled || o.state == OrderRefunding || o.state == OrderRefunded; want && o.issued != o.places || !want && o.issued != 0 {
			return fmt.Errorf("order %d: state %d, %d places, %d tickets", id, o.state, o.places, o.issued)
		}
		issued += int(o.issued)
		for k := range o.issued {
			if t := s.ticketOf(o, k); t.Order != id || t.Account != o.account || t.Revoked == (o.state == OrderFulfilled) {
				return fmt.Errorf("ticket %d: order %d in state %d, revoked: %t", t.ID, id, o.state, t.Revoked)
			}
		}
	}
	if issued != s.tickets.Len() {
		return fmt.Errorf("tickets: %d issued, orders have %d", s.tickets.Len(), issued)
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
	for i := range s.payments.Len() {
		p, record := s.payments.Read(i), uint32(i+1)
		if err := errors.Join(
			name(p.start, IntentPayStart, p.order, record), name(p.query, IntentPayQuery, p.order, record),
			name(p.capture, IntentCapture, p.order, record), name(p.void, IntentVoid, p.order, record),
			name(p.repay, IntentRefund, p.order, record),
		); err != nil {
			return err
		}
	}
	for i := range s.orders.Len() {
		if err := name(s.orders.Read(i).mail, IntentMail, s.epochs.order(i), 0); err != nil {
			return err
		}
	}
	last, open := uint64(0), 0
	for slot := s.intents.first; slot != 0; slot = s.intents.slots.Read(int(slot - 1)).more {
		x := s.intents.slots.Read(int(slot - 1))
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

// verifyBook recounts the book. Four of its counts are history and cannot be recounted.
func (s *State) verifyBook() error {
	b := Book{
		LateSaved: s.book.LateSaved, LateGone: s.book.LateGone, Repaid: s.book.Repaid, Unmatched: s.book.Unmatched,
	}
	for i := range s.orders.Len() {
		o := s.orders.Read(i)
		b.Orders[o.state]++
		if isSale(o.state) {
			b.SoldFace += o.total - o.fees
			b.SoldFees += o.fees
		}
		if o.attention {
			b.Attention++
		}
	}
	for i := range s.payments.Len() {
		p := s.payments.Read(i)
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
	for i := range s.tickets.Len() {
		t := s.tickets.Read(i)
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
