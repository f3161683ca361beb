package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"
)

// inbox is a webhook receiver that checks signatures with the production library.
type inbox struct {
	t       *testing.T
	url     string
	mu      sync.Mutex
	got     []received
	answers []int // what to answer next, 200 when empty
}

type received struct {
	id, kind, payment string
	valid             bool
	rejected          error
}

// newInbox starts the receiver; secrets are those that are live, any of which may have signed.
func newInbox(t *testing.T, answers ...int) *inbox {
	in := &inbox{t: t, answers: answers}
	web := httptest.NewServer(in)
	t.Cleanup(web.Close)
	in.url = web.URL + "/hook"
	return in
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		in.t.Error(err)
	}
	var e struct {
		ID, Type, Object string
		APIVersion       string `json:"api_version"`
		Data             struct {
			Object struct{ ID, Object string }
		}
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Object != "event" || e.APIVersion == "" {
		in.t.Errorf("body %s: %v", body, err)
	}
	// The sandbox's clock is not the wall clock, so the age is judged by the courier's own tests.
	err = webhook.ValidatePayloadIgnoringTolerance(body, r.Header.Get("Stripe-Signature"), testSecret)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.got = append(in.got, received{id: e.ID, kind: e.Type, payment: e.Data.Object.ID, valid: err == nil, rejected: err})
	status := 200
	if len(in.answers) > 0 {
		status, in.answers = in.answers[0], in.answers[1:]
	}
	w.WriteHeader(status)
}

func (in *inbox) all() []received {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.got)
}

func (in *inbox) kinds() []string {
	var out []string
	for _, g := range in.all() {
		out = append(out, g.kind)
	}
	return out
}

// want waits until exactly these kinds came, in this order.
func (in *inbox) want(kinds ...string) {
	in.t.Helper()
	waitFor(in.t, func() bool { return len(in.all()) >= len(kinds) })
	if got := in.kinds(); !slices.Equal(got, kinds) {
		in.t.Fatalf("got %v, want %v", got, kinds)
	}
}

func withInbox(in *inbox) func(*Options) {
	return func(o *Options) {
		o.WebhookURL, o.WebhookSecret = in.url, testSecret
		o.WebhookRetry, o.WebhookRetryMax = time.Second, 4*time.Second
	}
}

func TestWebhooksComeInOrderAndSigned(t *testing.T) {
	in := newInbox(t)
	r := newRig(t, withInbox(in))
	pi := r.captured(1000, "pm_card_visa")
	if _, err := r.refund(pi.ID, 0); err != nil {
		t.Fatal(err)
	}
	in.want("payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded",
		"refund.created", "charge.refunded", "refund.updated")
	for _, g := range in.all() {
		if !g.valid {
			t.Errorf("%s: %v", g.kind, g.rejected)
		}
	}
	waitFor(t, func() bool { r.s.mu.Lock(); defer r.s.mu.Unlock(); return len(r.s.undone) == 0 })
}

func TestWebhookKindsOfOtherWays(t *testing.T) {
	in := newInbox(t)
	r := newRig(t, withInbox(in))
	pi := r.create(cardParams(1000))
	_, err := r.confirm(pi.ID, "pm_card_chargeDeclined")
	r.wantError(err, 402, "card_declined")
	if _, err := r.confirm(pi.ID, "pm_card_sandboxProcessing"); err != nil {
		t.Fatal(err)
	}
	r.pass(7 * time.Second)
	if _, err := r.stripe.V1PaymentIntents.Cancel(t.Context(), pi.ID, nil); err != nil {
		t.Fatal(err)
	}
	in.want("payment_intent.created", "payment_intent.payment_failed", "payment_intent.processing",
		"payment_intent.amount_capturable_updated", "payment_intent.canceled")
}

func TestWebhookIsRepeatedUntilItIsTaken(t *testing.T) {
	in := newInbox(t, 500, 404, 302)
	r := newRig(t, withInbox(in))
	r.create(cardParams(1000))
	for tries := 1; tries <= 3; tries++ {
		waitFor(t, func() bool { return len(r.s.Deliveries()) == tries })
		if got := len(in.all()); got != tries {
			t.Fatalf("%d tries, want %d", got, tries)
		}
		r.clock.move(time.Second<<(tries-1) - time.Millisecond)
		r.s.Wake()
		r.clock.move(time.Millisecond)
		r.s.Wake()
	}
	waitFor(t, func() bool { r.s.mu.Lock(); defer r.s.mu.Unlock(); return len(r.s.undone) == 0 })
	d := r.s.Deliveries()
	if len(d) != 4 || d[3].Status != 200 || d[3].Try != 4 {
		t.Fatalf("deliveries %+v", d)
	}
	ids := map[string]bool{}
	for _, g := range in.all() {
		ids[g.id] = true
	}
	if len(ids) != 1 {
		t.Fatalf("ids %v, want one", ids)
	}
}

