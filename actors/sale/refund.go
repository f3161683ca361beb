package sale

// refundOrder gives a paid order back in full: tickets are worthless at once, the money follows, and the units are
// free when the provider has confirmed it. Somebody who is inside already is refunded only by force (Limit 1).
// On an order with a failed refund it tries that one again.
func (s *State) refundOrder(c *Command) Result {
	o := s.mutOrder(c.Order)
	switch {
	case o == nil:
		return refuse(RefusedUnknown)
	case len(c.Text) > maxText:
		return refuse(RefusedInvalid)
	case !isSale(o.state):
		return s.refundAgain(c)
	}
	for i := range o.issued {
		if t := s.ticketOf(o, i); t.ScannedAt != 0 && c.Limit != 1 {
			return Result{Refusal: RefusedScanned, Order: c.Order, Ticket: t.ID, At: t.ScannedAt, Number: uint32(t.Gate)}
		}
	}
	s.revokeTickets(o)
	s.closeIntent(&o.mail)
	if !o.attention {
		o.reason = c.Text
	}
	s.moveOrder(c.Order, OrderRefunding)
	if o.total == 0 {
		o.freed = true
		s.unsell(c.Order)
		s.moveOrder(c.Order, OrderRefunded)
		return Result{Order: c.Order}
	}
	s.book.Refunding += s.payment(o.paid).amount
	s.repay(c.Order, o.paid, c.Text)
	return s.refundAgain(c) // this one, and second payments whose refund failed
}

// refundAgain asks once more for the refunds of an order that failed, and asks now for those that were put off.
func (s *State) refundAgain(c *Command) Result {
	res := Result{Refusal: RefusedState, Order: c.Order}
	for r := s.orderOf(c.Order).payment; r != 0; r = s.payment(r).previous {
		p := s.mutPayment(r)
		switch {
		case p.repay != 0:
			s.rearm(p.repay, s.clock)
		case p.refund == RefundFailed:
			p.refund, p.refundRef = RefundPending, ""
			p.repay = s.openIntent(IntentRefund, c.Order, r, p.amount, s.clock, c.Text)
		default:
			continue
		}
		res.Refusal = Done
		res.Amount += p.amount
	}
	if res.Refusal == Done {
		s.orderChanged(c.Order)
	}
	return res
}

// repay opens the refund of a captured payment and tells the fan. The book counts it as on its way already.
func (s *State) repay(id OrderID, record uint32, reason string) {
	p := s.mutPayment(record)
	p.refund = RefundPending
	p.repay = s.openIntent(IntentRefund, id, record, p.amount, s.clock, reason)
	s.openIntent(IntentMailRefund, id, 0, p.amount, s.clock, reason)
	s.orderChanged(id)
}

// refundState takes what the provider says about a refund. A refund only moves forward, and failing is the last
// word: money that came back to us is owed again, but the units are not given back twice.
func (s *State) refundState(c *Command) Result {
	if c.Refund == RefundNone || c.Refund > RefundFailed || len(c.Ref) > maxText || len(c.Text) > maxText {
		return refuse(RefusedInvalid)
	}
	record := s.findRefund(c)
	if record == 0 {
		return refuse(RefusedUnknown)
	}
	p := s.mutPayment(record)
	id := p.order
	if c.Ref != "" {
		p.refundRef = c.Ref
	}
	switch {
	case c.Refund == RefundPending && p.repay != 0:
		x := s.intents.get(p.repay)
		x.Tries = min(x.Tries, 1<<16-2) + 1
		s.rearm(p.repay, s.clock+min(minute<<min(x.Tries-1, 6), hour))
	case c.Refund == RefundSucceeded && p.refund == RefundPending:
		s.refunded(id, record)
	case c.Refund == RefundFailed && p.refund != RefundFailed:
		s.refundFailed(id, record, c.Text)
	}
	s.orderChanged(id)
	return Result{Order: id, Amount: p.amount}
}

// findRefund finds the payment whose refund is meant: by the intent, else by the provider's id of the refund.
func (s *State) findRefund(c *Command) uint32 {
	if x := s.intents.get(c.Intent); x != nil {
		if x.Kind != IntentRefund || c.Order != 0 && c.Order != x.Order {
			return 0
		}
		return x.payment
	}
	o := s.orderOf(c.Order)
	if o == nil || c.Ref == "" {
		return 0
	}
	for r := o.payment; r != 0; r = s.payment(r).previous {
		if s.payment(r).refundRef == c.Ref {
			return r
		}
	}
	return 0
}

func (s *State) refunded(id OrderID, record uint32) {
	p, o := s.mutPayment(record), s.mutOrder(id)
	p.refund = RefundSucceeded
	s.closeIntent(&p.repay)
	if !p.foreign {
		s.book.Refunding -= p.amount
		s.book.Refunded += p.amount
	}
	if o.state == OrderRefunding && o.paid == record {
		if !o.freed {
			o.freed = true
			s.unsell(id)
		}
		s.moveOrder(id, OrderRefunded)
	}
}

func (s *State) refundFailed(id OrderID, record uint32, reason string) {
	p, o := s.mutPayment(record), s.mutOrder(id)
	if p.refund == RefundSucceeded && !p.foreign {
		s.book.Refunded -= p.amount
		s.book.Refunding += p.amount
	}
	p.refund = RefundFailed
	s.closeIntent(&p.repay)
	if o.state == OrderRefunded && o.paid == record {
		s.moveOrder(id, OrderRefunding)
	}
	s.needsPerson(id, "refund failed: "+reason)
}
