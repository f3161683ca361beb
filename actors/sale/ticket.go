package sale

// ticket is an issued ticket and the nonce of the scan that was accepted.
type ticket struct {
	Ticket

	nonce Key
}

// fulfil issues the tickets of an order whose money is there, mails them, and ends the fan's turn.
func (s *State) fulfil(id OrderID) {
	o := s.mutOrder(id)
	o.paidAt = s.clock
	s.moveOrder(id, OrderPaid)
	o.firstTicket = s.epochs.ticket(s.tickets.Len())
	for _, l := range s.orderLinesOf(o) {
		for i := range l.Count {
			s.tickets.Append(ticket{Ticket: Ticket{
				ID: s.epochs.ticket(s.tickets.Len()), Order: id, Account: o.account, Unit: l.Unit, Number: i + 1,
				Version: 1, Price: l.Price, Fee: l.Fee, IssuedAt: s.clock,
			}})
		}
	}
	o.issued = o.places
	s.book.TicketsIssued += o.issued
	s.moveOrder(id, OrderFulfilled)
	o.mail = s.openIntent(IntentMail, id, 0, o.total, s.clock, "")
	s.voidOthers(id, o.paid)
	s.adoptNotices(id)
	// Who paid late may be shopping for something else by now.
	if acc := s.accountOf(o.account); acc.hold == 0 && s.line.Shopping(uint64(o.account)) {
		s.line.Finish(uint64(o.account), s.clock)
	}
}

// ticketOf is ticket i of an order, from 0 to its issued, only to be read.
func (s *State) ticketOf(o *order, i uint32) *ticket { return s.tickets.Read(o.ticketSlot(i)) }

// ticketSlot is the index of ticket i of an order.
func (o *order) ticketSlot(i uint32) int { return int(o.firstTicket&idMask) - 1 + int(i) }

func (s *State) revokeTickets(o *order) {
	for i := range o.issued {
		if t := s.tickets.Mut(o.ticketSlot(i)); !t.Revoked {
			t.Revoked = true
			s.book.TicketsRevoked++
		}
	}
}

// scan lets a ticket in, once. What makes a ticket worthless is checked before whether it was used, so that a
// copy of a cancelled ticket is called cancelled. The scanner repeating itself (same Key) hears the same again.
func (s *State) scan(c *Command) Result {
	slot, ok := s.ticketSlot(c.Ticket)
	if !ok {
		return refuse(RefusedUnknown)
	}
	t := s.tickets.Read(slot)
	res := Result{Ticket: t.ID, Order: t.Order}
	switch {
	case t.ScannedAt != 0 && c.Key != (Key{}) && t.nonce == c.Key && t.Gate == c.Gate:
		res.Repeated, res.At, res.Number = true, t.ScannedAt, uint32(t.Gate)
	case t.Revoked:
		res.Refusal = RefusedRevoked
	case t.Version != c.Version:
		res.Refusal = RefusedVersion
	case s.orderOf(t.Order).state != OrderFulfilled:
		res.Refusal = RefusedState
	case t.ScannedAt != 0:
		res.Refusal, res.At, res.Number = RefusedScanned, t.ScannedAt, uint32(t.Gate)
	default:
		t = s.tickets.Mut(slot)
		t.ScannedAt, t.Gate, t.nonce = max(s.clock, 1), c.Gate, c.Key
		s.book.TicketsScanned++
		res.At, res.Number = t.ScannedAt, uint32(t.Gate)
		c := s.change()
		c.Kind, c.Account, c.Order, c.Ticket, c.At = ChangeScan, t.Account, t.Order, t.ID, t.ScannedAt
	}
	return res
}
