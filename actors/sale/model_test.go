package sale

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/actors/sale/queue"
)

// TestWorld lets fans, payers, a faulty outbox, gates and organisers do as they like, compares the sale with what a
// naive observer sees after every step, and at the end lets everything settle: each capture of the provider's ledger must then
// be an order with tickets or be given back, and the log must give the same state again from its start and from any cut.
func TestWorld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		deeds := map[string]func(){
			"fans": w.fans, "shop": w.shop, "alter": w.alter, "payer": w.payer, "outbox": func() { w.outbox(true) },
			"echo": w.echo, "time": w.pass, "organiser": w.organiser, "gate": w.gate,
		}
		actions := map[string]func(*rapid.T){"": func(t *rapid.T) { w.t = t; w.look() }}
		for name, deed := range deeds {
			actions[name] = func(t *rapid.T) { w.t = t; deed() }
		}
		actions["busy minute"] = func(t *rapid.T) {
			w.t = t
			for range 12 {
				deeds[rapid.SampledFrom([]string{"fans", "shop", "alter", "payer", "outbox", "echo", "time"}).Draw(t, "deed")]()
				w.look()
			}
		}
		t.Repeat(actions)
		w.t = t
		w.settle()
		w.audit()
		w.replay()
	})
}

// fans apply one batch of commands and check each answer.
func (w *world) fans() {
	cmds := make([]Command, 1+w.pick(2, "commands"))
	for i := range cmds {
		cmds[i] = w.fan()
	}
	before := w.owned()
	results := w.apply(cmds...)
	if len(cmds) == 1 {
		w.judge(&cmds[0], results[0], before)
	}
	if again := cmds[0]; again.Key != (Key{}) && w.chance(30, "repeat") {
		hash := w.s.Hash()
		r := w.apply(again)[0]
		want := results[0]
		want.Repeated = true
		if fmt.Sprint(r) != fmt.Sprint(want) {
			w.t.Fatalf("op %d repeated: got %+v, first %+v", again.Op, r, want)
		}
		if w.s.book != w.replayed().book || hash == [32]byte{} {
			w.t.Fatal("a repeated command changed the book")
		}
	}
}

// shop takes somebody straight to a payment, so that runs get there.
func (w *world) shop() {
	a := AccountID(1 + w.pick(worldAccounts, "account"))
	w.apply(Command{Op: OpJoin, Account: a})
	w.apply(Command{Op: OpClaim, Account: a})
	before := w.owned()
	c := Command{Op: OpHold, Account: a, Lines: w.lines()}
	w.judge(&c, w.apply(c)[0], before)
	h, ok := w.s.HoldOf(a)
	if !ok || h.Order != 0 || w.chance(40, "looks on") {
		return
	}
	if info, _ := w.s.Place(a); info.Deadline < min(h.Expires, info.Cap) {
		w.t.Fatalf("hold until %d, lease only until %d, cap %d", h.Expires, info.Deadline, info.Cap)
	}
	r := w.apply(Command{Op: OpOrderOpen, Account: a, Hold: h.ID})[0]
	w.apply(Command{Op: OpPayBegin, Account: a, Order: r.Order, Method: Method(1 + w.pick(2, "method"))})
}

// alter changes, renews or releases a hold that has no order.
func (w *world) alter() {
	for a := range AccountID(worldAccounts) {
		h, ok := w.s.HoldOf(a + 1)
		if !ok || h.Order != 0 || w.chance(20, "another") {
			continue
		}
		c := Command{Op: []Op{OpHoldChange, OpHoldChange, OpHoldChange, OpHoldRenew, OpHoldRelease}[w.pick(5, "op")], Account: a + 1, Hold: h.ID}
		if c.Op == OpHoldChange {
			if c.Lines = w.lines(); w.chance(60, "drop") {
				c.Lines = c.Lines[1:]
				c.Drop = []Line{{Unit: h.Lines[0].Unit, Count: 1}}
			}
		}
		r := w.apply(c)[0]
		after, _ := w.s.HoldOf(a + 1)
		if r.Refusal == RefusedConflict && fmt.Sprint(after) != fmt.Sprint(h) {
			w.t.Fatalf("a refused change turned %+v into %+v", h, after)
		}
		return
	}
}

