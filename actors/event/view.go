package event

import (
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// View is an immutable picture of one sale. Nothing in it may be changed.
type View struct {
	Event       sale.EventID
	Config      *sale.Config
	Index       uint64
	Clock       int64 // unix ms
	Phase       sale.Phase
	Message     string
	PauseReason string
	Queue       *queue.View
	Stock       []seatmap.Count // by category
	Totals      seatmap.Count
	Seats       []byte   // one [sale.UnitStatus] a seat
	AreaFree    []uint32 // by area
	SeatVersion uint64   // index of the last change of a seat; areas do not move it
	Book        sale.Book
}

// Delta is what one batch changed. It is shared by all subscribers and may not be changed.
type Delta struct {
	Event   sale.EventID
	Index   uint64
	Clock   int64
	Changes []sale.Change
	Reset   bool // a snapshot replaced the state; anything may have changed, and Changes is empty
}

// Subscriber hears of a sale's batches in order, on the machine's goroutine: it hands on and returns at once. What
// blocks it blocks the sale, and its panic stops the process.
type Subscriber interface {
	Delta(*Delta)
	View(*View)
}

// UnitChange is one entry of the recent past of the seat map.
type UnitChange struct {
	Version uint64
	Unit    sale.UnitID
	Status  sale.UnitStatus
	Free    uint32 // of an area
}

func picture(id sale.EventID, s *sale.State, before *View) *View {
	v := &View{
		Event: id, Config: s.Config(), Index: s.Index(), Clock: s.Clock(), Phase: s.Phase(),
		Message: s.Message(), PauseReason: s.PauseReason(), Queue: s.QueueView(),
		Stock: s.Stock(), Totals: s.Totals(), SeatVersion: s.SeatVersion(), Book: s.Book(),
	}
	v.AreaFree = make([]uint32, len(v.Config.Plan.Areas)) // few, and their changes do not move SeatVersion
	for i := range v.AreaFree {
		v.AreaFree[i] = s.AreaFree(sale.UnitID(len(v.Config.Plan.Seats) + i))
	}
	if before != nil && before.SeatVersion == v.SeatVersion {
		v.Seats = before.Seats
		return v
	}
	v.Seats = s.UnitStatuses(make([]byte, 0, len(v.Config.Plan.Seats)))
	return v
}