func TestWebhookIsGivenUp(t *testing.T) {
	in := newInbox(t, 500, 500, 500, 500)
	r := newRig(t, withInbox(in), func(o *Options) { o.WebhookTries = 2 })
	r.create(cardParams(1000))
	waitFor(t, func() bool { return len(r.s.Deliveries()) == 1 })
	r.clock.move(time.Second)
	r.s.Wake()
	waitFor(t, func() bool { r.s.mu.Lock(); defer r.s.mu.Unlock(); return len(r.s.undone) == 0 })
	if n := len(in.all()); n != 2 {
		t.Fatalf("%d tries, want 2", n)
	}
}

func TestWebhookFaults(t *testing.T) {
	const created, ready = "payment_intent.created", "payment_intent.amount_capturable_updated"
	for _, c := range []struct {
		name  string
		fault Fault
		pass  time.Duration // after the first deliveries
		want  []string
		check func(t *testing.T, got []received)
	}{
		{name: "lose", fault: Fault{Do: "lose", Type: created}, want: []string{ready}},
		{name: "duplicate", fault: Fault{Do: "duplicate", Type: ready, Count: 2}, want: []string{created, ready, ready, ready},
			check: func(t *testing.T, got []received) {
				if got[1].id != got[2].id || got[2].id != got[3].id {
					t.Errorf("ids differ: %v", got)
				}
			}},
		{name: "duplicate with a new id", fault: Fault{Do: "duplicate_new_id", Type: ready}, want: []string{created, ready, ready},
			check: func(t *testing.T, got []received) {
				if got[1].id == got[2].id || !got[2].valid {
					t.Errorf("got %v", got)
				}
			}},
		{name: "reorder", fault: Fault{Do: "reorder", Type: created}, want: []string{ready, created}},
		{name: "bad signature", fault: Fault{Do: "bad_signature", Type: created}, want: []string{created, ready},
			check: func(t *testing.T, got []received) {
				if got[0].valid || !got[1].valid {
					t.Errorf("got %v", got)
				}
			}},
		{name: "delay", fault: Fault{Do: "delay", Type: created, DelayMS: 3000}, pass: 3 * time.Second, want: []string{ready, created}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := newInbox(t)
			r := newRig(t, withInbox(in))
			c.fault.On = "webhook"
			if err := r.s.SetFaults(c.fault); err != nil {
				t.Fatal(err)
			}
			r.authorized(1000, "pm_card_visa")
			if c.pass > 0 {
				waitFor(t, func() bool { return len(in.all()) == 1 })
				r.pass(c.pass)
			}
			in.want(c.want...)
			if c.check != nil {
				c.check(t, in.all())
			}
		})
	}
}

func TestReorderedEventLeavesAloneInTheEnd(t *testing.T) {
	in := newInbox(t)
	r := newRig(t, withInbox(in))
	if err := r.s.SetFaults(Fault{On: "webhook", Do: "reorder"}); err != nil {
		t.Fatal(err)
	}
	r.create(cardParams(1000))
	r.pass(reorderWait)
	in.want("payment_intent.created")
}

func TestOldTimestampIsRepeatedWithAGoodOne(t *testing.T) {
	s := &Server{o: Options{WebhookSecret: testSecret, WebhookOldSecret: "whsec_the_one_before"}}
	now := time.Now()
	d := &delivery{body: []byte(`{"object":"event"}`), fault: "old_timestamp"}
	if err := webhook.ValidatePayload(d.body, s.sign(d, now), testSecret); !errors.Is(err, webhook.ErrTooOld) {
		t.Fatalf("error %v, want too old", err)
	}
	d.fault = ""
	for _, secret := range []string{testSecret, "whsec_the_one_before"} {
		if err := webhook.ValidatePayload(d.body, s.sign(d, now), secret); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEventBeforeTheAnswer(t *testing.T) {
	in := newInbox(t)
	r := newRig(t, withInbox(in))
	if err := r.s.SetFaults(Fault{On: "webhook", Do: "before_answer"}); err != nil {
		t.Fatal(err)
	}
	pi := r.create(cardParams(1000))
	got := in.all() // no waiting: it must be here already
	if len(got) != 1 || got[0].payment != pi.ID {
		t.Fatalf("got %v", got)
	}
}

func TestResend(t *testing.T) {
	in := newInbox(t)
	r := newRig(t, withInbox(in))
	r.create(cardParams(1000))
	in.want("payment_intent.created")
	if status, _, _ := r.call("POST", "/_sandbox/events/"+in.all()[0].id+"/resend", "", ""); status != 200 {
		t.Fatalf("status %d", status)
	}
	in.want("payment_intent.created", "payment_intent.created")
	if status, _, _ := r.call("POST", "/_sandbox/events/evt_nobody/resend", "", ""); status != 400 {
		t.Fatalf("status %d", status)
	}
}
