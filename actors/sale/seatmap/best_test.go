package seatmap

import (
	"slices"
	"strings"
	"testing"
)

// hall applies a picture of who is where: x for a held seat, anything else free; same shape as the plan.
func hall(t *testing.T, p *Plan, taken ...UnitID) *Inventory {
	t.Helper()
	v := NewInventory(p)
	v.Hold(seatsOf(taken...), 1)
	return v
}

func anything(n uint32) BestQuery { return BestQuery{Quantity: n, AnyCategory: true, AnySection: true} }

// cleanStarts lists the first seats of every window of n in a free row of length seats that leaves nothing alone, by taking
// the best strict window and blocking it from being found again.
func cleanStarts(t *testing.T, length, n int) []int {
	t.Helper()
	p := draw(t, []string{strings.Repeat(".", length)})
	v := NewInventory(p)
	var out []int
	for after := start(); ; {
		q := anything(uint32(n))
		w := window{dist: far}
		// Every window, not only the best of the block: walk them by weight.
		for u := 0; u+n <= length; u++ {
			c := v.window(&v.ix.blocks[0], u, n)
			if after.less(c) && c.less(w) && !v.leavesOrphan(&v.ix.blocks[0], UnitID(u), n) {
				w = c
			}
		}
		if !w.found() {
			break
		}
		if len(out) == 0 {
			lines, _, ok := v.Best(nil, q)
			if !ok || lines[0].Unit != w.first() {
				t.Fatalf("row of %d, n=%d: best is %v, want from %d", length, n, lines, w.first())
			}
		}
		out = append(out, int(w.first()))
		after = w
	}
	slices.Sort(out)
	return out
}

// The rows of the stadium plan have 7 or 13 seats.
func TestCleanStarts(t *testing.T) {
	for _, c := range []struct {
		length, n int
		want      []int
	}{
		{7, 1, []int{0, 2, 3, 4, 6}},
		{7, 2, []int{0, 2, 3, 5}},
		{7, 3, []int{0, 2, 4}},
		{7, 4, []int{0, 3}},
		{7, 5, []int{0, 2}},
		{7, 6, nil},
		{7, 7, []int{0}},
		{13, 2, []int{0, 2, 3, 4, 5, 6, 7, 8, 9, 11}},
		{13, 4, []int{0, 2, 3, 4, 5, 6, 7, 9}},
		{13, 10, []int{0, 3}},
		{13, 11, []int{0, 2}},
		{13, 12, nil},
		{13, 13, []int{0}},
		{3, 2, nil},
		{3, 3, []int{0}},
		{2, 1, nil},
		{1, 1, []int{0}},
	} {
		if got := cleanStarts(t, c.length, c.n); !slices.Equal(got, c.want) {
			t.Errorf("row of %d, n=%d: clean starts %v, want %v", c.length, c.n, got, c.want)
		}
	}
}

func TestRowOfSeven(t *testing.T) {
	v := hall(t, draw(t, []string{"......."}))
	take := func(n uint32, policy OrphanPolicy, want string) {
		t.Helper()
		q := anything(n)
		q.Orphans = policy
		lines, adjacent, ok := v.Best(nil, q)
		if got := unitsOf(lines); got != want || ok != (want != "") || adjacent != ok {
			t.Fatalf("best %d: %q %v %v, want %q", n, got, adjacent, ok, want)
		}
		v.Hold(lines, 1)
	}
	take(2, OrphanAvoid, "2 3")
	take(2, OrphanAvoid, "0 1")
	take(2, OrphanStrict, "")
	take(3, OrphanStrict, "4 5 6")
	v.Release(seatsOf(4, 5, 6), 1)
	take(2, OrphanAvoid, "4 5") // step (b): no other way
}

