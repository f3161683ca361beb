package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
)

const (
	testKey    = "sk_test_catraca_sandbox"
	testSecret = "whsec_catraca_sandbox"
	shop       = "https://shop.example/orders/"
)

// clock is moved by hand; the server asks it for the time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// rig is a sandbox behind a real loopback listener, with the production client library in front.
type rig struct {
	t      *testing.T
	s      *Server
	clock  *clock
	url    string
	stripe *stripe.Client
	http   *http.Client
}

func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, clock: newClock()}
	o := Options{SecretKey: testKey, ReturnPrefixes: []string{"https://shop.example/orders"}, Seed: 7, Now: r.clock.Now}
	for _, f := range change {
		f(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.s = s
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		web.Close()
	})
	r.url = web.URL
	r.stripe = newClient(web.URL, testKey)
	r.http = &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(r.http.CloseIdleConnections)
	return r
}

func newClient(url, key string) *stripe.Client {
	b := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(url), MaxNetworkRetries: stripe.Int64(0), EnableTelemetry: new(false),
		HTTPClient: &http.Client{Timeout: 10 * time.Second}, LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	return stripe.NewClient(key, stripe.WithBackends(&stripe.Backends{API: b, Connect: b, Uploads: b, MeterEvents: b}))
}

// cardParams ask for a payment that is captured by hand.
func cardParams(amount int64) *stripe.PaymentIntentCreateParams {
	return &stripe.PaymentIntentCreateParams{
		Amount: new(amount), Currency: stripe.String("brl"), CaptureMethod: stripe.String("manual"),
		PaymentMethodTypes: []*string{stripe.String("card")}, Description: stripe.String("Aurora · o1-42"),
		Metadata: map[string]string{"event": "1", "order": "42", "attempt": "1"},
	}
}

func pixParams(amount int64) *stripe.PaymentIntentCreateParams {
	return &stripe.PaymentIntentCreateParams{
		Amount: new(amount), Currency: stripe.String("brl"), Confirm: new(true),
		PaymentMethodTypes: []*string{stripe.String("pix")},
		PaymentMethodData:  &stripe.PaymentIntentCreatePaymentMethodDataParams{Type: stripe.String("pix")},
		Metadata:           map[string]string{"event": "1", "order": "43"},
	}
}

func (r *rig) create(p *stripe.PaymentIntentCreateParams) *stripe.PaymentIntent {
	r.t.Helper()
	pi, err := r.stripe.V1PaymentIntents.Create(r.t.Context(), p)
	if err != nil {
		r.t.Fatal(err)
	}
	return pi
}

func (r *rig) get(id string) *stripe.PaymentIntent {
	r.t.Helper()
	pi, err := r.stripe.V1PaymentIntents.Retrieve(r.t.Context(), id, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return pi
}

func (r *rig) confirm(id, token string) (*stripe.PaymentIntent, error) {
	return r.stripe.V1PaymentIntents.Confirm(r.t.Context(), id, &stripe.PaymentIntentConfirmParams{
		PaymentMethod: stripe.String(token), ReturnURL: stripe.String(shop + "o1-42"),
	})
}

// authorized makes a card payment whose money is reserved.
func (r *rig) authorized(amount int64, token string) *stripe.PaymentIntent {
	r.t.Helper()
	pi, err := r.confirm(r.create(cardParams(amount)).ID, token)
	if err != nil {
		r.t.Fatal(err)
	}
	if pi.Status != stripe.PaymentIntentStatusRequiresCapture {
		r.t.Fatalf("status %s, want requires_capture", pi.Status)
	}
	return pi
}

// pass moves the clock and waits until everything that became due has happened.
func (r *rig) pass(d time.Duration) {
	r.clock.move(d)
	r.s.runDue()
	r.s.Wake()
}

func (r *rig) wantError(err error, status int, code string) *stripe.Error {
	r.t.Helper()
	var se *stripe.Error
	if !errors.As(err, &se) {
		r.t.Fatalf("error %v is not an error of the API", err)
	}
	if se.HTTPStatusCode != status || string(se.Code) != code {
		r.t.Fatalf("status %d, code %q, message %q; want %d, %q", se.HTTPStatusCode, se.Code, se.Msg, status, code)
	}
	return se
}

// call makes a raw API call.
func (r *rig) call(method, path, key, body string) (int, http.Header, map[string]any) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	if method == http.MethodPost && !strings.HasPrefix(path, "/_sandbox") {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := r.http.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var out map[string]any
	if len(data) > 0 && data[0] == '{' {
		if err := json.Unmarshal(data, &out); err != nil {
			r.t.Fatalf("body %s: %v", data, err)
		}
	}
	return res.StatusCode, res.Header, out
}

// page loads a page, or sends a form when there is one.
func (r *rig) page(address string, form url.Values) (int, http.Header, string) {
	r.t.Helper()
	if !strings.HasPrefix(address, "http") {
		address = r.url + address
	}
	var res *http.Response
	var err error
	if form == nil {
		res, err = r.http.Get(address)
	} else {
		res, err = r.http.PostForm(address, form)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(body)
}
