package sandbox

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
)

const createBody = "amount=1000&currency=brl&capture_method=manual&payment_method_types[]=card"

func TestSameKeySameAnswer(t *testing.T) {
	r := newRig(t)
	status, _, first := r.call("POST", "/v1/payment_intents", "k1", createBody)
	if status != 200 {
		t.Fatalf("status %d: %v", status, first)
	}
	// The order of the parameters does not matter, and the answer stays the first one when the payment moves on.
	if _, err := r.confirm(first["id"].(string), "pm_card_visa"); err != nil {
		t.Fatal(err)
	}
	status, header, again := r.call("POST", "/v1/payment_intents", "k1", "currency=brl&amount=1000&payment_method_types[]=card&capture_method=manual")
	if status != 200 || again["id"] != first["id"] || again["status"] != needsMethod || header.Get("Idempotent-Replayed") != "true" {
		t.Fatalf("status %d, replayed %q: %v", status, header.Get("Idempotent-Replayed"), again)
	}
	if n := len(r.s.Ledger().Payments); n != 1 {
		t.Fatalf("%d payments", n)
	}
}

func TestSameKeyOtherRequest(t *testing.T) {
	r := newRig(t)
	_, _, first := r.call("POST", "/v1/payment_intents", "k1", createBody)
	for _, c := range []struct{ path, body string }{
		{"/v1/payment_intents", strings.Replace(createBody, "1000", "1001", 1)},
		{"/v1/payment_intents/" + first["id"].(string) + "/cancel", ""},
	} {
		status, _, out := r.call("POST", c.path, "k1", c.body)
		if e := out["error"].(map[string]any); status != 400 || e["type"] != "idempotency_error" {
			t.Fatalf("%s: status %d, error %v", c.path, status, e)
		}
	}
	if got := r.get(first["id"].(string)); got.Status != stripe.PaymentIntentStatusRequiresPaymentMethod {
		t.Fatalf("status %s", got.Status)
	}
}

func TestDeclinesAreStoredRefusedParametersAreNot(t *testing.T) {
	r := newRig(t)
	id := r.create(cardParams(1000)).ID
	confirm := "/v1/payment_intents/" + id + "/confirm"
	if status, _, _ := r.call("POST", confirm, "k1", "payment_method=pm_card_chargeDeclined"); status != 402 {
		t.Fatalf("status %d", status)
	}
	if status, header, _ := r.call("POST", confirm, "k1", "payment_method=pm_card_chargeDeclined"); status != 402 || header.Get("Idempotent-Replayed") != "true" {
		t.Fatalf("status %d, %v", status, header)
	}
	if status, _, _ := r.call("POST", confirm, "k2", "payment_method=pm_card_visa&nonsense=1"); status != 400 {
		t.Fatalf("status %d", status)
	}
	if status, _, out := r.call("POST", confirm, "k2", "payment_method=pm_card_visa"); status != 200 || out["status"] != needsCapture {
		t.Fatalf("status %d: %v", status, out)
	}
}

func TestKeysAreForgottenAfterADay(t *testing.T) {
	r := newRig(t)
	_, _, first := r.call("POST", "/v1/payment_intents", "k1", createBody)
	r.clock.move(25 * time.Hour)
	status, _, second := r.call("POST", "/v1/payment_intents", "k1", createBody)
	if status != 200 || first["id"] == second["id"] {
		t.Fatalf("status %d, %v and %v", status, first["id"], second["id"])
	}
	if status, _, _ := r.call("POST", "/v1/payment_intents", strings.Repeat("k", 256), createBody); status != 400 {
		t.Fatalf("a key of 256 characters got status %d", status)
	}
}

func TestKeyInUse(t *testing.T) {
	r := newRig(t)
	if err := r.s.SetFaults(Fault{On: "create", Do: "delay", DelayMS: 60_000, Times: 1}); err != nil {
		t.Fatal(err)
	}
	p := cardParams(1000)
	p.SetIdempotencyKey("k1")
	done := make(chan error, 1)
	slow := newClient(r.url, testKey)
	ctx, cancel := contextWithCancel(t)
	go func() {
		_, err := slow.V1PaymentIntents.Create(ctx, p)
		done <- err
	}()
	waitFor(t, func() bool { r.s.mu.Lock(); defer r.s.mu.Unlock(); return r.s.inFlight["k1"] })
	q := cardParams(1000)
	q.SetIdempotencyKey("k1")
	_, err := r.stripe.V1PaymentIntents.Create(t.Context(), q)
	r.wantError(err, 409, "idempotency_key_in_use")
	cancel()
	if err := <-done; err == nil {
		t.Fatal("the canceled call succeeded")
	}
	waitFor(t, func() bool { r.s.mu.Lock(); defer r.s.mu.Unlock(); return !r.s.inFlight["k1"] })
	if _, err := r.stripe.V1PaymentIntents.Create(t.Context(), q); err != nil {
		t.Fatal(err)
	}
}

// However many callers use one key at once, there is one payment and everybody who gets it gets the same.
func TestOneKeyManyCallers(t *testing.T) {
	r := newRig(t)
	var mu sync.Mutex
	ids := map[string]bool{}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			p := cardParams(1000)
			p.SetIdempotencyKey("k1")
			pi, err := r.stripe.V1PaymentIntents.Create(t.Context(), p)
			if err == nil {
				mu.Lock()
				ids[pi.ID] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(ids) != 1 || len(r.s.Ledger().Payments) != 1 {
		t.Fatalf("ids %v, %d payments", ids, len(r.s.Ledger().Payments))
	}
}
