package sale

import "slices"

// changeHold adds and gives back units in one step: the hold ends up with all of it or is as before.
func (s *State) changeHold(c *Command) Result {
	h, r := s.changeable(c)
	if r != Done {
		return refuse(r)
	}
	h = s.holds.Mut(int(h.slot))
	if len(c.Lines)+len(c.Drop) == 0 || len(c.Lines) > MaxPerHold || len(c.Drop) > MaxPerHold {
		return refuse(RefusedInvalid)
	}
	s.before = plain(s.before[:0], s.linesOf(h))
	after, ok := mergeLines(append(s.wanted[:0], s.before...), c.Lines, c.Drop)
	s.wanted = after
	if !ok {
		return refuse(RefusedInvalid)
	}
	acc := s.mutAccount(c.Account)
	var res Result
	if !s.checkLines(after, min(s.cfg.Limits.PerHold, s.cfg.Limits.PerAccount-(acc.taken-h.places)), &res) {
		return res
	}
	// The new choice is judged as if the fan held nothing: only then is a seat orphaned by giving up its
	// neighbour seen.
	s.inventory.Release(s.before, uint32(h.id))
	if !s.checkFree(after, after, &res) {
		s.inventory.Hold(s.before, uint32(h.id))
		return res
	}
	s.inventory.Hold(after, uint32(h.id))
	s.setLines(h, acc, s.repriced(h, after))
	h.adjacent = s.inventory.Together(after)
	for _, l := range s.before {
		if !hasLine(after, l) {
			s.unitChanged(l.Unit)
		}
	}
	for _, l := range after {
		if !hasLine(s.before, l) && !hasUnit(s.before, l.Unit) {
			s.unitChanged(l.Unit)
		}
	}
	s.holdChanged(h)
	s.holdResult(h, &res)
	return res
}

// changeable finds the hold of a fan who may still change it.
func (s *State) changeable(c *Command) (*hold, Refusal) {
	if r := s.selling(); r != Done {
		return nil, r
	}
	h, r := s.ownHold(c.Hold, c.Account)
	switch {
	case r != Done:
		return nil, r
	case h.order != 0:
		return nil, RefusedPaying
	case !s.line.Shopping(uint64(c.Account)):
		return nil, s.noLease(c.Account)
	}
	return h, Done
}

// mergeLines adds more to lines and takes less away; false if less asks for what is not there or a unit is
// named twice in one list.
func mergeLines(lines, more, less []Line) ([]Line, bool) {
	for i, l := range less {
		at := indexUnit(lines, l.Unit)
		if at < 0 || l.Count == 0 || lines[at].Count < l.Count || hasUnit(less[:i], l.Unit) {
			return lines, false
		}
		lines[at].Count -= l.Count
	}
	kept := lines[:0]
	for _, l := range lines {
		if l.Count > 0 {
			kept = append(kept, l)
		}
	}
	for i, l := range more {
		if l.Count == 0 || hasUnit(more[:i], l.Unit) {
			return kept, false
		}
		if at := indexUnit(kept, l.Unit); at >= 0 {
			if kept[at].Count+l.Count < l.Count {
				return kept, false
			}
			kept[at].Count += l.Count
		} else {
			kept = append(kept, l)
		}
	}
	return kept, true
}

func indexUnit(lines []Line, u UnitID) int {
	for i, l := range lines {
		if l.Unit == u {
			return i
		}
	}
	return -1
}

func hasUnit(lines []Line, u UnitID) bool { return indexUnit(lines, u) >= 0 }

func hasLine(lines []Line, x Line) bool {
	at := indexUnit(lines, x.Unit)
	return at >= 0 && lines[at] == x
}

// repriced prices lines anew, but what the hold has already keeps its frozen price. The result is scratch.
func (s *State) repriced(h *hold, lines []Line) []OrderLine {
	s.priced = slices.Grow(s.priced[:0], len(lines))[:len(lines)]
	priced := s.priced
	s.price(priced, lines)
	for _, old := range s.linesOf(h) {
		for i := range priced {
			if priced[i].Unit == old.Unit {
				priced[i].Price, priced[i].Fee = old.Price, old.Fee
			}
		}
	}
	return priced
}

// renewHold gives the hold more time, once.
func (s *State) renewHold(c *Command) Result {
	h, r := s.changeable(c)
	if r != Done {
		return refuse(r)
	}
	if h.renewed {
		return Result{Refusal: RefusedRenewed, Hold: h.id, At: h.expires}
	}
	h = s.holds.Mut(int(h.slot))
	h.renewed = true
	s.prolong(h, s.clock+s.cfg.Times.HoldRenewal)
	var res Result
	s.holdResult(h, &res)
	return res
}

// releaseHold gives everything back at once. With an order open this cancels the order, unless a payment runs.
func (s *State) releaseHold(c *Command, r *Result) {
	h, refused := s.ownHold(c.Hold, c.Account)
	switch {
	case refused != Done:
		r.Refusal = refused
	case h.order == 0:
		s.endHold(h)
		r.Hold = c.Hold
	default:
		*r = s.cancelAwaiting(h.order, "released")
	}
}
