package bench

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/catraca/catraca/transport/wire"
)

// Journal is what the server acknowledged to one fan. A nil Journal writes nothing down.
type Journal struct {
	reconnects atomic.Int64

	mu      sync.Mutex
	Numbers []uint32 // every place number given, in order; a fan who missed its turn has more than one
	Ahead   uint32   // as shown last for the newest number
	Rises   int      // times the number of people ahead rose for the same place: never
	Holds   []wire.Hold
	Orders  []wire.Order
	Bought  []wire.Order
	Tickets []wire.Ticket
}

func (j *Journal) placed(p wire.Place) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.Numbers); n == 0 || j.Numbers[n-1] != p.Number {
		j.Numbers = append(j.Numbers, p.Number)
		j.Ahead = p.Ahead
	}
	if p.State == "waiting" && p.Ahead > j.Ahead {
		j.Rises++
	}
	j.Ahead = p.Ahead
}

func (j *Journal) held(h wire.Hold) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Holds = append(j.Holds, h)
}

func (j *Journal) ordered(o wire.Order) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Orders = append(j.Orders, o)
}

func (j *Journal) bought(o wire.Order, t []wire.Ticket) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Bought = append(j.Bought, o)
	j.Tickets = append(j.Tickets, t...)
}

func (j *Journal) reconnected() {
	if j != nil {
		j.reconnects.Add(1)
	}
}

// Reconnects counts how often the live socket had to be opened again.
func (j *Journal) Reconnects() int64 {
	if j == nil {
		return 0
	}
	return j.reconnects.Load()
}

// Audit holds the fans' journals against each other: no place number and no seat was given to two.
func Audit(journals []*Journal) error {
	numbers, seats, codes := map[uint32]int{}, map[string]int{}, map[string]int{}
	for i, j := range journals {
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.Rises > 0 {
			return fmt.Errorf("fan %d saw the people ahead rise %d times", i, j.Rises)
		}
		if !slices.IsSorted(j.Numbers) {
			return fmt.Errorf("fan %d: a later place has a smaller number: %v", i, j.Numbers)
		}
		for _, n := range j.Numbers {
			if other, taken := numbers[n]; taken {
				return fmt.Errorf("place %d was given to fans %d and %d", n, other, i)
			}
			numbers[n] = i
		}
		for _, t := range j.Tickets {
			unit := fmt.Sprintf("%s/%d/%d", t.Event, t.Unit, t.Number)
			if other, taken := seats[unit]; taken {
				return fmt.Errorf("unit %s was sold to fans %d and %d", unit, other, i)
			}
			seats[unit] = i
			if other, taken := codes[t.Code]; taken {
				return fmt.Errorf("one ticket code was given to fans %d and %d", other, i)
			}
			codes[t.Code] = i
		}
	}
	return nil
}
