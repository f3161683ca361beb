package sale

// paymentState takes what the provider says a payment's state is. Reports may come late, twice and out of order:
// a payment only moves forward, and an order is confirmed only by exactly its own amount.
func (s *State) paymentState(c *Command) Result {
	if c.Pay == PayNone || c.Pay > PayCanceled || len(c.Ref) > maxText || len(c.Text) > maxText || len(c.Currency) > maxCurrency ||
		c.Amount < 0 || c.Amount > MaxPrice*MaxPerHold {
		return refuse(RefusedInvalid)
	}
	id, record, r := s.findPayment(c)
	if r != Done {
		return Result{Refusal: r, Order: id}
	}
	p := s.mutPayment(record)
	if p.ref == "" && c.Pay.money() {
		return Result{Refusal: RefusedInvalid, Order: id} // nobody could capture, void or refund it
	}
	s.closeIntent(&p.start) // whoever tells the state knows the payment
	fresh := c.Pay.rank() > p.state.rank()
	res := Result{Order: id}
	if c.Pay.money() {
		if c.Amount != s.orderOf(id).total || c.Currency != s.cfg.Currency {
			res.Refusal = RefusedAmount
			if fresh {
				p.wrong = true
				s.needsPerson(id, "payment of another amount or currency")
			}
		}
		if fresh && c.Pay == PayCaptured {
			p.amount, p.foreign = c.Amount, c.Currency != s.cfg.Currency
		}
	}
	if c.Pay == PayFailed && fresh {
		p.decline = c.Text
	}
	if p.hints > 0 {
		p.hints--
	}
	if fresh {
		s.advance(id, record, c.Pay)
	}
	s.voidUnwanted(id, record, c.Pay)
	s.stillOpen(c.Intent, record)
	s.askAgain(id, record, true)
	s.orderChanged(id)
	res.At = s.orderOf(id).expires
	return res
}

// findPayment finds what a report is about: by the provider's id, else by the attempt, else it is a payment that we
// did not ask for.
func (s *State) findPayment(c *Command) (OrderID, uint32, Refusal) {
	if record := s.refs[c.Ref]; record != 0 {
		id := s.payment(record).order
		if c.Order != 0 && c.Order != id {
			return c.Order, 0, RefusedInvalid
		}
		return id, record, Done
	}
	o := s.mutOrder(c.Order)
	if o == nil {
		return 0, 0, RefusedUnknown
	}
	record := s.byAttempt(o, c.Attempt)
	if record != 0 && (c.Ref == "" || s.payment(record).ref == "") {
		if c.Ref != "" {
			s.bind(record, c.Ref)
		}
		return c.Order, record, Done
	}
	if c.Ref == "" {
		return c.Order, 0, RefusedUnknown
	}
	if record = s.stray(c.Order, c.Ref); record == 0 {
		return c.Order, 0, RefusedFull
	}
	return c.Order, record, Done
}

// advance moves a payment forward and lets the order follow.
func (s *State) advance(id OrderID, record uint32, to PayState) {
	if to == PayCanceled {
		s.voided(id, record)
		return
	}
	p, o := s.mutPayment(record), s.mutOrder(id)
	p.state = to
	open := o.state == OrderAwaiting && !o.settling
	switch to {
	case PayAction:
		if open {
			s.prolong(s.holdOf(o.hold), s.clock+s.cfg.Times.ActionGrace)
		}
	case PayFailed:
		if open && !o.graced {
			o.graced = true
			s.prolong(s.holdOf(o.hold), s.clock+s.cfg.Times.PayGrace)
		}
	case PayAuthorized:
		s.authorized(id, record)
	case PayCaptured:
		s.captured(id, record)
	default: // no news for the order
	}
}

// authorized commits the seats before any money is taken. If they cannot be had, the authorisation is voided:
// nobody pays for a seat they do not get.
func (s *State) authorized(id OrderID, record uint32) {
	o, p := s.mutOrder(id), s.mutPayment(record)
	switch {
	case p.wrong:
		s.voidPayment(record, "amount differs")
		return
	case o.state == OrderAwaiting:
		s.sell(id)
	case o.state == OrderExpired && s.sellAgain(id):
		s.closeIntent(&p.void)
	default:
		s.voidPayment(record, "order is over")
		return
	}
	o.paid, o.shown = record, record
	s.moveOrder(id, OrderCommitted)
	p.capture = s.openIntent(IntentCapture, id, record, o.total, s.clock, "")
	s.voidOthers(id, record)
	s.adoptNotices(id)
}

