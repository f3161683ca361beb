package seatmap

import "slices"

// Best appends the best free places for q to dst, in unit order, without taking them. ok is false when there are none;
// adjacent tells whether they are side by side (places of one area are).
//
// It tries, in this order, and inside a step by price category, nearness to the focal point, row and middle of the row:
//
//	(a) seats side by side that leave no single seat alone
//	(b) seats side by side, whatever they leave, unless the policy is strict
//	    places of one general-admission area
//	(c) the fewest parts close together in one section, nobody alone if possible; only with Scatter
//	(d) the largest parts there are in one category; only with Scatter
//
// Wheelchair places and the companion places beside them are never used unless q asks for them.
func (v *Inventory) Best(dst []Line, q BestQuery) (lines []Line, adjacent, ok bool) {
	if q.Quantity == 0 || q.Quantity > MaxQuantity || q.Accessible > q.Quantity {
		return dst, false, false
	}
	lo, hi := v.wanted(&q)
	if lo == hi {
		return dst, false, false
	}
	if q.Accessible > 0 {
		return v.bestAccessible(dst, &q, lo, hi)
	}
	if u, found := v.bestWindow(&q, lo, hi); found {
		return appendSeats(dst, u, int(q.Quantity)), true, true
	}
	if l, found := v.bestArea(&q, lo, hi); found {
		return append(dst, l), true, true
	}
	if !q.Scatter || q.Orphans == OrphanStrict {
		return dst, false, false
	}
	for c := lo; c < hi; c++ {
		if v.enough(c, &q) {
			if lines, ok = v.bestSplit(dst, c, &q); ok {
				return lines, false, true
			}
		}
	}
	for c := lo; c < hi; c++ {
		if v.enough(c, &q) {
			if lines, ok = v.bestScattered(dst, c, &q); ok {
				return lines, false, true
			}
		}
	}
	return dst, false, false
}

// wanted is the range of categories q looks at, empty if it names one that does not exist.
func (v *Inventory) wanted(q *BestQuery) (lo, hi uint16) {
	if q.AnyCategory {
		return 0, uint16(len(v.plan.Categories))
	}
	if int(q.Category) >= len(v.plan.Categories) {
		return 0, 0
	}
	return q.Category, q.Category + 1
}

// affordable tells whether places of category c are within the price limit of q.
func (v *Inventory) affordable(c uint16, q *BestQuery) bool {
	k := &v.plan.Categories[c]
	return q.MaxPrice == 0 || k.Price+k.Fee <= q.MaxPrice
}

// enough tells whether category c could serve q with ordinary seats at all.
func (v *Inventory) enough(c uint16, q *BestQuery) bool {
	return v.ordinary[c] >= q.Quantity && v.affordable(c, q)
}

// bestWindow does steps (a) and (b).
func (v *Inventory) bestWindow(q *BestQuery, lo, hi uint16) (UnitID, bool) {
	n := int(q.Quantity)
	for p := pickClean; p <= pickAny; p++ {
		if p == pickClean && q.Orphans == OrphanIgnore || p == pickAny && q.Orphans == OrphanStrict {
			continue
		}
		for c := lo; c < hi; c++ {
			if !v.enough(c, q) {
				continue
			}
			if w := v.scan(c, n, q, p, start()); w.found() {
				return v.breakTie(c, n, q, p, w), true
			}
		}
	}
	return 0, false
}

// bestArea is the first area by category and plan order that has room for all.
func (v *Inventory) bestArea(q *BestQuery, lo, hi uint16) (Line, bool) {
	for c := lo; c < hi; c++ {
		if !v.affordable(c, q) {
			continue
		}
		for _, i := range v.ix.order[v.ix.areas[c].lo:v.ix.areas[c].hi] {
			if !q.AnySection && v.plan.Areas[i].Section != q.Section {
				continue
			}
			if v.areas[i][Free] >= q.Quantity {
				return Line{UnitID(v.seats) + UnitID(i), q.Quantity}, true
			}
		}
	}
	return Line{}, false
}

func appendSeats(dst []Line, u UnitID, n int) []Line {
	for range n {
		dst = append(dst, Line{u, 1})
		u++
	}
	return dst
}

func sortLines(lines []Line) {
	slices.SortFunc(lines, func(a, b Line) int { return int(a.Unit) - int(b.Unit) })
}
