package sale

import (
	"fmt"

	"github.com/catraca/catraca/actors/sale/due"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// checkBatch is what is checked after every batch: places and money add up, no account of the batch has more
// than its limit, and nobody was let in beyond the cap.
func (s *State) checkBatch() error {
	t := s.inventory.Totals()
	if t.Held != s.heldPlaces || t.Sold != s.soldPlaces {
		return fmt.Errorf("check sale: inventory has %d held and %d sold, holds and orders have %d and %d",
			t.Held, t.Sold, s.heldPlaces, s.soldPlaces)
	}
	if err := s.checkMoney(&s.book); err != nil {
		return err
	}
	if err := s.line.Check(); err != nil {
		return err
	}
	for i := range s.changes {
		c := &s.changes[i]
		if c.Kind != ChangeHold && c.Kind != ChangeOrder {
			continue
		}
		if acc := s.accountOf(c.Account); acc == nil || acc.taken > s.cfg.Limits.PerAccount {
			return fmt.Errorf("check sale: account of order %d, hold %d has more than %d places", c.Order, c.Hold, s.cfg.Limits.PerAccount)
		}
	}
	return nil
}

func (s *State) checkMoney(b *Book) error {
	if b.Captured-b.Refunded-b.Refunding != b.SoldFace+b.SoldFees || b.Refunding < 0 {
		return fmt.Errorf("check sale: captured %d − refunded %d − refunding %d is not sold %d + fees %d",
			b.Captured, b.Refunded, b.Refunding, b.SoldFace, b.SoldFees)
	}
	return nil
}

// Verify recounts everything from the records and compares. An error names the first thing that is wrong. It takes
// time in proportion to the whole state.
func (s *State) Verify() error {
	for _, check := range [...]func() error{
		s.inventory.Verify, s.line.Verify, s.verifyHolds, s.verifyOrders, s.verifyPayments, s.verifyTickets,
		s.verifyIntents, s.verifyUnits, s.verifyAccounts, s.verifyBook,
		s.checkBatch,
	} {
		if err := check(); err != nil {
			return fmt.Errorf("verify sale: %w", err)
		}
	}
	return nil
}

func (s *State) verifyHolds() error {
	live := 0
	for i := range s.holds.Len() {
		h := s.holds.Read(i)
		if h.id == 0 {
			continue
		}
		live++
		acc := s.accountOf(h.account)
		switch {
		case h.id >= s.nextHold || s.holdOf(h.id) != h || int(h.slot) != i:
			return fmt.Errorf("hold %d: not found by its id", h.id)
		case acc == nil || acc.hold != h.id:
			return fmt.Errorf("hold %d: its account does not have it", h.id)
		case h.expires > h.cap:
			return fmt.Errorf("hold %d: expires %d after its cap %d", h.id, h.expires, h.cap)
		case !s.due.Has(due.Item{At: h.deadline(), ID: uint32(h.id), Slot: h.slot}):
			return fmt.Errorf("hold %d: its deadline is out of order", h.id)
		case h.deadline() <= s.clock:
			return fmt.Errorf("hold %d: ran out at %d, it is %d", h.id, h.deadline(), s.clock)
		case h.lines == 0 || h.lines > s.cfg.Limits.PerHold:
			return fmt.Errorf("hold %d: has %d units", h.id, h.lines)
		}
		if err := s.verifyLines(s.linesOf(h), h.places, h.amount); err != nil {
			return fmt.Errorf("hold %d: %w", h.id, err)
		}
		if h.places > s.cfg.Limits.PerHold {
			return fmt.Errorf("hold %d: has %d places", h.id, h.places)
		}
		if o := s.orderOf(h.order); h.order != 0 && (o == nil || o.hold != h.id || o.state != OrderAwaiting) {
			return fmt.Errorf("hold %d: order %d does not wait for it", h.id, h.order)
		}
	}
	if live != s.holds.Len()-len(s.freeHolds) || live != s.holdAt.used || s.due.Len() != live {
		return fmt.Errorf("holds: %d live, %d slots, %d free, %d deadlines", live, s.holds.Len(), len(s.freeHolds), s.due.Len())
	}
	return nil
}

// verifyLines checks units, counts and sums of a hold or order.
func (s *State) verifyLines(lines []OrderLine, places uint32, amount int64) error {
	sum, n := int64(0), uint64(0)
	for _, l := range lines {
		if int64(l.Unit) >= int64(s.cfg.Plan.Units()) || l.Count == 0 || l.Count > MaxPerHold {
			return fmt.Errorf("unit %d ×%d", l.Unit, l.Count)
		}
		if l.Price < 0 || l.Fee < 0 || l.Price > MaxPrice || l.Fee > MaxPrice {
			return fmt.Errorf("unit %d has price %d and fee %d", l.Unit, l.Price, l.Fee)
		}
		sum += int64(l.Count) * (l.Price + l.Fee)
		n += uint64(l.Count)
	}
	if !s.inventory.ValidLines(plain(nil, lines)) || n != uint64(places) || sum != amount {
		return fmt.Errorf("units, %d places or amount %d do not add up", places, amount)
	}
	return nil
}

// verifyUnits recounts who owns what.
func (s *State) verifyUnits() error {
	type owner struct {
		held, sold uint32
		id         uint32
	}
	owners := make([]owner, s.cfg.Plan.Units())
	for i := range s.holds.Len() {
		if h := s.holds.Read(i); h.id != 0 {
			for _, l := range s.linesOf(h) {
				owners[l.Unit].held += l.Count
				owners[l.Unit].id = uint32(h.id)
			}
		}
	}
	for i := range s.orders.Len() {
		if o := s.orders.Read(i); o.owns() {
			for _, l := range s.orderLinesOf(o) {
				owners[l.Unit].sold += l.Count
				owners[l.Unit].id = uint32(s.epochs.order(i))
			}
		}
	}
	for i, w := range owners {
		u := UnitID(i)
		if s.cfg.Plan.IsArea(u) {
			if c := s.inventory.AreaCount(u); c.Held != w.held || c.Sold != w.sold {
				return fmt.Errorf("area %d: inventory has %d held and %d sold, owners have %d and %d", u, c.Held, c.Sold, w.held, w.sold)
			}
			continue
		}
		st := s.inventory.Status(u)
		if w.held+w.sold > 1 || (st == seatmap.Held) != (w.held == 1) || (st == seatmap.Sold) != (w.sold == 1) || s.inventory.Owner(u) != w.id {
			return fmt.Errorf("seat %d: inventory has status %d of %d, owners have %d held and %d sold, %d", u, st, s.inventory.Owner(u), w.held, w.sold, w.id)
		}
	}
	return nil
}

func (s *State) verifyAccounts() error {
	taken := make([]uint32, s.accounts.Len())
	add := func(a AccountID, n uint32) bool {
		slot, ok := s.accountAt.get(uint64(a))
		if ok {
			taken[slot] += n
		}
		return ok
	}
	for i := range s.holds.Len() {
		if h := s.holds.Read(i); h.id != 0 && !add(h.account, h.places) {
			return fmt.Errorf("hold %d: no account", h.id)
		}
	}
	for i := range s.orders.Len() {
		o := s.orders.Read(i)
		n := uint32(0)
		if o.owns() {
			n = o.places
		}
		if !add(o.account, n) {
			return fmt.Errorf("order %d: no account", s.epochs.order(i))
		}
	}
	for i := range s.accounts.Len() {
		a := s.accounts.Read(i)
		if a.taken != taken[i] || a.taken > s.cfg.Limits.PerAccount {
			return fmt.Errorf("account %d: has %d places, counted %d, allowed are %d", i, a.taken, taken[i], s.cfg.Limits.PerAccount)
		}
		if h := s.holdOf(a.hold); a.hold != 0 && (h == nil || h.account != a.id) {
			return fmt.Errorf("account %d: hold %d is not its own", i, a.hold)
		}
	}
	return nil
}
