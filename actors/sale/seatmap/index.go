package seatmap

import (
	"cmp"
	"slices"
)

// block is a maximal stretch of seats that can be sold side by side: one row, one category, no aisle inside, and
// either all ordinary or all kept for wheelchair users and their companions. Free runs never leave a block, so windows and
// orphans are questions about one block.
type block struct {
	first    UnitID
	row      uint32
	count    uint16
	category uint16
	section  uint16
	special  bool
}

// group is the ordinary blocks of one category in one section, blocks[lo:hi], front row first.
type group struct {
	category, section uint16
	lo, hi            uint32
}

// bounds is the box around the seats of a block.
type bounds struct{ minX, minY, maxX, maxY int32 }

// index is what can be derived from a plan once. It never changes.
type index struct {
	blocks  []block  // ordinary ones first, in group order
	bounds  []bounds // of blocks
	blockOf []uint32 // by seat
	groups  []group
	span    []span // by category: its groups
	areas   []span // by category: its areas in areaOrder
	order   []uint32
	wheels  []UnitID // wheelchair places, ascending
	sumX    []int64  // sumX[i] is the sum of X of the seats before i
	sumY    []int64
	pitch2  int64 // mean squared distance between neighbours over all blocks, for blocks of one seat
}

// span is a half-open range.
type span struct{ lo, hi uint32 }

const special = Accessible | Companion

func newIndex(p *Plan) *index {
	ix := &index{
		blockOf: make([]uint32, len(p.Seats)),
		sumX:    make([]int64, len(p.Seats)+1),
		sumY:    make([]int64, len(p.Seats)+1),
	}
	for i := range p.Seats {
		s := &p.Seats[i]
		ix.sumX[i+1] = ix.sumX[i] + int64(s.X)
		ix.sumY[i+1] = ix.sumY[i] + int64(s.Y)
		if s.Flags&Accessible != 0 {
			ix.wheels = append(ix.wheels, UnitID(i))
		}
	}
	ix.cut(p)
	ix.gather(len(p.Categories))
	ix.measure(p)
	ix.gatherAreas(p)
	return ix
}

// cut splits the rows into blocks and sorts them into group order.
func (ix *index) cut(p *Plan) {
	for r := range p.Rows {
		row := &p.Rows[r]
		end := row.First + UnitID(row.Count)
		for u := row.First; u < end; u++ {
			s := &p.Seats[u]
			if u > row.First && s.Flags&BreakBefore == 0 {
				b := &ix.blocks[len(ix.blocks)-1]
				if b.category == s.Category && b.special == (s.Flags&special != 0) {
					b.count++
					continue
				}
			}
			ix.blocks = append(ix.blocks, block{first: u, row: uint32(r), count: 1,
				category: s.Category, section: row.Section, special: s.Flags&special != 0})
		}
	}
	slices.SortFunc(ix.blocks, func(a, b block) int {
		if a.special != b.special {
			if a.special {
				return 1
			}
			return -1
		}
		return cmp.Or(
			cmp.Compare(a.category, b.category),
			cmp.Compare(a.section, b.section),
			cmp.Compare(p.Rows[a.row].Rank, p.Rows[b.row].Rank),
			cmp.Compare(a.first, b.first))
	})
	for i := range ix.blocks {
		b := &ix.blocks[i]
		for u := b.first; u < b.first+UnitID(b.count); u++ {
			ix.blockOf[u] = uint32(i)
		}
	}
}

// gather finds the groups and the groups of each category.
func (ix *index) gather(categories int) {
	for i := range ix.blocks {
		b := &ix.blocks[i]
		if b.special {
			break
		}
		if n := len(ix.groups); n > 0 && ix.groups[n-1].category == b.category && ix.groups[n-1].section == b.section {
			ix.groups[n-1].hi++
			continue
		}
		ix.groups = append(ix.groups, group{b.category, b.section, uint32(i), uint32(i) + 1})
	}
	ix.span = make([]span, categories)
	g := uint32(0)
	for c := range ix.span {
		ix.span[c].lo = g
		for int(g) < len(ix.groups) && int(ix.groups[g].category) == c {
			g++
		}
		ix.span[c].hi = g
	}
}

// measure finds the box of every block and the mean pitch.
func (ix *index) measure(p *Plan) {
	ix.bounds = make([]bounds, len(ix.blocks))
	var sum, n int64
	for i := range ix.blocks {
		b := &ix.blocks[i]
		s := p.Seats[b.first : b.first+UnitID(b.count)]
		box := bounds{s[0].X, s[0].Y, s[0].X, s[0].Y}
		for j := range s {
			box.minX, box.maxX = min(box.minX, s[j].X), max(box.maxX, s[j].X)
			box.minY, box.maxY = min(box.minY, s[j].Y), max(box.maxY, s[j].Y)
		}
		ix.bounds[i] = box
		if p2 := blockPitch2(p, b); p2 > 0 {
			// Bounded: at most MaxSeats terms, each shifted far below 2^63 / MaxSeats.
			sum, n = sum+p2>>8, n+1
		}
	}
	ix.pitch2 = 1
	if n > 0 {
		ix.pitch2 = max(1, sum/n<<8)
	}
}

// blockPitch2 is the squared mean distance between neighbours of a block, 0 for a block of one seat.
func blockPitch2(p *Plan, b *block) int64 {
	if b.count < 2 {
		return 0
	}
	f, l := &p.Seats[b.first], &p.Seats[b.first+UnitID(b.count)-1]
	dx, dy, n := int64(l.X)-int64(f.X), int64(l.Y)-int64(f.Y), int64(b.count)-1
	return (dx*dx + dy*dy) / (n * n)
}

// gatherAreas lists the areas by category, in plan order inside one.
func (ix *index) gatherAreas(p *Plan) {
	ix.areas = make([]span, len(p.Categories))
	ix.order = make([]uint32, len(p.Areas))
	for i := range ix.order {
		ix.order[i] = uint32(i)
	}
	slices.SortStableFunc(ix.order, func(a, b uint32) int {
		return cmp.Compare(p.Areas[a].Category, p.Areas[b].Category)
	})
	i := uint32(0)
	for c := range ix.areas {
		ix.areas[c].lo = i
		for int(i) < len(ix.order) && int(p.Areas[ix.order[i]].Category) == c {
			i++
		}
		ix.areas[c].hi = i
	}
}
