package pay_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pay"
	"github.com/catraca/catraca/transport/pay/sandbox"
)

func TestCardFromStartToRefund(t *testing.T) {
	r := newRig(t, nil)
	p := r.start("k1", sale.MethodCard)
	if p.State != sale.PayCreated || p.Amount != 12000 || p.Currency != "BRL" || p.PixCode != "" {
		t.Fatalf("started %+v", p)
	}
	for _, want := range []string{"/pay/" + p.Ref + "?", "return_url=https%3A%2F%2Fshop.example%2Fe%2Faurora%3Forder%3Do1-42", "lang=pt-BR"} {
		if !strings.Contains(p.URL, want) {
			t.Errorf("address %s lacks %s", p.URL, want)
		}
	}
	if to := r.payAt(p.URL, "4242424242424242"); to != "https://shop.example/e/aurora?order=o1-42&payment_intent="+p.Ref+"&redirect_status=succeeded" {
		t.Fatalf("the payer was sent to %s", to)
	}
	got := r.query(p.Ref)
	if got.State != sale.PayAuthorized || got.Amount != 12000 {
		t.Fatalf("authorized %+v", got)
	}
	got, err := r.p.Capture(t.Context(), p.Ref, "c1")
	r.want(got, err, sale.PayCaptured)
	re, err := r.p.Refund(t.Context(), p.Ref, 12000, "r1")
	if err != nil || re.State != sale.RefundSucceeded || re.Amount != 12000 {
		t.Fatalf("refund %+v, %v", re, err)
	}
	line := r.s.Ledger().Payments[0]
	if line.Metadata["event"] != "1" || line.Metadata["order"] != "42" || line.Metadata["attempt"] != "1" || line.Metadata["reference"] != "o1-42" {
		t.Fatalf("metadata %v", line.Metadata)
	}
	for result, n := range map[string]float64{"created": 1, "authorized": 1, "captured": 1} {
		if got := r.counted("card", result); got != n {
			t.Errorf("%v payments counted as %s, want %v", got, result, n)
		}
	}
}

func TestPix(t *testing.T) {
	r := newRig(t, nil)
	p := r.start("k1", sale.MethodPix)
	if p.State != sale.PayAction || !strings.HasPrefix(p.PixCode, "000201") || p.URL != "" {
		t.Fatalf("started %+v", p)
	}
	if q := r.query(p.Ref); q.PixCode != p.PixCode {
		t.Fatalf("queried %+v", q)
	}
	r.pass(6*time.Second, func() bool { return r.query(p.Ref).State == sale.PayCaptured })
	// Asking again with the same key gives what was answered first, not what is true by now.
	if again := r.start("k1", sale.MethodPix); again.Ref != p.Ref || again.PixCode != p.PixCode {
		t.Fatalf("again %+v", again)
	}
	// A pending refund is looked up again by the same call.
	re, err := r.p.Refund(t.Context(), p.Ref, 12000, "r1")
	if err != nil || re.State != sale.RefundPending {
		t.Fatalf("refund %+v, %v", re, err)
	}
	r.pass(3*time.Second, func() bool {
		again, err := r.p.Refund(t.Context(), p.Ref, 12000, "r1")
		return err == nil && again.Ref == re.Ref && again.State == sale.RefundSucceeded
	})
}

func TestPixThatExpires(t *testing.T) {
	r := newRig(t, func(so *sandbox.Options, _ *pay.Options) { so.PixAfter = -1 })
	p := r.start("k1", sale.MethodPix)
	r.pass(11*time.Minute, func() bool { return r.query(p.Ref).State == sale.PayFailed })
	if d := r.query(p.Ref).Decline; d != "payment_intent_payment_attempt_expired" {
		t.Fatalf("decline %q", d)
	}
}

