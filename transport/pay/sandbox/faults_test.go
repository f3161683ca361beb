package sandbox

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
)

// What a caller sees of each fault, and what is true afterwards.
func TestAPIFaults(t *testing.T) {
	for _, c := range []struct {
		do       string
		status   int // 0: no answer
		replayed int // of the same call again with the same key
		payments int // after both
	}{
		{"429", 429, 200, 1},
		{"500", 500, 200, 1},
		{"500_stored", 500, 500, 0},
		{"500_after_commit", 500, 500, 1},
		{"cut", 0, 200, 1},
		{"cut_after_commit", 0, 200, 1},
		{"timeout_after_commit", 0, 200, 1},
		{"delay", 200, 200, 1},
	} {
		t.Run(c.do, func(t *testing.T) {
			r := newRig(t)
			if err := r.s.SetFaults(Fault{On: "create", Do: c.do, Order: "42", Times: 1, DelayMS: 20}); err != nil {
				t.Fatal(err)
			}
			call := func(wait time.Duration) (int, string) {
				ctx, cancel := context.WithTimeout(t.Context(), wait)
				defer cancel()
				p := cardParams(1000)
				p.SetIdempotencyKey("k1")
				pi, err := r.stripe.V1PaymentIntents.Create(ctx, p)
				var se *stripe.Error
				switch {
				case errors.As(err, &se):
					return se.HTTPStatusCode, ""
				case err != nil:
					return 0, ""
				}
				return 200, pi.ID
			}
			if status, _ := call(300 * time.Millisecond); status != c.status {
				t.Fatalf("status %d, want %d", status, c.status)
			}
			if status, _ := call(5 * time.Second); status != c.replayed {
				t.Fatalf("second status %d, want %d", status, c.replayed)
			}
			if n := len(r.s.Ledger().Payments); n != c.payments {
				t.Fatalf("%d payments, want %d", n, c.payments)
			}
			if len(r.s.Faults()) != 0 {
				t.Fatalf("faults left: %v", r.s.Faults())
			}
		})
	}
}

func TestFaultMatching(t *testing.T) {
	fs := newFaults(1)
	if err := fs.add(
		Fault{On: "capture", Do: "500", Payment: "pi_1", Times: 2},
		Fault{On: "api", Do: "429", Order: "9"},
		Fault{On: "webhook", Do: "lose", Type: "payment_intent.*"},
	); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		op, payment, order, want string
	}{
		{"capture", "pi_2", "1", ""},
		{"capture", "pi_1", "1", "500"},
		{"cancel", "pi_1", "1", ""},
		{"capture", "pi_1", "1", "500"},
		{"capture", "pi_1", "1", ""}, // used up
		{"get", "pi_1", "9", "429"},
		{"get", "pi_1", "9", "429"},
	} {
		got := ""
		if f := fs.api(c.op, c.payment, c.order); f != nil {
			got = f.Do
		}
		if got != c.want {
			t.Fatalf("%+v: got %q", c, got)
		}
	}
	if fs.webhook(&event{Type: "refund.updated"}) != nil || fs.webhook(&event{Type: "payment_intent.created"}) == nil {
		t.Fatal("the event type does not decide")
	}
}

// The same seed gives the same luck.
func TestProbabilityIsSeeded(t *testing.T) {
	draw := func(seed uint64) string {
		fs := newFaults(seed)
		if err := fs.add(Fault{On: "api", Do: "500", Probability: 0.3}); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for range 200 {
			if fs.api("get", "", "") != nil {
				out.WriteByte('x')
			} else {
				out.WriteByte('.')
			}
		}
		return out.String()
	}
	a := draw(5)
	if a != draw(5) || a == draw(6) {
		t.Fatal("the draw does not follow the seed")
	}
	if n := strings.Count(a, "x"); n < 30 || n > 90 {
		t.Fatalf("%d of 200 hit with probability 0.3", n)
	}
}

func TestControlAPI(t *testing.T) {
	r := newRig(t, func(o *Options) { o.PixAfter = -1 })
	for _, path := range []string{"/_sandbox/ledger", "/_sandbox/faults", "/_sandbox/deliveries"} {
		res, err := http.Get(r.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != 401 {
			t.Errorf("%s without the key: status %d", path, res.StatusCode)
		}
	}
	if status, _, _ := r.call("PUT", "/_sandbox/faults", "", `[{"on":"get","do":"429"},{"on":"webhook","do":"lose"}]`); status != 200 || len(r.s.Faults()) != 2 {
		t.Fatalf("status %d, faults %v", status, r.s.Faults())
	}
	if status, _, _ := r.call("POST", "/_sandbox/faults", "", `{"on":"create","do":"cut","times":3}`); status != 200 || len(r.s.Faults()) != 3 {
		t.Fatalf("status %d, faults %v", status, r.s.Faults())
	}
	for _, c := range []struct{ body, want string }{
		{`[{"on":"moon","do":"429"}]`, "on:"}, {`[{"on":"get","do":"explode"}]`, "do:"}, {`[{"on":"get","do":"429","times":-1}]`, "times:"},
		{`[{"on":"get","do":"429","probability":2}]`, "probability:"}, {`[{"on":"get","do":"delay","delay_ms":-1}]`, "delay_ms:"},
		{`[{"on":"webhook","do":"duplicate","count":1000}]`, "count:"}, {`[{"on":"get","do":"429","type":"x"}]`, "type:"},
		{`[{"on":"get","do":"429","colour":1}]`, "colour"}, {`nonsense`, "invalid"}, {``, "EOF"}, {`[] []`, "behind"},
	} {
		status, _, out := r.call("PUT", "/_sandbox/faults", "", c.body)
		if message, _ := out["error"].(map[string]any)["message"].(string); status != 400 || !strings.Contains(message, c.want) {
			t.Errorf("%s: status %d, %v; want %q", c.body, status, out, c.want)
		}
	}
	if status, _, _ := r.call("DELETE", "/_sandbox/faults", "", ""); status != 200 || len(r.s.Faults()) != 0 {
		t.Fatalf("status %d, faults %v", status, r.s.Faults())
	}
	pix := r.create(pixParams(500)).ID
	if status, _, _ := r.call("POST", "/_sandbox/payments/"+pix+"/pay", "", ""); status != 200 {
		t.Fatalf("status %d", status)
	}
	if status, _, _ := r.call("POST", "/_sandbox/payments/"+pix+"/pay", "", ""); status != 400 {
		t.Fatalf("paid twice: status %d", status)
	}
	status, _, out := r.call("GET", "/_sandbox/ledger", "", "")
	total := out["totals"].(map[string]any)["BRL"].(map[string]any)
	if status != 200 || total["captured"] != 500.0 || total["net"] != 500.0 {
		t.Fatalf("ledger %v", out)
	}
}
