package sale

import (
	"strings"
	"testing"
)

// TestCaptureWithoutEnd: a provider that answers every capture with "authorized" gives the seats free after a while.
func TestCaptureWithoutEnd(t *testing.T) {
	s, do := paidUpTo(t, PayAuthorized)
	for tries := 1; ; tries++ {
		var capture Intent
		for _, x := range s.Intents(nil) {
			if x.Kind == IntentCapture {
				capture = x
			}
		}
		if capture.ID == 0 {
			if o, _ := s.Order(1); o.State != OrderCanceled || tries != captureTries+1 || s.Totals().Sold != 0 {
				t.Fatalf("after %d tries: %+v", tries, o)
			}
			return
		}
		do(Command{Op: OpPayState, Order: 1, Attempt: 1, Ref: "pi_1", Intent: capture.ID, Pay: PayAuthorized, Amount: 11_000, Currency: "BRL"})
	}
}

// TestLongReasonsAreStored: a reason put together from bounded parts is bounded too, so that a snapshot can be read back.
func TestLongReasonsAreStored(t *testing.T) {
	s, do := paidUpTo(t, PayCaptured)
	for _, x := range s.Intents(nil) {
		do(Command{Op: OpIntentFailed, Intent: x.ID, Text: strings.Repeat("ã", maxText/2)})
	}
	o, _ := s.Order(1)
	if !o.Attention || len(o.Reason) < maxText-1 || len(o.Reason) > maxText {
		t.Errorf("reason has %d bytes", len(o.Reason))
	}
	if _, err := Restore(s.AppendSnapshot(nil)); err != nil {
		t.Error(err)
	}
}

func TestPaymentReportsRefused(t *testing.T) {
	s, do := paidUpTo(t, PayCreated)
	for _, tt := range []struct {
		name string
		c    Command
		want Refusal
	}{
		{"no state", Command{Order: 1, Ref: "pi_1"}, RefusedInvalid},
		{"unknown state", Command{Order: 1, Ref: "pi_1", Pay: 99}, RefusedInvalid},
		{"negative", Command{Order: 1, Ref: "pi_1", Pay: PayCaptured, Amount: -1, Currency: "BRL"}, RefusedInvalid},
		{"unknown order", Command{Order: 7, Ref: "pi_7", Pay: PayCreated}, RefusedUnknown},
		{"another's payment", Command{Order: 7, Ref: "pi_1", Pay: PayCreated}, RefusedInvalid},
		{"no such attempt", Command{Order: 1, Attempt: 9, Pay: PayCreated}, RefusedUnknown},
	} {
		before := s.Book()
		tt.c.Op = OpPayState
		if r := do(tt.c); r.Refusal != tt.want || s.Book() != before {
			t.Errorf("%s: got %+v", tt.name, r)
		}
	}
	do(Command{Op: OpPayBegin, Account: 1, Order: 1, Method: MethodPix})
	if r := do(Command{Op: OpPayState, Order: 1, Attempt: 2, Pay: PayCaptured, Amount: 11_000, Currency: "BRL"}); r.Refusal != RefusedInvalid {
		t.Errorf("money of a payment without id: got %+v", r)
	}
	if r := do(Command{Op: OpPayStarted, Order: 1, Attempt: 2, Ref: "pi_1"}); r.Refusal != Done {
		t.Errorf("one payment for two attempts: got %+v", r)
	}
	for _, x := range s.Intents(nil) {
		if x.Kind == IntentPayStart {
			t.Errorf("still asks for %+v", x)
		}
	}
}

// paidUpTo is a sale with one order of one seat whose card payment pi_1 has come to a state.
func paidUpTo(t *testing.T, st PayState) (*State, func(Command) Result) {
	s, err := New(storyConfig(storyPlan(7, 0, 10_000, 1_000)))
	if err != nil {
		t.Fatal(err)
	}
	do := func(c Command) Result {
		s.Begin(s.Index()+1, storyDay.UnixMilli())
		r := s.Do(&c)
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(); err != nil {
			t.Fatal(err)
		}
		return r
	}
	do(Command{Op: OpJoin, Account: 1})
	do(Command{Op: OpClaim, Account: 1})
	h := do(Command{Op: OpHold, Account: 1, Lines: []Line{{Unit: 0, Count: 1}}})
	do(Command{Op: OpOrderOpen, Account: 1, Hold: h.Hold})
	do(Command{Op: OpPayBegin, Account: 1, Order: 1, Method: MethodCard})
	do(Command{Op: OpPayStarted, Order: 1, Attempt: 1, Ref: "pi_1"})
	c := Command{Op: OpPayState, Order: 1, Attempt: 1, Ref: "pi_1", Pay: st}
	if st.money() {
		c.Amount, c.Currency = 11_000, "BRL"
	}
	if r := do(c); r.Refusal != Done {
		t.Fatalf("%+v", r)
	}
	return s, do
}