func TestDeclineCodes(t *testing.T) {
	r := newRig(t, nil)
	for number, want := range map[string]string{
		"4000000000000002": "generic_decline", "4000000000009995": "insufficient_funds", "4000000000000069": "expired_card",
		"4000000000000127": "incorrect_cvc", "4000000000000119": "processing_error", "4100000000000019": "fraudulent",
		"4111111111111111": "test_mode_live_card",
	} {
		p := r.start("k"+number, sale.MethodCard)
		r.payAt(p.URL, number)
		if got := r.query(p.Ref); got.State != sale.PayFailed || got.Decline != want || got.Amount != 12000 {
			t.Errorf("%s: %+v, want the decline %s", number, got, want)
		}
		// The same payment may be tried again.
		r.payAt(p.URL, "4242424242424242")
		if got := r.query(p.Ref); got.State != sale.PayAuthorized || got.Decline != "" {
			t.Errorf("%s, then a good card: %+v", number, got)
		}
	}
}

func TestStatesOnTheWay(t *testing.T) {
	r := newRig(t, nil)
	for number, want := range map[string]sale.PayState{"4000002760003184": sale.PayAction, "4000000000006066": sale.PayProcessing} {
		p := r.start("k"+number, sale.MethodCard)
		r.payAt(p.URL, number)
		if got := r.query(p.Ref); got.State != want {
			t.Errorf("%s: %+v, want state %d", number, got, want)
		}
	}
}

// What Capture and Void answer in every state.
func TestCaptureAndVoidByState(t *testing.T) {
	r := newRig(t, nil)
	prepare := map[string]func(string) string{
		"created": func(k string) string { return r.start(k, sale.MethodCard).Ref },
		"processing": func(k string) string {
			p := r.start(k, sale.MethodCard)
			r.payAt(p.URL, "4000000000006066")
			return p.Ref
		},
		"authorized": func(k string) string { return r.authorized(k).Ref },
		"captured": func(k string) string {
			p := r.authorized(k)
			got, err := r.p.Capture(t.Context(), p.Ref, k+"-capture")
			r.want(got, err, sale.PayCaptured)
			return p.Ref
		},
		"canceled": func(k string) string {
			p := r.start(k, sale.MethodCard)
			got, err := r.p.Void(t.Context(), p.Ref, k+"-void")
			r.want(got, err, sale.PayCanceled)
			return p.Ref
		},
		"lost": func(k string) string { // authorized, but the capture fails
			p := r.start(k, sale.MethodCard)
			r.payAt(p.URL, "4000000000008302")
			return p.Ref
		},
	}
	for _, c := range []struct {
		from, call string
		state      sale.PayState // 0: an error
		err        error
	}{
		{"created", "capture", 0, outbox.ErrRefusedByProvider},
		{"processing", "capture", 0, pay.ErrUnavailable},
		{"authorized", "capture", sale.PayCaptured, nil},
		{"captured", "capture", sale.PayCaptured, nil},
		{"canceled", "capture", sale.PayCanceled, nil},
		{"lost", "capture", sale.PayCanceled, nil},
		{"created", "void", sale.PayCanceled, nil},
		{"processing", "void", 0, pay.ErrUnavailable},
		{"authorized", "void", sale.PayCanceled, nil},
		{"captured", "void", sale.PayCaptured, nil},
		{"canceled", "void", sale.PayCanceled, nil},
	} {
		t.Run(c.call+" "+c.from, func(t *testing.T) {
			k := c.call + c.from
			ref := prepare[c.from](k)
			call := r.p.Capture
			if c.call == "void" {
				call = r.p.Void
			}
			for range 2 { // the same key again gives the same
				got, err := call(t.Context(), ref, k+"-call")
				if !errors.Is(err, c.err) || got.State != c.state {
					t.Fatalf("got %+v, %v; want state %d, error %v", got, err, c.state, c.err)
				}
			}
		})
	}
}