// captured is money taken: it becomes an order with tickets, or goes back in full.
func (s *State) captured(id OrderID, record uint32) {
	o, p := s.mutOrder(id), s.mutPayment(record)
	if p.foreign {
		s.book.Foreign++
	} else {
		s.book.Captured += p.amount
		s.book.Refunding += p.amount // until it is earned
	}
	s.closeIntent(&p.void)
	s.closeIntent(&p.capture)
	s.closeIntent(&p.query)
	switch {
	case p.wrong:
		s.repay(id, record, "amount differs")
		return
	case o.state == OrderAwaiting:
		s.sell(id)
	case o.state == OrderCommitted && o.paid == record:
	case o.state == OrderExpired && s.sellAgain(id):
	default:
		s.capturedInVain(id, record)
		return
	}
	o.paid, o.shown = record, record
	s.book.Refunding -= p.amount
	s.fulfil(id)
}

// capturedInVain gives money back that no seat can be given for.
func (s *State) capturedInVain(id OrderID, record uint32) {
	switch s.orderOf(id).state {
	case OrderExpired:
		s.book.LateGone++
		s.repay(id, record, lateAndGone)
	case OrderCanceled:
		s.repay(id, record, "order was canceled")
	default:
		s.book.Repaid++
		s.repay(id, record, "order was paid twice")
	}
}

// lateAndGone is the reason given to a fan who paid an order after its time, when its seats were not to be had.
const lateAndGone = "paid too late, a seat is gone"

// voided is the provider's word that a payment will take no money.
func (s *State) voided(id OrderID, record uint32) {
	o, p := s.mutOrder(id), s.mutPayment(record)
	if p.final() {
		return
	}
	if p.state == PayAuthorized && !p.wrong && o.state == OrderExpired {
		s.book.LateGone++
		s.openIntent(IntentMailRefund, id, 0, 0, s.clock, lateAndGone)
	}
	p.state = PayCanceled
	for _, field := range [...]*uint64{&p.start, &p.query, &p.capture, &p.void} {
		s.closeIntent(field)
	}
	switch {
	case o.state == OrderCommitted && o.paid == record:
		s.uncommit(id, "authorisation was lost")
	case o.state == OrderAwaiting && o.settling && !s.unsettled(o):
		s.closeOrder(id, OrderExpired, "not paid in time")
	}
	s.orderChanged(id)
}

// captureGivenUp ends an order whose reserved money could not be taken.
func (s *State) captureGivenUp(id OrderID, record uint32, reason string) {
	s.closeIntent(&s.mutPayment(record).capture)
	s.uncommit(id, "capture failed: "+reason)
	s.voidPayment(record, "capture failed")
}

// uncommit frees the seats of a committed order and tells the fan.
func (s *State) uncommit(id OrderID, reason string) {
	s.unsell(id)
	o := s.mutOrder(id)
	o.paid = 0
	o.reason = clip(reason, maxText)
	s.moveOrder(id, OrderCanceled)
	s.openIntent(IntentMailRefund, id, 0, 0, s.clock, o.reason)
}

// voidPayment asks the provider to take no money, unless that is settled or asked already.
func (s *State) voidPayment(record uint32, reason string) {
	p := s.mutPayment(record)
	if p.final() || p.void != 0 || p.ref == "" {
		return
	}
	p.void = s.openIntent(IntentVoid, p.order, record, 0, s.clock, reason)
}

// voidGivenUp keeps an open question open: it asks what became of the payment, and tries again every hour as long as it
// is asked about at all.
func (s *State) voidGivenUp(id OrderID, record uint32, reason string) {
	p := s.mutPayment(record)
	s.needsPerson(id, "payment not voided: "+reason)
	if again := s.clock + askEvery; again <= p.begun+askFor {
		s.rearm(p.void, again)
		s.rearm(p.query, s.clock)
		return
	}
	s.closeIntent(&p.void)
}

// captureTries is how often a capture is answered without taking the money, a quarter of an hour, until the seats go
// to somebody else.
const captureTries = 30

// stillOpen puts a capture or void off when the provider answered it with something else than the end of it.
func (s *State) stillOpen(intent uint64, record uint32) {
	x := s.intents.get(intent)
	if x == nil || x.payment != record || x.Kind != IntentCapture && x.Kind != IntentVoid {
		return
	}
	if x.Tries = min(x.Tries, 1<<16-2) + 1; x.Kind == IntentCapture && x.Tries >= captureTries {
		s.captureGivenUp(x.Order, record, "the provider does not take the money")
		return
	}
	s.rearm(intent, s.clock+settlePause)
}

// voidOthers voids every payment of an order but one, and stops asking for new ones.
func (s *State) voidOthers(id OrderID, but uint32) {
	for r := s.orderOf(id).payment; r != 0; r = s.payment(r).previous {
		if r == but {
			continue
		}
		s.closeIntent(&s.mutPayment(r).start)
		s.voidPayment(r, "order is over")
		s.askAgain(id, r, false)
	}
}
