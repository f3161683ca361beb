package gateway

import (
	"github.com/catraca/catraca/actors/gateway/forecast"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// Fan is one live connection. The gateway calls it from its workers' goroutines.
type Fan interface {
	// Push hands a frame over and returns at once. Of places and ticks only the newest has to arrive.
	Push(Frame)
	// Close ends the connection; the place in the queue stays.
	Close(Reason)
}

// Frame is one of PlaceFrame, *TickFrame, *StockFrame, HoldChanged, OrderChanged.
type Frame interface{ frame() }

// Place is a fan's place as it is shown.
type Place struct {
	Event    sale.EventID
	Number   queue.Place
	State    queue.State
	Ahead    uint32
	Deadline int64 // of an offer, a lease or the grace of a parked place; 0: none
	Cap      int64 // the lease cannot be longer; 0: none
	ETA      ETA
	Chance   forecast.Chance
	Phase    sale.Phase
	Waiting  uint32
	Now      int64
}

// ETA is the estimated wait as a range of milliseconds, rounded for people.
type ETA struct {
	Known  bool
	Beyond bool // the upper end is "more than an hour"
	Lo, Hi int64
	Why    forecast.Why // why it is longer than before
}

// PlaceFrame tells a fan its place.
type PlaceFrame struct{ Place Place }

// TickFrame tells every fan of an event how the sale goes. It is built once for all.
type TickFrame struct {
	Event       sale.EventID
	Front       queue.Place // the place the line has come to
	Waiting     uint32
	Shopping    uint32
	Rate        uint32 // admissions a minute
	Phase       sale.Phase
	Stock       []seatmap.Count // by category
	Message     string
	PauseReason string
	Now         int64
	Config      *sale.Config
}

// StockFrame tells the fans who shop which units changed. It is built once for all.
type StockFrame struct {
	Event   sale.EventID
	Version uint64
	Units   []sale.UnitID
	Status  []sale.UnitStatus
	Areas   []AreaFree
}

// AreaFree is the number of free places of a general-admission area.
type AreaFree struct {
	Unit sale.UnitID
	Free uint32
}

// HoldChanged tells a fan that its hold changed; Gone when it is no more. Index is that of the entry it happened in.
type HoldChanged struct {
	Hold  sale.HoldID
	Gone  bool
	Index uint64
}

// OrderChanged tells a fan that its order changed.
type OrderChanged struct{ Order sale.OrderID }

func (PlaceFrame) frame()   {}
func (*TickFrame) frame()   {}
func (*StockFrame) frame()  {}
func (HoldChanged) frame()  {}
func (OrderChanged) frame() {}

// Reason a connection is ended for.
type Reason uint8

const (
	Restarting Reason = iota + 1 // come back with jitter, to any node
	Replaced                     // too many connections of one account; this was the oldest
	SaleOver
)
