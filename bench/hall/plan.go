package hall

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// maxUnits bounds the plan that is read, maxReach its coordinates, so that squares of distances fit.
const (
	maxUnits = 200_000
	maxReach = 1 << 30
)

// Flags of a seat, as the plan has them.
const (
	flagAccessible  = 1
	flagCompanion   = 2
	flagBreakBefore = 8
)

// Plan is the geometry. It never changes, and all fans share it.
type Plan struct {
	x, y     []int32 // by seat
	category []uint16
	blocks   []block
	areas    []area
	places   uint64 // of everything

	wanted     []uint32            // ordinary seats, the most wanted first
	byCategory map[uint16][]uint32 // the same of one category
}

// block is neighbouring seats of one row and category, first:end, without an aisle between them.
type block struct{ first, end int }

type area struct {
	unit     uint32
	category uint16
	capacity uint32
	x, y     int32
}

// planJSON is what the server sends, as far as a fan needs it.
type planJSON struct {
	Sections []struct {
		Focal [2]int32 `json:"focal"`
	} `json:"sections"`
	Rows []struct {
		Section int `json:"section"`
		First   int `json:"first"`
		Count   int `json:"count"`
	} `json:"rows"`
	Seats struct {
		X        []int32  `json:"x"`
		Y        []int32  `json:"y"`
		Category []uint16 `json:"category"`
		Flags    []uint16 `json:"flags"`
	} `json:"seats"`
	Areas []struct {
		Unit     uint32 `json:"unit"`
		Category uint16 `json:"category"`
		Capacity uint32 `json:"capacity"`
		X        int32  `json:"x"`
		Y        int32  `json:"y"`
	} `json:"areas"`
}

// Decode reads a plan as the server sends it.
func Decode(b []byte) (*Plan, error) {
	var in planJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	if err := in.check(); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	p := &Plan{x: in.Seats.X, y: in.Seats.Y, category: in.Seats.Category, byCategory: make(map[uint16][]uint32), places: uint64(len(in.Seats.X))}
	for _, a := range in.Areas {
		p.areas = append(p.areas, area{a.Unit, a.Category, a.Capacity, a.X, a.Y})
		p.places += uint64(a.Capacity)
	}
	far := make([]int64, len(p.x)) // from what the seats look at
	for _, r := range in.Rows {
		focal := in.Sections[r.Section].Focal
		p.cut(r.First, r.First+r.Count, in.Seats.Flags)
		for u := r.First; u < r.First+r.Count; u++ {
			far[u] = distance(p.x[u], p.y[u], focal[0], focal[1])
		}
	}
	for _, k := range p.blocks {
		for u := k.first; u < k.end; u++ {
			p.wanted = append(p.wanted, uint32(u)) //nolint:gosec // checked
		}
	}
	slices.SortFunc(p.wanted, func(a, b uint32) int { return cmp.Or(cmp.Compare(far[a], far[b]), cmp.Compare(a, b)) })
	for _, u := range p.wanted {
		p.byCategory[p.category[u]] = append(p.byCategory[p.category[u]], u)
	}
	return p, nil
}

// check makes sure that everything that is looked up later is there.
func (in *planJSON) check() error {
	s := &in.Seats
	n := len(s.X)
	if len(s.Y) != n || len(s.Category) != n || len(s.Flags) != n {
		return errors.New("its columns of seats are not equally long")
	}
	if n+len(in.Areas) > maxUnits {
		return fmt.Errorf("%d units, at most %d", n+len(in.Areas), maxUnits)
	}
	for i, v := range slices.Concat(s.X, s.Y) {
		if v > maxReach || v < -maxReach {
			return fmt.Errorf("coordinate %d of the seats is %d", i, v)
		}
	}
	next := 0
	for i, r := range in.Rows {
		if r.First != next || r.Count < 0 || r.Count > n-next || r.Section < 0 || r.Section >= len(in.Sections) {
			return fmt.Errorf("row %d has seats %d to %d of %d, in section %d of %d", i, r.First, r.First+r.Count, n, r.Section, len(in.Sections))
		}
		next += r.Count
	}
	if next != n {
		return fmt.Errorf("%d seats, and the rows have %d", n, next)
	}
	for i, a := range in.Areas {
		if int(a.Unit) != n+i {
			return fmt.Errorf("area %d has unit %d, want %d", i, a.Unit, n+i)
		}
	}
	return nil
}

// cut divides the ordinary seats of a row into blocks.
func (p *Plan) cut(first, end int, flags []uint16) {
	open := false
	for u := first; u < end; u++ {
		switch {
		case flags[u]&(flagAccessible|flagCompanion) != 0: // not for this fan
			open = false
		case open && flags[u]&flagBreakBefore == 0 && p.category[u] == p.category[u-1]:
			p.blocks[len(p.blocks)-1].end++
		default:
			p.blocks = append(p.blocks, block{u, u + 1})
			open = true
		}
	}
}

// Seats is how many numbered seats there are; the units from there on are areas.
func (p *Plan) Seats() int { return len(p.x) }

// Wanted is the seat that everybody would like most, of a category or of all; false: there is no numbered seat.
func (p *Plan) Wanted(category *uint16) (uint32, bool) {
	if list := p.list(category); len(list) > 0 {
		return list[0], true
	}
	return 0, false
}

func (p *Plan) list(category *uint16) []uint32 {
	if category != nil {
		return p.byCategory[*category]
	}
	return p.wanted
}

// Favourite draws the unit that one fan would like most: the nearer to what there is to see, the more want it, so that
// the front quarter has half of the wishes. Areas are wished for as their places are among all. False: there is nothing of
// that category.
func (p *Plan) Favourite(random *rand.Rand, category *uint16) (uint32, bool) {
	seats := p.list(category)
	sum := uint64(len(seats))
	for _, a := range p.areas {
		if category == nil || a.category == *category {
			sum += uint64(a.capacity)
		}
	}
	if sum == 0 {
		return 0, false
	}
	at := random.Uint64N(sum)
	if at < uint64(len(seats)) {
		f := random.Float64()
		return seats[int(f*f*float64(len(seats)))], true
	}
	at -= uint64(len(seats))
	for _, a := range p.areas {
		if category != nil && a.category != *category {
			continue
		}
		if at < uint64(a.capacity) {
			return a.unit, true
		}
		at -= uint64(a.capacity)
	}
	return 0, false
}

// spot is where a unit is.
func (p *Plan) spot(unit uint32) (x, y int32) {
	switch n := len(p.x); {
	case int(unit) < n:
		return p.x[unit], p.y[unit]
	case int(unit) < n+len(p.areas):
		a := p.areas[int(unit)-n]
		return a.x, a.y
	}
	return 0, 0
}

// distance is squared.
func distance(x, y, ox, oy int32) int64 {
	dx, dy := int64(x)-int64(ox), int64(y)-int64(oy)
	return dx*dx + dy*dy
}
