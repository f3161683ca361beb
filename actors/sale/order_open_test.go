package sale

import (
	"fmt"
	"testing"
)

// shopping is a sale in which an account has its turn.
func shopping(t *testing.T, accounts ...AccountID) *rich {
	t.Helper()
	cfg := storyConfig(storyPlan(12, 6, 10_000, 1_000))
	cfg.Limits.Attempts = MaxAttempts
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &rich{t: t, s: s, at: storyDay.UnixMilli()}
	for _, a := range accounts {
		w.do(Command{Op: OpJoin, Account: a})
		w.do(Command{Op: OpClaim, Account: a})
	}
	return w
}

// An account that has opened as many orders as it may gets no more, and is told so for good: to try later is no use.
func TestOrdersOfOneAccountEnd(t *testing.T) {
	w := shopping(t, 1, 2)
	hold := func(a AccountID, unit UnitID) HoldID {
		return w.do(Command{Op: OpHold, Account: a, Lines: []Line{{Unit: unit, Count: 1}}}).Hold
	}
	for n := range maxOrdersPerAccount {
		o := w.do(Command{Op: OpOrderOpen, Account: 1, Hold: hold(1, 0)})
		if o.Refusal != Done {
			t.Fatalf("order %d: %+v", n+1, o)
		}
		if r := w.do(Command{Op: OpOrderCancel, Account: 1, Order: o.Order}); r.Refusal != Done {
			t.Fatalf("cancel order %d: %+v", n+1, r)
		}
	}
	if r := w.do(Command{Op: OpOrderOpen, Account: 1, Hold: hold(1, 0)}); r.Refusal != RefusedLimit || r.Number != 0 {
		t.Errorf("one order too many: %+v", r)
	}
	if r := w.do(Command{Op: OpOrderOpen, Account: 2, Hold: hold(2, 1)}); r.Refusal != Done {
		t.Errorf("somebody else's order: %+v", r)
	}
	if err := w.s.Verify(); err != nil {
		t.Error(err)
	}
}

// An order that has as many payments at the provider as it may gets no more either.
func TestPaymentsOfOneOrderEnd(t *testing.T) {
	w := shopping(t)
	order, _ := w.buy(1, MethodCard, Line{Unit: 0, Count: 1})
	w.do(Command{Op: OpPayState, Order: order, Attempt: 1, Pay: PayFailed})
	for n := range maxPayments - 1 {
		w.do(Command{Op: OpPayState, Order: order, Ref: fmt.Sprintf("pi_stray_%d", n), Pay: PayFailed})
	}
	if n := w.s.orderOf(order).payments; n != maxPayments {
		t.Fatalf("the order has %d payments", n)
	}
	if r := w.do(Command{Op: OpPayBegin, Account: 1, Order: order, Method: MethodPix}); r.Refusal != RefusedAttempts {
		t.Errorf("one payment too many: %+v", r)
	}
}
