package sale

// An order that runs out while the provider may still take its money is settled before its units are free: the
// provider is asked, an unpaid payment is voided, and only when that is confirmed, or after settleTime without an
// answer, the units go back. A payment that succeeds even later is R4 or R5 of the state machine: see authorized
// and captured.

// orderRanOut is the deadline of a hold with an order.
func (s *State) orderRanOut(h *hold) {
	id := h.order
	o := s.mutOrder(id)
	if o.settling || !s.unsettled(o) {
		s.closeOrder(id, OrderExpired, "not paid in time")
		return
	}
	o.settling = true
	h = s.mutHold(h.id)
	h.settleBy = s.clock + settleTime
	s.remind(h)
	for r := o.payment; r != 0; r = s.payment(r).previous {
		if p := s.mutPayment(r); p.ref != "" && !p.final() {
			s.askAgain(id, r, false)
			s.rearm(p.query, s.clock)
		}
	}
	s.orderChanged(id)
}

// unsettled says whether the provider may still take money for an order. A payment without the provider's id was
// never shown to the fan, so nobody can pay it.
func (s *State) unsettled(o *order) bool {
	for r := o.payment; r != 0; r = s.payment(r).previous {
		if p := s.payment(r); p.ref != "" && !p.final() {
			return true
		}
	}
	return false
}

// voidUnwanted uses the provider's answer about a payment whose order waits for no money any more: unless the money is on
// its way, the payment is voided.
func (s *State) voidUnwanted(id OrderID, record uint32, reported PayState) {
	if o := s.mutOrder(id); o.state == OrderAwaiting && !o.settling || record == o.paid {
		return
	}
	switch reported {
	case PayCreated, PayAction, PayFailed:
		s.voidPayment(record, "not paid in time")
	default:
	}
}
