package apitest

import (
	"context"
	"fmt"
	"sync"

	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/mail"
)

// Payer is a payment provider in memory. A payment waits for its payer until [Payer.Set] says what happened. It
// answers a repeated key with the first outcome, as a real one does.
type Payer struct {
	mu       sync.Mutex
	payments map[string]*outbox.Payment
	keys     map[string]string // key -> ref
	refunds  map[string]outbox.Refund
	started  []outbox.PaymentRequest
	silent   bool
	takes    func(ref string)
}

// NewPayer returns one that knows nothing.
func NewPayer() *Payer {
	return &Payer{payments: make(map[string]*outbox.Payment), keys: make(map[string]string), refunds: make(map[string]outbox.Refund)}
}

// Silent makes it answer no new payment, as when it is down.
func (p *Payer) Silent(silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = silent
}

// Start creates a payment.
func (p *Payer) Start(_ context.Context, r outbox.PaymentRequest) (outbox.Payment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent {
		return outbox.Payment{}, fmt.Errorf("start payment: provider is down")
	}
	if ref, ok := p.keys[r.Key]; ok {
		return *p.payments[ref], nil
	}
	ref := fmt.Sprintf("pi_%d", len(p.payments)+1)
	x := &outbox.Payment{Ref: ref, State: sale.PayAction, Amount: r.Amount, Currency: r.Currency}
	if r.Method == sale.MethodPix {
		x.PixCode = "00020126" + ref
	} else {
		x.URL = "https://pay.example/" + ref
	}
	p.payments[ref], p.keys[r.Key] = x, ref
	p.started = append(p.started, r)
	return *x, nil
}

// Query tells a payment's state.
func (p *Payer) Query(_ context.Context, ref string) (outbox.Payment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x, ok := p.payments[ref]
	if !ok {
		return outbox.Payment{}, fmt.Errorf("query %s: %w", ref, outbox.ErrRefusedByProvider)
	}
	return *x, nil
}

// Capture takes the authorised money.
func (p *Payer) Capture(_ context.Context, ref, _ string) (outbox.Payment, error) {
	p.mu.Lock()
	takes := p.takes
	p.mu.Unlock()
	if takes != nil {
		takes(ref)
	}
	return p.move(ref, sale.PayAuthorized, sale.PayCaptured)
}

// Takes has f called whenever money is about to be taken.
func (p *Payer) Takes(f func(ref string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takes = f
}

// Void takes none.
func (p *Payer) Void(_ context.Context, ref, _ string) (outbox.Payment, error) {
	return p.move(ref, sale.PayCaptured, sale.PayCanceled)
}

// move captures only from the one state, and voids from every other.
func (p *Payer) move(ref string, from, to sale.PayState) (outbox.Payment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x, ok := p.payments[ref]
	if !ok {
		return outbox.Payment{}, fmt.Errorf("%s: %w", ref, outbox.ErrRefusedByProvider)
	}
	if (to == sale.PayCaptured) == (x.State == from) {
		x.State = to
	}
	return *x, nil
}

// Refund gives money back at once.
func (p *Payer) Refund(_ context.Context, ref string, amount int64, key string) (outbox.Refund, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.refunds[key]
	if !ok {
		r = outbox.Refund{Ref: "re_" + ref, State: sale.RefundSucceeded, Amount: amount}
		p.refunds[key] = r
	}
	return r, nil
}

// Set is what the payer does at the provider.
func (p *Payer) Set(ref string, s sale.PayState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.payments[ref].State = s
}

// Of finds the newest payment of an order.
func (p *Payer) Of(id sale.EventID, order sale.OrderID) (ref string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.started {
		if r.Event == id && r.Order == order {
			ref, ok = p.keys[r.Key], true
		}
	}
	return ref, ok
}

// Mailbox keeps the letters.
type Mailbox struct {
	mu      sync.Mutex
	letters []mail.Message
	fail    error
}

// Send keeps one.
func (m *Mailbox) Send(_ context.Context, letter mail.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.letters = append(m.letters, letter)
	return nil
}

// Fail makes the next letters fail; nil ends it.
func (m *Mailbox) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// To lists the letters to an address.
func (m *Mailbox) To(address string) []mail.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []mail.Message
	for _, l := range m.letters {
		if l.To == address {
			out = append(out, l)
		}
	}
	return out
}
