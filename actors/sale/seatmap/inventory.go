package seatmap

import "github.com/catraca/catraca/actors/sale/slab"

// Status is the state of a seat.
type Status uint8

const (
	Free Status = iota
	Held
	Sold
	Blocked
)

// Count adds up places. Free + Held + Sold + Blocked = Capacity.
type Count struct{ Capacity, Free, Held, Sold, Blocked uint32 }

// tally counts places by Status.
type tally [4]uint32

func (t *tally) count() Count {
	return Count{t[Free] + t[Held] + t[Sold] + t[Blocked], t[Free], t[Held], t[Sold], t[Blocked]}
}

// Inventory is who has which place of one event. Everything is a flat slab indexed by unit. It belongs to one goroutine,
// its reading methods too.
type Inventory struct {
	plan   *Plan
	ix     *index
	seats  int
	status []Status          // by seat, in one piece for the searches
	owner  slab.Slab[uint32] // by seat: the hold or the order, 0 if there is none
	areas  []tally           // by area

	total      tally
	categories []tally
	ordinary   []uint32 // by category: free seats that are not kept for wheelchair users

	cache windows
	mark  []uint32 // by unit: == epoch when seen by the running call
	epoch uint32
}

// NewInventory is an inventory of p with every place free. p must be valid and must not change any more.
func NewInventory(p *Plan) *Inventory {
	v := &Inventory{
		plan:       p,
		ix:         newIndex(p),
		seats:      len(p.Seats),
		status:     make([]Status, len(p.Seats)),
		owner:      slab.Make[uint32](1),
		areas:      make([]tally, len(p.Areas)),
		categories: make([]tally, len(p.Categories)),
		ordinary:   make([]uint32, len(p.Categories)),
		mark:       make([]uint32, p.Units()),
	}
	for range p.Seats {
		v.owner.Append(0)
	}
	v.cache.init(len(v.ix.blocks))
	for i := range p.Areas {
		v.areas[i][Free] = p.Areas[i].Capacity
	}
	v.recount()
	return v
}

// Plan is the plan the inventory was made of. It must not be changed.
func (v *Inventory) Plan() *Plan { return v.plan }

// Status is the state of a seat. An area is Free while it has places left, otherwise Sold, Held or
// Blocked, whichever it has most of. An unknown unit is Blocked.
func (v *Inventory) Status(u UnitID) Status {
	if int(u) < v.seats {
		return v.status[u]
	}
	if !v.plan.IsArea(u) {
		return Blocked
	}
	a := v.areas[int(u)-v.seats]
	switch {
	case a[Free] > 0:
		return Free
	case a[Sold] >= a[Held] && a[Sold] >= a[Blocked]:
		return Sold
	case a[Held] >= a[Blocked]:
		return Held
	}
	return Blocked
}

// FreeIn is the number of places of u that can be had: 0 or 1 for a seat, what is left of an area.
func (v *Inventory) FreeIn(u UnitID) uint32 {
	if int(u) < v.seats {
		if v.status[u] == Free {
			return 1
		}
		return 0
	}
	if !v.plan.IsArea(u) {
		return 0
	}
	return v.areas[int(u)-v.seats][Free]
}

// Owner is the hold (while Held) or order (while Sold) of a seat, 0 if it has none. Areas keep only
// counts, so their owner is 0.
func (v *Inventory) Owner(u UnitID) uint32 {
	if int(u) < v.seats {
		return v.owner.Get(int(u))
	}
	return 0
}

// AreaCount adds up the places of one area, the zero Count if u is not an area.
func (v *Inventory) AreaCount(u UnitID) Count {
	if !v.plan.IsArea(u) {
		return Count{}
	}
	return v.areas[int(u)-v.seats].count()
}

// Totals adds up all places.
func (v *Inventory) Totals() Count { return v.total.count() }

// Category adds up the places of category i, the zero Count if there is none.
func (v *Inventory) Category(i uint16) Count {
	if int(i) >= len(v.categories) {
		return Count{}
	}
	return v.categories[i].count()
}

// Conflicts appends to dst every unit of lines that cannot be had: a seat that is not free, an area with too
// few places left, a unit that does not exist.
func (v *Inventory) Conflicts(dst []UnitID, lines []Line) []UnitID {
	for _, l := range lines {
		if free := v.FreeIn(l.Unit); free == 0 || free < l.Count {
			dst = append(dst, l.Unit)
		}
	}
	return dst
}

// ValidLines tells whether lines name known units, none twice, with count 1 for a seat and at least 1 for an area.
func (v *Inventory) ValidLines(lines []Line) bool {
	if len(lines) <= fewLines {
		return v.validFew(lines)
	}
	v.nextEpoch()
	for _, l := range lines {
		if int(l.Unit) >= len(v.mark) || v.mark[l.Unit] == v.epoch || l.Count == 0 {
			return false
		}
		if int(l.Unit) < v.seats && l.Count != 1 {
			return false
		}
		v.mark[l.Unit] = v.epoch
	}
	return true
}

// fewLines can be compared with each other sooner than the marks are fetched.
const fewLines = 8

func (v *Inventory) validFew(lines []Line) bool {
	for i, l := range lines {
		if int(l.Unit) >= len(v.mark) || l.Count == 0 || int(l.Unit) < v.seats && l.Count != 1 {
			return false
		}
		for _, before := range lines[:i] {
			if before.Unit == l.Unit {
				return false
			}
		}
	}
	return true
}

// CategoryOf is the price category of a known unit.
func (v *Inventory) CategoryOf(u UnitID) uint16 {
	if int(u) < v.seats {
		return v.ix.blocks[v.ix.blockOf[u]].category
	}
	return v.plan.CategoryOf(u)
}

// nextEpoch makes every mark old.
func (v *Inventory) nextEpoch() {
	v.epoch++
	if v.epoch == 0 {
		clear(v.mark)
		v.epoch = 1
	}
}

// Foresee fetches what moving a seat needs. It changes nothing; what it returns means nothing.
func (v *Inventory) Foresee(u UnitID) uint64 {
	if int(u) >= v.seats {
		return 0
	}
	b := v.ix.blockOf[u]
	return uint64(v.status[u]) ^ uint64(v.owner.Get(int(u))) ^ uint64(v.ix.blocks[b].first) ^ uint64(v.cache.fresh[b])
}
