package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// purse is what one payment should have done with money, kept apart from the server.
type purse struct {
	id                         string
	amount, captured, refunded int64
	over                       bool // captured or canceled: no more than refunds can happen
}

// Whatever is asked in whatever order: money is reserved before it is taken, taken once, never given back twice,
// and the ledger says exactly what the answers said.
func TestMoneyIsConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		s, err := New(Options{SecretKey: testKey, Seed: 3, Now: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		var purses []*purse
		call := func(path, body string) (int, string) {
			req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+testKey)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, req)
			return w.Code, w.Body.String()
		}
		one := func(t *rapid.T) *purse { return rapid.SampledFrom(purses).Draw(t, "payment") }
		t.Repeat(map[string]func(*rapid.T){
			"create": func(t *rapid.T) {
				amount := rapid.Int64Range(50, 5000).Draw(t, "amount")
				status, body := call("/v1/payment_intents", "currency=brl&capture_method=manual&amount="+strconv.FormatInt(amount, 10))
				if status != 200 {
					t.Fatalf("create: %d %s", status, body)
				}
				purses = append(purses, &purse{id: between(body, `"id":"`, `"`), amount: amount})
			},
			"confirm": func(t *rapid.T) {
				if len(purses) == 0 {
					t.Skip("no payment")
				}
				token := rapid.SampledFrom([]string{"pm_card_visa", "pm_card_chargeDeclined", "pm_card_sandboxProcessing", "pm_card_authenticationRequired"}).Draw(t, "card")
				call("/v1/payment_intents/"+one(t).id+"/confirm", "payment_method="+token)
			},
			"capture": func(t *rapid.T) {
				if len(purses) == 0 {
					t.Skip("no payment")
				}
				p := one(t)
				if status, _ := call("/v1/payment_intents/"+p.id+"/capture", ""); status == 200 {
					if p.over {
						t.Fatalf("payment %s was captured after its end", p.id)
					}
					p.captured, p.over = p.amount, true
				}
			},
			"cancel": func(t *rapid.T) {
				if len(purses) == 0 {
					t.Skip("no payment")
				}
				p := one(t)
				if status, _ := call("/v1/payment_intents/"+p.id+"/cancel", ""); status == 200 {
					if p.over {
						t.Fatalf("payment %s was canceled after its end", p.id)
					}
					p.over = true
				}
			},
			"refund": func(t *rapid.T) {
				if len(purses) == 0 {
					t.Skip("no payment")
				}
				p, part := one(t), rapid.Int64Range(1, 3000).Draw(t, "part")
				status, body := call("/v1/refunds", "payment_intent="+p.id+"&amount="+strconv.FormatInt(part, 10))
				if fits := part <= p.captured-p.refunded; fits != (status == 200) {
					t.Fatalf("refund of %d of %+v: %d %s", part, *p, status, body)
				}
				if status == 200 {
					p.refunded += part
				}
			},
			"time": func(*rapid.T) {
				c.move(7 * time.Second)
				s.runDue()
			},
			"": func(t *rapid.T) {
				l := s.Ledger()
				if len(l.Payments) != len(purses) {
					t.Fatalf("%d payments, want %d", len(l.Payments), len(purses))
				}
				for i, p := range purses {
					e := l.Payments[i]
					if e.Payment != p.id || e.Captured != p.captured || e.Refunded+e.Pending != p.refunded {
						t.Fatalf("ledger %+v, want %+v", e, *p)
					}
					if e.Authorized != 0 && (e.Authorized != p.amount || p.over) {
						t.Fatalf("%d are still reserved of %+v", e.Authorized, *p)
					}
				}
			},
		})
	})
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}
