package pay_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pay"
	"github.com/catraca/catraca/transport/pay/sandbox"
)

const key = "sk_test_catraca_sandbox"

// rig is the payer in front of a sandbox over real HTTP; the sandbox's clock is moved by hand.
type rig struct {
	t    *testing.T
	s    *sandbox.Server
	p    *pay.Stripe
	reg  *prometheus.Registry
	http *http.Client
	url  string

	mu  sync.Mutex
	now time.Time
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// pass moves the clock and waits until ok.
func (r *rig) pass(d time.Duration, ok func() bool) {
	r.t.Helper()
	r.mu.Lock()
	r.now = r.now.Add(d)
	r.mu.Unlock()
	r.s.Wake()
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			r.t.Fatal("it did not happen within 10 s")
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func newRig(t *testing.T, change func(*sandbox.Options, *pay.Options)) *rig {
	t.Helper()
	r := &rig{t: t, reg: prometheus.NewRegistry(), now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	so := sandbox.Options{SecretKey: key, Seed: 11, Now: r.clock, ReturnPrefixes: []string{"https://shop.example/"}}
	po := pay.Options{Provider: "sandbox", SecretKey: key, Retries: -1, Timeout: 5 * time.Second, BreakerFailures: 1000}
	if change != nil {
		change(&so, &po)
	}
	var err error
	if r.s, err = sandbox.New(so); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(r.s)
	r.url = web.URL
	if po.BaseURL == "" {
		po.BaseURL = web.URL
	}
	po.HostedPage = web.URL + sandbox.HostedPath
	if r.p, err = pay.New(po, slog.New(slog.DiscardHandler), r.reg); err != nil {
		t.Fatal(err)
	}
	r.http = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		r.p.Close()
		r.http.CloseIdleConnections()
		if err := r.s.Close(); err != nil {
			t.Error(err)
		}
		web.Close()
	})
	return r
}

func request(k string, m sale.Method) outbox.PaymentRequest {
	return outbox.PaymentRequest{
		Key: k, Event: 1, Order: 42, Attempt: 1, Method: m, Amount: 12000, Currency: "BRL", Label: "Aurora ao vivo",
		Reference: "o1-42", ReturnURL: "https://shop.example/e/aurora?order=o1-42", Lang: "pt-BR",
		Expires: time.Date(2026, 11, 24, 12, 10, 0, 0, time.UTC).UnixMilli(),
	}
}

func (r *rig) start(k string, m sale.Method) outbox.Payment {
	r.t.Helper()
	p, err := r.p.Start(r.t.Context(), request(k, m))
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// payAt types a card into the hosted page and returns where the payer was sent.
func (r *rig) payAt(page, number string) string {
	r.t.Helper()
	u, err := url.Parse(page)
	if err != nil {
		r.t.Fatal(err)
	}
	form := u.Query()
	u.RawQuery = ""
	form.Set("number", number)
	form.Set("expiry", "12/34")
	form.Set("cvc", "123")
	form.Set("name", "Ana")
	res, err := r.http.PostForm(u.String(), form)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 303 {
		r.t.Fatalf("the page answered %s", res.Status)
	}
	return res.Header.Get("Location")
}

// authorized is a card payment whose money is reserved.
func (r *rig) authorized(k string) outbox.Payment {
	r.t.Helper()
	p := r.start(k, sale.MethodCard)
	r.payAt(p.URL, "4242424242424242")
	return p
}

func (r *rig) want(p outbox.Payment, err error, state sale.PayState) {
	r.t.Helper()
	if err != nil || p.State != state {
		r.t.Fatalf("payment %+v, error %v; want state %d", p, err, state)
	}
}

func (r *rig) query(ref string) outbox.Payment {
	r.t.Helper()
	p, err := r.p.Query(r.t.Context(), ref)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) faults(list ...sandbox.Fault) {
	r.t.Helper()
	if err := r.s.SetFaults(list...); err != nil {
		r.t.Fatal(err)
	}
}

// counted reads catraca_payments_total.
func (r *rig) counted(method, result string) float64 {
	r.t.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "catraca_payments_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["method"] == method && labels["result"] == result && labels["provider"] == "sandbox" {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
