package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
)

// copyOf is the state file as a killed process would leave it.
func copyOf(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(out, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPaymentsSurviveTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	in := newInbox(t, 500)
	a := newRig(t, withInbox(in), func(o *Options) { o.StateFile = path })
	_, _, first := a.call("POST", "/v1/payment_intents", "k1", createBody)
	paid := a.captured(1000, "pm_card_visa").ID
	re, err := a.refund(paid, 400)
	if err != nil {
		t.Fatal(err)
	}
	pix := a.create(pixParams(700))
	slow, err := a.confirm(a.create(cardParams(800)).ID, "pm_card_sandboxProcessing")
	if err != nil {
		t.Fatal(err)
	}
	// One webhook was refused, so it is owed; wait until all others are through.
	waitFor(t, func() bool { a.s.mu.Lock(); defer a.s.mu.Unlock(); return len(a.s.undone) == 1 })
	before := len(in.all())
	left := copyOf(t, path)

	b := newRig(t, withInbox(in), func(o *Options) { o.StateFile, o.Seed = left, 99 })
	b.clock.move(10 * time.Second)
	b.s.Wake()
	if _, header, again := b.call("POST", "/v1/payment_intents", "k1", createBody); again["id"] != first["id"] || header.Get("Idempotent-Replayed") != "true" {
		t.Fatalf("the key was forgotten: %v", again)
	}
	if got, err := b.stripe.V1Refunds.Retrieve(t.Context(), re.ID, nil); err != nil || got.Amount != 400 {
		t.Fatalf("refund %+v, %v", got, err)
	}
	if got := b.get(pix.ID); got.ClientSecret != pix.ClientSecret {
		t.Fatalf("client secret %s, want %s", got.ClientSecret, pix.ClientSecret)
	}
	waitFor(t, func() bool {
		return b.get(pix.ID).Status == stripe.PaymentIntentStatusSucceeded && b.get(slow.ID).Status == stripe.PaymentIntentStatusRequiresCapture
	})
	if e := b.s.Ledger().Totals["BRL"]; e.Captured != 1700 || e.Refunded != 400 {
		t.Fatalf("totals %+v", e)
	}
	if created := b.create(cardParams(900)); b.s.intents[created.ID].N <= a.s.intents[slow.ID].N {
		t.Fatal("numbers began again")
	}
	waitFor(t, func() bool { return len(in.all()) == before+1+2+1 }) // the owed one, two that became due, one new
}

// A killed process leaves at most a part of its last line.
func TestTornStateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	a := newRig(t, func(o *Options) { o.StateFile = path })
	kept := a.create(cardParams(1000)).ID
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a.create(cardParams(2000))
	full, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{len(whole) + 1, (len(whole) + len(full)) / 2, len(full) - 1} {
		torn := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(torn, full[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		b := newRig(t, func(o *Options) { o.StateFile = torn })
		if n := len(b.s.Ledger().Payments); n != 1 || b.get(kept).Amount != 1000 {
			t.Fatalf("cut at %d: %d payments", cut, n)
		}
		b.create(cardParams(3000))
	}
}

func TestDamagedStateFile(t *testing.T) {
	for name, text := range map[string]string{
		"nonsense":      "{\"seed\":1}\nnonsense\n{\"sequence\":2}\n",
		"unknown field": "{\"seed\":1}\n{\"colour\":1}\n",
		"no id":         "{\"seed\":1}\n{\"intents\":[{}]}\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := New(Options{SecretKey: testKey, StateFile: path})
			if err == nil || !strings.Contains(err.Error(), "line 2") {
				t.Fatalf("error %v does not name line 2", err)
			}
		})
	}
}

func TestStateFileIsShortened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	a := newRig(t, func(o *Options) { o.StateFile = path })
	pi := a.create(cardParams(1000))
	for range 20 {
		_, err := a.confirm(pi.ID, "pm_card_chargeDeclined")
		a.wantError(err, 402, "card_declined")
	}
	a.s.mu.Lock()
	before := a.s.journal.size
	err := a.s.rewrite()
	after := a.s.journal.size
	a.s.mu.Unlock()
	if err != nil || after >= before {
		t.Fatalf("%d bytes became %d, error %v", before, after, err)
	}
	a.create(cardParams(2000))
	b := newRig(t, func(o *Options) { o.StateFile = copyOf(t, path) })
	if b.get(pi.ID).Status != stripe.PaymentIntentStatusRequiresPaymentMethod || len(b.s.Ledger().Payments) != 2 {
		t.Fatalf("ledger %+v", b.s.Ledger())
	}
}

// Once the state file cannot be written nothing is promised any more.
func TestDiskFailureStopsTheServer(t *testing.T) {
	a := newRig(t, func(o *Options) { o.StateFile = filepath.Join(t.TempDir(), "state") })
	a.s.mu.Lock()
	_ = a.s.journal.file.Close()
	a.s.mu.Unlock()
	for range 2 {
		_, err := a.stripe.V1PaymentIntents.Create(t.Context(), cardParams(1000))
		a.wantError(err, 503, "")
	}
	if n := len(a.s.Ledger().Payments); n != 0 {
		t.Fatalf("%d payments are shown that were not stored", n)
	}
	a.s.mu.Lock()
	a.s.journal = nil // so that closing has nothing to complain about
	a.s.mu.Unlock()
}

func TestClosedServerAnswers(t *testing.T) {
	r := newRig(t)
	if err := r.s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := r.stripe.V1PaymentIntents.Create(t.Context(), cardParams(1000))
	r.wantError(err, 503, "")
}
