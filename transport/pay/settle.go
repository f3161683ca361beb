package pay

import (
	"context"
	"fmt"

	"github.com/stripe/stripe-go/v85"

	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
)

// Capture takes the authorised money. A payment that is captured or canceled already is answered with its state: the
// machine decides what that means.
func (s *Stripe) Capture(ctx context.Context, ref, key string) (outbox.Payment, error) {
	return s.settle(ctx, "capture", ref, key, func(ctx context.Context, key string) (*stripe.PaymentIntent, error) {
		p := &stripe.PaymentIntentCaptureParams{}
		p.SetIdempotencyKey(key)
		return s.client.V1PaymentIntents.Capture(ctx, ref, p)
	})
}

// Void cancels a payment that has not been captured. One that is captured or canceled already is answered with its
// state; one the provider is working on cannot be canceled yet, which is a temporary error.
func (s *Stripe) Void(ctx context.Context, ref, key string) (outbox.Payment, error) {
	return s.settle(ctx, "void", ref, key, func(ctx context.Context, key string) (*stripe.PaymentIntent, error) {
		p := &stripe.PaymentIntentCancelParams{
			CancellationReason: stripe.String(string(stripe.PaymentIntentCancellationReasonAbandoned)),
		}
		p.SetIdempotencyKey(key)
		return s.client.V1PaymentIntents.Cancel(ctx, ref, p)
	})
}

// settle makes a call that ends a payment. Both calls are harmless to repeat under another key, because the provider
// refuses them by the payment's state; so a burnt key is replaced when the state says that the call is still due.
func (s *Stripe) settle(ctx context.Context, op, ref, key string,
	call func(context.Context, string) (*stripe.PaymentIntent, error)) (outbox.Payment, error) {
	if err := checkKeyed(ref, key); err != nil {
		return outbox.Payment{}, fmt.Errorf("%s: %w", op, err)
	}
	var out outbox.Payment
	err := s.run(ctx, op, func(ctx context.Context, a *attempt) error {
		pi, err := call(ctx, key)
		for fresh := false; ; fresh = true {
			if err == nil {
				out, err = read(pi, a)
				return err
			}
			if !refusedAsIs(err) && !replayedFailure(err) {
				return err
			}
			now, serr := s.state(ctx, ref, a)
			switch {
			case serr != nil:
				return serr
			case final(now.State):
				out = now
				return nil
			case now.State == sale.PayProcessing:
				return fmt.Errorf("%w: %w", ErrUnavailable, errProcessing)
			case fresh || !replayed(err):
				return err
			}
			pi, err = call(ctx, freshKey())
		}
	})
	if err != nil {
		return outbox.Payment{}, err
	}
	return out, nil
}

func final(s sale.PayState) bool { return s == sale.PayCaptured || s == sale.PayCanceled }

// refundKey is the metadata field that lets a refund be found again after the provider forgot the idempotency key.
const refundKey = "key"

// Refund gives amount minor units back. The same key is the same refund for ever: the payment's refunds are looked
// through first, so a repeated call also tells what became of a pending one.
func (s *Stripe) Refund(ctx context.Context, ref string, amount int64, key string) (outbox.Refund, error) {
	if err := checkKeyed(ref, key); err != nil {
		return outbox.Refund{}, fmt.Errorf("refund: %w", err)
	}
	if amount <= 0 {
		return outbox.Refund{}, fmt.Errorf("refund: %w: amount %d is not positive", outbox.ErrRefusedByProvider, amount)
	}
	var out outbox.Refund
	err := s.run(ctx, "refund", func(ctx context.Context, a *attempt) error {
		r, err := s.refundOnce(ctx, ref, amount, key)
		if err != nil {
			return err
		}
		out, err = refund(r)
		a.result = refundName(out.State)
		return err
	})
	if err != nil {
		return outbox.Refund{}, err
	}
	return out, nil
}

func (s *Stripe) refundOnce(ctx context.Context, ref string, amount int64, key string) (*stripe.Refund, error) {
	if r, err := s.findRefund(ctx, ref, key); err != nil || r != nil {
		return r, err
	}
	var err error
	for n := range maxKeys {
		var r *stripe.Refund
		if r, err = s.createRefund(ctx, ref, amount, key, nthKey(key, n+1)); err == nil {
			return r, nil
		}
		if !replayedFailure(err) && !refusedAsIs(err) {
			return nil, err
		}
		// It may have been made under this key all the same, or another leader was faster between the look and the call.
		if r, ferr := s.findRefund(ctx, ref, key); ferr != nil || r != nil {
			return r, ferr
		}
		if !replayed(err) {
			return nil, err
		}
		// The key is burnt, by an internal error or by a refusal from before the payment was captured; nothing was made
		// under it.
	}
	return nil, err
}

func (s *Stripe) createRefund(ctx context.Context, ref string, amount int64, key, idempotency string) (*stripe.Refund, error) {
	p := &stripe.RefundCreateParams{
		PaymentIntent: stripe.String(ref),
		Amount:        new(amount),
		Reason:        stripe.String(string(stripe.RefundReasonRequestedByCustomer)),
		Metadata:      map[string]string{refundKey: key},
	}
	p.SetIdempotencyKey(idempotency)
	return s.client.V1Refunds.Create(ctx, p)
}

// findRefund looks for the refund that was made with key; nil when there is none. One payment has few refunds, one
// page holds them.
func (s *Stripe) findRefund(ctx context.Context, ref, key string) (*stripe.Refund, error) {
	p := &stripe.RefundListParams{PaymentIntent: stripe.String(ref)}
	p.Limit = stripe.Int64(100)
	list := s.client.V1Refunds.List(ctx, p)
	if err := list.Err(); err != nil {
		return nil, err
	}
	for _, r := range list.Data() {
		if r.Metadata[refundKey] == key {
			return r, nil
		}
	}
	return nil, nil
}
