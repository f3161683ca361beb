package seatmap

import "slices"

// naive answers the same questions as an Inventory from the plan and a map of who is where, with no index at all.
type naive struct {
	p      *Plan
	status []Status
	owner  []uint32
	areas  []tally
}

func newNaive(p *Plan) *naive {
	m := &naive{p: p, status: make([]Status, len(p.Seats)), owner: make([]uint32, len(p.Seats)), areas: make([]tally, len(p.Areas))}
	for i, a := range p.Areas {
		m.areas[i][Free] = a.Capacity
	}
	return m
}

func (m *naive) move(lines []Line, to Status, owner uint32) {
	for _, l := range lines {
		if m.p.IsArea(l.Unit) {
			continue
		}
		m.status[l.Unit], m.owner[l.Unit] = to, owner
	}
}

func (m *naive) isSpecial(u int) bool { return m.p.Seats[u].Flags&(Accessible|Companion) != 0 }

// beside tells whether seats u and u+1 can be sold together as far as walls and categories go.
func (m *naive) beside(u int) bool {
	if u < 0 || u+1 >= len(m.p.Seats) {
		return false
	}
	a, b := &m.p.Seats[u], &m.p.Seats[u+1]
	return a.Row == b.Row && a.Category == b.Category && b.Flags&BreakBefore == 0
}

// singles lists ordinary free seats with no ordinary free neighbour once gone are taken too.
func (m *naive) singles(gone map[UnitID]bool) []int {
	free := func(u int) bool { return m.status[u] == Free && !gone[UnitID(u)] && !m.isSpecial(u) }
	var out []int
	for u := range m.status {
		if free(u) && (!m.beside(u-1) || !free(u-1)) && (!m.beside(u) || !free(u+1)) {
			out = append(out, u)
		}
	}
	return out
}

// orphans counts the singles that taking lines creates.
func (m *naive) orphans(lines []Line) int {
	gone := map[UnitID]bool{}
	for _, l := range lines {
		gone[l.Unit] = true
	}
	before := m.singles(nil)
	n := 0
	for _, u := range m.singles(gone) {
		if !slices.Contains(before, u) {
			n++
		}
	}
	return n
}

// score is what the specification orders candidates by, best first.
type score [7]int64

func (m *naive) weigh(u, n int) (sc score) {
	row := m.p.Rows[m.p.Seats[u].Row]
	sec := m.p.Sections[row.Section]
	var x, y int64
	for i := u; i < u+n; i++ {
		x += int64(m.p.Seats[i].X) - int64(sec.FocalX)
		y += int64(m.p.Seats[i].Y) - int64(sec.FocalY)
	}
	off := int64(2*(u-int(row.First)) + n - 1 - (int(row.Count) - 1))
	return score{2: x*x + y*y, 3: int64(row.Rank), 4: max(off, -off), 5: int64(u)}
}

// best finds the best n seats side by side for one category by trying everything. clean wants no new orphans. With wheelchairs
// asked for, their rules go first.
func (m *naive) best(c uint16, q BestQuery, clean bool) (first int, best score, found bool) {
	n := int(q.Quantity)
	for u := 0; u+n <= len(m.status); u++ {
		wheels, companions, ok := 0, 0, true
		for i := u; i < u+n; i++ {
			f := m.p.Seats[i].Flags
			if f&Accessible != 0 {
				wheels++
			}
			if f&Companion != 0 {
				companions++
			}
			ok = ok && m.status[i] == Free && m.p.Seats[i].Category == c && (i == u || m.beside(i-1))
		}
		if !ok || !q.AnySection && m.p.SectionOf(UnitID(u)) != q.Section {
			continue
		}
		k := int(q.Accessible)
		if wheels != k || companions > min(k, n-k) {
			continue
		}
		orphans := m.orphans(appendSeats(nil, UnitID(u), n))
		if clean && orphans > 0 {
			continue
		}
		sc := m.weigh(u, n)
		if k > 0 {
			sc[0] = int64(min(k, n-k) - companions)
			if q.Orphans == OrphanAvoid {
				sc[1] = int64(min(orphans, 1))
			}
		}
		if !found || slices.Compare(sc[:], best[:]) < 0 {
			first, best, found = u, sc, true
		}
	}
	return first, best, found
}

// adjacent does steps (a) and (b), or the window of a wheelchair query.
func (m *naive) adjacent(q BestQuery) (u int, sc score, found bool) {
	passes := []bool{true, false}
	switch {
	case q.Orphans == OrphanIgnore || q.Accessible > 0 && q.Orphans == OrphanAvoid:
		passes = passes[1:]
	case q.Orphans == OrphanStrict:
		passes = passes[:1]
	}
	for _, clean := range passes {
		for c := range m.p.Categories {
			if !m.wants(uint16(c), q) {
				continue
			}
			if u, sc, found = m.best(uint16(c), q, clean); found {
				return u, sc, true
			}
		}
	}
	return 0, score{}, false
}

func (m *naive) wants(c uint16, q BestQuery) bool {
	k := m.p.Categories[c]
	return (q.AnyCategory || q.Category == c) && (q.MaxPrice == 0 || k.Price+k.Fee <= q.MaxPrice)
}

// area is the first area with room.
func (m *naive) area(q BestQuery) (UnitID, bool) {
	for c := range m.p.Categories {
		for i, a := range m.p.Areas {
			if int(a.Category) == c && m.wants(uint16(c), q) && (q.AnySection || a.Section == q.Section) && m.areas[i][Free] >= q.Quantity {
				return UnitID(len(m.p.Seats) + i), true
			}
		}
	}
	return 0, false
}

// ordinaryFree counts the ordinary free seats q may have in a category.
func (m *naive) ordinaryFree(c uint16, q BestQuery) (n uint32) {
	for u := range m.status {
		if m.status[u] == Free && !m.isSpecial(u) && m.p.Seats[u].Category == c && m.wants(c, q) && (q.AnySection || m.p.SectionOf(UnitID(u)) == q.Section) {
			n++
		}
	}
	return n
}

func (m *naive) count(c uint16) (n Count) {
	add := func(st Status, k uint32) {
		n.Capacity += k
		*[]*uint32{&n.Free, &n.Held, &n.Sold, &n.Blocked}[st] += k
	}
	for u, st := range m.status {
		if m.p.Seats[u].Category == c {
			add(st, 1)
		}
	}
	for i, a := range m.p.Areas {
		for st, k := range m.areas[i] {
			if a.Category == c {
				add(Status(st), k)
			}
		}
	}
	return n
}
