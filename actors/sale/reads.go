package sale

import (
	"slices"
	"sort"

	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// The reads belong to the goroutine that drives the machine. What they return is a copy, unless they say otherwise.

// Config is what the sale was made with; it must not be changed.
func (s *State) Config() *Config { return &s.cfg }

// Phase of the sale now.
func (s *State) Phase() Phase { return s.phase }

// Clock is the time of the last batch, unix ms.
func (s *State) Clock() int64 { return s.clock }

// Index is that of the last batch.
func (s *State) Index() uint64 { return s.index }

// Message is the organiser's text for everyone in the queue.
func (s *State) Message() string { return s.message }

// PauseReason is why the sale is paused, empty when it is not.
func (s *State) PauseReason() string { return s.pauseReason }

// Place is what is known of an account's latest place.
func (s *State) Place(a AccountID) (queue.Info, bool) { return s.line.Lookup(uint64(a)) }

// QueueView is the queue at this moment; it may be read by any number of goroutines.
func (s *State) QueueView() *queue.View { return s.line.View() }

// Hold as read by the outside.
type Hold struct {
	ID      HoldID
	Account AccountID
	Expires int64
	Cap     int64 // the expiry never goes beyond
	Renewed bool
	Lines   []OrderLine
	Amount  int64 // minor units, fees included
	Order   OrderID

	Adjacent bool // the places are side by side
}

// Hold finds a live hold.
func (s *State) Hold(id HoldID) (Hold, bool) {
	h := s.holdOf(id)
	if h == nil {
		return Hold{}, false
	}
	return Hold{
		ID: h.id, Account: h.account, Expires: h.expires, Cap: h.cap, Renewed: h.renewed,
		Lines: slices.Clone(s.linesOf(h)), Amount: h.amount, Order: h.order,
		Adjacent: h.adjacent,
	}, true
}

// HoldOf finds the live hold of an account.
func (s *State) HoldOf(a AccountID) (Hold, bool) {
	acc := s.accountOf(a)
	if acc == nil {
		return Hold{}, false
	}
	return s.Hold(acc.hold)
}

// Allowed is how many places an account may still take with one new hold.
func (s *State) Allowed(a AccountID) uint32 {
	if acc := s.accountOf(a); acc != nil {
		return s.cfg.Limits.left(acc.taken)
	}
	return s.cfg.Limits.left(0)
}

// left is how many places an account that has some may take with the next hold.
func (l *Limits) left(taken uint32) uint32 {
	return min(l.PerHold, l.PerAccount-min(taken, l.PerAccount))
}

// Order finds an order.
func (s *State) Order(id OrderID) (Order, bool) {
	o := s.orderOf(id)
	if o == nil {
		return Order{}, false
	}
	out := Order{
		ID: id, Account: o.account, State: o.state, Hold: o.hold, Lines: slices.Clone(s.orderLinesOf(o)),
		Total: o.total, Expires: o.expires, OpenedAt: o.openedAt, PaidAt: o.paidAt, Lang: o.lang,
		Mailed: o.mailed, Attention: o.attention, Reason: o.reason, Settling: o.settling,
	}
	record := o.paid
	if record == 0 {
		record = o.shown
	}
	if record == 0 {
		record = o.payment
	}
	if record != 0 {
		out.Payment = s.payment(record).read()
	}
	for i := range o.issued {
		out.Tickets = append(out.Tickets, o.firstTicket+TicketID(i))
	}
	return out, true
}

func (p *payment) read() Payment {
	out := Payment{
		Attempt: p.attempt, Method: p.method, State: p.state, Ref: p.ref, URL: p.url, Code: p.code,
		Decline: p.decline, Refund: p.refund, Foreign: p.foreign,
	}
	if p.state == PayCaptured {
		out.Captured = p.amount
	}
	if p.refund == RefundSucceeded {
		out.Refunded = p.amount
	}
	return out
}

// OrdersOf is the orders of an account, oldest first.
func (s *State) OrdersOf(a AccountID) []OrderID {
	acc := s.accountOf(a)
	if acc == nil {
		return nil
	}
	ids := make([]OrderID, 0, acc.count)
	for id := acc.last; id != 0; id = s.orderOf(id).previous {
		ids = append(ids, id)
	}
	slices.Reverse(ids)
	return ids
}

// OrderByRef finds the order of the provider's payment.
func (s *State) OrderByRef(ref string) (OrderID, bool) {
	record := s.refs[ref]
	if record == 0 {
		return 0, false
	}
	return s.payment(record).order, true
}

// Orders is how many orders there ever were.
func (s *State) Orders() int { return s.orders.Len() }

// OrderAt is the id of the order number i, from 0 to Orders. They are in the order in which they were opened.
func (s *State) OrderAt(i int) OrderID { return s.epochs.order(i) }

// OrdersUpTo is how many orders were opened up to the one with this id, itself included; of an id that no order has, as if it
// had been. It turns the last id of a page into the number of the next order.
func (s *State) OrdersUpTo(id OrderID) int {
	return sort.Search(s.orders.Len(), func(i int) bool { return s.epochs.order(i) > id })
}

// Ticket finds an issued ticket.
func (s *State) Ticket(id TicketID) (Ticket, bool) {
	slot, ok := s.ticketSlot(id)
	if !ok {
		return Ticket{}, false
	}
	return s.tickets.Read(slot).Ticket, true
}

// Tickets is how many tickets were ever issued.
func (s *State) Tickets() int { return s.tickets.Len() }

// TicketAt is the id of the ticket number i, from 0 to Tickets. They are in the order in which they were issued.
func (s *State) TicketAt(i int) TicketID { return s.epochs.ticket(i) }

// Intent finds an open intent.
func (s *State) Intent(id uint64) (Intent, bool) {
	x := s.intents.get(id)
	if x == nil {
		return Intent{}, false
	}
	return s.readIntent(x), true
}

// Intents appends all open intents, oldest first.
func (s *State) Intents(dst []Intent) []Intent {
	for slot := s.intents.first; slot != 0; slot = s.intents.slots.Read(int(slot - 1)).more {
		dst = append(dst, s.readIntent(s.intents.slots.Read(int(slot-1))))
	}
	return dst
}

func (s *State) readIntent(x *intentSlot) Intent {
	out := x.Intent
	if x.payment != 0 {
		p := s.payment(x.payment)
		out.Method, out.Ref = p.method, p.ref
	}
	return out
}

// UnitStatuses appends one UnitStatus for each seat of the plan, in the order of the plan; areas have none.
func (s *State) UnitStatuses(dst []byte) []byte {
	for u := range s.cfg.Plan.Seats {
		dst = append(dst, byte(unitStatus(s.inventory.Status(UnitID(u)))))
	}
	return dst
}

// SeatVersion is the index of the last batch that changed a seat.
func (s *State) SeatVersion() uint64 { return s.seatVersion }

// AreaFree is how many places of a unit can be had: 0 or 1 for a seat.
func (s *State) AreaFree(u UnitID) uint32 { return s.inventory.FreeIn(u) }

// Stock counts places per category, in the order of the plan.
func (s *State) Stock() []seatmap.Count {
	counts := make([]seatmap.Count, len(s.cfg.Plan.Categories))
	for i := range counts {
		counts[i] = s.inventory.Category(uint16(i))
	}
	return counts
}

// Totals counts all places.
func (s *State) Totals() seatmap.Count { return s.inventory.Totals() }

// Book is the money and the counts, for metrics and audits.
func (s *State) Book() Book { return s.book }

// Answers is how many answers to keyed commands are remembered.
func (s *State) Answers() int { return s.fanKeys.len() + s.noticeKeys.len() }
