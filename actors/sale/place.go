package sale

import "github.com/catraca/catraca/actors/sale/queue"

// join gives the account its place, the same one if it is in the queue already.
func (s *State) join(c *Command, r *Result) {
	switch s.phase {
	case PhaseScheduled:
		r.Refusal = RefusedNotOpen
	case PhaseClosed:
		r.Refusal = RefusedClosed
	case PhaseLobby, PhaseOpen, PhasePaused:
		place, refused := s.line.Join(uint64(c.Account), s.clock)
		r.Refusal, r.Place = queueRefusal(refused), place
	}
}

// claim takes "your turn". A pause makes no new offers, but one already made is kept.
func (s *State) claim(c *Command) Result {
	if r := s.selling(); r != Done {
		return refuse(r)
	}
	deadline, r := s.line.Claim(uint64(c.Account), s.clock)
	if r != queue.None {
		return refuse(queueRefusal(r))
	}
	info, _ := s.line.Lookup(uint64(c.Account))
	return Result{Place: info.Place, At: deadline, Cap: info.Cap}
}

// presence records that the last connection of an account is gone, or that it is here again. It matters only to those
// in line; for others it is no news, not an error.
func (s *State) presence(c *Command) Result {
	move := s.line.Back
	if c.Op == OpAway {
		move = s.line.Away
	}
	if move(uint64(c.Account), s.clock) {
		return Result{}
	}
	info, ok := s.line.Lookup(uint64(c.Account))
	return placeResult(ok && info.State.Live())
}

func (s *State) leave(c *Command) Result {
	if !s.line.Leave(uint64(c.Account), s.clock) {
		return refuse(RefusedNoPlace)
	}
	s.dropUnpaid(c.Account)
	return Result{}
}

func (s *State) finish(c *Command) Result {
	if !s.line.Shopping(uint64(c.Account)) {
		return refuse(s.noLease(c.Account))
	}
	s.dropUnpaid(c.Account)
	s.line.Finish(uint64(c.Account), s.clock)
	return Result{}
}

func (s *State) remove(c *Command) Result {
	if len(c.Text) > maxText {
		return refuse(RefusedInvalid)
	}
	if !s.line.Remove(uint64(c.Account), s.clock) {
		return refuse(RefusedNoPlace)
	}
	s.dropUnpaid(c.Account)
	return Result{}
}

// dropUnpaid gives back what an account that goes away holds, unless a payment for it has begun: then the order
// takes its course.
func (s *State) dropUnpaid(a AccountID) {
	acc := s.accountOf(a)
	if acc == nil || acc.hold == 0 {
		return
	}
	h := s.holdOf(acc.hold)
	if h.order == 0 {
		s.endHold(h)
		return
	}
	if s.orderOf(h.order).payment == 0 {
		s.closeOrder(h.order, OrderCanceled, "left")
	}
}

// selling says whether new holds and orders are allowed.
func (s *State) selling() Refusal {
	switch s.phase {
	case PhaseOpen, PhasePaused:
		return Done
	case PhaseClosed:
		return RefusedClosed
	default:
		return RefusedNotOpen
	}
}

// noLease says why an account that is not shopping may not shop.
func (s *State) noLease(a AccountID) Refusal {
	info, ok := s.line.Lookup(uint64(a))
	if !ok {
		return RefusedNoPlace
	}
	switch info.State {
	case queue.Removed:
		return RefusedRemoved
	case queue.Left:
		return RefusedNoPlace
	case queue.Done:
		return RefusedNoLease
	default:
		return RefusedNotYourTurn
	}
}

func placeResult(ok bool) Result {
	if !ok {
		return refuse(RefusedNoPlace)
	}
	return Result{}
}
