package sale

import (
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// Begin starts the batch of a log index at the leader's time in unix ms. Time never goes back: the clock is the larger of at and
// what it was.
func (s *State) Begin(index uint64, at int64) {
	s.changes = s.changes[:0]
	s.index = index
	s.clock = max(s.clock, min(at, maxClock))
	s.settled = false
}

// settle ends whatever ran out by the time of the batch: holds, orders, offers, leases, and phases that begin or end by time.
// It comes before the commands of the batch, so that none of them sees it, but after an OpEpoch at their front: what is
// intended here is of the new epoch already.
func (s *State) settle() {
	s.settled = true
	s.phaseByTime()
	s.fanKeys.expire(s.clock)
	s.noticeKeys.expire(s.clock)
	s.forgetUnmatched()
	s.settleDeadlines()
	// Not open: only ends what ran out. Offers are made at the end, when the batch's joins are in line.
	s.line.Advance(s.clock, false, s.stock())
	s.takeTransitions()
}

// Do carries out one command, or refuses it and changes nothing. A command whose key was seen before gets the
// answer of the first time.
func (s *State) Do(c *Command) Result {
	var r Result
	s.DoInto(c, &r)
	return r
}

// DoInto is Do for many commands after each other: the result is written where the caller wants it. A Result is two cache
// lines, and a copy of one that was just written field by field waits until all of them have reached the cache.
func (s *State) DoInto(c *Command, r *Result) {
	if !s.settled && c.Op != OpEpoch {
		s.settle()
	}
	*r = Result{}
	s.units, s.picked = s.units[:0], s.picked[:0]
	keys := s.keysOf(c)
	if keys == nil {
		s.apply(c, r)
		s.takeTransitions()
		return
	}
	print, hash := s.fingerprint(c), c.Key.hash()
	before, at := keys.find(&c.Key, hash)
	if before != nil {
		s.recall(before, print, r)
		return
	}
	s.apply(c, r)
	s.takeTransitions()
	keys.remember(&c.Key, hash, print, at, s.clock+keys.life, r)
}

// End lets in whom the queue's pace and the free places allow, and checks the invariants that are cheap enough for every batch. An
// error means that the state is wrong: the caller has to stop before it answers anybody.
func (s *State) End() error {
	if !s.settled {
		s.settle()
	}
	s.line.Advance(s.clock, s.phase == PhaseOpen, s.stock())
	s.takeTransitions()
	return s.checkBatch()
}

// Changes is what the batch in hand did, in order. Valid until the next Begin.
func (s *State) Changes() []Change { return s.changes }

// Due is the earliest instant, unix ms, at which a Tick would do something; queue.Never if there is none.
// Meaningful after End.
func (s *State) Due() int64 {
	due := s.line.Due(s.clock, s.phase == PhaseOpen, s.stock())
	if s.due.Len() > 0 {
		due = min(due, s.due.Top().At)
	}
	switch s.phase {
	case PhaseScheduled:
		due = min(due, s.cfg.LobbyAt)
	case PhaseLobby:
		due = min(due, s.cfg.OpensAt)
	case PhaseOpen, PhasePaused:
		due = min(due, s.cfg.ClosesAt)
	case PhaseClosed:
	}
	return due
}

// stock is what the queue may let fans in for: nobody is let in for whom no place is free. Those who hold already
// take up a turn but no free place.
func (s *State) stock() uint32 {
	return s.inventory.Totals().Free + uint32(s.due.Len())
}

// apply is the one switch: each command has its function, and each function refuses before it changes anything. What a
// hall asks for by the thousand writes into r, which is empty; the others return what they answer.
func (s *State) apply(c *Command, r *Result) {
	if c.Op >= OpJoin && c.Op <= OpOrderOpen && c.Account == 0 {
		r.Refusal = RefusedInvalid
		return
	}
	switch c.Op {
	case OpTick:
	case OpJoin:
		s.join(c, r)
	case OpHold:
		s.openHold(c, r)
	case OpHoldRelease:
		s.releaseHold(c, r)
	default:
		*r = s.applyRest(c)
	}
}

// applyRest is the part of the switch for the rest of what fans ask for.
func (s *State) applyRest(c *Command) Result {
	switch c.Op {
	case OpAway, OpBack:
		return s.presence(c)
	case OpLeave:
		return s.leave(c)
	case OpClaim:
		return s.claim(c)
	case OpFinish:
		return s.finish(c)
	case OpRemove:
		return s.remove(c)
	case OpHoldChange:
		return s.changeHold(c)
	case OpHoldRenew:
		return s.renewHold(c)
	case OpOrderOpen:
		return s.openOrder(c)
	case OpOrderCancel:
		return s.cancelOrder(c)
	default:
		return s.applyOutside(c)
	}
}

// applyOutside is the half of the switch for what comes from providers, gates and operators.
func (s *State) applyOutside(c *Command) Result {
	switch c.Op {
	case OpPayBegin:
		return s.beginPayment(c)
	case OpPayStarted:
		return s.paymentStarted(c)
	case OpPayNotice:
		return s.paymentNotice(c)
	case OpPayState:
		return s.paymentState(c)
	case OpRefund:
		return s.refundOrder(c)
	case OpRefundState:
		return s.refundState(c)
	case OpIntentDone:
		return s.intentDone(c)
	case OpIntentFailed:
		return s.intentFailed(c)
	case OpScan:
		return s.scan(c)
	case OpOpen, OpPause, OpResume, OpClose:
		return s.movePhase(c)
	case OpRate:
		return s.setRate(c)
	case OpMessage:
		return s.setMessage(c)
	case OpEpoch:
		return s.raiseEpoch(c)
	default:
		return refuse(RefusedInvalid)
	}
}

func refuse(r Refusal) Result { return Result{Refusal: r} }

// change adds one to what the batch did, empty, to be filled in where it lies: a Change is a cache line, and copying it
// right after its fields were written waits for them.
func (s *State) change() *Change {
	n := len(s.changes)
	if n == cap(s.changes) {
		s.changes = append(s.changes, Change{})
	} else {
		s.changes = s.changes[:n+1]
	}
	c := &s.changes[n]
	*c = Change{}
	return c
}

// takeTransitions turns what the queue did into changes.
func (s *State) takeTransitions() {
	for _, t := range s.line.Transitions() {
		c := s.change()
		c.Kind, c.Account, c.Place, c.State, c.At = ChangePlace, AccountID(t.Account), t.Place, t.To, t.Deadline
	}
	s.line.ClearTransitions()
}

// unitChanged reports one seat's new status or one area's new free count.
func (s *State) unitChanged(u UnitID) {
	c := s.change()
	c.Kind, c.Unit, c.Status = ChangeUnit, u, unitStatus(s.inventory.Status(u))
	if s.cfg.Plan.IsArea(u) {
		c.Number = s.inventory.FreeIn(u)
	} else {
		s.seatVersion = s.index
	}
}

func (s *State) linesChanged(lines []Line) {
	for _, l := range lines {
		s.unitChanged(l.Unit)
	}
}

func unitStatus(st seatmap.Status) UnitStatus {
	switch st {
	case seatmap.Held:
		return UnitHeld
	case seatmap.Sold:
		return UnitSold
	case seatmap.Blocked:
		return UnitBlocked
	default:
		return UnitFree
	}
}

// queueRefusal says in the sale's numbers why the queue refused.
func queueRefusal(r queue.Refusal) Refusal {
	switch r {
	case queue.None:
		return Done
	case queue.NoPlace:
		return RefusedNoPlace
	case queue.NotOffered:
		return RefusedNotYourTurn
	case queue.Barred:
		return RefusedRemoved
	case queue.Full:
		return RefusedFull
	case queue.Ended:
		return RefusedNoLease
	}
	return RefusedInvalid
}
