package pay_test

import (
	"context"
	"errors"
	"testing"

	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pay"
	"github.com/catraca/catraca/transport/pay/sandbox"
)

// While the provider fails for some time, it stores a failure under every key it is asked with. What was tried during
// that time must not be lost when it is well again, and nothing may happen twice.
func TestAnOutageBurnsManyKeys(t *testing.T) {
	const failures = 13 // the outbox tries a payment and a refund 14 times
	for _, do := range []string{"500_stored", "500_after_commit"} {
		t.Run(do, func(t *testing.T) {
			r := newRig(t, func(_ *sandbox.Options, po *pay.Options) { po.BreakerFailures = 1000 })
			again := func(op string, work func(context.Context) error) {
				t.Helper()
				r.faults(sandbox.Fault{On: op, Do: do, Times: failures})
				for n := range failures + 1 {
					err := work(t.Context())
					if err == nil {
						return
					}
					if errors.Is(err, outbox.ErrRefusedByProvider) || !errors.Is(err, pay.ErrUnavailable) || n == failures {
						t.Fatalf("%s, try %d: %v", op, n+1, err)
					}
				}
			}
			var p outbox.Payment
			start := func(ctx context.Context) (err error) {
				p, err = r.p.Start(ctx, request("k1", sale.MethodCard))
				return err
			}
			again("create", start)
			first := p.Ref
			if err := start(t.Context()); err != nil || p.Ref != first {
				t.Fatalf("once more: %s instead of %s, %v", p.Ref, first, err)
			}
			r.payAt(p.URL, "4242424242424242")
			if _, err := r.p.Capture(t.Context(), p.Ref, "c1"); err != nil {
				t.Fatal(err)
			}
			again("refund", func(ctx context.Context) error { _, err := r.p.Refund(ctx, p.Ref, 12000, "r1"); return err })
			if l := r.s.Ledger().Totals["BRL"]; l.Captured != 12000 || l.Refunded+l.Pending != 12000 || l.Authorized != 0 {
				t.Errorf("totals %+v", l)
			}
		})
	}
}
