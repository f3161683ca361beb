package seatmap

// bestAccessible serves a query with wheelchair places: all side by side with as many companion places as there are
// wheelchairs and room for companions; with Scatter otherwise the wheelchairs with their companions first and the rest as near
// to them as possible, in the same category.
func (v *Inventory) bestAccessible(dst []Line, q *BestQuery, lo, hi uint16) ([]Line, bool, bool) {
	n, k := int(q.Quantity), int(q.Accessible)
	for c := lo; c < hi; c++ {
		if !v.affordable(c, q) {
			continue
		}
		if u, ok := v.accessibleWindow(c, n, k, q); ok {
			return appendSeats(dst, u, n), true, true
		}
	}
	if !q.Scatter {
		return dst, false, false
	}
	for c := lo; c < hi; c++ {
		if !v.affordable(c, q) {
			continue
		}
		if lines, ok := v.accessibleParts(dst, c, n, k, q); ok {
			return lines, false, true
		}
	}
	return dst, false, false
}

// bay is a candidate around a wheelchair place. Smaller is better: lacking, then orphan, then the window.
type bay struct {
	window

	lacking int // companions on ordinary seats
	orphan  int // 1 if it leaves a single ordinary seat alone
}

func (a bay) better(b bay) bool {
	if a.lacking != b.lacking {
		return a.lacking < b.lacking
	}
	if a.orphan != b.orphan {
		return a.orphan < b.orphan
	}
	return a.less(b.window)
}

// accessibleWindow finds the best n seats side by side of category c with exactly k wheelchair places and no companion place
// beyond theirs.
func (v *Inventory) accessibleWindow(c uint16, n, k int, q *BestQuery) (UnitID, bool) {
	best := bay{window: window{dist: far}}
	for _, wheel := range v.ix.wheels {
		b := &v.ix.blocks[v.ix.blockOf[wheel]]
		if b.category != c || v.status[wheel] != Free || !q.AnySection && b.section != q.Section {
			continue
		}
		lo, hi := v.stretch(wheel, n)
		for u := lo; u+UnitID(n) <= hi; u++ {
			if cand, ok := v.weighBay(u, n, k, q); ok && (!best.found() || cand.better(best)) {
				best = cand
			}
		}
	}
	return best.first(), best.found()
}

// stretch is the range of seats around u within n-1 places that are side by side with it and of its category.
func (v *Inventory) stretch(u UnitID, n int) (lo, hi UnitID) {
	seats := v.plan.Seats
	row := &v.plan.Rows[seats[u].Row]
	for lo = u; lo > row.First && int(u-lo) < n-1; lo-- {
		if seats[lo].Flags&BreakBefore != 0 || seats[lo-1].Category != seats[u].Category || v.status[lo-1] != Free {
			break
		}
	}
	for hi = u + 1; hi < row.First+UnitID(row.Count) && int(hi-u) < n; hi++ {
		if seats[hi].Flags&BreakBefore != 0 || seats[hi].Category != seats[u].Category || v.status[hi] != Free {
			break
		}
	}
	return lo, hi
}

// weighBay judges the n free seats from u on.
func (v *Inventory) weighBay(u UnitID, n, k int, q *BestQuery) (bay, bool) {
	wheels, companions, orphan := 0, 0, 0
	for i := u; i < u+UnitID(n); i++ {
		switch f := v.plan.Seats[i].Flags; {
		case f&Accessible != 0:
			wheels++
		case f&Companion != 0:
			companions++
		}
	}
	want := min(k, n-k)
	if wheels != k || companions > want {
		return bay{}, false
	}
	first, last := &v.ix.blocks[v.ix.blockOf[u]], &v.ix.blocks[v.ix.blockOf[u+UnitID(n)-1]]
	l, r := int(u)-1, int(u)+n
	if !first.special && v.freeIn(first, l) && !v.freeIn(first, l-1) ||
		!last.special && v.freeIn(last, r) && !v.freeIn(last, r+1) {
		if q.Orphans == OrphanStrict {
			return bay{}, false
		}
		if q.Orphans == OrphanAvoid {
			orphan = 1
		}
	}
	return bay{v.window(first, int(u), n), want - companions, orphan}, true
}

// accessibleParts seats wheelchairs and companions first, together if possible, then the rest near them.
func (v *Inventory) accessibleParts(dst []Line, c uint16, n, k int, q *BestQuery) ([]Line, bool) {
	from := len(dst)
	dst, ok := v.accessibleCore(dst, c, min(2*k, n), k, q)
	if ok && len(dst)-from < n {
		at := v.centre(dst[from].Unit, 1)
		dst, ok = v.gatherNear(dst, c, n-(len(dst)-from), q, at)
	}
	v.putBack(dst[from:])
	if !ok {
		return dst[:from], false
	}
	sortLines(dst[from:])
	return dst, true
}

// accessibleCore takes k wheelchair places and up to n-k companions: in one window, else pair by pair, else the chairs alone.
func (v *Inventory) accessibleCore(dst []Line, c uint16, n, k int, q *BestQuery) ([]Line, bool) {
	if u, ok := v.accessibleWindow(c, n, k, q); ok {
		return v.take(dst, u, n), true
	}
	companions := n - k
	for range k {
		if companions > 0 {
			if u, ok := v.accessibleWindow(c, 2, 1, q); ok {
				dst = v.take(dst, u, 2)
				companions--
				continue
			}
		}
		u, ok := v.accessibleWindow(c, 1, 1, q)
		if !ok {
			return dst, false
		}
		dst = v.take(dst, u, 1)
	}
	return dst, true
}

// gatherNear takes n more ordinary seats in parts as large as possible, each as near to a spot as possible.
func (v *Inventory) gatherNear(dst []Line, c uint16, n int, q *BestQuery, at spot) ([]Line, bool) {
	for size := n; n > 0 && size > 0; {
		u, _, ok := v.nearest(c, size, q, at)
		if !ok {
			size--
			continue
		}
		dst = v.take(dst, u, size)
		n -= size
		size = min(size, n)
	}
	return dst, n == 0
}
