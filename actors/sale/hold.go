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

func (s *State) openHold(c *Command) Result {
	if r := s.selling(); r != Done {
		return refuse(r)
	}
	if !s.line.Shopping(uint64(c.Account)) {
		return refuse(s.noLease(c.Account))
	}
	if acc := s.accountOf(c.Account); acc != nil && acc.hold != 0 {
		h := s.holdOf(acc.hold)
		return Result{Refusal: RefusedHoldExists, Hold: h.id, Order: h.order, At: h.expires}
	}
	if s.due.Len() >= maxHolds || s.nextHold&idMask == idMask {
		return refuse(RefusedFull)
	}
	lines, res := s.chooseUnits(c)
	if res.Refusal != Done {
		return res
	}
	acc := s.ensureAccount(c.Account)
	if acc == nil {
		return refuse(RefusedFull)
	}
	h := s.takeSlot(acc)
	s.inventory.Hold(lines, uint32(h.id))
	s.setLines(h, acc, s.price(lines))
	h.adjacent = s.inventory.Together(lines)
	s.line.Touch(uint64(c.Account), s.clock, h.expires)
	s.linesChanged(lines)
	s.holdChanged(h)
	return s.holdResult(h)
}

// chooseUnits checks the units asked for, or finds the best ones. The lines are scratch.
func (s *State) chooseUnits(c *Command) ([]Line, Result) {
	allowed := s.Allowed(c.Account)
	if c.Best.Quantity == 0 {
		res := s.checkLines(c.Lines, allowed)
		if res.Refusal != Done {
			return nil, res
		}
		return c.Lines, s.checkFree(c.Lines, c.Lines)
	}
	if len(c.Lines) != 0 || !c.Best.AnyCategory && int(c.Best.Category) >= len(s.cfg.Plan.Categories) ||
		!c.Best.AnySection && int(c.Best.Section) >= len(s.cfg.Plan.Sections) || c.Best.Accessible > c.Best.Quantity {
		return nil, refuse(RefusedInvalid)
	}
	if allowed = min(allowed, seatmap.MaxQuantity); c.Best.Quantity > allowed {
		return nil, Result{Refusal: RefusedLimit, Number: allowed}
	}
	q := c.Best
	q.Orphans = s.cfg.Orphan
	q.Salt = binary.LittleEndian.Uint64(c.Key[:8]) ^ uint64(c.Account)*0x9e3779b97f4a7c15
	lines, _, ok := s.inventory.Best(s.wanted[:0], q)
	if !ok {
		return nil, refuse(RefusedSoldOut)
	}
	s.wanted = lines
	return lines, Result{}
}

// checkLines checks the form of a choice of units and its size.
func (s *State) checkLines(lines []Line, allowed uint32) Result {
	places := uint64(0)
	for _, l := range lines {
		if int64(l.Unit) >= int64(s.cfg.Plan.Units()) {
			return refuse(RefusedUnknownUnit)
		}
		places += uint64(l.Count)
	}
	if places > uint64(allowed) {
		return Result{Refusal: RefusedLimit, Number: allowed}
	}
	if len(lines) == 0 || !s.inventory.ValidLines(lines) {
		return refuse(RefusedInvalid)
	}
	return Result{}
}

// checkFree checks that the units of more are free, and that nobody is left a lone seat beside the whole choice.
func (s *State) checkFree(more, all []Line) Result {
	if s.units = s.inventory.Conflicts(s.units[:0], more); len(s.units) > 0 {
		return Result{Refusal: RefusedConflict, Units: s.units}
	}
	suggest, bad := s.inventory.Orphans(s.hint[:0], all, s.cfg.Orphan)
	if suggest != nil {
		s.hint = suggest
	}
	if !bad {
		return Result{}
	}
	for _, l := range suggest {
		s.units = append(s.units, l.Unit)
	}
	return Result{Refusal: RefusedOrphan, Units: s.units}
}

// price freezes today's prices for the lines. The result is scratch.
func (s *State) price(lines []Line) []OrderLine {
	s.priced = s.priced[:0]
	for _, l := range lines {
		cat := &s.cfg.Plan.Categories[s.inventory.CategoryOf(l.Unit)]
		s.priced = append(s.priced, OrderLine{Unit: l.Unit, Count: l.Count, Price: cat.Price, Fee: cat.Fee})
	}
	return s.priced
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
	*h = hold{id: s.nextHold, slot: slot, account: acc.id, expires: s.clock + t.Hold, cap: s.clock + t.HoldCap}
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

// setLines gives the hold these units and keeps the sums.
func (s *State) setLines(h *hold, acc *account, lines []OrderLine) {
	acc.taken -= h.places
	s.heldPlaces -= h.places
	h.lines, h.places, h.amount = uint32(len(lines)), 0, 0
	copy(s.holdLines.MutStrip(int(h.slot)), lines)
	for _, l := range lines {
		h.places += l.Count
		h.amount += int64(l.Count) * (l.Price + l.Fee)
	}
	acc.taken += h.places
	s.heldPlaces += h.places
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

// holdResult describes the hold as it is now.
func (s *State) holdResult(h *hold) Result {
	s.picked = plain(s.picked[:0], s.linesOf(h))
	return Result{
		Hold: h.id, Order: h.order, At: h.expires, Cap: h.cap, Amount: h.amount, Number: h.places,
		Adjacent: h.adjacent, Lines: s.picked,
	}
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
