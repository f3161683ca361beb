package pay

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/stripe/stripe-go/v85"

	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
)

// Start creates the payment. A card payment waits for the payer on the hosted page; a Pix payment is confirmed at
// once, so that the answer holds the code to pay with. The same key gives the same payment.
func (s *Stripe) Start(ctx context.Context, r outbox.PaymentRequest) (outbox.Payment, error) {
	if err := checkRequest(r); err != nil {
		return outbox.Payment{}, fmt.Errorf("start: %w", err)
	}
	var out outbox.Payment
	err := s.run(ctx, "start", func(ctx context.Context, a *attempt) error {
		a.method = r.Method
		pi, err := s.create(ctx, r, r.Key)
		for n := 2; n <= maxKeys && replayedFailure(err); n++ {
			// Whether the call under the burnt key made a payment is not known. Nobody was ever shown it, so nobody
			// can pay it.
			pi, err = s.create(ctx, r, nthKey(r.Key, n))
		}
		if err != nil {
			return err
		}
		if out, err = payment(pi); err != nil {
			return err
		}
		if r.Method == sale.MethodCard {
			out.URL = s.page.address(pi.ID, pi.ClientSecret, r.ReturnURL, r.Lang)
		}
		a.result = out.State.String()
		return nil
	})
	if err != nil {
		return outbox.Payment{}, err
	}
	return out, nil
}

func checkRequest(r outbox.PaymentRequest) error {
	if err := checkKeyed("new", r.Key); err != nil {
		return err
	}
	switch {
	case r.Method != sale.MethodCard && r.Method != sale.MethodPix:
		return fmt.Errorf("%w: payment method %d is not one of card, pix", outbox.ErrRefusedByProvider, r.Method)
	case r.Amount <= 0:
		return fmt.Errorf("%w: amount %d is not positive", outbox.ErrRefusedByProvider, r.Amount)
	case len(r.Currency) != 3:
		return fmt.Errorf("%w: currency %q is not an ISO 4217 code", outbox.ErrRefusedByProvider, r.Currency)
	}
	return nil
}

// create asks for the payment. A decline at creation (Pix is confirmed there) is an answer, not an error.
func (s *Stripe) create(ctx context.Context, r outbox.PaymentRequest, key string) (*stripe.PaymentIntent, error) {
	pi, err := s.client.V1PaymentIntents.Create(ctx, createParams(r, key))
	var se *stripe.Error
	if errors.As(err, &se) && se.Type == stripe.ErrorTypeCard && se.PaymentIntent != nil && se.PaymentIntent.ID != "" {
		return se.PaymentIntent, nil
	}
	return pi, err
}

// createParams is a pure function of the request, because a repeated key must come with the same parameters.
func createParams(r outbox.PaymentRequest, key string) *stripe.PaymentIntentCreateParams {
	p := &stripe.PaymentIntentCreateParams{
		Amount:      new(r.Amount),
		Currency:    stripe.String(strings.ToLower(r.Currency)),
		Description: stripe.String(description(r)),
		Metadata: map[string]string{
			"event":     strconv.FormatUint(uint64(r.Event), 10),
			"order":     strconv.FormatUint(uint64(r.Order), 10),
			"attempt":   strconv.FormatUint(uint64(r.Attempt), 10),
			"reference": clip(r.Reference, 500),
		},
	}
	p.SetIdempotencyKey(key)
	if r.Method == sale.MethodCard {
		p.PaymentMethodTypes = []*string{stripe.String("card")}
		p.CaptureMethod = stripe.String(string(stripe.PaymentIntentCaptureMethodManual))
		return p
	}
	p.PaymentMethodTypes = []*string{stripe.String("pix")}
	p.PaymentMethodData = &stripe.PaymentIntentCreatePaymentMethodDataParams{Type: stripe.String("pix")}
	p.Confirm = new(true)
	if r.Expires > 0 {
		p.PaymentMethodOptions = &stripe.PaymentIntentCreatePaymentMethodOptionsParams{
			Pix: &stripe.PaymentIntentCreatePaymentMethodOptionsPixParams{ExpiresAt: new(r.Expires / 1000)},
		}
	}
	return p
}

func description(r outbox.PaymentRequest) string {
	return clip(strings.TrimSpace(strings.Trim(r.Label+" · "+r.Reference, " ·")), 500)
}

// clip shortens s to at most n characters, never inside one.
func clip(s string, n int) string {
	i := 0
	for at := range s {
		if i == n {
			return s[:at]
		}
		i++
	}
	return s
}

// Query asks for the payment's present state.
func (s *Stripe) Query(ctx context.Context, ref string) (outbox.Payment, error) {
	if err := checkKeyed(ref, "none"); err != nil {
		return outbox.Payment{}, fmt.Errorf("query: %w", err)
	}
	var out outbox.Payment
	err := s.run(ctx, "query", func(ctx context.Context, a *attempt) error {
		var err error
		out, err = s.state(ctx, ref, a)
		return err
	})
	return out, err
}

func (s *Stripe) state(ctx context.Context, ref string, a *attempt) (outbox.Payment, error) {
	pi, err := s.client.V1PaymentIntents.Retrieve(ctx, ref, nil)
	if err != nil {
		return outbox.Payment{}, err
	}
	return read(pi, a)
}

func read(pi *stripe.PaymentIntent, a *attempt) (outbox.Payment, error) {
	a.method = methodOf(pi)
	out, err := payment(pi)
	if err != nil {
		return outbox.Payment{}, err
	}
	a.result = out.State.String()
	return out, nil
}
