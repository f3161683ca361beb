package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/catraca/catraca/actors/sale"
)

// fault is what happens to one call.
type fault uint8

const (
	none        fault = iota
	failBefore        // an error, and nothing was done
	failAfter         // an error, and it was done all the same
	hangBefore        // no answer until the caller gives up
	hangAfter         // the same, and it was done
	panicBefore       // the provider's code breaks
	panicAfter
	refuse // final, and nothing was done
)

var errBank = errors.New("the bank does not answer")

// bank is a payment provider with a ledger, and the relay for letters. A repeated key changes nothing.
type bank struct {
	mu       sync.Mutex
	next     func(call string) fault // called with the lock held; nil: no faults
	payments map[string]*account     // by reference
	started  map[string]*account     // by key
	keys     map[string]string       // what each key was used for
	calls    []string
	letters  map[uint64]int // sent, by intent
	wrong    []string
}

// account is the provider's truth about one payment.
type account struct {
	ref      string
	order    sale.OrderID
	method   sale.Method
	amount   int64
	state    sale.PayState
	captures int
	refunds  map[string]int64
}

func newBank() *bank {
	return &bank{payments: map[string]*account{}, started: map[string]*account{}, keys: map[string]string{}, letters: map[uint64]int{}}
}

// call does one effect under its faults.
func (b *bank) call(ctx context.Context, what, key string, effect func()) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, what)
	if key != "" {
		if was := b.keys[key]; was != "" && was != what {
			b.wrong = append(b.wrong, fmt.Sprintf("key %s is used for %q and %q", key, was, what))
		}
		b.keys[key] = what
	}
	f := none
	if b.next != nil {
		f = b.next(what)
	}
	if f == none || f == failAfter || f == hangAfter || f == panicAfter {
		effect()
	}
	switch f {
	case failBefore, failAfter:
		return errBank
	case refuse:
		return fmt.Errorf("%s: %w", what, ErrRefusedByProvider)
	case panicBefore, panicAfter:
		panic("the bank's library is broken")
	case hangBefore, hangAfter:
		b.mu.Unlock()
		<-ctx.Done()
		b.mu.Lock()
		return ctx.Err()
	}
	return nil
}

func (b *bank) Start(ctx context.Context, r PaymentRequest) (p Payment, err error) {
	err = b.call(ctx, fmt.Sprintf("start %d/%d %d", r.Order, r.Attempt, r.Amount), r.Key, func() {
		a := b.started[r.Key]
		if a == nil {
			a = &account{
				ref: fmt.Sprintf("pi_%d", len(b.payments)+1), order: r.Order, method: r.Method, amount: r.Amount,
				state: sale.PayCreated, refunds: map[string]int64{},
			}
			b.started[r.Key], b.payments[a.ref] = a, a
		}
		p = a.read()
	})
	return p, err
}

func (a *account) read() Payment {
	p := Payment{Ref: a.ref, State: a.state}
	if a.state == sale.PayAuthorized || a.state == sale.PayCaptured {
		p.Amount, p.Currency = a.amount, "BRL"
	}
	if a.method == sale.MethodCard {
		p.URL = "https://bank.example/" + a.ref
	} else {
		p.PixCode = "00020126" + a.ref
	}
	if a.state == sale.PayFailed {
		p.Decline = "insufficient_funds"
	}
	return p
}

// change runs effect on a payment that is known.
func (b *bank) change(ctx context.Context, what, ref, key string, effect func(*account)) (p Payment, err error) {
	err = b.call(ctx, what+" "+ref, key, func() {
		a := b.payments[ref]
		if a == nil {
			b.wrong = append(b.wrong, what+" of the unknown payment "+ref)
			return
		}
		effect(a)
		p = a.read()
	})
	return p, err
}

func (b *bank) Query(ctx context.Context, ref string) (Payment, error) {
	return b.change(ctx, "query", ref, "", func(*account) {})
}

func (b *bank) Capture(ctx context.Context, ref, key string) (Payment, error) {
	return b.change(ctx, "capture", ref, key, func(a *account) {
		if a.state == sale.PayAuthorized {
			a.state = sale.PayCaptured
			a.captures++
		}
	})
}

func (b *bank) Void(ctx context.Context, ref, key string) (Payment, error) {
	return b.change(ctx, "void", ref, key, func(a *account) {
		if a.state != sale.PayCaptured {
			a.state = sale.PayCanceled
		}
	})
}

func (b *bank) Refund(ctx context.Context, ref string, amount int64, key string) (r Refund, err error) {
	_, err = b.change(ctx, "refund", ref, key, func(a *account) {
		a.refunds[key] = amount
		r = Refund{Ref: "re_" + key, State: sale.RefundSucceeded, Amount: amount}
	})
	return r, err
}

func (b *bank) Mail(ctx context.Context, _ sale.EventID, in sale.Intent, _ sale.Order) error {
	return b.call(ctx, fmt.Sprintf("mail %d", in.ID), fmt.Sprintf("mail %d", in.ID), func() { b.letters[in.ID]++ })
}

// pay is the payer at the provider's page.
func (b *bank) pay(ref string, to sale.PayState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.payments[ref]
	if a.method == sale.MethodPix && to == sale.PayAuthorized {
		to = sale.PayCaptured
	}
	a.state = to
	if to == sale.PayCaptured {
		a.captures++
	}
}

func (b *bank) faults(next func(call string) fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next = next
}

// made is how often a call of the kind was made.
func (b *bank) made(kind string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.calls {
		if c == kind || len(c) > len(kind) && c[:len(kind)+1] == kind+" " {
			n++
		}
	}
	return n
}

// at is a copy of a payment.
func (b *bank) at(ref string) account {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.payments[ref]; a != nil {
		out := *a
		out.refunds = maps.Clone(a.refunds)
		return out
	}
	return account{}
}

func (b *bank) refs() (refs []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.payments))
}

func (b *bank) sent() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.letters)
}

// all calls since the start.
func (b *bank) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

// misuse is what the bank was asked wrongly.
func (b *bank) misuse() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.wrong)
}

// script makes the calls of a kind fail one after the other, and then no more.
func script(kind string, faults ...fault) func(string) fault {
	return func(call string) fault {
		if len(faults) == 0 || len(call) < len(kind) || call[:len(kind)] != kind {
			return none
		}
		f := faults[0]
		faults = faults[1:]
		return f
	}
}
