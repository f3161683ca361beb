package sale

import (
	"github.com/catraca/catraca/actors/sale/queue"
)

// settle heals the outbox and lets time pass until no intent and no deadline of a hold is left.
func (w *world) settle() {
	w.apply(Command{Op: OpResume, Actor: 99})
	for range 5000 {
		for w.outbox(false) {
		}
		next := queue.Never
		for _, x := range w.s.Intents(nil) {
			next = min(next, x.Due)
		}
		for a := range AccountID(worldAccounts) {
			if _, ok := w.s.HoldOf(a + 1); ok {
				next = min(next, w.s.Due())
			}
		}
		if next == queue.Never {
			return
		}
		w.now = max(w.now, next)
		w.apply(Command{Op: OpTick})
	}
	w.t.Fatalf("does not settle: %+v", w.s.Intents(nil))
}

// audit compares the sale with the provider's ledger, after every fault is healed.
func (w *world) audit() {
	w.look()
	earned := map[OrderID]int{}
	captured, refunded := int64(0), int64(0)
	for _, p := range w.ledger {
		o, _ := w.s.Order(p.order)
		switch p.state {
		case PayCaptured:
			captured += p.amount
			refunded += p.refunded
			switch p.refunded {
			case 0:
				earned[p.order]++
				failed := false
				for _, q := range rows(&w.s.payments.View) {
					failed = failed || q.ref == p.ref && q.refund == RefundFailed
				}
				if o.State != OrderFulfilled && (!failed || !o.Attention) {
					w.t.Fatalf("%s was captured and kept, order %d is %d", p.ref, p.order, o.State)
				}
			case p.amount:
			default:
				w.t.Fatalf("%s: %d of %d refunded", p.ref, p.refunded, p.amount)
			}
		case PayAuthorized:
			if !o.Attention {
				w.t.Fatalf("%s is still authorized, order %d is %d", p.ref, p.order, o.State)
			}
		}
	}
	for i := range w.s.Orders() {
		o, _ := w.s.Order(w.s.OrderAt(i))
		if o.State == OrderFulfilled && o.Total > 0 && earned[o.ID] == 0 {
			w.t.Fatalf("order %d is fulfilled, nobody paid", o.ID)
		}
		if o.State == OrderAwaiting || o.State == OrderCommitted || o.State == OrderPaid {
			w.t.Fatalf("order %d is still in state %d", o.ID, o.State)
		}
	}
	b := w.s.Book()
	if b.Captured != captured || captured-refunded-b.Refunding > b.SoldFace+b.SoldFees {
		w.t.Fatalf("ledger has %d captured and %d refunded, book %+v", captured, refunded, b)
	}
}

// replayed plays the whole log from the start.
func (w *world) replayed() *State {
	s, err := New(*w.s.Config())
	if w.base != nil {
		s, err = Restore(w.base)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	for _, l := range w.log {
		if _, err := run(s, &Decoder{}, l); err != nil {
			w.t.Fatal(err)
		}
	}
	return s
}

// replay checks that the log gives the same state from its start, and from a snapshot at any cut.
func (w *world) replay() {
	want := w.s.Hash()
	s, err := New(*w.s.Config())
	if err != nil {
		w.t.Fatal(err)
	}
	cut := w.pick(len(w.log), "cut")
	var restored *State
	for i, l := range w.log {
		if i == cut {
			if restored, err = Restore(s.AppendSnapshot(nil)); err != nil {
				w.t.Fatal(err)
			}
		}
		if _, err := run(s, &Decoder{}, l); err != nil {
			w.t.Fatal(err)
		}
		if restored == nil {
			continue
		}
		if _, err := run(restored, &Decoder{}, l); err != nil {
			w.t.Fatal(err)
		}
		if i%16 == 0 && restored.Hash() != s.Hash() {
			w.t.Fatalf("batch %d: the state restored at %d differs", i, cut)
		}
	}
	if s.Hash() != want || restored.Hash() != want {
		w.t.Fatal("the log gives another state")
	}
}
