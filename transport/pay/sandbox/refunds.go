package sandbox

import "time"

func (t *tx) createRefund() (any, *failure) {
	p := t.p
	id := p.text("payment_intent", 100)
	if charge := p.text("charge", 100); charge != "" && id == "" {
		if id = t.s.charges[charge]; id == "" {
			return nil, missing("charge", charge)
		}
	}
	amount, partly := p.integer("amount", 1, maxAmount)
	reason := p.oneOf("reason", "", "duplicate", "fraudulent", "requested_by_customer")
	meta := p.table("metadata")
	if f := p.rest(); f != nil {
		return nil, f
	}
	if id == "" {
		return nil, invalid("payment_intent", "parameter_missing", "One of the following params should be provided for this request: payment_intent or charge.")
	}
	in := t.intent(id)
	if in == nil {
		return nil, missing("payment_intent", id)
	}
	left := in.Received - in.Refunded
	switch {
	case in.Status != succeeded:
		return nil, stored(invalid("payment_intent", "", "This PaymentIntent (%s) does not have a successful charge to refund.", id))
	case in.Disputed:
		return nil, stored(invalid("payment_intent", "refund_disputed_payment", "The payer's bank claims this money back; it cannot be refunded."))
	case left == 0:
		return nil, stored(invalid("payment_intent", "charge_already_refunded", "Charge %s has already been refunded.", in.Charge))
	case partly && amount > left:
		return nil, stored(invalid("amount", "amount_too_large", "Refund amount (%d) is greater than unrefunded amount on charge (%d).", amount, left))
	case !partly:
		amount = left
	}
	r := &refund{Intent: id, Charge: in.Charge, Created: t.now.Unix(), Amount: amount, Currency: in.Currency,
		Status: "succeeded", Reason: reason, Metadata: meta}
	r.ID, r.N = t.s.newID("re")
	switch c := cardOf(in); {
	case c != nil && c.does == refundsFail:
		r.plan(t.now.Add(t.s.o.RefundAfter), "failed")
	case c == nil || c.does == refundsSlowly: // Pix is slow too
		r.Status = "pending"
		r.plan(t.now.Add(t.s.o.RefundAfter), "succeeded")
	}
	in.Refunded += amount
	t.refunds = append(t.refunds, r)
	t.emit("refund.created", in, renderRefund(r))
	t.emit("charge.refunded", in, renderCharge(in))
	if r.Status == "succeeded" {
		t.emit("refund.updated", in, renderRefund(r))
	}
	return renderRefund(r), nil
}

func stored(f *failure) *failure {
	f.stored = true
	return f
}

func (r *refund) plan(at time.Time, then string) { r.Due, r.Then = at.UnixMilli(), then }

// settleRefund brings a refund to the state it was waiting for. A failed one leaves the money with the seller.
func (t *tx) settleRefund(r *refund) {
	in := t.intent(r.Intent)
	r.Status, r.Due, r.Then = r.Then, 0, ""
	if in == nil {
		return
	}
	if r.Status == "failed" {
		r.Failure = "expired_or_canceled_card"
		in.Refunded -= r.Amount
		t.emit("refund.failed", in, renderRefund(r))
	}
	t.emit("refund.updated", in, renderRefund(r))
}

func (t *tx) getRefund() (any, *failure) {
	id := t.r.PathValue("id")
	r := t.s.refunds[id]
	if r == nil {
		return nil, missing("refund", id)
	}
	return renderRefund(r), nil
}

// listRefunds shows the refunds of one payment or the newest of all.
func (t *tx) listRefunds() (any, *failure) {
	limit := t.limit()
	after := t.p.text("starting_after", 100)
	payment := t.p.text("payment_intent", 100)
	if f := t.p.rest(); f != nil {
		return nil, f
	}
	var all []*refund
	if payment != "" {
		if t.s.intents[payment] == nil {
			return nil, missing("payment_intent", payment)
		}
		all = t.s.refundsFor(payment)
	} else {
		for in := range t.s.newest {
			if all = append(all, t.s.refundsFor(in.ID)...); after == "" && len(all) > limit {
				break
			}
		}
	}
	return page("/v1/refunds", all, limit, after, func(r *refund) (string, any) { return r.ID, renderRefund(r) })
}

// refundsFor returns the refunds of a payment, newest first. The caller holds the lock.
func (s *Server) refundsFor(payment string) []*refund {
	ids := s.refundsOf[payment]
	out := make([]*refund, 0, len(ids))
	for i := range ids {
		out = append(out, s.refunds[ids[len(ids)-1-i]])
	}
	return out
}

func (t *tx) limit() int {
	if n, ok := t.p.integer("limit", 1, 100); ok {
		return int(n)
	}
	return 10
}

// page cuts a list as the API does.
func page[T any](url string, all []T, limit int, after string, show func(T) (string, any)) (any, *failure) {
	out := listJSON{Object: "list", URL: url, Data: []any{}}
	skipping := after != ""
	for _, x := range all {
		id, body := show(x)
		switch {
		case skipping:
			skipping = id != after
		case len(out.Data) == limit:
			out.HasMore = true
			return out, nil
		default:
			out.Data = append(out.Data, body)
		}
	}
	if skipping {
		return nil, invalid("starting_after", "resource_missing", "No such object: '%s'", after)
	}
	return out, nil
}
