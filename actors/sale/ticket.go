package sale

// ticket is an issued ticket and the nonce of the scan that was accepted.
type ticket struct {
	Ticket

	nonce Key
}

// fulfil issues the tickets of an order whose money is there, mails them, and ends the fan's turn.
func (s *State) fulfil(id OrderID) {
	o := s.orderOf(id)
	o.paidAt = s.clock
	s.moveOrder(id, OrderPaid)
	o.firstTicket = TicketID(len(s.tickets) + 1)
	for _, l := range s.orderLinesOf(o) {
		for i := range l.Count {
			s.tickets = append(s.tickets, ticket{Ticket: Ticket{
				ID: TicketID(len(s.tickets) + 1), Order: id, Account: o.account, Unit: l.Unit, Number: i + 1,
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

// ticketsOf is the tickets of an order, in place.
func (s *State) ticketsOf(o *order) []ticket {
	if o.issued == 0 {
		return nil
	}
	return s.tickets[o.firstTicket-1:][:o.issued]
}

func (s *State) revokeTickets(o *order) {
	tickets := s.ticketsOf(o)
	for i := range tickets {
		if !tickets[i].Revoked {
			tickets[i].Revoked = true
			s.book.TicketsRevoked++
		}
	}
}

// scan lets a ticket in, once. What makes a ticket worthless is checked before whether it was used, so that a
// copy of a cancelled ticket is called cancelled. The scanner repeating itself (same Key) hears the same again.
func (s *State) scan(c *Command) Result {
	if c.Ticket == 0 || int(c.Ticket) > len(s.tickets) {
		return refuse(RefusedUnknown)
	}
	t := &s.tickets[c.Ticket-1]
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
		t.ScannedAt, t.Gate, t.nonce = max(s.clock, 1), c.Gate, c.Key
		s.book.TicketsScanned++
		res.At, res.Number = t.ScannedAt, uint32(t.Gate)
		s.change(Change{Kind: ChangeScan, Account: t.Account, Order: t.Order, Ticket: t.ID, At: t.ScannedAt})
	}
	return res
}
