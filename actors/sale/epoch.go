package sale

import (
	"fmt"
	"sort"
)

// An identifier of a hold, order or ticket is the epoch in the upper 6 bits and a number in the lower 26; of an intent, the
// epoch above 40 bits of number. Restoring a backup loses what was issued after it was made, though people and the
// payment provider still have it. An epoch raised after the restore keeps everything issued from then on apart from
// that. Epoch 0 has the numbers 1, 2, 3 …. A sale begins in the epoch of its configuration: an event that is made after a
// restore may have the number of one that was lost with all it had issued.
const (
	idBits     = 26
	idMask     = 1<<idBits - 1
	intentBits = 40

	// MaxEpoch is the last epoch of a sale.
	MaxEpoch = 1<<(32-idBits) - 1
)

// epochStart is where an epoch after the first began: how many orders and tickets there were.
type epochStart struct{ orders, tickets uint32 }

// epoch is the number of the one that new identifiers get.
func (s *State) epoch() uint32 { return uint32(len(s.epochs)) }

// Epoch that new identifiers of the sale get.
func (s *State) Epoch() uint8 { return uint8(s.epoch()) }

// Epoch in which the intent was opened. It is part of the ID.
func (x *Intent) Epoch() uint8 { return uint8(x.ID >> intentBits) }

// raiseEpoch begins the epoch Limit, or the next one if that is 0. Epochs in between stay empty.
func (s *State) raiseEpoch(c *Command) Result {
	to := uint32(c.Limit)
	if c.Limit == 0 {
		to = s.epoch() + 1
	}
	switch {
	case c.Limit < 0 || c.Limit > MaxEpoch:
		return refuse(RefusedInvalid)
	case to > MaxEpoch:
		return Result{Refusal: RefusedFull, Number: s.epoch()}
	case to <= s.epoch():
		return Result{Refusal: RefusedState, Number: s.epoch()}
	}
	s.enterEpoch(to)
	return Result{Number: to}
}

// enterEpoch begins a later epoch with what comes next.
func (s *State) enterEpoch(to uint32) {
	for s.epoch() < to {
		s.epochs = append(s.epochs, epochStart{uint32(s.orders.Len()), uint32(s.tickets.Len())})
	}
	s.nextHold = HoldID(to<<idBits | 1)
	s.intents.next = uint64(to)<<intentBits | 1
}

// RaiseEpoch raises the epoch in a snapshot, as OpEpoch with Limit to does (0: the next one); a snapshot that has that epoch or a later one is
// refused. It is for restoring a backup: the tick of a new leader could come before any OpEpoch, and what it intends would
// be of the old epoch.
func RaiseEpoch(snapshot []byte, to uint8) ([]byte, error) {
	s, err := Restore(snapshot)
	if err != nil {
		return nil, fmt.Errorf("raise epoch: %w", err)
	}
	if r := s.raiseEpoch(&Command{Limit: int64(to)}); r.Refusal != Done {
		return nil, fmt.Errorf("raise epoch: to %d of at most %d, the sale has %d", to, MaxEpoch, s.epoch())
	}
	return s.AppendSnapshot(nil), nil
}

// epochsOf gives the identifiers of numbered records their epoch.
type epochsOf []epochStart

// order is the identifier of the order with index i.
func (e epochsOf) order(i int) OrderID {
	n := sort.Search(len(e), func(k int) bool { return int(e[k].orders) > i })
	return OrderID(n<<idBits | (i + 1))
}

// ticket is the identifier of the ticket with index i.
func (e epochsOf) ticket(i int) TicketID {
	n := sort.Search(len(e), func(k int) bool { return int(e[k].tickets) > i })
	return TicketID(n<<idBits | (i + 1))
}

// orderSlot is the index of an order.
func (s *State) orderSlot(id OrderID) (int, bool) {
	i := int(id&idMask) - 1
	return i, i >= 0 && i < s.orders.Len() && s.epochs.order(i) == id
}

// ticketSlot is the index of a ticket.
func (s *State) ticketSlot(id TicketID) (int, bool) {
	i := int(id&idMask) - 1
	return i, i >= 0 && i < s.tickets.Len() && s.epochs.ticket(i) == id
}
