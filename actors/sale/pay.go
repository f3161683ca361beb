package sale

// payment is one payment of an order at the provider. It is made before the provider knows it (no ref), or when a
// payment shows up that we did not ask for.
type payment struct {
	order    OrderID
	previous uint32 // record + 1 of the order's payment before this one
	attempt  uint8  // 1, 2, … within the order
	method   Method
	state    PayState
	wrong    bool  // reported with another amount or currency: never confirms
	foreign  bool  // captured in another currency: not in the book
	hints    uint8 // prompt questions left after a notice
	begun    int64 // of the newest attempt
	amount   int64 // captured
	ref      string
	url      string
	code     string
	decline  string

	refund    RefundState
	refundRef string

	// Open intents, 0 if none.
	start, query, capture, void, repay uint64
}

// payment is a record, by its number + 1, only to be read, and before the next change of the payment.
func (s *State) payment(record uint32) *payment { return s.payments.Read(int(record - 1)) }

// mutPayment is a record to be written. The pointer is good until the next payment is added.
func (s *State) mutPayment(record uint32) *payment { return s.payments.Mut(int(record - 1)) }

// final says whether nothing more can happen to the payment at the provider.
func (p *payment) final() bool { return p.state == PayCaptured || p.state == PayCanceled }

// rank orders the states: a payment only moves to a higher one. Money taken is the last word, whatever was
// reported before.
func (st PayState) rank() int {
	switch st {
	case PayCaptured:
		return int(PayCanceled)
	case PayCanceled:
		return int(PayCaptured)
	default:
		return int(st)
	}
}

// money says whether money was reserved or taken.
func (st PayState) money() bool { return st == PayAuthorized || st == PayCaptured }

// underWay says whether the provider may be taking the money of an order at this moment.
func (s *State) underWay(o *order) bool {
	for r := o.payment; r != 0; r = s.payment(r).previous {
		p := s.payment(r)
		if !p.wrong && (p.state == PayProcessing || p.state == PayAuthorized) {
			return true
		}
	}
	return false
}

// beginPayment gives the fan time to pay and asks the provider for a payment, unless this order has one of the
// method already: that one is tried again.
func (s *State) beginPayment(c *Command) Result {
	o := s.mutOrder(c.Order)
	if o == nil || o.account != c.Account {
		return refuse(RefusedUnknown)
	}
	switch {
	case c.Method != MethodCard && c.Method != MethodPix:
		return refuse(RefusedInvalid)
	case o.state == OrderExpired || o.settling:
		return Result{Refusal: RefusedExpired, Order: c.Order}
	case o.state != OrderAwaiting:
		return Result{Refusal: RefusedState, Order: c.Order}
	case s.underWay(o):
		return Result{Refusal: RefusedPaying, Order: c.Order, At: o.expires}
	}
	record := s.usable(o, c.Method)
	if record == 0 || s.payment(record).state == PayFailed {
		if o.attempts >= s.cfg.Limits.Attempts {
			return Result{Refusal: RefusedAttempts, Order: c.Order, At: o.expires, Number: uint32(o.attempts)}
		}
		if record == 0 && o.payments >= maxPayments { // payments never go, so there is no later
			return Result{Refusal: RefusedAttempts, Order: c.Order, At: o.expires, Number: uint32(o.attempts)}
		}
		o.attempts++
	}
	if record == 0 {
		record = s.addPayment(c.Order, c.Method)
		s.mutPayment(record).start = s.openIntent(IntentPayStart, c.Order, record, o.total, s.clock, "")
	}
	p := s.mutPayment(record)
	p.begun = s.clock
	if p.state == PayFailed {
		p.state, p.decline = PayCreated, ""
	}
	o.shown = record
	grace := s.cfg.Times.PayGrace
	if c.Method == MethodPix {
		grace = s.cfg.Times.ActionGrace // the payer leaves for the bank's app
	}
	s.prolong(s.holdOf(o.hold), s.clock+grace)
	s.askAgain(c.Order, record, false)
	s.orderChanged(c.Order)
	return Result{Order: c.Order, Hold: o.hold, At: o.expires, Amount: o.total, Number: uint32(o.attempts)}
}

