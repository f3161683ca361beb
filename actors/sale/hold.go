package sale

import (
	"encoding/binary"

	"github.com/catraca/catraca/actors/sale/due"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// hold is a live hold; its slot of State.holdLines has the units with their frozen prices. When an order is opened,
// the hold stays as the owner of the units until they are sold or given back.
type hold struct {
	id      HoldID // 0: the slot is free
	slot    uint32 // its own, in State.holds
	account AccountID
	expires int64
	cap     int64
	order   OrderID
	// settleBy is when the units are given back although the provider did not answer; 0 unless the order settles.
	settleBy int64
	lines    uint32
	places   uint32
	amount   int64
	renewed  bool
	checkout bool // the one extension at checkout was used
	adjacent bool // the places are side by side
}

// deadline is when something happens to the hold by time alone.
func (h *hold) deadline() int64 {
	if h.settleBy != 0 {
		return h.settleBy
	}
	return h.expires
}

// holdOf finds a live hold, or nil. It is only to be read, and before the next change of the hold.
func (s *State) holdOf(id HoldID) *hold {
	slot, ok := s.holdAt.get(uint64(id))
	if !ok {
		return nil
	}
	return s.holds.Read(int(slot))
}

// mutHold is a live hold, to be written. The pointer is good until the next hold is opened.
func (s *State) mutHold(id HoldID) *hold {
	slot, _ := s.holdAt.get(uint64(id))
	return s.holds.Mut(int(slot))
}

// linesOf is the priced units of a live hold, only to be read.
func (s *State) linesOf(h *hold) []OrderLine { return s.holdLines.Strip(int(h.slot))[:h.lines] }

// ownHold finds a live hold of the account that asked.
func (s *State) ownHold(id HoldID, a AccountID) (*hold, Refusal) {
	h := s.holdOf(id)
	switch {
	case h != nil && h.account == a:
		return h, Done
	case h == nil && id != 0 && id < s.nextHold:
		return nil, RefusedExpired
	}
	return nil, RefusedUnknown
}

func (s *State) openHold(c *Command, r *Result) {
	if r.Refusal = s.selling(); r.Refusal != Done {
		return
	}
	place := s.line.Lease(uint64(c.Account))
	if place == 0 {
		r.Refusal = s.noLease(c.Account)
		return
	}
	taken := uint32(0)
	slot, known := s.accountAt.get(uint64(c.Account))
	if known {
		acc := s.accounts.Read(int(slot))
		if taken = acc.taken; acc.hold != 0 {
			h := s.holdOf(acc.hold)
			r.Refusal, r.Hold, r.Order, r.At = RefusedHoldExists, h.id, h.order, h.expires
			return
		}
	}
	if s.due.Len() >= maxHolds || s.nextHold&idMask == idMask || !known && s.accounts.Len() >= maxAccounts {
		r.Refusal = RefusedFull
		return
	}
	lines := s.chooseUnits(c, s.cfg.Limits.left(taken), r)
	if r.Refusal != Done {
		return
	}
	if !known {
		slot = s.addAccount(c.Account)
	}
	acc := s.accounts.Mut(int(slot))
	h := s.takeSlot(acc)
	s.inventory.Hold(lines, uint32(h.id))
	s.priceLines(h, acc, lines)
	h.adjacent = s.inventory.Together(lines)
	s.line.TouchPlace(place, s.clock, h.expires)
	s.linesChanged(lines)
	s.holdChanged(h)
	s.holdResult(h, r)
}

// chooseUnits checks the units asked for, or finds the best ones. The lines are scratch; there are none if r is refused.
func (s *State) chooseUnits(c *Command, allowed uint32, r *Result) []Line {
	if c.Best.Quantity == 0 {
		if !s.checkLines(c.Lines, allowed, r) || !s.checkFree(c.Lines, c.Lines, r) {
			return nil
		}
		return c.Lines
	}
	if len(c.Lines) != 0 || !c.Best.AnyCategory && int(c.Best.Category) >= len(s.cfg.Plan.Categories) ||
		!c.Best.AnySection && int(c.Best.Section) >= len(s.cfg.Plan.Sections) || c.Best.Accessible > c.Best.Quantity {
		r.Refusal = RefusedInvalid
		return nil
	}
	if allowed = min(allowed, seatmap.MaxQuantity); c.Best.Quantity > allowed {
		r.Refusal, r.Number = RefusedLimit, allowed
		return nil
	}
	q := c.Best
	q.Orphans = s.cfg.Orphan
	q.Salt = binary.LittleEndian.Uint64(c.Key[:8]) ^ uint64(c.Account)*0x9e3779b97f4a7c15
	lines, _, ok := s.inventory.Best(s.wanted[:0], q)
	if !ok {
		r.Refusal = RefusedSoldOut
		return nil
	}
	s.wanted = lines
	return lines
}

// checkLines checks the form of a choice of units and its size, and refuses in r.
func (s *State) checkLines(lines []Line, allowed uint32, r *Result) bool {
	places := uint64(0)
	for _, l := range lines {
		if int64(l.Unit) >= int64(s.cfg.Plan.Units()) {
			r.Refusal = RefusedUnknownUnit
			return false
		}
		places += uint64(l.Count)
	}
	if places > uint64(allowed) {
		r.Refusal, r.Number = RefusedLimit, allowed
		return false
	}
	if len(lines) == 0 || !s.inventory.ValidLines(lines) {
		r.Refusal = RefusedInvalid
		return false
	}
	return true
}

// checkFree checks that the units of more are free, and that nobody is left a lone seat beside the whole choice. It
// refuses in r.
func (s *State) checkFree(more, all []Line, r *Result) bool {
	if s.units = s.inventory.Conflicts(s.units[:0], more); len(s.units) > 0 {
		r.Refusal, r.Units = RefusedConflict, s.units
		return false
	}
	suggest, bad := s.inventory.Orphans(s.hint[:0], all, s.cfg.Orphan)
	if suggest != nil {
		s.hint = suggest
	}
	if !bad {
		return true
	}
	for _, l := range suggest {
		s.units = append(s.units, l.Unit)
	}
	r.Refusal, r.Units = RefusedOrphan, s.units
	return false
}

// price freezes today's prices for the lines, in dst.
func (s *State) price(dst []OrderLine, lines []Line) {
	for i, l := range lines {
		cat, d := &s.cfg.Plan.Categories[s.inventory.CategoryOf(l.Unit)], &dst[i]
		d.Unit, d.Count, d.Price, d.Fee = l.Unit, l.Count, cat.Price, cat.Fee
	}
}

// takeSlot makes an empty live hold for an account.
func (s *State) takeSlot(acc *account) *hold {
	var slot uint32
	if n := len(s.freeHolds); n > 0 {
		slot = s.freeHolds[n-1]
		s.freeHolds = s.freeHolds[:n-1]
	} else {
		slot = uint32(s.holds.Append(hold{}))
		s.holdLines.Extend()
	}
	t := &s.cfg.Times
	h := s.holds.Mut(int(slot))
	h.id, h.slot, h.account, h.expires, h.cap = s.nextHold, slot, acc.id, s.clock+t.Hold, s.clock+t.HoldCap
	s.holdAt.put(uint64(h.id), slot)
	s.remind(h)
	acc.hold = h.id
	s.nextHold++
	return h
}

// remind sets the alarm for the deadline of a hold.
func (s *State) remind(h *hold) {
	s.due.Set(due.Item{At: h.deadline(), ID: uint32(h.id), Slot: h.slot})
}

// priceLines gives the hold these units at today's prices.
func (s *State) priceLines(h *hold, acc *account, lines []Line) {
	s.price(s.holdLines.MutStrip(int(h.slot)), lines)
	s.sumLines(h, acc, len(lines))
}

// setLines gives the hold these units at their prices.
func (s *State) setLines(h *hold, acc *account, lines []OrderLine) {
	copy(s.holdLines.MutStrip(int(h.slot)), lines)
	s.sumLines(h, acc, len(lines))
}

// sumLines keeps the sums of a hold whose strip has n new lines.
func (s *State) sumLines(h *hold, acc *account, n int) {
	places, amount := uint32(0), int64(0)
	lines := s.holdLines.Strip(int(h.slot))[:n]
	for i := range lines {
		l := &lines[i]
		places += l.Count
		amount += int64(l.Count) * (l.Price + l.Fee)
	}
	acc.taken += places - h.places
	s.heldPlaces += places - h.places
	h.lines, h.places, h.amount = uint32(n), places, amount
}

// plain copies priced lines into scratch as what the inventory takes.
func plain(dst []Line, lines []OrderLine) []Line {
	for _, l := range lines {
		dst = append(dst, Line{Unit: l.Unit, Count: l.Count})
	}
	return dst
}

// endHold gives the units back and forgets the hold.
func (s *State) endHold(h *hold) {
	s.before = plain(s.before[:0], s.linesOf(h))
	s.inventory.Release(s.before, uint32(h.id))
	s.linesChanged(s.before)
	s.mutAccount(h.account).taken -= h.places
	s.forgetHold(h)
}

// forgetHold frees the slot; the units are somebody's business already.
func (s *State) forgetHold(h *hold) {
	h = s.holds.Mut(int(h.slot))
	s.mutAccount(h.account).hold = 0
	s.heldPlaces -= h.places
	c := s.change()
	c.Kind, c.Account, c.Hold, c.Order = ChangeHold, h.account, h.id, h.order
	s.due.Remove(h.slot)
	s.holdAt.remove(uint64(h.id))
	s.freeHolds = append(s.freeHolds, h.slot)
	*h = hold{}
}

// prolong moves the expiry to until if that is later, never beyond the cap, and keeps the lease as long.
func (s *State) prolong(h *hold, until int64) {
	until = min(until, h.cap)
	if until <= h.expires {
		return
	}
	h = s.holds.Mut(int(h.slot))
	h.expires = until
	s.remind(h)
	if h.order != 0 {
		s.mutOrder(h.order).expires = until
	}
	s.line.Touch(uint64(h.account), s.clock, until)
	s.holdChanged(h)
}

func (s *State) holdChanged(h *hold) {
	c := s.change()
	c.Kind, c.Account, c.Hold, c.Order, c.At = ChangeHold, h.account, h.id, h.order, h.expires
}

// holdResult describes the hold as it is now, in an empty r.
func (s *State) holdResult(h *hold, r *Result) {
	s.picked = plain(s.picked[:0], s.linesOf(h))
	r.Hold, r.Order, r.At, r.Cap, r.Amount, r.Number = h.id, h.order, h.expires, h.cap, h.amount, h.places
	r.Adjacent, r.Lines = h.adjacent, s.picked
}

// settleDeadlines ends every hold whose time is over, in the order of deadline and hold.
func (s *State) settleDeadlines() {
	for s.due.Len() > 0 && s.due.Top().At <= s.clock {
		h := s.holds.Read(int(s.due.Top().Slot))
		if h.order == 0 {
			s.endHold(h)
			continue
		}
		s.orderRanOut(h) // ends the hold or gives it a later deadline
	}
}