// judge compares the answer to a hold with what was free before.
func (w *world) judge(c *Command, r Result, before map[UnitID]uint32) {
	if c.Op != OpHold || c.Best.Quantity != 0 {
		return
	}
	plan := w.s.Config().Plan
	free := func(u UnitID) uint32 {
		if a := plan.Area(u); a != nil {
			return a.Capacity - before[u]
		}
		return 1 - before[u]
	}
	var taken []UnitID
	for _, l := range c.Lines {
		if free(l.Unit) < l.Count {
			taken = append(taken, l.Unit)
		}
	}
	switch r.Refusal {
	case Done:
		if len(taken) > 0 || !slices.Equal(r.Lines, c.Lines) {
			w.t.Fatalf("held %v of %v, but %v were taken", r.Lines, c.Lines, taken)
		}
	case RefusedConflict:
		if !slices.Equal(taken, r.Units) {
			w.t.Fatalf("refused for %v, but %v were taken", r.Units, taken)
		}
	}
}

// owned counts places with an owner by unit, from what anybody can read, once time has passed as for the next batch.
func (w *world) owned() map[UnitID]uint32 {
	w.apply(Command{Op: OpTick})
	n := map[UnitID]uint32{}
	for unit, count := range w.count() {
		n[unit.u] += count
	}
	return n
}

type ownership struct {
	u     UnitID
	hold  HoldID
	order OrderID
}

// count is who has how many places of what, from holds and orders.
func (w *world) count() map[ownership]uint32 {
	n := map[ownership]uint32{}
	for a := range AccountID(worldAccounts) {
		if h, ok := w.s.HoldOf(a + 1); ok {
			for _, l := range h.Lines {
				n[ownership{l.Unit, h.ID, 0}] += l.Count
			}
		}
	}
	for i := range w.s.Orders() {
		o, _ := w.s.Order(w.s.OrderAt(i))
		sold := o.State == OrderCommitted || o.State == OrderPaid || o.State == OrderFulfilled
		if sold || o.State == OrderRefunding && o.Payment.Refund != RefundSucceeded && w.s.orderOf(o.ID).owns() {
			for _, l := range o.Lines {
				n[ownership{l.Unit, 0, o.ID}] += l.Count
			}
		}
	}
	return n
}

// look is the naive observer: one owner for a seat, nothing over capacity, limits kept, only legal moves.
func (w *world) look() {
	if err := w.s.Verify(); err != nil {
		w.t.Fatal(err)
	}
	plan := w.s.Config().Plan
	perUnit, perAccount := map[UnitID]uint32{}, map[AccountID]uint32{}
	seen := map[UnitID]string{}
	for own, n := range w.count() {
		perUnit[own.u] += n
		var a AccountID
		if own.hold != 0 {
			h, _ := w.s.Hold(own.hold)
			a = h.Account
			seen[own.u] = fmt.Sprintf("hold %d", own.hold)
		} else {
			o, _ := w.s.Order(own.order)
			a = o.Account
			seen[own.u] = fmt.Sprintf("order %d", own.order)
		}
		perAccount[a] += n
	}
	statuses := w.s.UnitStatuses(nil)
	for u := range UnitID(plan.Units()) {
		capacity := uint32(1)
		if a := plan.Area(u); a != nil {
			capacity = a.Capacity
		} else if (statuses[u] == byte(UnitFree)) != (perUnit[u] == 0) {
			w.t.Fatalf("seat %d has status %d and %d owners", u, statuses[u], perUnit[u])
		}
		if perUnit[u] > capacity || w.s.AreaFree(u) != capacity-perUnit[u] {
			w.t.Fatalf("unit %d has %d owners, %d free", u, perUnit[u], w.s.AreaFree(u))
		}
		was, is := w.owners[u], seen[u]
		if capacity == 1 && was != is && was != "" && is != "" && was[:4] == "orde" {
			w.t.Fatalf("seat %d went from %s to %s without being free", u, was, is)
		}
	}
	w.owners = seen
	for a, n := range perAccount {
		if n > w.s.Config().Limits.PerAccount {
			w.t.Fatalf("account %d has %d places", a, n)
		}
	}
	for _, a := range []AccountID{1, 2, 3, 4, 5} {
		if h, ok := w.s.HoldOf(a); ok && h.Order == 0 && (h.Expires <= w.s.Clock() || h.Expires > h.Cap) {
			w.t.Fatalf("hold %d lives at %d, expires %d, cap %d", h.ID, w.s.Clock(), h.Expires, h.Cap)
		}
	}
	if c := w.s.QueueView().Counts; c.Offered+c.Shopping > max(w.s.Config().Queue.ActiveCap, 4) {
		w.t.Fatalf("%d have a turn", c.Offered+c.Shopping)
	}
}