func TestBest(t *testing.T) {
	scatter := func(n uint32) BestQuery { q := anything(n); q.Scatter = true; return q }
	with := func(q BestQuery, f func(*BestQuery)) BestQuery { f(&q); return q }
	two := draw(t, []string{".....", ".....", "....."})
	for _, c := range []struct {
		name     string
		p        *Plan
		taken    []UnitID
		q        BestQuery
		want     string
		adjacent bool
	}{
		{"front row, middle", two, nil, anything(1), "2", true},
		{"whole row", two, nil, anything(5), "0 1 2 3 4", true},
		{"more than a row", two, nil, anything(6), "", false},
		{"nothing asked", two, nil, anything(0), "", false},
		{"more than the bound", two, nil, anything(MaxQuantity + 1), "", false},
		{"unknown category", two, nil, BestQuery{Quantity: 1, Category: 9, AnySection: true}, "", false},
		{"four of five would leave one", two, []UnitID{5, 6, 7, 8, 9}, anything(4), "0 1 2 3", true},
		{"clean second row before orphan in the first", two, []UnitID{0, 1}, anything(2), "5 6", true},
		{"the same without policy", two, []UnitID{0, 1}, with(anything(2), func(q *BestQuery) { q.Orphans = OrphanIgnore }), "2 3", true},
		{"not over an aisle", draw(t, []string{"... ...", "......."}), nil, anything(4), "6 7 8 9", true},
		{"aisle is a wall for orphans", draw(t, []string{"... ..."}), nil, anything(2), "1 2", true},
		{"not over categories", draw(t, []string{"..::.."}), nil, anything(3), "", false},
		{"a category of its own", draw(t, []string{"..::.."}), nil, with(anything(2), func(q *BestQuery) { q.AnyCategory, q.Category = false, 1 }), "2 3", true},
		{"category before distance", draw(t, []string{"::::", "...."}), nil, anything(2), "4 5", true},
		{"price limit", draw(t, []string{"::::", "...."}), nil, with(anything(2), func(q *BestQuery) { q.MaxPrice = 3300 }), "0 1", true},
		{"price limit counts the fee", draw(t, []string{"::::", "...."}), nil, with(anything(2), func(q *BestQuery) { q.MaxPrice = 3299 }), "", false},
		{"section", draw(t, []string{"...."}, []string{"...."}), nil, with(anything(2), func(q *BestQuery) { q.AnySection, q.Section = false, 1 }), "4 5", true},
		{"each section has its own focal point", draw(t, []string{"....."}, []string{"......."}), []UnitID{2}, anything(1), "8", true},
		{"wheelchair places are not for others", draw(t, []string{"wc.cw"}), nil, anything(2), "", false},
		{"a restricted view is an ordinary seat", draw(t, []string{"r.."}), nil, anything(3), "0 1 2", true},

		{"area when no seats match", withArea(draw(t, []string{"..."}), 50), nil, anything(6), "3x6", true},
		{"seats before an area", withArea(draw(t, []string{"..."}), 50), nil, anything(3), "0 1 2", true},
		{"area of the category", withArea(draw(t, []string{"..."}), 50), nil, with(anything(2), func(q *BestQuery) { q.AnyCategory, q.Category = false, 2 }), "3x2", true},
		{"second area when the first is short", withArea(withArea(draw(t, []string{"..."}), 3), 9), nil, anything(4), "4x4", true},
		{"area too small", withArea(draw(t, []string{"..."}), 3), nil, anything(4), "", false},

		{"no split unless asked", two, nil, anything(6), "", false},
		{"split over two rows, as large as can be", two, nil, scatter(6), "0 1 2 3 6 7", false},
		{"three and two rather than four and one", draw(t, []string{"....", "....", "...."}), nil, scatter(5), "0 1 2 5 6", false},
		{"nobody alone", draw(t, []string{"...", "..."}), nil, scatter(4), "0 1 3 4", false},
		{"one alone when there is no other way", draw(t, []string{"...", "."}), nil, scatter(4), "0 1 2 3", false},
		{"never strict", two, nil, with(scatter(6), func(q *BestQuery) { q.Orphans = OrphanStrict }), "", false},
		{"split stays in one section", draw(t, []string{"...", ".:."}, []string{"..", ".."}), nil, scatter(4), "6 7 8 9", false},
		{"scattered over sections at last", draw(t, []string{"..", ":::"}, []string{".."}), nil, scatter(4), "0 1 5 6", false},
		{"scattered as pairs", draw(t, []string{"..."}, []string{".."}, []string{".."}), nil, scatter(4), "3 4 5 6", false},
		{"scattered singles", draw(t, []string{".:.:."}), nil, with(scatter(3), func(q *BestQuery) { q.AnyCategory = false }), "0 2 4", false},
	} {
		v := hall(t, c.p, c.taken...)
		before := v.AppendBinary(nil)
		lines, adjacent, ok := v.Best(nil, c.q)
		if got := unitsOf(lines); got != c.want || adjacent != c.adjacent || ok != (c.want != "") {
			t.Errorf("%s: got %q adjacent %v ok %v, want %q adjacent %v", c.name, got, adjacent, ok, c.want, c.adjacent)
		}
		if string(v.AppendBinary(nil)) != string(before) {
			t.Errorf("%s: asking changed the inventory", c.name)
		}
	}
}

