package pay_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pay"
	"github.com/catraca/catraca/transport/pay/sandbox"
)

// door is a webhook address as the application has one: verify, remember once, answer.
type door struct {
	t   *testing.T
	v   *pay.Verifier
	url string

	mu       sync.Mutex
	notices  []pay.Notice
	refused  []error
	failures int // calls to answer with 500 first
}

func newDoor(t *testing.T, secrets ...string) *door {
	t.Helper()
	v, err := pay.NewVerifier(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, v: v}
	web := httptest.NewServer(d)
	t.Cleanup(web.Close)
	d.url = web.URL
	return d
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, pay.MaxWebhookBody+1))
	if err != nil {
		d.t.Error(err)
	}
	n, err := d.v.Event(r.Header.Get("Stripe-Signature"), body, time.Now())
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err != nil:
		d.refused = append(d.refused, err)
		w.WriteHeader(http.StatusBadRequest)
	case d.failures > 0:
		d.failures--
		w.WriteHeader(http.StatusInternalServerError)
	default:
		d.notices = append(d.notices, n)
	}
}

func (d *door) all() []pay.Notice {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.notices)
}

func (d *door) wait(n int) []pay.Notice {
	d.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for len(d.all()) < n {
		if time.Now().After(deadline) {
			d.t.Fatalf("%d of %d notices came: %+v", len(d.all()), n, d.all())
		}
		time.Sleep(2 * time.Millisecond)
	}
	return d.all()
}

// The sandbox's webhooks pass our verification, say whose payment it is, and come again until they are taken.
func TestWebhooksFromTheSandbox(t *testing.T) {
	const oldSecret, newSecret = "whsec_before_the_change", "whsec_after_the_change"
	for _, c := range []struct {
		name     string
		fault    *sandbox.Fault
		failures int
		known    []string // secrets of the receiver
		refused  []error
		notices  int
	}{
		{name: "plain", known: []string{newSecret}, notices: 6},
		{name: "receiver still has the old secret", known: []string{oldSecret}, notices: 6},
		{name: "answered 500 first", failures: 2, known: []string{newSecret}, notices: 6},
		{name: "bad signature first", fault: &sandbox.Fault{On: "webhook", Do: "bad_signature", Times: 1}, known: []string{newSecret},
			refused: []error{pay.ErrSignature}, notices: 6},
		{name: "old timestamp first", fault: &sandbox.Fault{On: "webhook", Do: "old_timestamp", Times: 1}, known: []string{newSecret},
			refused: []error{pay.ErrTimestamp}, notices: 6},
		{name: "twice under another id", fault: &sandbox.Fault{On: "webhook", Do: "duplicate_new_id", Type: "payment_intent.succeeded"},
			known: []string{newSecret}, notices: 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDoor(t, c.known...)
			d.failures = c.failures
			r := newRig(t, func(so *sandbox.Options, _ *pay.Options) {
				so.Now = time.Now
				so.WebhookURL, so.WebhookSecret, so.WebhookOldSecret = d.url, newSecret, oldSecret
				so.WebhookRetry = 5 * time.Millisecond
			})
			if c.fault != nil {
				r.faults(*c.fault)
			}
			p := r.authorized("k1")
			got, err := r.p.Capture(t.Context(), p.Ref, "c1")
			r.want(got, err, sale.PayCaptured)
			if _, err := r.p.Refund(t.Context(), p.Ref, 12000, "r1"); err != nil {
				t.Fatal(err)
			}
			// created, authorized, captured; then the refund's three, of which the payment's metadata is on one.
			notices := d.wait(c.notices)
			kinds := map[string]int{}
			for _, n := range notices {
				kinds[n.Type]++
				if n.Type == "payment_intent.created" {
					if !n.Ignored {
						t.Errorf("notice %+v", n)
					}
					continue
				}
				if n.Ref != p.Ref || n.Ignored || n.Live {
					t.Errorf("notice %+v", n)
				}
				if n.Refund == "" && (n.Event != 1 || n.Order != 42 || n.Attempt != 1) {
					t.Errorf("notice without its order: %+v", n)
				}
			}
			for _, kind := range []string{"payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded", "charge.refunded", "refund.updated"} {
				if kinds[kind] == 0 {
					t.Errorf("no %s in %v", kind, kinds)
				}
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			if len(d.refused) != len(c.refused) {
				t.Fatalf("refused %v, want %v", d.refused, c.refused)
			}
			for i, want := range c.refused {
				if !errors.Is(d.refused[i], want) {
					t.Errorf("refused %v, want %v", d.refused[i], want)
				}
			}
		})
	}
}

// A webhook may overtake the answer to the call that caused it.
func TestWebhookBeforeTheAnswer(t *testing.T) {
	d := newDoor(t, "whsec_the_only_one_there_is")
	r := newRig(t, func(so *sandbox.Options, _ *pay.Options) {
		so.Now = time.Now
		so.WebhookURL, so.WebhookSecret = d.url, "whsec_the_only_one_there_is"
	})
	r.faults(sandbox.Fault{On: "webhook", Do: "before_answer"})
	p := r.authorized("k1")
	if got := d.all(); len(got) != 2 || !got[0].Ignored || got[1].Ref != p.Ref || got[1].Order != 42 {
		t.Fatalf("notices %+v", got)
	}
}
