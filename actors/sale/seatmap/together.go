package seatmap

// Together says what Plan.Together does, mostly without looking at the plan: seats of one block without a gap are side by
// side.
func (v *Inventory) Together(lines []Line) bool {
	if len(lines) < 2 {
		return len(lines) == 1
	}
	lo, hi := lines[0].Unit, lines[0].Unit
	for _, l := range lines {
		lo, hi = min(lo, l.Unit), max(hi, l.Unit)
	}
	if int(hi) < v.seats && int(hi-lo) == len(lines)-1 && v.ix.blockOf[lo] == v.ix.blockOf[hi] {
		return true
	}
	return v.plan.Together(lines)
}

// Together says whether the places of lines are side by side: seats of one row without a gap or an aisle between
// them, in any order, or places of one area. No unit may stand twice.
func (p *Plan) Together(lines []Line) bool {
	if len(lines) == 0 {
		return false
	}
	if len(lines) == 1 {
		return true
	}
	lo, hi := lines[0].Unit, lines[0].Unit
	for _, l := range lines {
		if int(l.Unit) >= len(p.Seats) {
			return false
		}
		lo, hi = min(lo, l.Unit), max(hi, l.Unit)
	}
	if int(hi-lo) != len(lines)-1 || p.Seats[lo].Row != p.Seats[hi].Row {
		return false
	}
	for u := lo + 1; u <= hi; u++ {
		if p.Seats[u].Flags&BreakBefore != 0 {
			return false
		}
	}
	return true
}