func TestBestAccessible(t *testing.T) {
	ask := func(n, k uint32) BestQuery { q := anything(n); q.Accessible = k; return q }
	apart := func(n, k uint32) BestQuery { q := ask(n, k); q.Scatter = true; return q }
	for _, c := range []struct {
		name     string
		picture  []string
		taken    []UnitID
		q        BestQuery
		want     string
		adjacent bool
	}{
		{"alone", []string{"..wc.."}, nil, ask(1, 1), "2", true},
		{"with companion", []string{"..wc.."}, nil, ask(2, 1), "2 3", true},
		{"and a friend", []string{"...wc..."}, nil, ask(3, 1), "2 3 4", true},
		{"friend on the side that leaves nobody alone", []string{"...wc.."}, nil, ask(3, 1), "2 3 4", true},
		{"two chairs, two companions", []string{"cw..wc", ".wccw."}, nil, ask(4, 2), "7 8 9 10", true},
		{"not beyond their companions", []string{"cwc"}, nil, ask(3, 1), "", false},
		{"companion gone, ordinary neighbour", []string{".wc"}, []UnitID{2}, ask(2, 1), "0 1", true},
		{"no chair left", []string{"..wc"}, []UnitID{2}, ask(1, 1), "", false},
		{"more chairs than people", []string{"ww"}, nil, ask(1, 2), "", false},
		{"never over an aisle", []string{"w c"}, nil, ask(2, 1), "", false},
		{"rest near by", []string{"wc", "....", "...."}, nil, apart(4, 1), "0 1 2 3", false},
		{"chair and companion first, rest in parts", []string{"wc", ".:.", "..."}, nil, apart(5, 1), "0 1 5 6 7", false},
		{"chairs in two bays", []string{"wc", "wc"}, nil, apart(4, 2), "0 1 2 3", false},
		{"not without chairs", []string{"wc", "...."}, nil, apart(4, 2), "", false},
		{"never companions of others", []string{"wc", "cc"}, nil, apart(3, 1), "", false},
	} {
		v := hall(t, draw(t, c.picture), c.taken...)
		lines, adjacent, ok := v.Best(nil, c.q)
		if got := unitsOf(lines); got != c.want || adjacent != c.adjacent || ok != (c.want != "") {
			t.Errorf("%s: got %q adjacent %v ok %v, want %q adjacent %v", c.name, got, adjacent, ok, c.want, c.adjacent)
		}
	}
}

// Salt only chooses among windows that nothing else parts.
func TestSaltBreaksTies(t *testing.T) {
	v := NewInventory(draw(t, []string{"......."}))
	seen := map[string]bool{}
	for salt := range uint64(64) {
		q := anything(2)
		q.Salt = salt
		lines, _, _ := v.Best(nil, q)
		again, _, _ := v.Best(nil, q)
		if !slices.Equal(lines, again) {
			t.Fatalf("salt %d: %v, then %v", salt, lines, again)
		}
		seen[unitsOf(lines)] = true
	}
	if len(seen) != 2 || !seen["2 3"] || !seen["3 4"] {
		t.Errorf("salts chose %v, want the two windows around the middle", seen)
	}
}

// The whole house sells out in pairs, and what is left alone is only what had no other way.
func TestSellOutInPairs(t *testing.T) {
	p := draw(t, []string{".......", ".............", "......."}, []string{".......", "......."})
	v := NewInventory(p)
	q := anything(2)
	q.Orphans = OrphanStrict
	for order := uint32(1); ; order++ {
		lines, _, ok := v.Best(nil, q)
		if !ok {
			break
		}
		v.SellFree(lines, order)
	}
	for r, row := range p.Rows {
		runs, free := 0, 0
		for u := row.First; u < row.First+UnitID(row.Count); u++ {
			if v.Status(u) != Free {
				continue
			}
			free++
			if u == row.First || v.Status(u-1) != Free {
				runs++
			}
		}
		if free != 3*runs || row.Count == 7 && runs != 1 {
			t.Errorf("row %d: %d free seats in %d runs, want runs of three", r, free, runs)
		}
	}
	if err := v.Verify(); err != nil {
		t.Error(err)
	}
}