// A refusal is stored under its key. It must not stand in the way once the payment has moved on.
func TestCallsThatCameTooEarly(t *testing.T) {
	r := newRig(t, func(_ *sandbox.Options, po *pay.Options) { po.BreakerFailures = 1 })
	p := r.start("k1", sale.MethodCard)
	r.payAt(p.URL, "4000000000006066")
	for range 3 {
		if _, err := r.p.Void(t.Context(), p.Ref, "v1"); !errors.Is(err, pay.ErrUnavailable) || errors.Is(err, pay.ErrOpen) {
			t.Fatal(err)
		}
	}
	r.pass(7*time.Second, func() bool { return r.query(p.Ref).State == sale.PayAuthorized })
	for range 2 {
		got, err := r.p.Void(t.Context(), p.Ref, "v1")
		r.want(got, err, sale.PayCanceled)
	}
	early := r.start("k2", sale.MethodCard)
	if _, err := r.p.Capture(t.Context(), early.Ref, "c2"); !errors.Is(err, outbox.ErrRefusedByProvider) {
		t.Fatal(err)
	}
	r.payAt(early.URL, "4242424242424242")
	if _, err := r.p.Refund(t.Context(), early.Ref, 12000, "r2"); !errors.Is(err, outbox.ErrRefusedByProvider) {
		t.Fatal(err)
	}
	got, err := r.p.Capture(t.Context(), early.Ref, "c2")
	r.want(got, err, sale.PayCaptured)
	for range 2 {
		if re, err := r.p.Refund(t.Context(), early.Ref, 12000, "r2"); err != nil || re.State != sale.RefundSucceeded {
			t.Fatalf("refund %+v, %v", re, err)
		}
	}
}

func TestRefundsOfOnePayment(t *testing.T) {
	r := newRig(t, nil)
	p := r.authorized("k1")
	got, err := r.p.Capture(t.Context(), p.Ref, "c1")
	r.want(got, err, sale.PayCaptured)
	first, err := r.p.Refund(t.Context(), p.Ref, 5000, "r1")
	if err != nil {
		t.Fatal(err)
	}
	// The provider forgets a key after a day; the refund is found again by what was written on it.
	r.pass(48*time.Hour, func() bool { return true })
	again, err := r.p.Refund(t.Context(), p.Ref, 5000, "r1")
	if err != nil || again != first {
		t.Fatalf("again %+v, %v; want %+v", again, err, first)
	}
	if other, err := r.p.Refund(t.Context(), p.Ref, 7000, "r2"); err != nil || other.Ref == first.Ref {
		t.Fatalf("second %+v, %v", other, err)
	}
	if _, err := r.p.Refund(t.Context(), p.Ref, 1, "r3"); !errors.Is(err, outbox.ErrRefusedByProvider) {
		t.Fatalf("more than there is: %v", err)
	}
	if line := r.s.Ledger().Payments[0]; line.Refunded != 12000 || line.Refunds != 2 {
		t.Fatalf("ledger %+v", line)
	}
}

func TestRefundThatFails(t *testing.T) {
	r := newRig(t, nil)
	p := r.start("k1", sale.MethodCard)
	r.payAt(p.URL, "4000000000005126")
	got, err := r.p.Capture(t.Context(), p.Ref, "c1")
	r.want(got, err, sale.PayCaptured)
	if re, err := r.p.Refund(t.Context(), p.Ref, 12000, "r1"); err != nil || re.State != sale.RefundSucceeded {
		t.Fatalf("refund %+v, %v", re, err)
	}
	r.pass(3*time.Second, func() bool {
		re, err := r.p.Refund(t.Context(), p.Ref, 12000, "r1")
		return err == nil && re.State == sale.RefundFailed
	})
}

