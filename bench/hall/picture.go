package hall

import (
	"fmt"
	"slices"

	"github.com/catraca/catraca/transport/wire"
)

// free is the letter of a unit that can be had.
const free = 'f'

// States is what the server says of all units, or of those that have changed.
type States struct {
	Version uint64           `json:"version"`
	Status  string           `json:"status"`
	Changes []wire.UnitState `json:"changes"`
	Areas   []struct {
		Unit uint32 `json:"unit"`
		Free uint32 `json:"free"`
	} `json:"areas"`
}

// Picture is what one fan knows of the units. It belongs to one goroutine.
type Picture struct {
	plan    *Plan
	version uint64
	status  []byte   // a letter for each seat
	areas   []uint32 // free places
	stale   bool
}

// Picture returns one on which nothing is known to be free yet.
func (p *Plan) Picture() *Picture {
	return &Picture{plan: p, status: slices.Repeat([]byte{'?'}, len(p.x)), areas: make([]uint32, len(p.areas)), stale: true}
}

// Version of what is known; 0: nothing, or not enough to be told changes alone.
func (m *Picture) Version() uint64 {
	if m.stale {
		return 0
	}
	return m.version
}

// Stale says whether the map has to be asked for as a whole.
func (m *Picture) Stale() bool { return m.stale }

// Set takes over what the server said when it was asked.
func (m *Picture) Set(s States) error {
	if s.Status != "" || s.Changes == nil {
		if len(s.Status) != len(m.status) {
			return fmt.Errorf("the map has %d seats, the plan %d", len(s.Status), len(m.status))
		}
		copy(m.status, s.Status)
	}
	m.change(s.Changes)
	for _, a := range s.Areas {
		m.area(a.Unit, a.Free)
	}
	m.version, m.stale = s.Version, false
	return nil
}

// Apply takes over what the server told by itself. What is older than what is known is passed over.
func (m *Picture) Apply(s *wire.StockDown) {
	switch {
	case s.Reset:
		m.stale = true
	case s.Version > m.version && !m.stale:
		m.change(s.Changes)
		for _, a := range s.Areas {
			m.area(a[0], a[1])
		}
		m.version = s.Version
	}
}

func (m *Picture) change(list []wire.UnitState) {
	for _, c := range list {
		if int64(c.Unit) < int64(len(m.status)) {
			m.status[c.Unit] = c.Letter
		}
	}
}

func (m *Picture) area(unit, left uint32) {
	if i := int64(unit) - int64(len(m.status)); i >= 0 && i < int64(len(m.areas)) {
		m.areas[i] = left
	}
}

// Gone takes down that units cannot be had, as a conflict says.
func (m *Picture) Gone(units []uint32) {
	for _, u := range units {
		if int64(u) < int64(len(m.status)) {
			m.status[u] = 'h'
		} else {
			m.area(u, 0)
		}
	}
}