// usable finds the newest payment of a method that can still be paid: known to the provider, or being made.
func (s *State) usable(o *order, m Method) uint32 {
	for r := o.payment; r != 0; r = s.payment(r).previous {
		p := s.payment(r)
		if p.method == m && !p.final() && !p.wrong && p.void == 0 && (p.ref != "" || p.start != 0) {
			return r
		}
	}
	return 0
}

// addPayment makes a record; the caller has checked the bound. It returns the record + 1.
func (s *State) addPayment(id OrderID, m Method) uint32 {
	o := s.mutOrder(id)
	o.payments++
	s.payments.Append(payment{order: id, previous: o.payment, attempt: o.payments, method: m, begun: s.clock})
	o.payment = uint32(s.payments.Len())
	return o.payment
}

// byAttempt finds a payment of the order by its number.
func (s *State) byAttempt(o *order, attempt uint8) uint32 {
	for r := o.payment; r != 0; r = s.payment(r).previous {
		if s.payment(r).attempt == attempt {
			return r
		}
	}
	return 0
}

// starting says whether the provider has been asked for a payment of the order and has not answered yet.
func (s *State) starting(o *order) bool {
	for r := o.payment; r != 0; r = s.payment(r).previous {
		if s.payment(r).start != 0 {
			return true
		}
	}
	return false
}

// stray makes a record of a payment that is the order's although we did not ask for it; 0 when it has too many.
func (s *State) stray(id OrderID, ref string) uint32 {
	o := s.mutOrder(id)
	if o.payments >= maxPayments {
		s.needsPerson(id, "too many payments")
		return 0
	}
	record := s.addPayment(id, MethodNone)
	s.bind(record, ref)
	return record
}

// bind gives a payment the provider's id, and looks at once if a notice about it came before.
func (s *State) bind(record uint32, ref string) {
	p := s.mutPayment(record)
	p.ref = ref
	s.refs[ref] = record
	if s.takeNotice(ref) {
		p.hints = noticeHints
	}
}

// paymentStarted records what the provider made. A payment that comes too late, or twice for one attempt, is voided.
func (s *State) paymentStarted(c *Command) Result {
	o := s.mutOrder(c.Order)
	if o == nil {
		return refuse(RefusedUnknown)
	}
	record := s.byAttempt(o, c.Attempt)
	if record == 0 || c.Ref == "" || len(c.Ref) > maxText || len(c.URL) > maxURL || len(c.Text) > maxURL {
		return Result{Refusal: RefusedInvalid, Order: c.Order}
	}
	if known := s.refs[c.Ref]; known != 0 && known != record {
		if s.payment(known).order != c.Order {
			return Result{Refusal: RefusedInvalid, Order: c.Order}
		}
		s.closeIntent(&s.mutPayment(record).start)
		s.mutPayment(known).method = s.payment(record).method
		record = known
	}
	if p := s.mutPayment(record); p.ref != "" && p.ref != c.Ref {
		if record = s.stray(c.Order, c.Ref); record == 0 {
			return Result{Refusal: RefusedFull, Order: c.Order}
		}
		s.advance(c.Order, record, PayCreated)
		s.voidPayment(record, "second payment of one attempt")
		s.askAgain(c.Order, record, true)
		return Result{Order: c.Order}
	}
	if s.payment(record).ref == "" {
		s.bind(record, c.Ref)
	}
	p := s.mutPayment(record)
	p.url, p.code = c.URL, c.Text
	s.closeIntent(&p.start)
	if PayCreated.rank() > p.state.rank() {
		p.state = PayCreated
	}
	if o.state != OrderAwaiting && !p.final() && record != o.paid {
		s.voidPayment(record, "order is over")
	}
	s.askAgain(c.Order, record, false)
	s.orderChanged(c.Order)
	return Result{Order: c.Order, At: o.expires}
}

// startGivenUp is the provider not making a payment: the fan may try again, which asks for another one.
func (s *State) startGivenUp(id OrderID, record uint32) {
	p := s.mutPayment(record)
	s.closeIntent(&p.start)
	if p.state.rank() < PayFailed.rank() {
		p.state, p.decline = PayFailed, declineUnavailable
	}
	s.adoptNotices(id)
	s.orderChanged(id)
}

// declineUnavailable is the decline code of a payment that the provider could not be asked for.
const declineUnavailable = "provider_unavailable"
