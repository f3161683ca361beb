package sale

import (
	"fmt"
	"math/bits"

	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// Restore makes a sale of a snapshot, all of b. It takes memory in proportion to b, whatever b claims, and verifies what
// it read: an error says what is wrong with it.
func Restore(b []byte) (*State, error) {
	s, err := restore(b)
	if err != nil {
		return nil, fmt.Errorf("restore sale: %w", err)
	}
	return s, nil
}

func restore(b []byte) (*State, error) {
	r := &reader{b: b}
	version := r.either(snapshotVersion, snapshotVersionEpochs)
	if r.err != nil {
		return nil, r.err
	}
	cfg, n, err := readConfig(r.b)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	r.b = r.b[n:]
	s := newState(*cfg)
	s.clock = r.int("clock")
	s.index = r.u64("index")
	if s.phase = Phase(r.u8("phase")); s.phase > PhaseClosed {
		r.failf("phase", "%d, allowed are 0 to %d", s.phase, PhaseClosed)
	}
	s.message = r.text("message", maxText)
	s.pauseReason = r.text("pause_reason", maxText)
	s.seatVersion = r.u64("seat_version")
	if version == snapshotVersionEpochs {
		s.readEpochs(r)
	}
	s.checkFirstEpoch(r)
	if r.err != nil {
		return nil, r.err
	}
	s.inventory = seatmap.NewInventory(cfg.Plan)
	if n, err = s.inventory.Restore(r.b); err != nil {
		return nil, err
	}
	r.b = r.b[n:]
	if s.line, n, err = queue.Restore(r.b); err != nil {
		return nil, err
	}
	r.b = r.b[n:]
	for _, part := range [...]func(*reader){
		s.readAccounts, s.readHolds, s.readOrders, s.readPayments, s.readTickets, s.readIntents, s.readBook,
		s.fanKeys.read, s.noticeKeys.read,
	} {
		if part(r); r.err != nil {
			return nil, r.err
		}
	}
	if err := r.done(); err != nil {
		return nil, err
	}
	if n := len(s.epochs); n > 0 && (int(s.epochs[n-1].orders) > s.orders.Len() || int(s.epochs[n-1].tickets) > s.tickets.Len()) {
		return nil, fmt.Errorf("epoch: %d began after %d orders and %d tickets, which there are not", n, s.epochs[n-1].orders, s.epochs[n-1].tickets)
	}
	return s, s.Verify()
}

// readEpochs reads where the epochs began. Whether there are as many orders and tickets is seen when all is read.
func (s *State) readEpochs(r *reader) {
	n := uint32(r.number("epoch", MaxEpoch))
	if r.err == nil && n == 0 {
		r.failf("epoch", "0 is stored as version %d", snapshotVersion)
	}
	last := epochStart{}
	for range n {
		e := epochStart{uint32(r.number("epoch.orders", maxOrders)), uint32(r.number("epoch.tickets", maxTickets))}
		if r.err == nil && (e.orders < last.orders || e.tickets < last.tickets) {
			r.failf("epoch.orders", "%d orders and %d tickets after %d and %d", e.orders, e.tickets, last.orders, last.tickets)
		}
		if r.err != nil {
			return
		}
		s.epochs, last = append(s.epochs, e), e
	}
}

// checkFirstEpoch: nothing can be of an epoch before the one in which the sale began.
func (s *State) checkFirstEpoch(r *reader) {
	first := int(s.cfg.Epoch)
	switch {
	case r.err != nil:
	case len(s.epochs) < first:
		r.failf("epoch", "%d is before %d, in which the sale began", len(s.epochs), first)
	case first > 0 && s.epochs[first-1] != epochStart{}:
		r.failf("epoch", "there are identifiers of one before %d, in which the sale began", first)
	}
}

// cellsFor is the size of a lookup for n ids.
func cellsFor(n int) int { return max(16, 1<<bits.Len(uint(n+n/3))) }

// mutAccountIfAny finds the record of an account to be written, or nil.
func (s *State) mutAccountIfAny(a AccountID) *account {
	if s.accountOf(a) == nil {
		return nil
	}
	return s.mutAccount(a)
}

func (s *State) readAccounts(r *reader) {
	n := r.count("accounts", maxAccounts, 2)
	s.accountAt.reserve(cellsFor(n))
	for range n {
		a := account{id: AccountID(r.u64("account.id")), taken: r.u32("account.taken")}
		if _, twice := s.accountAt.get(uint64(a.id)); twice || a.id == 0 {
			r.failf("account.id", "%d is 0 or there twice", a.id)
			return
		}
		s.accountAt.put(uint64(a.id), uint32(s.accounts.Append(a)))
	}
}

func (s *State) readHolds(r *reader) {
	if s.nextHold = HoldID(r.u32("next_hold")); r.err == nil && (uint32(s.nextHold)>>idBits != s.epoch() || s.nextHold&idMask == 0) {
		r.failf("next_hold", "%d is not of epoch %d", s.nextHold, s.epoch())
	}
	last := HoldID(0)
	n := r.count("holds", maxHolds, 10)
	s.holdAt.reserve(cellsFor(n))
	for range n {
		h := hold{id: HoldID(r.u32("hold.id")), account: AccountID(r.u64("hold.account"))}
		h.expires, h.cap, h.settleBy = r.int("hold.expires"), r.int("hold.cap"), r.int("hold.settle_by")
		h.order = OrderID(r.u32("hold.order"))
		h.renewed, h.checkout, h.adjacent = r.bool("hold.renewed"), r.bool("hold.checkout"), r.bool("hold.adjacent")
		lines := readPriced(r, "hold.lines", int(s.cfg.Limits.PerHold))
		acc := s.mutAccountIfAny(h.account)
		if r.err == nil && (h.id <= last || acc == nil || acc.hold != 0) {
			r.failf("hold.id", "%d is out of order or without account", h.id)
		}
		if r.err != nil {
			return
		}
		last, acc.hold = h.id, h.id
		h.slot, h.lines = uint32(s.holds.Len()), uint32(len(lines))
		h.places, h.amount, _ = sums(lines)
		s.heldPlaces += h.places
		s.holds.Append(h)
		copy(s.holdLines.MutStrip(s.holdLines.Extend()), lines)
		s.holdAt.put(uint64(h.id), h.slot)
		s.remind(&h)
	}
}

func readPriced(r *reader, field string, limit int) []OrderLine {
	lines := make([]OrderLine, r.count(field, limit, 4))
	for i := range lines {
		lines[i] = OrderLine{
			Unit: UnitID(r.u32(field)), Count: uint32(r.number(field, MaxPerHold)),
			Price: int64(r.number(field, uint64(MaxPrice))), Fee: int64(r.number(field, uint64(MaxPrice))),
		}
	}
	return lines
}

// sums adds up lines: places, amount, and the fees in it.
func sums(lines []OrderLine) (places uint32, amount, fees int64) {
	for _, l := range lines {
		places += l.Count
		amount += int64(l.Count) * (l.Price + l.Fee)
		fees += int64(l.Count) * l.Fee
	}
	return places, amount, fees
}

func (s *State) readOrders(r *reader) {
	for range r.count("orders", maxOrders, 20) {
		o := order{account: AccountID(r.u64("order.account")), hold: HoldID(r.u32("order.hold"))}
		if o.state = OrderState(r.u8("order.state")); o.state > OrderRefunded {
			r.failf("order.state", "%d, allowed are 1 to %d", o.state, OrderRefunded)
		}
		o.attempts = r.u8("order.attempts")
		o.openedAt, o.expires, o.paidAt = r.int("order.opened_at"), r.int("order.expires"), r.int("order.paid_at")
		o.lang, o.reason = r.text("order.lang", maxLang), r.text("order.reason", maxText)
		for _, flag := range [...]*bool{&o.graced, &o.settling, &o.mailed, &o.freed, &o.attention} {
			*flag = r.bool("order.flags")
		}
		o.shown, o.paid, o.mail = r.u32("order.shown"), r.u32("order.paid"), r.u64("order.mail")
		o.firstTicket, o.issued = TicketID(r.u32("order.first_ticket")), r.u32("order.issued")
		lines := readPriced(r, "order.lines", int(s.cfg.Limits.PerHold))
		acc := s.mutAccountIfAny(o.account)
		if r.err == nil && acc == nil {
			r.failf("order.account", "%d is unknown", o.account)
		}
		if r.err != nil {
			return
		}
		o.lines = uint32(len(lines))
		o.places, o.total, o.fees = sums(lines)
		o.previous = acc.last
		o.first = uint32(s.orderLines.AppendRun(lines))
		acc.last = s.epochs.order(s.orders.Append(o))
		acc.count++
		if o.state.promises() {
			s.promised += o.places
		}
		if o.owns() {
			s.soldPlaces += o.places
		}
	}
}

func (s *State) readPayments(r *reader) {
	for range r.count("payments", maxOrders*maxPayments, 20) {
		p := payment{order: OrderID(r.u32("payment.order"))}
		p.method, p.state = Method(r.u8("payment.method")), PayState(r.u8("payment.state"))
		p.refund, p.hints = RefundState(r.u8("payment.refund")), r.u8("payment.hints")
		p.wrong, p.foreign = r.bool("payment.wrong"), r.bool("payment.foreign")
		p.begun, p.amount = r.int("payment.begun"), r.int("payment.amount")
		p.ref = r.text("payment.ref", maxText)
		p.url, p.code = r.text("payment.url", maxURL), r.text("payment.code", maxURL)
		p.decline, p.refundRef = r.text("payment.decline", maxText), r.text("payment.refund_ref", maxText)
		for _, id := range [...]*uint64{&p.start, &p.query, &p.capture, &p.void, &p.repay} {
			*id = r.u64("payment.intent")
		}
		o := s.mutOrder(p.order)
		if r.err == nil && (o == nil || o.payments >= maxPayments) {
			r.failf("payment.order", "%d is unknown or has too many", p.order)
		}
		if _, twice := s.refs[p.ref]; twice {
			r.failf("payment.ref", "%q is there twice", clip(p.ref, 80))
		}
		if r.err != nil {
			return
		}
		o.payments++
		p.attempt, p.previous = o.payments, o.payment
		s.payments.Append(p)
		o.payment = uint32(s.payments.Len())
		if p.ref != "" {
			s.refs[p.ref] = o.payment
		}
	}
	for i := range s.orders.Len() {
		if o, id := s.orders.Read(i), s.epochs.order(i); !s.hasPayment(o.shown, id) || !s.hasPayment(o.paid, id) {
			r.failf("order.paid", "order %d was not paid by %d", id, o.paid)
			return
		}
	}
	for range r.count("unmatched", maxUnmatched, 3) {
		s.unmatched = append(s.unmatched, notice{
			ref: r.text("unmatched.ref", maxText), order: OrderID(r.u32("unmatched.order")), at: r.int("unmatched.at"),
		})
	}
}

// hasPayment says whether a record + 1, if any, is a payment of the order.
func (s *State) hasPayment(record uint32, id OrderID) bool {
	return record == 0 || int64(record) <= int64(s.payments.Len()) && s.payment(record).order == id
}

func (s *State) readTickets(r *reader) {
	for range r.count("tickets", maxTickets, 9) {
		t := ticket{Ticket: Ticket{ID: s.epochs.ticket(s.tickets.Len())}}
		t.Order, t.Unit = OrderID(r.u32("ticket.order")), UnitID(r.u32("ticket.unit"))
		t.Number, t.Version = r.u32("ticket.number"), r.u16("ticket.version")
		t.Price = int64(r.number("ticket.price", uint64(MaxPrice)))
		t.Fee = int64(r.number("ticket.fee", uint64(MaxPrice)))
		t.IssuedAt, t.Revoked = r.int("ticket.issued_at"), r.bool("ticket.revoked")
		if t.ScannedAt = r.int("ticket.scanned_at"); t.ScannedAt != 0 {
			t.Gate, t.nonce = r.u16("ticket.gate"), r.key("ticket.nonce")
		}
		o := s.orderOf(t.Order)
		if r.err == nil && o == nil {
			r.failf("ticket.order", "%d is unknown", t.Order)
		}
		if r.err != nil {
			return
		}
		t.Account = o.account
		s.tickets.Append(t)
	}
	for i := range s.orders.Len() {
		o := s.orders.Read(i)
		if o.issued == 0 {
			continue
		}
		if first, ok := s.ticketSlot(o.firstTicket); !ok || uint64(first)+uint64(o.issued) > uint64(s.tickets.Len()) {
			r.failf("order.issued", "order %d has tickets that do not exist", s.epochs.order(i))
			return
		}
	}
}

func (s *State) readIntents(r *reader) {
	if s.intents.next = r.u64("next_intent"); r.err == nil && (s.intents.next>>intentBits != uint64(s.epoch()) || s.intents.next&(1<<intentBits-1) == 0) {
		r.failf("next_intent", "%d is not of epoch %d", s.intents.next, s.epoch())
	}
	last := uint64(0)
	for range r.count("intents", 1<<32-1, 8) {
		x := intentSlot{}
		x.ID, x.Kind = r.u64("intent.id"), IntentKind(r.u8("intent.kind"))
		x.Order, x.payment = OrderID(r.u32("intent.order")), r.u32("intent.payment")
		x.Amount, x.Due = r.int("intent.amount"), r.int("intent.due")
		x.Tries, x.Reason = r.u16("intent.tries"), r.text("intent.reason", maxText)
		if r.err == nil && (x.ID <= last || x.Kind < IntentPayStart || x.Kind > IntentMailRefund || s.orderOf(x.Order) == nil ||
			!s.hasPayment(x.payment, x.Order) || (x.payment == 0) != (x.Kind >= IntentMail)) {
			r.failf("intent.id", "%d is out of order or of nothing", x.ID)
		}
		if r.err != nil {
			return
		}
		last = x.ID
		if x.payment != 0 {
			x.Attempt = s.payment(x.payment).attempt
		}
		s.intents.add(x)
	}
}

func (s *State) readBook(r *reader) {
	b := &s.book
	for _, v := range [...]*int64{&b.Captured, &b.Refunded, &b.Refunding, &b.SoldFace, &b.SoldFees} {
		*v = r.int("book.money")
	}
	for i := range b.Orders {
		b.Orders[i] = r.u32("book.orders")
	}
	for _, n := range [...]*uint32{
		&b.TicketsIssued, &b.TicketsRevoked, &b.TicketsScanned,
		&b.LateSaved, &b.LateGone, &b.Repaid, &b.Attention, &b.Foreign, &b.Unmatched,
	} {
		*n = r.u32("book.counts")
	}
}

func (a *answers) read(r *reader) {
	last := int64(0)
	var x Result
	for range r.count("answers", a.limit+2*markAnswers, 30) {
		key, print, until := r.key("answer.key"), r.u64("answer.print"), r.int("answer.until")
		x = Result{Refusal: Refusal(r.u16("answer.refusal")), Units: x.Units[:0], Lines: x.Lines[:0]}
		x.Repeated, x.Adjacent = r.bool("answer.repeated"), r.bool("answer.adjacent")
		x.Place, x.Hold = queue.Place(r.u32("answer.place")), HoldID(r.u32("answer.hold"))
		x.Order, x.Ticket = OrderID(r.u32("answer.order")), TicketID(r.u32("answer.ticket"))
		x.At, x.Cap, x.Amount = r.int("answer.at"), r.int("answer.cap"), r.int("answer.amount")
		x.Number = r.u32("answer.number")
		units, lines := r.count("answer.units", MaxPerHold, 1), r.count("answer.lines", MaxPerHold, 2)
		for range units {
			x.Units = append(x.Units, UnitID(r.u32("answer.words")))
		}
		for range lines {
			x.Lines = append(x.Lines, Line{Unit: UnitID(r.u32("answer.words")), Count: r.u32("answer.words")})
		}
		hash := key.hash()
		before, at := a.find(&key, hash)
		if r.err == nil && (until < last || key == Key{} || before != nil) {
			r.failf("answer.key", "is there twice, or expires before the one before")
		}
		if r.err != nil {
			return
		}
		last = until
		a.remember(&key, hash, print, at, until, &x)
	}
}