// echo repeats an old report of the provider.
func (w *world) echo() {
	if len(w.stale) > 0 {
		c := w.stale[w.pick(len(w.stale), "report")]
		if c.Pay != PayCanceled || w.find(c.Ref).state == PayCanceled {
			w.apply(c)
		}
	}
}

// pass lets time pass, often exactly to the next thing due.
func (w *world) pass() {
	if due := w.s.Due(); due != queue.Never && w.chance(50, "due") {
		w.now = max(w.now, due)
	} else {
		w.now += int64(w.pick(int(4*minute), "pause"))
	}
	due, hash := w.s.Due(), w.s.Hash()
	var kept []Hold
	for a := range AccountID(worldAccounts) {
		if h, ok := w.s.HoldOf(a + 1); ok {
			kept = append(kept, h)
		}
	}
	w.apply(Command{Op: OpTick})
	switch {
	case due > w.now:
		w.same(hash)
	case len(w.s.Changes()) == 0:
		w.t.Fatalf("something was due at %d, but a tick at %d did nothing", due, w.now)
	}
	for _, h := range kept {
		if _, ok := w.s.Hold(h.ID); !ok && h.Expires > w.now {
			w.t.Fatalf("time alone ended hold %d at %d, before %d", h.ID, w.now, h.Expires)
		}
	}
}

// same checks that a tick before anything was due did nothing: the state differs in clock and index only.
func (w *world) same(hash [32]byte) {
	if len(w.s.Changes()) != 0 {
		w.t.Fatalf("nothing was due before, but a tick did %+v", w.s.Changes())
	}
	if w.s.Hash() == hash {
		w.t.Fatal("the index is not part of the hash")
	}
}

func (w *world) organiser() {
	c := Command{Actor: 99, Order: w.s.OrderAt(w.pick(max(w.s.Orders(), 1), "order")), Limit: int64(w.pick(2, "force"))}
	c.Op = []Op{OpRefund, OpRefund, OpOrderCancel, OpPause, OpResume, OpRate, OpMessage, OpRemove}[w.pick(8, "op")]
	switch c.Op {
	case OpRate:
		c.Amount, c.Limit = 6000, int64(w.pick(5, "cap"))
	case OpMessage:
		c.Text = "the band is late"
	case OpRemove:
		if c.Account = AccountID(1 + w.pick(worldAccounts, "whom")); w.chance(80, "mercy") {
			return
		}
	}
	w.apply(c)
}

func (w *world) gate() {
	id := w.s.TicketAt(w.pick(max(w.s.Tickets(), 1), "ticket"))
	before, ok := w.s.Ticket(id)
	w.keys++
	r := w.apply(Command{Op: OpScan, Ticket: id, Version: 1, Gate: 7, Key: Key{byte(w.keys), byte(w.keys >> 8), 3}})[0]
	if ok && (r.Refusal == Done) != (before.ScannedAt == 0 && !before.Revoked) {
		w.t.Fatalf("ticket %+v: scan gave %+v", before, r)
	}
}
