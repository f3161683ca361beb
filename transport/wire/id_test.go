package wire

import (
	"testing"

	"github.com/catraca/catraca/actors/sale"
)

func TestReferences(t *testing.T) {
	for _, c := range []struct {
		got, want string
	}{
		{HoldRef(1, 42), "h1-42"}, {OrderRef(4294967295, 4294967295), "o4294967295-4294967295"}, {TicketRef(7, 1), "t7-1"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
	if e, id, err := ParseTicketRef("t7-19"); err != nil || e != 7 || id != 19 {
		t.Errorf("%d %d %v", e, id, err)
	}
	if e, id, err := ParseHoldRef("h7-19"); err != nil || e != 7 || id != 19 {
		t.Errorf("%d %d %v", e, id, err)
	}
}

// A reference has one spelling: what is parsed is written the same.
func FuzzParseOrderRef(f *testing.F) {
	for _, seed := range []string{
		"o1-5", "o1-0", "o0-1", "h1-5", "o01-5", "o1-05", "o1--5", "o+1-5", "o1-5 ", "o1", "o-1", "o4294967295-4294967295", "o4294967296-1", "", "o1-5-6", "o1-5o", "ö1-5",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, id, err := ParseOrderRef(s)
		if err != nil {
			if e != 0 || id != 0 {
				t.Errorf("%q: %d %d beside %v", s, e, id, err)
			}
			return
		}
		if e == 0 || id == 0 || OrderRef(e, id) != s {
			t.Errorf("%q is %d %d, which is written %s", s, e, id, OrderRef(e, id))
		}
	})
}

func TestNames(t *testing.T) {
	phases := map[string]bool{}
	for p := sale.PhaseScheduled; p <= sale.PhaseClosed; p++ {
		phases[p.String()] = true
	}
	orders := map[string]bool{}
	for s := sale.OrderAwaiting; s <= sale.OrderRefunded; s++ {
		orders[s.String()] = true
	}
	pays := map[string]bool{}
	for s := sale.PayCreated; s <= sale.PayCanceled; s++ {
		pays[PayStateName(s)] = true
	}
	refunds := map[string]bool{}
	for s := sale.RefundNone; s <= sale.RefundFailed; s++ {
		refunds[s.String()] = true
	}
	if len(phases) != 5 || len(orders) != 8 || orders["unknown"] || len(pays) != 7 || len(refunds) != 4 {
		t.Errorf("names are %v, %v, %v, %v", phases, orders, pays, refunds)
	}
	for _, m := range []sale.Method{sale.MethodCard, sale.MethodPix} {
		if back, ok := ParseMethod(MethodName(m)); !ok || back != m {
			t.Errorf("method %d is named %q, which is %d", m, MethodName(m), back)
		}
	}
	if _, ok := ParseMethod(""); ok {
		t.Error("no method has a name")
	}
}
