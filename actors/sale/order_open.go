package sale

// order is the machine's own record; Order is what the outside reads.
type order struct {
	account  AccountID
	previous OrderID // the account's order before this one
	hold     HoldID
	state    OrderState
	first    uint32 // of its run of State.orderLines
	lines    uint32
	places   uint32
	total    int64
	fees     int64 // part of total
	openedAt int64
	expires  int64
	paidAt   int64
	lang     string
	reason   string

	attempts  uint8
	graced    bool // the one extension after a decline was used
	settling  bool
	mailed    bool
	freed     bool // the units of a refunded order were given back
	attention bool

	payments uint8  // records at the provider, numbered 1, 2, …
	payment  uint32 // newest record + 1 in State.payments, older ones follow by payment.previous; 0: none
	shown    uint32 // record + 1 of the payment begun last
	paid     uint32 // record + 1 of the payment that took, or reserved, the money
	mail     uint64 // open intent to mail the tickets

	firstTicket TicketID // the tickets of an order are numbered in a row
	issued      uint32
}

// orderOf finds an order, or nil. It is only to be read, and before the next change of the order.
func (s *State) orderOf(id OrderID) *order {
	slot, ok := s.orderSlot(id)
	if !ok {
		return nil
	}
	return s.orders.Read(slot)
}

// mutOrder finds an order to be written, or nil. The pointer is good until the next order is opened.
func (s *State) mutOrder(id OrderID) *order {
	slot, ok := s.orderSlot(id)
	if !ok {
		return nil
	}
	return s.orders.Mut(slot)
}

// orderLinesOf is the priced units of an order; they never change.
func (s *State) orderLinesOf(o *order) []OrderLine {
	return s.orderLines.Run(int(o.first), int(o.lines))
}

// openOrder turns a hold into an order that waits for the money. The first checkout of a hold gives it time to pay.
func (s *State) openOrder(c *Command) Result {
	if r := s.selling(); r != Done {
		return refuse(r)
	}
	h, r := s.ownHold(c.Hold, c.Account)
	if r != Done {
		return refuse(r)
	}
	if h.order != 0 {
		return Result{Refusal: RefusedPaying, Hold: h.id, Order: h.order, At: h.expires}
	}
	h, acc := s.mutHold(h.id), s.mutAccount(c.Account)
	switch {
	case len(c.Text) > maxLang:
		return refuse(RefusedInvalid)
	case acc.taken > s.cfg.Limits.PerAccount:
		return Result{Refusal: RefusedLimit, Number: s.Allowed(c.Account)}
	case acc.count >= maxOrdersPerAccount: // to try later is no use, so it is no RefusedFull
		return refuse(RefusedLimit)
	case s.orders.Len() >= maxOrders || !s.numbersFor(h.places):
		return refuse(RefusedFull)
	}
	id := s.addOrder(h, acc, c.Text)
	if !h.checkout {
		h.checkout = true
		s.prolong(h, s.clock+s.cfg.Times.HoldRenewal)
	}
	s.holdChanged(h)
	o := s.orderOf(id)
	res := Result{Order: id, Hold: h.id, At: o.expires, Cap: h.cap, Amount: o.total, Number: o.places}
	if o.total == 0 {
		s.sell(id)
		s.fulfil(id)
	}
	return res
}

func (s *State) addOrder(h *hold, acc *account, lang string) OrderID {
	o := order{
		account: h.account, previous: acc.last, hold: h.id, lines: h.lines,
		places: h.places, total: h.amount, openedAt: s.clock, expires: h.expires, lang: lang,
	}
	lines := s.linesOf(h)
	_, _, o.fees = sums(lines)
	o.first = uint32(s.orderLines.AppendRun(lines))
	id := s.epochs.order(s.orders.Append(o))
	acc.last, h.order = id, id
	acc.count++
	s.moveOrder(id, OrderAwaiting)
	return id
}

// moveOrder changes the state and keeps the book.
func (s *State) moveOrder(id OrderID, to OrderState) {
	o := s.mutOrder(id)
	if o.state != 0 {
		s.book.Orders[o.state]--
	}
	if o.state.promises() {
		s.promised -= o.places
	}
	if to.promises() {
		s.promised += o.places
	}
	was, is := isSale(o.state), isSale(to)
	if is && !was {
		s.book.SoldFace += o.total - o.fees
		s.book.SoldFees += o.fees
	}
	if was && !is {
		s.book.SoldFace -= o.total - o.fees
		s.book.SoldFees -= o.fees
	}
	s.book.Orders[to]++
	o.state = to
	s.orderChanged(id)
}

