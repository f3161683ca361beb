package hall

import (
	"cmp"
	"slices"

	"github.com/catraca/catraca/transport/wire"
)

// Wish is what somebody looks for on the map.
type Wish struct {
	Near     uint32  // unit at which, or as near to which as can be
	Quantity uint32  // places side by side
	Category *uint16 // nil: any
	Scatter  bool    // separate seats are better than none
}

// Choice is places by name. It is empty when nothing was found.
type Choice struct {
	Seats []uint32
	Areas []wire.AreaCount
}

// Places is how many it has.
func (c Choice) Places() uint32 {
	n := uint32(len(c.Seats)) //nolint:gosec // few
	for _, a := range c.Areas {
		n += a.Count
	}
	return n
}

// Choose finds the places that come nearest to a wish: seats side by side, rather such that no single seat is left beside
// them, or places of an area when one is wished for or there is nothing else.
func (m *Picture) Choose(w Wish) Choice {
	if w.Quantity == 0 {
		return Choice{}
	}
	if int64(w.Near) >= int64(len(m.status)) {
		if c := m.inArea(w); c.Places() > 0 {
			return c
		}
	}
	if first, ok := m.window(w); ok {
		var c Choice
		for i := range w.Quantity {
			c.Seats = append(c.Seats, first+i)
		}
		return c
	}
	if w.Scatter && w.Quantity > 1 {
		if c := m.scattered(w); c.Places() > 0 {
			return c
		}
	}
	return m.inArea(w)
}

// window finds the first of so many free seats side by side whose middle is nearest; those that leave no single seat go
// before those that do.
func (m *Picture) window(w Wish) (first uint32, ok bool) {
	n := int(w.Quantity)
	x, y := m.plan.spot(w.Near)
	bestClean := false
	var best int64
	for _, k := range m.plan.blocks {
		if k.end-k.first < n || w.Category != nil && m.plan.category[k.first] != *w.Category {
			continue
		}
		for lo := k.first; lo < k.end; {
			if m.status[lo] != free {
				lo++
				continue
			}
			hi := lo + 1
			for hi < k.end && m.status[hi] == free {
				hi++
			}
			for s := lo; s+n <= hi; s++ {
				clean := s-lo != 1 && hi-s-n != 1
				mid, other := s+(n-1)/2, s+n/2
				d := distance(m.plan.x[mid], m.plan.y[mid], x, y) + distance(m.plan.x[other], m.plan.y[other], x, y)
				if !ok || clean && !bestClean || clean == bestClean && d < best {
					first, best, bestClean, ok = uint32(s), d, clean, true //nolint:gosec // checked with the plan
				}
			}
			lo = hi
		}
	}
	return first, ok
}

// scattered takes the nearest free seats, wherever they are; none when there are not enough.
func (m *Picture) scattered(w Wish) Choice {
	x, y := m.plan.spot(w.Near)
	var all []uint32
	for _, u := range m.plan.list(w.Category) {
		if m.status[u] == free {
			all = append(all, u)
		}
	}
	if len(all) < int(w.Quantity) {
		return Choice{}
	}
	slices.SortFunc(all, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(distance(m.plan.x[a], m.plan.y[a], x, y), distance(m.plan.x[b], m.plan.y[b], x, y)), cmp.Compare(a, b))
	})
	return Choice{Seats: all[:w.Quantity]}
}

// inArea takes places of the area that is wished for, or of the one with most places left.
func (m *Picture) inArea(w Wish) Choice {
	most := -1
	for i, a := range m.plan.areas {
		if m.areas[i] < w.Quantity || w.Category != nil && a.category != *w.Category {
			continue
		}
		if a.unit == w.Near {
			most = i
			break
		}
		if most < 0 || m.areas[i] > m.areas[most] {
			most = i
		}
	}
	if most < 0 {
		return Choice{}
	}
	return Choice{Areas: []wire.AreaCount{{Unit: m.plan.areas[most].unit, Count: w.Quantity}}}
}
