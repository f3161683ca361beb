package sale

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// names is every identifier a sale has issued that somebody outside may have kept.
type names struct {
	holds   map[HoldID]bool
	orders  map[OrderID]bool
	tickets map[TicketID]bool
	intents map[uint64]bool
}

func newNames() *names {
	return &names{map[HoldID]bool{}, map[OrderID]bool{}, map[TicketID]bool{}, map[uint64]bool{}}
}

// note adds what the last batch did and what there is.
func (n *names) note(s *State) {
	for _, c := range s.Changes() {
		n.holds[c.Hold], n.intents[c.Intent] = true, true
	}
	for i := range s.Orders() {
		n.orders[s.OrderAt(i)] = true
	}
	for i := range s.Tickets() {
		n.tickets[s.TicketAt(i)] = true
	}
	delete(n.holds, 0)
	delete(n.intents, 0)
}

// TestEpochKeepsIdentifiersApart loses a part of a sale's history by restoring a backup, and raises the epoch: nothing issued
// afterwards has an identifier that the lost part has issued, and what was open before keeps its own.
func TestEpochKeepsIdentifiersApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		step := func(n *names) {
			deeds := w.deeds()
			w.after = func() { n.note(w.s) }
			for range rapid.IntRange(1, 60).Draw(t, "deeds") {
				deeds[w.pick(len(deeds), "deed")]()
			}
			w.after = nil
		}
		first := newNames()
		step(first)
		if w.chance(30, "an epoch before") {
			w.apply(Command{Op: OpEpoch, Actor: 99})
			step(first)
		}
		backup, open := w.s.AppendSnapshot(nil), w.s.Intents(nil)
		lost := newNames()
		step(lost)
		w.lose(t, backup)
		epoch := w.s.Epoch()
		raised, err := RaiseEpoch(backup, epoch+2)
		if s, bad := Restore(raised); err != nil || bad != nil || s.Epoch() != epoch+2 || len(s.Intents(nil)) != len(open) {
			t.Fatalf("raise the epoch of a snapshot: %v, %v", err, bad)
		}
		c := Command{Op: OpEpoch, Actor: 99, Limit: int64(rapid.IntRange(0, 1).Draw(t, "which")) * int64(epoch+3)}
		if r := w.apply(c)[0]; r.Refusal != Done || uint8(r.Number) != w.s.Epoch() || w.s.Epoch() <= epoch {
			t.Fatalf("raise the epoch from %d: %+v", epoch, r)
		}
		for _, x := range w.s.Intents(nil) {
			was := slices.IndexFunc(open, func(o Intent) bool {
				return o.ID == x.ID && o.Kind == x.Kind && o.Order == x.Order && o.Attempt == x.Attempt
			})
			if (was >= 0) != (x.Epoch() <= epoch) {
				t.Fatalf("intent %+v in epoch %d; open before were %+v", x, w.s.Epoch(), open)
			}
		}
		fresh := newNames()
		step(fresh)
		fresh.apart(t, first, lost)
		if err := w.s.Verify(); err != nil {
			t.Fatal(err)
		}
		again, err := Restore(w.s.AppendSnapshot(nil))
		if err != nil || again.Hash() != w.s.Hash() || again.Epoch() != w.s.Epoch() {
			t.Fatalf("restore in epoch %d: %v", w.s.Epoch(), err)
		}
		for i := range w.s.Orders() {
			if id := w.s.OrderAt(i); again.OrderAt(i) != id || w.s.OrdersUpTo(id) != i+1 {
				t.Fatalf("order %d is %d, restored %d, and %d are up to it", i, id, again.OrderAt(i), w.s.OrdersUpTo(id))
			}
		}
	})
}

// lose goes back to a backup. The provider forgets nothing, but pays nothing to orders that nobody knows.
func (w *world) lose(t *rapid.T, backup []byte) {
	s, err := Restore(backup)
	if err != nil {
		t.Fatal(err)
	}
	w.s, w.base, w.log, w.stale, w.owners, w.ledger = s, backup, nil, nil, map[UnitID]string{}, w.known(s)
}

// known is the provider's payments of orders that a sale knows.
func (w *world) known(s *State) (known []*ledgerPayment) {
	for _, p := range w.ledger {
		if s.orderOf(p.order) != nil {
			known = append(known, p)
		}
	}
	return known
}

// apart checks that nothing new has a name that was lost, unless it has had it since before.
func (n *names) apart(t *rapid.T, before, lost *names) {
	for id := range n.holds {
		if lost.holds[id] && !before.holds[id] {
			t.Fatalf("hold %d was issued again", id)
		}
	}
	for id := range n.orders {
		if lost.orders[id] && !before.orders[id] {
			t.Fatalf("order %d was issued again", id)
		}
	}
	for id := range n.tickets {
		if lost.tickets[id] && !before.tickets[id] {
			t.Fatalf("ticket %d was issued again", id)
		}
	}
	for id := range n.intents {
		if lost.intents[id] && !before.intents[id] {
			t.Fatalf("intent %d was opened again", id)
		}
	}
}

