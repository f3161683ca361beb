package sale

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/actors/sale/slab"
)

// richState is a sale in which every stored field of every record has a value.
func richState(t testing.TB) *State {
	cfg := storyConfig(storyPlan(12, 6, 10_000, 1_000))
	cfg.Limits.Attempts = 3
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &rich{t: t, s: s, at: storyDay.UnixMilli()}
	r.tell()
	return s
}

func (r *rich) tell() {
	r.money()
	r.late()
	r.now()
}

// rich makes a sale eventful.
type rich struct {
	t        testing.TB
	s        *State
	at       int64
	declined OrderID

	before func() // each command; may be nil
}

func (r *rich) do(c Command) Result {
	if r.before != nil {
		r.before()
	}
	r.s.Begin(r.s.Index()+1, r.at)
	res := r.s.Do(&c)
	if err := r.s.End(); err != nil {
		r.t.Fatalf("%+v: %v", c, err)
	}
	return res
}

func (r *rich) buy(a AccountID, m Method, lines ...Line) (id OrderID, ref string) {
	r.do(Command{Op: OpJoin, Account: a})
	r.do(Command{Op: OpClaim, Account: a})
	h := r.do(Command{Op: OpHold, Account: a, Key: Key{byte(a), 1}, Lines: lines})
	id = r.do(Command{Op: OpOrderOpen, Account: a, Hold: h.Hold, Text: "pt-BR"}).Order
	r.do(Command{Op: OpPayBegin, Account: a, Order: id, Method: m})
	ref = "pi_" + string(rune('a'+id))
	r.do(Command{Op: OpPayStarted, Order: id, Attempt: 1, Ref: ref, URL: "https://pay.example/" + ref, Text: "0002br"})
	return id, ref
}

func (r *rich) says(id OrderID, ref string, p PayState, amount int64, currency string) {
	r.do(Command{Op: OpPayState, Order: id, Ref: ref, Pay: p, Amount: amount, Currency: currency, Text: "generic_decline"})
}

// money is orders that were paid, twice, wrongly, declined and given back.
func (r *rich) money() {
	r.at -= 25 * hour
	r.do(Command{Op: OpPayNotice, Ref: "pi_long_ago"})
	r.at += 25 * hour
	paid, ref := r.buy(1, MethodPix, Line{Unit: 0, Count: 1}, Line{Unit: 12, Count: 2})
	r.says(paid, ref, PayCaptured, 33_000, "BRL")
	r.do(Command{Op: OpScan, Ticket: 1, Version: 1, Gate: 3, Key: Key{9}})
	r.says(paid, "pi_second", PayCaptured, 33_000, "BRL") // paid twice
	committed, ref := r.buy(2, MethodCard, Line{Unit: 2, Count: 1})
	r.says(committed, ref, PayAuthorized, 11_000, "BRL")
	back, ref := r.buy(3, MethodPix, Line{Unit: 4, Count: 1})
	r.says(back, ref, PayCaptured, 11_000, "BRL")
	r.do(Command{Op: OpRefund, Order: back, Text: "ill"})
	for _, x := range r.s.Intents(nil) {
		if x.Kind == IntentRefund && x.Order == back {
			r.do(Command{Op: OpRefundState, Intent: x.ID, Ref: "re_1", Refund: RefundSucceeded})
		}
	}
	foreign, ref := r.buy(4, MethodCard, Line{Unit: 5, Count: 1})
	r.says(foreign, ref, PayCaptured, 500, "USD")
	declined, ref := r.buy(5, MethodCard, Line{Unit: 6, Count: 1})
	r.says(declined, ref, PayFailed, 0, "")
	r.do(Command{Op: OpPayBegin, Account: 5, Order: declined, Method: MethodPix})
	r.declined = declined
}

// late is money that came after the time.
func (r *rich) late() {
	r.at += 10*minute + second
	r.do(Command{Op: OpPayNotice, Ref: "pi_nobody", Key: Key{7}})
	late, ref := r.buy(6, MethodPix, Line{Unit: 7, Count: 1})
	r.at += 16 * minute // runs out, settles, is given up
	r.do(Command{Op: OpTick})
	r.at += 5 * minute
	r.do(Command{Op: OpTick})
	r.says(late, ref, PayCaptured, 11_000, "BRL")
	gone, ref := r.buy(7, MethodPix, Line{Unit: 8, Count: 1})
	r.at += 16 * minute
	r.do(Command{Op: OpTick})
	r.at += 5 * minute
	r.do(Command{Op: OpJoin, Account: 8})
	r.do(Command{Op: OpClaim, Account: 8})
	held := r.do(Command{Op: OpHold, Account: 8, Lines: []Line{{Unit: 8, Count: 1}}, Key: Key{8, 8}})
	r.do(Command{Op: OpHold, Account: 8, Lines: []Line{{Unit: 7, Count: 1}}, Key: Key{8, 9}})
	r.do(Command{Op: OpHoldRenew, Account: 8, Hold: held.Hold})
	r.says(gone, ref, PayCaptured, 11_000, "BRL")
	r.do(Command{Op: OpPayNotice, Order: gone, Ref: "pi_nobody2"})
}

