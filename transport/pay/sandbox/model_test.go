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

// till is a server with the purses of its payments.
type till struct {
	s      *Server
	clock  *clock
	purses []*purse
}

func newTill(t *rapid.T) *till {
	c := newClock()
	s, err := New(Options{SecretKey: testKey, Seed: 3, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return &till{s: s, clock: c}
}

func (m *till) call(path, body string) (int, string) {
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+testKey)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	m.s.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

func (m *till) one(t *rapid.T) *purse {
	if len(m.purses) == 0 {
		t.Skip("no payment")
	}
	return rapid.SampledFrom(m.purses).Draw(t, "payment")
}

func (m *till) create(t *rapid.T) {
	amount := rapid.Int64Range(50, 5000).Draw(t, "amount")
	status, body := m.call("/v1/payment_intents", "currency=brl&capture_method=manual&amount="+strconv.FormatInt(amount, 10))
	if status != 200 {
		t.Fatalf("create: %d %s", status, body)
	}
	m.purses = append(m.purses, &purse{id: between(body, `"id":"`, `"`), amount: amount})
}

func (m *till) confirm(t *rapid.T) {
	token := rapid.SampledFrom([]string{"pm_card_visa", "pm_card_chargeDeclined", "pm_card_sandboxProcessing", "pm_card_authenticationRequired"}).Draw(t, "card")
	m.call("/v1/payment_intents/"+m.one(t).id+"/confirm", "payment_method="+token)
}

func (m *till) end(t *rapid.T, call string) {
	p := m.one(t)
	if status, _ := m.call("/v1/payment_intents/"+p.id+"/"+call, ""); status != 200 {
		return
	}
	if p.over {
		t.Fatalf("payment %s accepted %s after its end", p.id, call)
	}
	p.over = true
	if call == "capture" {
		p.captured = p.amount
	}
}

func (m *till) refund(t *rapid.T) {
	p, part := m.one(t), rapid.Int64Range(1, 3000).Draw(t, "part")
	status, body := m.call("/v1/refunds", "payment_intent="+p.id+"&amount="+strconv.FormatInt(part, 10))
	if fits := part <= p.captured-p.refunded; fits != (status == 200) {
		t.Fatalf("refund of %d of %+v: %d %s", part, *p, status, body)
	}
	if status == 200 {
		p.refunded += part
	}
}

func (m *till) check(t *rapid.T) {
	l := m.s.Ledger()
	if len(l.Payments) != len(m.purses) {
		t.Fatalf("%d payments, want %d", len(l.Payments), len(m.purses))
	}
	for i, p := range m.purses {
		e := l.Payments[i]
		if e.Payment != p.id || e.Captured != p.captured || e.Refunded+e.Pending != p.refunded {
			t.Fatalf("ledger %+v, want %+v", e, *p)
		}
		if e.Authorized != 0 && (e.Authorized != p.amount || p.over) {
			t.Fatalf("%d are still reserved of %+v", e.Authorized, *p)
		}
	}
}

// Whatever is asked in whatever order: money is reserved before it is taken, taken once, never given back twice,
// and the ledger says exactly what the answers said.
func TestMoneyIsConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newTill(t)
		defer func() { _ = m.s.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"create":  m.create,
			"confirm": m.confirm,
			"capture": func(t *rapid.T) { m.end(t, "capture") },
			"cancel":  func(t *rapid.T) { m.end(t, "cancel") },
			"refund":  m.refund,
			"time": func(*rapid.T) {
				m.clock.move(7 * time.Second)
				m.s.runDue()
			},
			"": m.check,
		})
	})
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}