// Whatever happens to the first try, the second one with the same key ends where one undisturbed try would have.
func TestFaultsAreCuredByTheSameKey(t *testing.T) {
	for _, do := range []string{"429", "500", "500_stored", "500_after_commit", "cut", "cut_after_commit", "timeout_after_commit"} {
		t.Run(do, func(t *testing.T) {
			r := newRig(t, nil)
			twice := func(op string, work func(context.Context) error) {
				t.Helper()
				r.faults(sandbox.Fault{On: op, Do: do, Times: 1})
				short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				err := work(short)
				if err == nil && strings.HasPrefix(do, "cut") {
					return // the transport repeated it by itself, on a new connection and with the same key
				}
				if errors.Is(err, outbox.ErrRefusedByProvider) || !errors.Is(err, pay.ErrUnavailable) {
					t.Fatalf("%s: %v is not temporary", op, err)
				}
				if err := work(t.Context()); err != nil {
					t.Fatalf("%s again: %v", op, err)
				}
			}
			var p outbox.Payment
			twice("create", func(ctx context.Context) (err error) {
				p, err = r.p.Start(ctx, request("k1", sale.MethodCard))
				return err
			})
			r.payAt(p.URL, "4242424242424242")
			twice("get", func(ctx context.Context) error { _, err := r.p.Query(ctx, p.Ref); return err })
			var taken, voided outbox.Payment
			twice("capture", func(ctx context.Context) (err error) { taken, err = r.p.Capture(ctx, p.Ref, "c1"); return err })
			if taken.State != sale.PayCaptured {
				t.Fatalf("captured %+v", taken)
			}
			twice("refund", func(ctx context.Context) error { _, err := r.p.Refund(ctx, p.Ref, 5000, "r1"); return err })
			other := r.authorized("k2")
			twice("cancel", func(ctx context.Context) (err error) { voided, err = r.p.Void(ctx, other.Ref, "v1"); return err })
			if voided.State != sale.PayCanceled {
				t.Fatalf("voided %+v", voided)
			}
			l := r.s.Ledger().Totals["BRL"]
			if l.Captured != 12000 || l.Refunded != 5000 || l.Authorized != 0 {
				t.Fatalf("totals %+v", l)
			}
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	r := newRig(t, nil)
	r.start("k1", sale.MethodCard)
	other := request("k1", sale.MethodCard)
	other.Amount = 13000
	dollars := request("k2", sale.MethodPix)
	dollars.Currency = "USD"
	for name, q := range map[string]outbox.PaymentRequest{
		"another request with the same key": other,
		"pix in dollars":                    dollars,
		"no method":                         request("k3", sale.MethodNone),
		"no key":                            request("", sale.MethodCard),
		"long key":                          request(strings.Repeat("k", 256), sale.MethodCard),
	} {
		if _, err := r.p.Start(t.Context(), q); !errors.Is(err, outbox.ErrRefusedByProvider) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx := t.Context()
	for name, work := range map[string]func() error{
		"query nobody":   func() error { _, err := r.p.Query(ctx, "pi_nobody"); return err },
		"query nothing":  func() error { _, err := r.p.Query(ctx, ""); return err },
		"query a path":   func() error { _, err := r.p.Query(ctx, "../refunds"); return err },
		"capture nobody": func() error { _, err := r.p.Capture(ctx, "pi_nobody", "c"); return err },
		"void nobody":    func() error { _, err := r.p.Void(ctx, "pi_nobody", "v"); return err },
		"refund nobody":  func() error { _, err := r.p.Refund(ctx, "pi_nobody", 1, "r"); return err },
		"refund nothing": func() error { _, err := r.p.Refund(ctx, "pi_nobody", 0, "r"); return err },
	} {
		if err := work(); !errors.Is(err, outbox.ErrRefusedByProvider) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(r.s.Ledger().Payments); n != 1 {
		t.Errorf("%d payments", n)
	}
}

func TestTheLongestKeyWorks(t *testing.T) {
	r := newRig(t, nil)
	k := strings.Repeat("k", 255)
	r.faults(sandbox.Fault{On: "create", Do: "500_stored", Times: 1})
	if _, err := r.p.Start(t.Context(), request(k, sale.MethodCard)); !errors.Is(err, pay.ErrUnavailable) {
		t.Fatal(err)
	}
	first := r.start(k, sale.MethodCard)
	if again := r.start(k, sale.MethodCard); again.Ref != first.Ref {
		t.Fatalf("%s and %s", first.Ref, again.Ref)
	}
}

// A wrong key is for a person to repair; no payment is given up for it.
func TestWrongKeyIsTemporary(t *testing.T) {
	r := newRig(t, func(_ *sandbox.Options, po *pay.Options) { po.SecretKey = "sk_test_somebody_else" })
	_, err := r.p.Start(t.Context(), request("k1", sale.MethodCard))
	if !errors.Is(err, pay.ErrCredentials) || errors.Is(err, outbox.ErrRefusedByProvider) {
		t.Fatal(err)
	}
	_, err = r.p.Capture(t.Context(), "pi_1", "c1")
	if !errors.Is(err, pay.ErrCredentials) {
		t.Fatal(err)
	}
}

func TestOneRetryAfterACutConnection(t *testing.T) {
	r := newRig(t, func(_ *sandbox.Options, po *pay.Options) { po.Retries = 1 })
	r.faults(sandbox.Fault{On: "create", Do: "cut_after_commit", Times: 1})
	r.start("k1", sale.MethodCard)
	if n := len(r.s.Ledger().Payments); n != 1 {
		t.Fatalf("%d payments", n)
	}
}

func TestBreakerSparesAProviderThatFails(t *testing.T) {
	r := newRig(t, func(_ *sandbox.Options, po *pay.Options) { po.BreakerFailures, po.BreakerOpen = 3, 50*time.Millisecond })
	p := r.start("k1", sale.MethodCard)
	r.faults(sandbox.Fault{On: "get", Do: "500", Times: 3})
	for range 3 {
		if _, err := r.p.Query(t.Context(), p.Ref); !errors.Is(err, pay.ErrUnavailable) || errors.Is(err, pay.ErrOpen) {
			t.Fatal(err)
		}
	}
	if _, err := r.p.Query(t.Context(), p.Ref); !errors.Is(err, pay.ErrOpen) || !errors.Is(err, pay.ErrUnavailable) {
		t.Fatalf("the provider was called: %v", err)
	}
	r.pass(0, func() bool { _, err := r.p.Query(t.Context(), p.Ref); return err == nil })
	if r.counted("unknown", "unavailable") != 3 || r.counted("unknown", "resting") == 0 {
		t.Error("the failures are not counted")
	}
}

// A caller that goes away says nothing about the provider.
func TestCanceledCallsDoNotOpenTheBreaker(t *testing.T) {
	r := newRig(t, func(_ *sandbox.Options, po *pay.Options) { po.BreakerFailures, po.BreakerOpen = 1, time.Hour })
	p := r.start("k1", sale.MethodCard)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.p.Query(ctx, p.Ref); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := r.query(p.Ref); got.State != sale.PayCreated {
		t.Fatalf("got %+v", got)
	}
}

// Answers no provider of ours would give: each is temporary, none is taken for the truth.
func TestStrangeAnswers(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"no json":      func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>busy</html>")) },
		"empty object": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
		"unknown state": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"id":"pi_1","status":"dreaming"}`))
		},
		"no id":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"succeeded"}`)) },
		"bad gateway": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502); _, _ = w.Write([]byte("<html>")) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://evil.example/", http.StatusTemporaryRedirect)
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			chunk := []byte(strings.Repeat(" ", 64<<10))
			for range 64 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			web := httptest.NewServer(http.HandlerFunc(answer))
			t.Cleanup(web.Close)
			r := newRig(t, func(_ *sandbox.Options, po *pay.Options) { po.BaseURL = web.URL })
			_, err := r.p.Query(t.Context(), "pi_1")
			if !errors.Is(err, pay.ErrUnavailable) || errors.Is(err, outbox.ErrRefusedByProvider) {
				t.Fatal(err)
			}
		})
	}
}