// promises says whether an order of this state will become tickets if all goes well.
func (st OrderState) promises() bool { return st == OrderAwaiting || st == OrderCommitted }

// numbersFor says whether that many tickets can still be numbered, beside those promised.
func (s *State) numbersFor(places uint32) bool {
	return uint64(s.tickets.Len())+uint64(s.promised)+uint64(places) <= maxTickets
}

// isSale says whether an order of this state is money earned.
func isSale(st OrderState) bool { return st == OrderPaid || st == OrderFulfilled }

func (s *State) orderChanged(id OrderID) {
	c := s.change()
	c.Kind, c.Account, c.Order = ChangeOrder, s.orderOf(id).account, id
}

// needsPerson marks an order for the organiser's attention; the first reason stays.
func (s *State) needsPerson(id OrderID, reason string) {
	o := s.mutOrder(id)
	if !o.attention {
		o.attention, o.reason = true, clip(reason, maxText)
		s.book.Attention++
	}
	s.orderChanged(id)
}

// cancelOrder gives an unpaid order up: by its owner, or by an organiser (Account 0, Actor set).
func (s *State) cancelOrder(c *Command) Result {
	o := s.orderOf(c.Order)
	if o == nil || c.Account == 0 && c.Actor == 0 || c.Account != 0 && c.Account != o.account {
		return refuse(RefusedUnknown)
	}
	return s.cancelAwaiting(c.Order, "canceled")
}

// cancelAwaiting refuses while the provider may be taking the money: whoever pays at this moment shall not find
// the seats gone.
func (s *State) cancelAwaiting(id OrderID, reason string) Result {
	o := s.orderOf(id)
	if o.state != OrderAwaiting {
		return Result{Refusal: RefusedState, Order: id}
	}
	if o.settling || s.underWay(o) {
		return Result{Refusal: RefusedPaying, Order: id}
	}
	hold := o.hold
	s.closeOrder(id, OrderCanceled, reason)
	return Result{Order: id, Hold: hold}
}

// closeOrder ends an awaiting order without money: the units are free, and every payment that could still be made
// is voided.
func (s *State) closeOrder(id OrderID, to OrderState, reason string) {
	o := s.mutOrder(id)
	s.endHold(s.holdOf(o.hold))
	o.settling = false
	if o.reason == "" {
		o.reason = reason
	}
	s.moveOrder(id, to)
	s.voidOthers(id, 0)
	s.adoptNotices(id)
}

// sell moves the units of an order from its hold to the order.
func (s *State) sell(id OrderID) {
	o := s.mutOrder(id)
	h := s.holdOf(o.hold)
	s.before = plain(s.before[:0], s.orderLinesOf(o))
	s.inventory.Sell(s.before, uint32(h.id), uint32(id))
	s.linesChanged(s.before)
	o.settling = false
	s.soldPlaces += o.places
	s.forgetHold(h)
}

// sellAgain takes exactly the units of an order that ran out, if all of them are free and the account may have
// them; all or nothing.
func (s *State) sellAgain(id OrderID) bool {
	o := s.orderOf(id)
	if s.accountOf(o.account).taken+o.places > s.cfg.Limits.PerAccount || !s.numbersFor(o.places) {
		return false
	}
	s.before = plain(s.before[:0], s.orderLinesOf(o))
	if s.units = s.inventory.Conflicts(s.units[:0], s.before); len(s.units) > 0 {
		return false
	}
	s.inventory.SellFree(s.before, uint32(id))
	s.mutAccount(o.account).taken += o.places
	s.soldPlaces += o.places
	s.linesChanged(s.before)
	s.book.LateSaved++
	return true
}

// unsell gives the units of a sold order back.
func (s *State) unsell(id OrderID) {
	o := s.orderOf(id)
	s.before = plain(s.before[:0], s.orderLinesOf(o))
	s.inventory.Unsell(s.before, uint32(id))
	s.mutAccount(o.account).taken -= o.places
	s.soldPlaces -= o.places
	s.linesChanged(s.before)
}
