package sale

// Pauses of the reconciler, which asks the provider about every payment that is not final because a notice may be
// lost: 30 s and 2 min after the payment began, when the order runs out, then every hour for 72 hours.
const (
	askFirst    = 30 * second
	askSecond   = 2 * minute
	askEvery    = hour
	askFor      = 72 * hour
	settlePause = 30 * second
	hintPause   = 3 * second

	// noticeHints is how often the provider is asked after a notice until its answer shows something new: the
	// question under way when the notice came may have been answered before it.
	noticeHints = 2
)

// askAgain opens the question about a payment, or puts it to its next time; answered says that the provider has
// just told its state. A final payment is asked about no more.
func (s *State) askAgain(id OrderID, record uint32, answered bool) {
	p := s.mutPayment(record)
	if p.final() {
		s.closeIntent(&p.query)
		return
	}
	if p.ref == "" {
		return
	}
	due := s.nextQuestion(s.orderOf(id), p, answered)
	if due == 0 {
		s.closeIntent(&p.query)
		s.needsPerson(id, "payment state unknown")
		return
	}
	if p.query == 0 {
		p.query = s.openIntent(IntentPayQuery, id, record, s.orderOf(id).total, due, "")
		return
	}
	s.rearm(p.query, due)
}

// nextQuestion is when to ask next; 0 for never again.
func (s *State) nextQuestion(o *order, p *payment, answered bool) int64 {
	if p.hints > 0 {
		if !answered {
			return s.clock
		}
		return s.clock + hintPause
	}
	if o.state == OrderAwaiting {
		if o.settling {
			return s.clock + settlePause
		}
		for _, at := range [...]int64{p.begun + askFirst, p.begun + askSecond, o.expires} {
			if at > s.clock {
				return at
			}
		}
	}
	if due := s.clock + askEvery; due <= p.begun+askFor {
		return due
	}
	return 0
}

// notice is word of a payment that nobody knows yet: it overtook the answer to our own request.
type notice struct {
	ref   string
	order OrderID
	at    int64
}

// paymentNotice asks the provider at once. What the notice says is not believed, only that there is news.
func (s *State) paymentNotice(c *Command) Result {
	if len(c.Ref) > maxText || c.Ref == "" && c.Order == 0 {
		return refuse(RefusedInvalid)
	}
	if record := s.refs[c.Ref]; record != 0 {
		s.hintAt(record)
		return Result{Order: s.payment(record).order}
	}
	o := s.mutOrder(c.Order)
	switch {
	case o == nil && c.Order != 0:
		return refuse(RefusedUnknown)
	case o != nil && c.Ref == "":
		for r := o.payment; r != 0; r = s.payment(r).previous {
			s.hintAt(r)
		}
	case o == nil || s.starting(o):
		if len(s.unmatched) >= maxUnmatched {
			return refuse(RefusedFull)
		}
		s.unmatched = append(s.unmatched, notice{ref: c.Ref, order: c.Order, at: s.clock})
	default:
		if record := s.stray(c.Order, c.Ref); record != 0 {
			s.hintAt(record)
		}
	}
	return Result{Order: c.Order}
}

// hintAt makes the outbox look at a payment, or at its refund, now.
func (s *State) hintAt(record uint32) {
	p := s.mutPayment(record)
	if p.repay != 0 {
		s.rearm(p.repay, s.clock)
	}
	if p.final() || p.ref == "" {
		return
	}
	p.hints = noticeHints
	s.askAgain(p.order, record, false)
}

// takeNotice says whether a notice about the payment waits, and drops it.
func (s *State) takeNotice(ref string) bool {
	kept := s.unmatched[:0]
	for _, n := range s.unmatched {
		if n.ref != ref {
			kept = append(kept, n)
		}
	}
	found := len(kept) < len(s.unmatched)
	clear(s.unmatched[len(kept):])
	s.unmatched = kept
	return found
}

// adoptNotices makes payments of what came for an order that waits for no answer any more.
func (s *State) adoptNotices(id OrderID) {
	if s.starting(s.orderOf(id)) {
		return
	}
	for i := 0; i < len(s.unmatched); {
		n := s.unmatched[i]
		if n.order != id {
			i++
			continue
		}
		record := s.stray(id, n.ref) // takes the notice out
		if record == 0 {
			s.takeNotice(n.ref)
			continue
		}
		s.askAgain(id, record, false)
	}
}

// forgetUnmatched drops the notices that waited for a day and counts them: money may have moved unseen.
func (s *State) forgetUnmatched() {
	n := 0
	for n < len(s.unmatched) && s.unmatched[n].at <= s.clock-unmatchedLife {
		n++
	}
	if n == 0 {
		return
	}
	s.book.Unmatched += uint32(n)
	kept := copy(s.unmatched, s.unmatched[n:])
	clear(s.unmatched[kept:])
	s.unmatched = s.unmatched[:kept]
}
