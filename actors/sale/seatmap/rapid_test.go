package seatmap

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// anyPlan draws small plans full of walls, categories, wheelchair bays and ties.
func anyPlan(t *rapid.T) *Plan {
	p := &Plan{Name: "any", Width: 5000, Height: 5000, Categories: []Category{
		{"0", "Near", "#aa0000", 5000, 500}, {"1", "Far", "#00aa00", 3000, 300}, {"2", "Floor", "#0000aa", 2000, 200}}}
	at := rapid.Int32Range(0, 12)
	for s := range rapid.IntRange(1, 3).Draw(t, "sections") {
		p.Sections = append(p.Sections, Section{FocalX: at.Draw(t, "fx") * 100, FocalY: at.Draw(t, "fy") * 100})
		for r := range rapid.IntRange(1, 4).Draw(t, "rows") {
			row := Row{Section: uint16(s), First: UnitID(len(p.Seats)), Count: uint16(rapid.IntRange(1, 10).Draw(t, "width")),
				Rank: uint16(rapid.IntRange(0, r).Draw(t, "rank"))}
			c := uint16(0)
			for i := range int(row.Count) {
				x := Seat{Key: string([]byte{'s', byte('a' + s), byte('a' + r), byte('a' + i)}), X: int32(i) * 100, Y: at.Draw(t, "y") / 6 * 100, Row: uint32(len(p.Rows))}
				switch rapid.IntRange(0, 15).Draw(t, "kind") {
				case 0:
					x.Flags = Accessible
				case 1:
					x.Flags = Companion
				case 2:
					x.Flags = RestrictedView
				case 3:
					x.Flags = BreakBefore
				case 4:
					c = 1 - c
				}
				x.Category = c
				p.Seats = append(p.Seats, x)
			}
			p.Rows = append(p.Rows, row)
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "areas") {
		p.Areas = append(p.Areas, Area{Key: string([]byte{'a', byte('0' + i)}), Category: uint16(rapid.IntRange(1, 2).Draw(t, "category")),
			Capacity: uint32(rapid.IntRange(1, 9).Draw(t, "capacity"))})
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return p
}

func anyQuery(t *rapid.T, p *Plan) BestQuery {
	q := BestQuery{
		Quantity:    uint32(rapid.IntRange(1, 7).Draw(t, "quantity")),
		Category:    uint16(rapid.IntRange(0, len(p.Categories)-1).Draw(t, "category")),
		AnyCategory: rapid.Bool().Draw(t, "any category"),
		Section:     uint16(rapid.IntRange(0, len(p.Sections)-1).Draw(t, "section")),
		AnySection:  rapid.Bool().Draw(t, "any section"),
		MaxPrice:    rapid.SampledFrom([]int64{0, 0, 5500, 3300, 100}).Draw(t, "max price"),
		Scatter:     rapid.Bool().Draw(t, "scatter"),
		Salt:        rapid.SampledFrom([]uint64{0, 0, 1, 99}).Draw(t, "salt"),
		Orphans:     rapid.SampledFrom([]OrphanPolicy{OrphanAvoid, OrphanAvoid, OrphanStrict, OrphanIgnore}).Draw(t, "policy"),
	}
	if rapid.IntRange(0, 3).Draw(t, "wheels") == 0 {
		q.Accessible = uint32(rapid.IntRange(1, min(2, int(q.Quantity))).Draw(t, "accessible"))
	}
	return q
}

// machine drives an inventory and the naive one side by side.
type machine struct {
	v     *Inventory
	m     *naive
	held  map[uint32][]Line
	sold  map[uint32][]Line
	next  uint32
	block []UnitID
}

func (x *machine) take(t *rapid.T, lines []Line) {
	if len(lines) == 0 {
		return
	}
	x.next++
	if rapid.IntRange(0, 4).Draw(t, "straight") == 0 {
		x.v.SellFree(lines, x.next)
		x.m.move(lines, Sold, x.next)
		x.areas(lines, Free, Sold)
		x.sold[x.next] = lines
		return
	}
	x.v.Hold(lines, x.next)
	x.m.move(lines, Held, x.next)
	x.areas(lines, Free, Held)
	x.held[x.next] = lines
}

func (x *machine) areas(lines []Line, from, to Status) {
	for _, l := range lines {
		if i := int(l.Unit) - len(x.m.p.Seats); i >= 0 {
			x.m.areas[i][from] -= l.Count
			x.m.areas[i][to] += l.Count
		}
	}
}

func anyKey(t *rapid.T, of map[uint32][]Line) uint32 {
	keys := make([]uint32, 0, len(of))
	for k := range of {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return rapid.SampledFrom(keys).Draw(t, "owner")
}

func (x *machine) step(t *rapid.T) {
	p := x.m.p
	switch rapid.IntRange(0, 9).Draw(t, "step") {
	case 0, 1, 2, 3:
		q := anyQuery(t, p)
		lines, adjacent, ok := x.v.Best(nil, q)
		x.checkBest(t, q, lines, adjacent, ok)
		if rapid.Bool().Draw(t, "take") {
			x.take(t, lines)
		}
	case 4, 5:
		lines := x.anyLines(t)
		x.checkOrphans(t, lines)
		x.take(t, lines)
	case 6:
		if len(x.held) > 0 {
			h := anyKey(t, x.held)
			x.v.Release(x.held[h], h)
			x.m.move(x.held[h], Free, 0)
			x.areas(x.held[h], Held, Free)
			delete(x.held, h)
		}
	case 7:
		if len(x.held) > 0 {
			h := anyKey(t, x.held)
			x.next++
			x.v.Sell(x.held[h], h, x.next)
			x.m.move(x.held[h], Sold, x.next)
			x.areas(x.held[h], Held, Sold)
			x.sold[x.next] = x.held[h]
			delete(x.held, h)
		}
	case 8:
		if len(x.sold) > 0 {
			o := anyKey(t, x.sold)
			x.v.Unsell(x.sold[o], o)
			x.m.move(x.sold[o], Free, 0)
			x.areas(x.sold[o], Sold, Free)
			delete(x.sold, o)
		}
	case 9:
		x.toggleBlock(t)
	}
}

func (x *machine) toggleBlock(t *rapid.T) {
	u := UnitID(rapid.IntRange(0, x.m.p.Units()-1).Draw(t, "unit"))
	if i := slices.Index(x.block, u); i >= 0 {
		x.v.Unblock(u, 1)
		x.block = slices.Delete(x.block, i, i+1)
		x.m.move([]Line{{u, 1}}, Free, 0)
		x.areas([]Line{{u, 1}}, Blocked, Free)
		return
	}
	if x.v.FreeIn(u) > 0 {
		x.v.Block(u, 1)
		x.block = append(x.block, u)
		x.m.move([]Line{{u, 1}}, Blocked, 0)
		x.areas([]Line{{u, 1}}, Free, Blocked)
	}
}

// anyLines draws a few free units, seats often near each other.
func (x *machine) anyLines(t *rapid.T) (lines []Line) {
	p := x.m.p
	at := rapid.IntRange(0, p.Units()-1).Draw(t, "at")
	for range rapid.IntRange(1, 5).Draw(t, "picks") {
		u := UnitID((at + rapid.IntRange(0, 6).Draw(t, "off")) % p.Units())
		if x.v.FreeIn(u) == 0 || slices.ContainsFunc(lines, func(l Line) bool { return l.Unit == u }) {
			continue
		}
		l := Line{u, 1}
		if p.IsArea(u) {
			l.Count = uint32(rapid.IntRange(1, int(x.v.FreeIn(u))).Draw(t, "count"))
		}
		lines = append(lines, l)
	}
	return lines
}

func (x *machine) checkBest(t *rapid.T, q BestQuery, lines []Line, adjacent, ok bool) {
	if !ok && len(lines) > 0 {
		t.Fatalf("refused %+v with lines %v", q, lines)
	}
	if ok {
		x.checkSound(t, q, lines)
	}
	u, want, found := x.m.adjacent(q)
	if found {
		if !ok || !adjacent || len(lines) == 0 || int(q.Quantity) != len(lines) {
			t.Fatalf("%+v: got %v %v %v, want %d seats from %d", q, lines, adjacent, ok, q.Quantity, u)
		}
		got := x.m.weigh(int(lines[0].Unit), len(lines))
		copy(got[:2], want[:2])
		if q.Salt != 0 && q.Accessible == 0 {
			got[5], want[5] = 0, 0
		}
		if got != want {
			t.Fatalf("%+v: got %v scoring %v, want from %d scoring %v", q, lines, got, u, want)
		}
		return
	}
	if q.Accessible > 0 {
		if ok && (adjacent || !q.Scatter) {
			t.Fatalf("%+v: got %v side by side, there are none", q, lines)
		}
		return
	}
	if a, room := x.m.area(q); room {
		if !ok || !adjacent || !slices.Equal(lines, []Line{{a, q.Quantity}}) {
			t.Fatalf("%+v: got %v %v %v, want area %d", q, lines, adjacent, ok, a)
		}
		return
	}
	wantOK := false
	for c := range x.m.p.Categories {
		wantOK = wantOK || q.Scatter && q.Orphans != OrphanStrict && x.m.ordinaryFree(uint16(c), q) >= q.Quantity
	}
	if ok != wantOK || ok && adjacent {
		t.Fatalf("%+v: got %v %v %v, want ok %v apart", q, lines, adjacent, ok, wantOK)
	}
}

// checkSound checks what must hold of any answer.
func (x *machine) checkSound(t *rapid.T, q BestQuery, lines []Line) {
	if !x.v.ValidLines(lines) || len(x.v.Conflicts(nil, lines)) > 0 {
		t.Fatalf("%+v: %v cannot be had", q, lines)
	}
	if !slices.IsSortedFunc(lines, func(a, b Line) int { return int(a.Unit) - int(b.Unit) }) {
		t.Fatalf("%+v: %v is not in order", q, lines)
	}
	p := x.m.p
	places, wheels, companions := uint32(0), uint32(0), uint32(0)
	for _, l := range lines {
		places += l.Count
		if !x.m.wants(p.CategoryOf(l.Unit), q) || p.CategoryOf(l.Unit) != p.CategoryOf(lines[0].Unit) {
			t.Fatalf("%+v: unit %d is of category %d", q, l.Unit, p.CategoryOf(l.Unit))
		}
		if !q.AnySection && p.SectionOf(l.Unit) != q.Section {
			t.Fatalf("%+v: unit %d is in section %d", q, l.Unit, p.SectionOf(l.Unit))
		}
		if p.IsArea(l.Unit) {
			continue
		}
		if p.Seats[l.Unit].Flags&Accessible != 0 {
			wheels++
		}
		if p.Seats[l.Unit].Flags&Companion != 0 {
			companions++
		}
	}
	if places != q.Quantity || wheels != q.Accessible || companions > q.Accessible {
		t.Fatalf("%+v: %v has %d places, %d wheelchairs, %d companions", q, lines, places, wheels, companions)
	}
}

func (x *machine) checkOrphans(t *rapid.T, lines []Line) {
	created := x.m.orphans(lines)
	if s, bad := x.v.Orphans(nil, lines, OrphanIgnore); bad || s != nil {
		t.Fatalf("%v: ignored policy says %v %v", lines, s, bad)
	}
	if _, bad := x.v.Orphans(nil, lines, OrphanStrict); bad != (created > 0) {
		t.Fatalf("%v: strict says %v, it creates %d orphans", lines, bad, created)
	}
	suggest, bad := x.v.Orphans(nil, lines, OrphanAvoid)
	if bad && created == 0 {
		t.Fatalf("%v: refused without an orphan", lines)
	}
	if !bad && len(suggest) > 0 || bad && len(suggest) != len(lines) {
		t.Fatalf("%v: bad %v, suggests %v", lines, bad, suggest)
	}
	if bad && (!x.v.ValidLines(suggest) || len(x.v.Conflicts(nil, suggest)) > 0 || x.m.orphans(suggest) >= created) {
		t.Fatalf("%v: suggests %v, which is no better", lines, suggest)
	}
}

func (x *machine) checkCounts(t *rapid.T) {
	if err := x.v.Verify(); err != nil {
		t.Fatal(err)
	}
	var total Count
	for c := range x.m.p.Categories {
		want := x.m.count(uint16(c))
		if got := x.v.Category(uint16(c)); got != want {
			t.Fatalf("category %d counts %+v, want %+v", c, got, want)
		}
		total.Capacity += want.Capacity
		total.Free += want.Free
		total.Held += want.Held
		total.Sold += want.Sold
		total.Blocked += want.Blocked
	}
	if got := x.v.Totals(); got != total || got.Capacity != x.m.p.Capacity() {
		t.Fatalf("total counts %+v, want %+v", got, total)
	}
	for u := range x.m.status {
		if x.v.Status(UnitID(u)) != x.m.status[u] || x.v.Owner(UnitID(u)) != x.m.owner[u] {
			t.Fatalf("seat %d: %d of %d, want %d of %d", u, x.v.Status(UnitID(u)), x.v.Owner(UnitID(u)), x.m.status[u], x.m.owner[u])
		}
	}
}

func TestAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan(t)
		x := &machine{v: NewInventory(p), m: newNaive(p), held: map[uint32][]Line{}, sold: map[uint32][]Line{}}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			x.step(t)
			x.checkCounts(t)
		}
		state := x.v.AppendBinary(nil)
		w := NewInventory(p)
		if n, err := w.Restore(append(slices.Clone(state), 0xff)); err != nil || n != len(state) {
			t.Fatalf("restore read %d of %d: %v", n, len(state), err)
		}
		if !bytes.Equal(w.AppendBinary(nil), state) {
			t.Fatal("the restored state writes other bytes")
		}
		x.v = w
		x.checkCounts(t)
		q := anyQuery(t, p)
		lines, adjacent, ok := w.Best(nil, q)
		x.checkBest(t, q, lines, adjacent, ok)
	})
}

func TestPlanBytesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan(t)
		b := p.AppendBinary([]byte("head"))[4:]
		got, n, err := DecodePlan(append(slices.Clone(b), "tail"...))
		if err != nil || n != len(b) {
			t.Fatalf("read %d of %d: %v", n, len(b), err)
		}
		if !bytes.Equal(got.AppendBinary(nil), b) {
			t.Fatal("decoded plan writes other bytes")
		}
		for i := range p.Seats {
			if got.Seats[i] != p.Seats[i] {
				t.Fatalf("seat %d: %+v, want %+v", i, got.Seats[i], p.Seats[i])
			}
		}
		if !slices.Equal(got.Rows, p.Rows) || !slices.Equal(got.Sections, p.Sections) || !slices.Equal(got.Categories, p.Categories) {
			t.Fatal("decoded plan differs")
		}
	})
}
