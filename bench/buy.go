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

// settle pays until the order has ended one way or the other. From when the fan has done its part it waits for the
// tickets.
func (v *visit) settle(ctx context.Context) (err error) {
	if err := v.pay(ctx); err != nil {
		return err
	}
	var ticket under
	defer func() { v.end(&ticket, v.unticketed(err)) }()
	card := v.s.Card // still to be typed; empty: it was taken
	if v.s.Method != "card" {
		v.begin(&ticket, "ticket")
	}
	for {
		switch v.out.Order.State {
		case "fulfilled":
			return v.collect(ctx)
		case "expired", "canceled", "refunded":
			return nil
		}
		switch p := v.out.Order.Payment; {
		case p == nil || v.out.Order.State != "awaiting":
		case p.State == "failed" && p.URL == nil && p.Pix == nil: // the provider could not be asked: pressed again
			if err := v.pay(ctx); err != nil {
				return err
			}
		case p.URL != nil && card != "" && v.f.Payer != nil && v.s.Method == "card":
			next, err := v.typeCard(ctx, *p.URL, card)
			if err != nil {
				return err
			}
			if next == card {
				return nil // declined, and there is no other card: the order runs out
			}
			if card = next; card == "" {
				v.free = time.Now()
				v.begin(&ticket, "ticket")
			}
			continue
		}
		if err := sleep(ctx, v.pollOrder()); err != nil {
			return err
		}
		if err := v.refresh(ctx); err != nil {
			return err
		}
	}
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
func (v *visit) typeCard(ctx context.Context, page, card string) (string, error) {
	err := v.retry(ctx, func() error { return v.page(ctx, page, card) })
	switch {
	case err == nil:
		return "", nil
	case !errors.Is(err, ErrDeclined):
		return "", fmt.Errorf("pay on the payment page: %w", err)
	case v.s.Second == "":
		return card, nil
	}
	next := v.s.Second
	v.s.Second = ""
	return next, v.pay(ctx)
}

// page plays the person on the payment page; a declined card is the page's last word.
func (v *visit) page(ctx context.Context, address, card string) error {
	err := v.f.Payer(ctx, address, card)
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
	err := v.timed("pay", func() error { return v.do(ctx, o, &out) })
	switch c := refusal(err); {
	case err == nil:
		v.out.Order = &out
		v.f.Journal.orderSeen(out)
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
	v.out.Order = &out
	v.f.Journal.orderSeen(out)
	return nil
}

func (v *visit) collect(ctx context.Context) error {
	var list wire.List[wire.Ticket]
	r := request{method: http.MethodGet, path: "/orders/" + v.out.Order.ID + "/tickets"}
	if err := v.retry(ctx, func() error { return v.f.send(ctx, r, &list) }); err != nil {
		return fmt.Errorf("collect the tickets: %w", err)
	}
	v.out.Tickets = list.Items
	v.f.Journal.bought(v.out.Order.ID, list.Items)
	return nil
}