// now is what is going on when the snapshot is taken.
func (r *rich) now() {
	r.do(Command{Op: OpJoin, Account: 10})
	r.do(Command{Op: OpClaim, Account: 10})
	taken := r.do(Command{Op: OpHold, Account: 10, Lines: []Line{{Unit: 7, Count: 1}, {Unit: 8, Count: 1}}, Key: Key{8, 10}})
	if taken.Refusal != RefusedConflict {
		r.t.Fatalf("hold of taken seats: %+v", taken)
	}
	r.do(Command{Op: OpHold, Account: 10, Best: seatmap.BestQuery{Quantity: 2, AnyCategory: true, AnySection: true}, Key: Key{8, 11}})
	settling, _ := r.buy(9, MethodCard, Line{Unit: 10, Count: 1})
	r.do(Command{Op: OpPayNotice, Order: settling, Ref: "pi_" + string(rune('a'+settling))})
	r.at += 10 * minute
	r.do(Command{Op: OpIntentFailed, Intent: r.s.Intents(nil)[0].ID, Text: "greylisted", At: r.at + minute})
	r.do(Command{Op: OpOrderCancel, Actor: 99, Order: r.declined})
	for _, x := range r.s.Intents(nil) {
		if x.Kind == IntentMail {
			r.do(Command{Op: OpIntentDone, Intent: x.ID})
			break
		}
	}
	r.buy(11, MethodCard, Line{Unit: 10, Count: 1})
	r.at += 10 * minute // settles
	second, _ := r.buy(1, MethodCard, Line{Unit: 1, Count: 1})
	r.do(Command{Op: OpPayBegin, Account: 1, Order: second, Method: MethodPix})
	r.do(Command{Op: OpPayNotice, Order: second, Ref: "pi_early"})
	r.do(Command{Op: OpEpoch, Actor: 99})
	r.do(Command{Op: OpJoin, Account: 12})
	r.do(Command{Op: OpClaim, Account: 12})
	held := r.do(Command{Op: OpHold, Account: 12, Best: seatmap.BestQuery{Quantity: 2, AnyCategory: true, AnySection: true}, Key: Key{12}})
	r.do(Command{Op: OpHoldRenew, Account: 12, Hold: held.Hold})
	r.do(Command{Op: OpMessage, Text: "the band is late"})
	r.do(Command{Op: OpPause, Text: "storm"})
}

// TestSnapshotHasEveryField compares a restored sale with the original field by field, and fails when a stored field has
// no value anywhere: then it would not be noticed if it were missing.
func TestSnapshotHasEveryField(t *testing.T) {
	s := richState(t)
	if err := s.Verify(); err != nil {
		t.Fatal(err)
	}
	again, err := Restore(s.AppendSnapshot(nil))
	if err != nil {
		t.Fatal(err)
	}
	// Not in a snapshot: scratch, and what is found again from the rest.
	absent := map[string]bool{
		"seen": true, "settled": true, "changes": true, "body": true, "units": true, "picked": true, "wanted": true, "before": true, "hint": true, "priced": true,
		"accountAt": true, "holdAt": true, "freeHolds": true, "due": true, "holds": true, "holdLines": true, "intents": true,
		"fanKeys": true, "noticeKeys": true, "accounts": true, "orders": true, "orderLines": true, "payments": true, "tickets": true,
	}
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; !absent[name] && v.Field(i).IsZero() {
			t.Errorf("State.%s has no value in this test", name)
		}
	}
	opts := cmp.Options{
		cmp.AllowUnexported(State{}, account{}, order{}, payment{}, notice{}, ticket{}, epochStart{}),
		cmp.FilterPath(func(p cmp.Path) bool {
			f, ok := p.Last().(cmp.StructField)
			return ok && len(p) == 3 && absent[f.Name()]
		}, cmp.Ignore()),
		cmp.Comparer(func(a, b *seatmap.Inventory) bool {
			return string(a.AppendBinary(nil)) == string(b.AppendBinary(nil))
		}),
		cmp.Comparer(func(a, b *queue.Queue) bool {
			return string(a.AppendBinary(nil)) == string(b.AppendBinary(nil))
		}),
	}
	if diff := cmp.Diff(s, again, opts); diff != "" {
		t.Error(diff)
	}
	for _, diff := range []string{
		cmp.Diff(rows(&s.accounts.View), rows(&again.accounts.View), opts), cmp.Diff(rows(&s.orders.View), rows(&again.orders.View), opts),
		cmp.Diff(rows(&s.orderLines.View), rows(&again.orderLines.View), opts), cmp.Diff(rows(&s.payments.View), rows(&again.payments.View), opts),
		cmp.Diff(rows(&s.tickets.View), rows(&again.tickets.View), opts),
	} {
		if diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff(s.Intents(nil), again.Intents(nil)); diff != "" {
		t.Error(diff)
	}
	for _, h := range rows(&s.holds.View) {
		a, b := s.holdOf(h.id), again.holdOf(h.id)
		if diff := cmp.Diff(a, b, cmp.AllowUnexported(hold{}), cmpopts.IgnoreFields(hold{}, "slot")); diff != "" {
			t.Error(diff)
		} else if a != nil && cmp.Diff(s.linesOf(a), again.linesOf(b)) != "" {
			t.Errorf("hold %d has other lines", h.id)
		}
	}
	everyField(t, s)
}

