package seatmap

// maxParts and maxAnchors bound the search of step (c): it runs only when a group fits nowhere side by side, and what it
// misses step (d) still seats.
const (
	maxParts   = 4
	maxAnchors = 32
)

// sizes are the parts of a split, largest first.
type sizes [maxParts]int

// bestSplit does step (c) in category c: it seats the group in the fewest parts, each side by side, all in one section and
// close together. Splits where nobody sits alone come first.
func (v *Inventory) bestSplit(dst []Line, c uint16, q *BestQuery) ([]Line, bool) {
	longest := v.longest(c, int(q.Quantity)-1, q)
	if longest == 0 {
		return dst, false
	}
	anchors := maxAnchors
	for least := 2; least >= 1; least-- {
		for parts := 2; parts <= maxParts; parts++ {
			s := splitter{v: v, q: q, c: c, parts: parts, least: least, anchors: &anchors}
			if lines, ok := s.partition(dst, 0, int(q.Quantity), longest); ok {
				return lines, true
			}
		}
	}
	return dst, false
}

// longest is the largest n up to most for which the category has n free seats side by side.
func (v *Inventory) longest(c uint16, most int, q *BestQuery) int {
	for n := most; n > 0; n-- {
		if v.scan(c, n, q, pickAny, start()).found() {
			return n
		}
	}
	return 0
}

// splitter walks the partitions of a group into a number of parts.
type splitter struct {
	v       *Inventory
	q       *BestQuery
	c       uint16
	parts   int
	least   int // least = 2: no part of one; least = 1: at least one part of one
	anchors *int
	sizes   sizes
}

// partition chooses part i of what is left, largest first, and places the complete ones.
func (s *splitter) partition(dst []Line, i, left, most int) ([]Line, bool) {
	rest := s.parts - i - 1
	if rest == 0 {
		if left < s.least || left > most || s.least == 1 && left != 1 {
			return dst, false
		}
		s.sizes[i] = left
		return s.place(dst)
	}
	for n := min(most, left-rest*s.least); n*(rest+1) >= left; n-- {
		s.sizes[i] = n
		if lines, ok := s.partition(dst, i+1, left-n, n); ok {
			return lines, true
		}
	}
	return dst, false
}

// place tries the best places for the largest part as anchors until the other parts fit near one.
func (s *splitter) place(dst []Line) ([]Line, bool) {
	v := s.v
	after := start()
	for *s.anchors > 0 {
		*s.anchors--
		a := v.scan(s.c, s.sizes[0], s.q, pickAny, after)
		if !a.found() {
			return dst, false
		}
		after = a
		if lines, ok := s.around(dst, a.first()); ok {
			return lines, true
		}
	}
	return dst, false
}

// around places the other parts near an anchor.
func (s *splitter) around(dst []Line, anchor UnitID) ([]Line, bool) {
	v := s.v
	k := &v.ix.blocks[v.ix.blockOf[anchor]]
	at := v.centre(anchor, s.sizes[0])
	in := BestQuery{Section: k.section}
	reach := v.reach(k, int(s.q.Quantity))
	from := len(dst)
	dst = v.take(dst, anchor, s.sizes[0])
	ok := true
	for _, n := range s.sizes[1:s.parts] {
		u, d, found := v.nearest(s.c, n, &in, at)
		if !found || d > reach {
			ok = false
			break
		}
		dst = v.take(dst, u, n)
	}
	v.putBack(dst[from:])
	if !ok {
		return dst[:from], false
	}
	sortLines(dst[from:])
	return dst, true
}

// bestScattered does step (d) in category c: the largest part that is left, then the largest of the remainder. It seats
// four as 2+2 rather than 3+1 where it can.
func (v *Inventory) bestScattered(dst []Line, c uint16, q *BestQuery) ([]Line, bool) {
	from, left := len(dst), int(q.Quantity)
	for most := left; left > 0; {
		n := v.longest(c, min(most, left), q)
		if n == 0 {
			break
		}
		most = n
		if left-n == 1 && n > 2 && v.pairAfter(c, n-1, q) {
			n--
		}
		dst = v.take(dst, v.scan(c, n, q, pickAny, start()).first(), n)
		left -= n
	}
	v.putBack(dst[from:])
	if left > 0 {
		return dst[:from], false
	}
	sortLines(dst[from:])
	return dst, true
}

// pairAfter tells whether two seats side by side remain once the best n are taken.
func (v *Inventory) pairAfter(c uint16, n int, q *BestQuery) bool {
	var room [MaxQuantity]Line
	taken := v.take(room[:0], v.scan(c, n, q, pickAny, start()).first(), n)
	ok := v.longest(c, 2, q) == 2
	v.putBack(taken)
	return ok
}

// take marks seats as gone for the rest of a search; putBack undoes it. Counts and owners stay untouched.
func (v *Inventory) take(dst []Line, u UnitID, n int) []Line {
	dst = appendSeats(dst, u, n)
	v.pretend(dst[len(dst)-n:], Blocked)
	return dst
}

func (v *Inventory) putBack(lines []Line) { v.pretend(lines, Free) }

func (v *Inventory) pretend(lines []Line, st Status) {
	for _, l := range lines {
		v.status[l.Unit] = st
		v.cache.fresh[v.ix.blockOf[l.Unit]] = 0
	}
}
