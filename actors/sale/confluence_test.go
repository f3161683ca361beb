package sale

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestReportsConfluence: whatever order the provider's notices and reports of one payment arrive in, and however often, the
// sale ends up where a single delivery in order leaves it.
func TestReportsConfluence(t *testing.T) {
	for _, history := range []struct {
		name   string
		method Method
		states []PayState
	}{
		{"card", MethodCard, []PayState{PayCreated, PayAction, PayProcessing, PayAuthorized, PayCaptured}},
		{"declined card tried again", MethodCard, []PayState{PayCreated, PayProcessing, PayFailed, PayAuthorized, PayCaptured}},
		{"pix", MethodPix, []PayState{PayCreated, PayAction, PayCaptured}},
		{"declined", MethodCard, []PayState{PayCreated, PayAction, PayFailed}},
		{"given up", MethodCard, []PayState{PayCreated, PayAction, PayCanceled}},
	} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s late=%t", history.name, late), func(t *testing.T) {
				want := outcome(t, history.method, late, reports(history.states))
				rapid.Check(t, func(t *rapid.T) {
					all := reports(history.states)
					for range rapid.IntRange(0, 6).Draw(t, "more") {
						all = append(all, rapid.SampledFrom(all).Draw(t, "again"))
					}
					all = rapid.Permutation(all).Draw(t, "order")
					if got := outcome(t, history.method, late, all); got != want {
						t.Fatalf("got  %s\nwant %s", got, want)
					}
				})
			})
		}
	}
}

func reports(states []PayState) (cmds []Command) {
	for i, st := range states {
		c := Command{Op: OpPayState, Order: 1, Attempt: 1, Ref: "pi_1", Pay: st}
		if st.money() {
			c.Amount, c.Currency = 22_000, "BRL"
		}
		cmds = append(cmds, c, Command{Op: OpPayNotice, Key: Key{byte(i + 1)}, Order: 1, Ref: "pi_1"})
	}
	return cmds
}

// outcome delivers reports about a fresh order, lets it run out, and says how it ended. Late: the order has run out and its
// units are sold to somebody else before the first report.
func outcome(t rapid.TB, m Method, late bool, cmds []Command) string {
	cfg := storyConfig(storyPlan(7, 0, 10_000, 1_000))
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	at := storyDay.UnixMilli()
	do := func(c Command) Result {
		s.Begin(s.Index()+1, at)
		r := s.Do(&c)
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
		return r
	}
	hold := func(a AccountID) Result {
		do(Command{Op: OpJoin, Account: a})
		do(Command{Op: OpClaim, Account: a})
		return do(Command{Op: OpHold, Account: a, Lines: []Line{{Unit: 0, Count: 1}, {Unit: 1, Count: 1}}})
	}
	h := hold(1)
	do(Command{Op: OpOrderOpen, Account: 1, Hold: h.Hold})
	do(Command{Op: OpPayBegin, Account: 1, Order: 1, Method: m})
	if late {
		do(Command{Op: OpPayStarted, Order: 1, Attempt: 1, Ref: "pi_1"})
		at += 11 * minute
		do(Command{Op: OpTick})
		at += 5 * minute
		do(Command{Op: OpTick})
		if r := hold(2); r.Refusal != Done {
			t.Fatalf("hold: %+v", r)
		}
	}
	for _, c := range cmds {
		do(c)
	}
	at += 3 * hour
	do(Command{Op: OpTick})
	at += hour
	do(Command{Op: OpTick})
	if err := s.Verify(); err != nil {
		t.Fatal(err)
	}
	o, _ := s.Order(1)
	open := [IntentMailRefund + 1]int{}
	for _, x := range s.Intents(nil) {
		open[x.Kind]++
	}
	b := s.Book()
	return fmt.Sprintf("order %d, payment %d, refund %d, %d tickets, totals %+v, open intents %v, book %+v",
		o.State, o.Payment.State, o.Payment.Refund, len(o.Tickets), s.Totals(), open, b)
}
