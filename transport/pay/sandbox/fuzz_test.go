package sandbox

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Whatever is sent to an operation, the answer is one of the API's and nothing is stored that was refused.
func FuzzCreate(f *testing.F) {
	for _, s := range []string{
		createBody, "amount=1000&currency=brl&confirm=true&payment_method_types[0]=pix&payment_method_data[type]=pix",
		"amount=1000&currency=brl&metadata[order]=1&payment_method=pm_card_visa", "amount=%zz", "a[b][c]=d&&&=", strings.Repeat("a=1&", 600),
		"amount=1000&currency=brl&payment_method_options[pix][expires_at]=99999999999999999999",
	} {
		f.Add(s)
	}
	c := newClock()
	s, err := New(Options{SecretKey: testKey, Seed: 1, Now: c.Now, MaxPayments: 1 << 30})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, body string) {
		before := len(s.Ledger().Payments)
		req := httptest.NewRequest(http.MethodPost, "/v1/payment_intents", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+testKey)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, req)
		added := len(s.Ledger().Payments) - before
		switch w.Code {
		case 200, 402:
			if added != 1 {
				t.Fatalf("status %d stored %d payments", w.Code, added)
			}
		case 400, 413:
			if added != 0 || !strings.Contains(w.Body.String(), `"type":"invalid_request_error"`) {
				t.Fatalf("status %d stored %d payments: %s", w.Code, added, w.Body)
			}
		default:
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	})
}

func FuzzStateFile(f *testing.F) {
	f.Add([]byte("{\"seed\":1,\"sequence\":2}\n{\"intents\":[{\"n\":1,\"id\":\"pi_1\",\"secret\":\"s\",\"status\":\"succeeded\",\"types\":[\"card\"]}]}\n"))
	f.Add([]byte("{\"refunds\":[{\"id\":\"re_1\",\"intent\":\"pi_1\"}]}\n{\"answer\":{\"key\":\"k\"}}\n{\"settled\":[\"evt\"]}\n"))
	f.Add([]byte("{\"events\":[null]}\n"))
	f.Add([]byte("\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := Options{SecretKey: testKey}.resolve()
		if err != nil {
			t.Fatal(err)
		}
		s := &Server{o: o, intents: map[string]*intent{}, refunds: map[string]*refund{}, refundsOf: map[string][]string{},
			charges: map[string]string{}, undone: map[string]bool{}, answers: map[string]*answer{}, faults: newFaults(1)}
		good, err := replay(bytes.NewReader(data), s.take)
		if good > int64(len(data)) {
			t.Fatalf("%d of %d bytes are good", good, len(data))
		}
		if err != nil {
			return
		}
		// What was read can be shown and summed up.
		s.Ledger()
		for in := range s.newest {
			s.renderIntent("http://x", in, true)
		}
	})
}

func FuzzFaults(f *testing.F) {
	f.Add([]byte(`[{"on":"get","do":"429","times":2}]`))
	f.Add([]byte(`{"on":"webhook","do":"duplicate","count":3,"type":"payment_intent.*"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseFaults(bytes.NewReader(data))
		if err != nil {
			return
		}
		fs := newFaults(1)
		if fs.set(list) != nil {
			return
		}
		for range 3 {
			if hit := fs.api("get", "pi", "1"); hit != nil && (hit.Validate() != nil || hit.delay() > maxFaultDelay) {
				t.Fatalf("an invalid fault was taken: %+v", hit)
			}
		}
	})
}

func FuzzCardForm(f *testing.F) {
	f.Add("4242 4242 4242 4242", "12/34", "123")
	f.Add("378282246310005", "1234", "1234")
	f.Add("", "/", "")
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, number, expiry, cvc string) {
		form := cardForm{number: number, cvc: cvc}
		form.month, form.year = splitExpiry(expiry)
		card, bad := form.check(now)
		if (card == nil) == (bad == nil) {
			t.Fatalf("card %v and failure %v", card, bad)
		}
		if card != nil && card.number != digits(number) {
			t.Fatalf("%q was taken for %s", number, card.number)
		}
	})
}