// TestNewSaleInLaterEpoch loses a whole sale, and makes the event again in a later epoch: nothing has an identifier of the
// lost one, also when the epoch is raised once more.
func TestNewSaleInLaterEpoch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lost, fresh := newNames(), newNames()
		sell := func(w *world, n *names) {
			deeds := w.deeds()
			w.after = func() { n.note(w.s) }
			for range rapid.IntRange(1, 60).Draw(t, "deeds") {
				deeds[w.pick(len(deeds), "deed")]()
			}
		}
		sell(newWorldIn(t, 0), lost)
		w := newWorldIn(t, 3)
		if w.s.Epoch() != 3 {
			t.Fatalf("begins in epoch %d", w.s.Epoch())
		}
		sell(w, fresh)
		if rapid.Bool().Draw(t, "raise") {
			if r := w.apply(Command{Op: OpEpoch, Actor: 99})[0]; r.Refusal != Done || w.s.Epoch() != 4 {
				t.Fatalf("raised to %d: %+v", w.s.Epoch(), r)
			}
			sell(w, fresh)
		}
		fresh.apart(t, newNames(), lost)
		if err := w.s.Verify(); err != nil {
			t.Fatal(err)
		}
		again, err := Restore(w.s.AppendSnapshot(nil))
		if err != nil || again.Hash() != w.s.Hash() || again.Epoch() != w.s.Epoch() {
			t.Fatalf("restored in epoch %d: %v", w.s.Epoch(), err)
		}
	})
}

// TestFirstNumbersOfALaterEpoch are those that a sale raised before its first hold would give.
func TestFirstNumbersOfALaterEpoch(t *testing.T) {
	cfg := storyConfig(storyPlan(4, 0, 100, 10))
	raised, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	raised.Begin(1, storyDay.UnixMilli())
	raised.Do(&Command{Op: OpEpoch, Limit: 2})
	cfg.Epoch = 2
	made, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if made.nextHold != raised.nextHold || made.intents.next != raised.intents.next || made.epochs.order(0) != raised.epochs.order(0) ||
		made.epochs.ticket(0) != raised.epochs.ticket(0) || made.epochs.order(0) != 2<<idBits|1 {
		t.Errorf("made in epoch 2: hold %d, intent %d, order %d; raised to it: %d, %d, %d", made.nextHold, made.intents.next,
			made.epochs.order(0), raised.nextHold, raised.intents.next, raised.epochs.order(0))
	}
	// A snapshot that contradicts its configuration is none.
	made.epochs = made.epochs[:1]
	made.nextHold = 1<<idBits | 1
	if _, err := Restore(made.AppendSnapshot(nil)); err == nil || !strings.Contains(err.Error(), "epoch") {
		t.Errorf("a sale that began in epoch 2 and is in 1: %v", err)
	}
}

func TestEpochBounds(t *testing.T) {
	s := richState(t)
	for _, c := range []struct {
		limit  int64
		want   Refusal
		number uint32
	}{
		{-1, RefusedInvalid, 0}, {1, RefusedState, 1}, {64, RefusedInvalid, 0}, {0, Done, 2}, {63, Done, 63}, {63, RefusedState, 63}, {0, RefusedFull, 63},
	} {
		s.Begin(s.Index()+1, s.Clock())
		if r := s.Do(&Command{Op: OpEpoch, Limit: c.limit}); r.Refusal != c.want || r.Number != c.number {
			t.Errorf("raise to %d: %+v, want %d and %d", c.limit, r, c.want, c.number)
		}
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := RaiseEpoch(s.AppendSnapshot(nil), 63); err == nil {
		t.Error("a snapshot of epoch 63 was raised to 63")
	}
	if b := s.AppendSnapshot(nil); b[0] != snapshotVersionEpochs {
		t.Errorf("a snapshot in epoch %d has version %d", s.Epoch(), b[0])
	}
}

// TestIdentifiersRunOut: a sale that has no number left says so, and a later epoch has new ones for holds.
func TestIdentifiersRunOut(t *testing.T) {
	w := &rich{t: t, at: storyDay.UnixMilli()}
	var err error
	if w.s, err = New(storyConfig(storyPlan(12, 6, 10_000, 1_000))); err != nil {
		t.Fatal(err)
	}
	w.do(Command{Op: OpJoin, Account: 1})
	w.do(Command{Op: OpClaim, Account: 1})
	w.s.nextHold = idMask
	hold := Command{Op: OpHold, Account: 1, Lines: []Line{{Unit: 1, Count: 1}}}
	if r := w.do(hold); r.Refusal != RefusedFull {
		t.Errorf("hold without a number left: %+v", r)
	}
	w.do(Command{Op: OpEpoch})
	if r := w.do(hold); r.Refusal != Done || r.Hold != 1<<idBits|1 {
		t.Errorf("hold in a new epoch: %+v", r)
	}
	w.s.promised = maxTickets
	if r := w.do(Command{Op: OpOrderOpen, Account: 1, Hold: 1<<idBits | 1}); r.Refusal != RefusedFull {
		t.Errorf("order without numbers of tickets left: %+v", r)
	}
}
