package bench

import (
	"slices"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

func count(lines []wire.Line) (n uint32) {
	for _, l := range lines {
		n += l.Count
	}
	return n
}

func units(lines []wire.Line) []wire.LedgerUnit {
	out := make([]wire.LedgerUnit, 0, len(lines))
	for _, l := range lines {
		out = append(out, wire.LedgerUnit{Unit: l.Unit, Count: l.Count})
	}
	return sorted(out)
}

// sorted orders units so that two sets can be compared.
func sorted(u []wire.LedgerUnit) []wire.LedgerUnit {
	u = slices.Clone(u)
	slices.SortFunc(u, func(a, b wire.LedgerUnit) int { return int(a.Unit) - int(b.Unit) })
	return u
}

// held notes a hold of so many places that was asked for.
func (j *Journal) held(h wire.Hold, wanted uint32) {
	j.note(func(now time.Time) {
		if n := count(h.Lines); n != wanted {
			j.breach(nothingLost, "hold %s has %d places, %d were asked for", h.ID, n, wanted)
		}
		j.holds = append(j.holds, HoldNote{Hold: h, Told: now, Until: now})
	})
}

func (j *Journal) holdNote(id string) *HoldNote {
	for i := range j.holds {
		if j.holds[i].Hold.ID == id {
			return &j.holds[i]
		}
	}
	return nil
}

// holdSeen notes a second look at the hold.
func (j *Journal) holdSeen(h wire.Hold) {
	j.note(func(now time.Time) {
		n := j.holdNote(h.ID)
		if n == nil {
			j.breach(nothingLost, "the fan has hold %s, which it was never given", h.ID)
			return
		}
		if a, b := units(n.Hold.Lines), units(h.Lines); !slices.Equal(a, b) {
			j.breach(viewMonotonic, "hold %s had units %v and has %v", h.ID, a, b)
		}
		if h.Expires < n.Hold.Expires {
			j.breach(viewMonotonic, "hold %s: its end moved from %d to %d", h.ID, n.Hold.Expires, h.Expires)
		}
		n.Hold, n.Until = h, now
	})
}

// holdGone notes that the server does not know the hold any more. It may not forget one before its time.
func (j *Journal) holdGone(id string) {
	j.note(func(now time.Time) {
		n := j.holdNote(id)
		if n == nil {
			return
		}
		n.Ended = true
		if early := int64(n.Hold.Expires) - now.UnixMilli(); early > 0 && !j.left {
			j.breach(nothingLost, "hold %s was gone %d ms before its time", id, early)
		}
	})
}

// releasing notes that the fan gives the hold back; from here it is not sure to have it.
func (j *Journal) releasing(id string) {
	j.note(func(time.Time) {
		if n := j.holdNote(id); n != nil {
			n.Ended = true
		}
	})
}

// ordered notes the order of a hold.
func (j *Journal) ordered(hold string, o wire.Order) {
	j.note(func(now time.Time) {
		if n := j.holdNote(hold); n != nil {
			n.Until, n.Ended = now, true
			if a, b := units(n.Hold.Lines), units(o.Lines); !slices.Equal(a, b) {
				j.breach(nothingLost, "order %s has units %v, its hold %s had %v", o.ID, b, hold, a)
			}
			if n.Hold.Total != o.Total {
				j.breach(nothingLost, "order %s costs %d, its hold %s cost %d", o.ID, o.Total.Amount, hold, n.Hold.Total.Amount)
			}
		}
		j.orders = append(j.orders, OrderNote{Hold: hold, Order: o, Told: now, Until: now})
	})
}

func (j *Journal) orderNote(id string) *OrderNote {
	for i := range j.orders {
		if j.orders[i].Order.ID == id {
			return &j.orders[i]
		}
	}
	return nil
}

// orderSeen notes a further look at an order.
func (j *Journal) orderSeen(o wire.Order) {
	j.note(func(now time.Time) {
		n := j.orderNote(o.ID)
		if n == nil {
			j.breach(nothingLost, "the fan was shown order %s, which it never opened", o.ID)
			return
		}
		if a, b := units(n.Order.Lines), units(o.Lines); !slices.Equal(a, b) || n.Order.Total != o.Total {
			j.breach(viewMonotonic, "order %s had units %v for %d and has %v for %d", o.ID, a, n.Order.Total.Amount, b, o.Total.Amount)
		}
		was, is := orderRank(n.Order.State), orderRank(o.State)
		switch {
		case is >= was:
		case n.Order.State == "expired": // paid late, and its places were still free
			n.Told = now
		default:
			j.breach(viewMonotonic, "order %s was %s and is %s", o.ID, n.Order.State, o.State)
		}
		if early := int64(n.Order.Expires) - now.UnixMilli(); o.State == "expired" && n.Order.State != "expired" && early > 0 {
			j.breach(nothingLost, "order %s expired %d ms before its time", o.ID, early)
		}
		if o.State == "canceled" && !j.left {
			j.breach(nothingLost, "order %s was canceled, and not by its owner: %s", o.ID, o.Reason)
		}
		if is < ended {
			n.Until = now
		}
		n.Order = o
	})
}

// ended is the rank of the first state in which an order has no places any more.
const ended = 5

// orderRank orders the states as an order goes through them.
func orderRank(state string) int {
	switch state {
	case "awaiting":
		return 1
	case "committed":
		return 2
	case "paid":
		return 3
	case "fulfilled":
		return 4
	case "refunding":
		return ended
	case "refunded":
		return ended + 1
	default: // expired, canceled
		return ended
	}
}

// orderGone notes that the server does not know an order that it acknowledged.
func (j *Journal) orderGone(id string) {
	j.note(func(time.Time) { j.breach(nothingLost, "order %s was acknowledged and is unknown", id) })
}

// bought notes the tickets of an order.
func (j *Journal) bought(id string, tickets []wire.Ticket) {
	j.note(func(time.Time) {
		n := j.orderNote(id)
		if n == nil {
			return
		}
		n.Tickets = slices.Clone(tickets)
		var got []wire.LedgerUnit
		for _, t := range tickets {
			if k := slices.IndexFunc(got, func(u wire.LedgerUnit) bool { return u.Unit == t.Unit }); k >= 0 {
				got[k].Count++
				continue
			}
			got = append(got, wire.LedgerUnit{Unit: t.Unit, Count: 1})
			if t.Code == "" {
				j.breach(nothingLost, "ticket %s of order %s has no code", t.ID, id)
			}
		}
		if want := units(n.Order.Lines); !slices.Equal(sorted(got), want) {
			j.breach(nothingLost, "order %s has tickets for %v, want %v", id, sorted(got), want)
		}
	})
}