// rows copies the records of a slab.
func rows[T any](v *slab.View[T]) (all []T) {
	for i := range v.Len() {
		all = append(all, v.Get(i))
	}
	return all
}

// everyField checks that each field of each kind of record has a value in some record.
func everyField(t *testing.T, s *State) {
	var intents []intentSlot
	for _, x := range rows(&s.intents.slots.View) {
		if x.ID != 0 {
			x.Ref, x.Method = "read from the payment", 1
			intents = append(intents, x)
		}
	}
	var holds []hold
	for _, h := range rows(&s.holds.View) {
		if h.id != 0 {
			holds = append(holds, h)
		}
	}
	var results []Result
	kept := s.fanKeys.look()
	kept.each(func(words []uint64, _ int64) bool {
		var x Result
		readAnswer(words, &x)
		x.Ticket, x.Repeated = 1, true // scans are not remembered, and a repeat is not remembered again
		if x.Place == 0 && x.Hold != 0 {
			x.Place, x.Order = 1, max(x.Order, 1)
		}
		results = append(results, x)
		return true
	})
	for _, records := range []any{
		rows(&s.accounts.View), rows(&s.orders.View), rows(&s.orderLines.View), rows(&s.payments.View), s.unmatched, rows(&s.tickets.View), intents, holds, results, []Book{s.book},
	} {
		v := reflect.ValueOf(records)
		if v.Len() == 0 {
			t.Errorf("no %s in this test", v.Type().Elem())
			continue
		}
		for f := range v.Type().Elem().NumField() {
			some := false
			for i := range v.Len() {
				some = some || !v.Index(i).Field(f).IsZero()
			}
			if !some {
				t.Errorf("%s.%s has no value in this test", v.Type().Elem(), v.Type().Elem().Field(f).Name)
			}
		}
	}
}

// TestSnapshotForgetsHistory: two ways to the same state give the same bytes, whatever slots were used on the way.
func TestSnapshotForgetsHistory(t *testing.T) {
	s := richState(t)
	again, err := Restore(s.AppendSnapshot(nil))
	if err != nil {
		t.Fatal(err)
	}
	for i, cmds := range [][]Command{
		{{Op: OpResume}},
		{{Op: OpHoldRelease, Account: 8, Hold: 8}, {Op: OpJoin, Account: 20}, {Op: OpJoin, Account: 21}},
		{{Op: OpClaim, Account: 20}, {Op: OpClaim, Account: 21}},
		{{Op: OpHold, Account: 20, Lines: []Line{{Unit: 9, Count: 1}}}, {Op: OpHold, Account: 21, Lines: []Line{{Unit: 11, Count: 1}}}},
		{{Op: OpTick}},
	} {
		for _, x := range []*State{s, again} {
			x.Begin(x.Index()+1, storyDay.UnixMilli()+2*hour+int64(i)*6*minute)
			for _, c := range cmds {
				x.Do(&c)
			}
			if err := x.End(); err != nil {
				t.Fatal(err)
			}
		}
		if s.Hash() != again.Hash() {
			t.Fatalf("step %d: the states differ", i)
		}
	}
}
