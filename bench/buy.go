package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// buy opens an order for what is held, pays it and collects the tickets.
func (v *visit) buy(ctx context.Context) error {
	var o wire.Order
	in := wire.OrderRequest{Hold: v.out.Hold.ID}
	s := shop{op: "order", method: http.MethodPost, path: v.event("/orders"), key: newKey(), body: in}
	err := v.timed("order", func() error { return v.do(ctx, s, &o) })
	switch c := refusal(err); {
	case c == wire.Expired, c == wire.NotFound:
		v.holdGone()
		return nil
	case c == wire.Closed:
		return v.closed(ctx)
	case err != nil:
		return fmt.Errorf("order: %w", err)
	}
	v.out.Order = &o
	v.f.Journal.ordered(v.out.Hold.ID, o)
	return v.settle(ctx)
}

// settle pays until the order has ended one way or the other. From when the payer has done its part the fan waits to be
// told of the tickets.
func (v *visit) settle(ctx context.Context) (err error) {
	if err := v.pay(ctx); err != nil {
		return err
	}
	var ticket under
	defer func() { v.endPaying(ctx, &ticket, v.unticketed(err)) }()
	m := means{card: v.s.Card, pix: v.s.Method == "pix"}
	if m.pix && v.f.Bank == nil {
		v.begin(&ticket, "payment")
	}
	for {
		switch v.out.Order.State {
		case "fulfilled":
			v.endPaying(ctx, &ticket, "")
			return v.collect(ctx)
		case "expired", "canceled", "refunded":
			return nil
		}
		paid, acted, err := v.act(ctx, &m)
		switch {
		case err != nil:
			return err
		case acted && m.given:
			return nil // there is nothing else to pay with: the order runs out
		case !paid.IsZero():
			v.free = time.Now()
			ticket = under{"ticket", paid, paid}
		case acted:
			continue
		}
		if err := v.news(ctx); err != nil {
			return err
		}
	}
}

// means are what a payer still has to pay with.
type means struct {
	card  string // to be typed; empty: none, or it was taken
	pix   bool   // a code is to be paid in the app of the bank
	given bool   // up
}

// act does the payer's next part, if the order waits for one. It returns when the provider had the payer's word, if that
// was it.
func (v *visit) act(ctx context.Context, m *means) (paid time.Time, acted bool, err error) {
	switch p := v.out.Order.Payment; {
	case p == nil || v.out.Order.State != "awaiting":
	case p.State == "failed" && p.URL == nil && p.Pix == nil: // the provider could not be asked: pressed again
		return paid, true, v.pay(ctx)
	case p.URL != nil && m.card != "" && v.f.Payer != nil && v.s.Method == "card":
		next, paid, err := v.typeCard(ctx, *p.URL, m.card)
		m.given = next == m.card // declined, and there is no other
		m.card = next
		return paid, true, err
	case p.Pix != nil && m.pix && v.f.Bank != nil && v.s.Method == "pix":
		m.pix = false
		paid, err := v.payPix(ctx, p.Pix.Code)
		return paid, true, err
	}
	return paid, false, nil
}

// payPix pays a code in the app of the bank, which takes a while. A code that is not taken runs out.
func (v *visit) payPix(ctx context.Context, code string) (paid time.Time, err error) {
	if err := v.think(ctx, v.s.Banking); err != nil {
		return paid, err
	}
	err = v.retry(ctx, func() error {
		var err error
		paid, err = v.f.Bank(ctx, code)
		return declined(err)
	})
	if errors.Is(err, ErrDeclined) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("pay in the app of the bank: %w", err)
	}
	return paid, nil
}

// unticketed is why there are no tickets; empty: there are.
func (v *visit) unticketed(err error) string {
	if err == nil && len(v.out.Tickets) == 0 {
		return v.out.Order.State
	}
	return code(err)
}

// typeCard types a card on the payment page and returns the one to be typed next: none when it was taken, the same
// when it was declined for good.
func (v *visit) typeCard(ctx context.Context, page, card string) (next string, paid time.Time, err error) {
	err = v.retry(ctx, func() error {
		var err error
		paid, err = v.f.Payer(ctx, page, card)
		return declined(err)
	})
	switch {
	case err == nil:
		return "", paid, nil
	case !errors.Is(err, ErrDeclined):
		return "", time.Time{}, fmt.Errorf("pay on the payment page: %w", err)
	case v.s.Second == "":
		return card, time.Time{}, nil
	}
	next = v.s.Second
	v.s.Second = ""
	return next, time.Time{}, v.pay(ctx)
}

// declined makes a refusal of what the payment page's last word is.
func declined(err error) error {
	if errors.Is(err, ErrDeclined) {
		return errors.Join(&RefusedError{wire.Problem{Status: http.StatusPaymentRequired, Code: "declined"}}, err)
	}
	return err
}

// pay begins a payment. When it is refused, the order itself says why.
func (v *visit) pay(ctx context.Context) error {
	id := v.out.Order.ID
	o := shop{
		op: "pay", method: http.MethodPost, path: "/orders/" + id + "/pay", key: newKey(),
		body: wire.PayRequest{Method: v.s.Method}, up: wire.PayRequest{ID: id, Method: v.s.Method},
	}
	var out wire.Order
	var u under
	v.begin(&u, "pay")
	err := v.do(ctx, o, &out)
	v.endPaying(ctx, &u, code(err))
	switch c := refusal(err); {
	case err == nil:
		v.learn(out)
		return nil
	case c == wire.Expired, c == wire.WrongState, c == wire.PaymentInProgress, c == wire.TooManyAttempts:
		return v.refresh(ctx)
	default:
		return fmt.Errorf("pay: %w", err)
	}
}

// refresh looks at the order. One that was acknowledged and is unknown now is written down.
func (v *visit) refresh(ctx context.Context) error {
	id := v.out.Order.ID
	o := shop{op: "order.get", method: http.MethodGet, path: "/orders/" + id, up: wire.IDRequest{ID: id}}
	var out wire.Order
	err := v.do(ctx, o, &out)
	if refusal(err) == wire.NotFound {
		v.f.Journal.orderGone(id)
	}
	if err != nil {
		return fmt.Errorf("look at the order: %w", err)
	}
	v.learn(out)
	return nil
}

func (v *visit) collect(ctx context.Context) error {
	var list wire.List[wire.Ticket]
	r := request{method: http.MethodGet, path: "/orders/" + v.out.Order.ID + "/tickets"}
	if err := v.timed("tickets", func() error {
		return v.retry(ctx, func() error { return v.f.send(ctx, r, &list) })
	}); err != nil {
		return fmt.Errorf("collect the tickets: %w", err)
	}
	v.out.Tickets = list.Items
	v.f.Journal.bought(v.out.Order.ID, list.Items)
	return nil
}
