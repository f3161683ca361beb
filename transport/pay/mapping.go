package pay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v85"

	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
)

// payment reads a PaymentIntent. URL is not known to the provider and stays empty.
func payment(pi *stripe.PaymentIntent) (outbox.Payment, error) {
	state, err := payState(pi)
	if err != nil {
		return outbox.Payment{}, err
	}
	if pi.ID == "" {
		return outbox.Payment{}, fmt.Errorf("read payment: %w: the answer has no id", ErrUnavailable)
	}
	p := outbox.Payment{
		Ref: pi.ID, State: state, Amount: pi.Amount,
		Currency: strings.ToUpper(string(pi.Currency)), Decline: decline(pi.LastPaymentError),
	}
	// The amount that counts is the one the provider holds or took, so that a mismatch is noticed.
	switch state {
	case sale.PayAuthorized:
		p.Amount = pi.AmountCapturable
	case sale.PayCaptured:
		p.Amount = pi.AmountReceived
	default:
	}
	if pi.NextAction != nil && pi.NextAction.PixDisplayQRCode != nil {
		p.PixCode = pi.NextAction.PixDisplayQRCode.Data
	}
	return p, nil
}

// payState maps the provider's states. A declined payment goes back to "requires payment method" there; the error it
// carries tells it apart from one that was never tried.
func payState(pi *stripe.PaymentIntent) (sale.PayState, error) {
	switch pi.Status {
	case stripe.PaymentIntentStatusRequiresPaymentMethod:
		if pi.LastPaymentError != nil {
			return sale.PayFailed, nil //nolint:nilerr // what happened to the payer's card is the answer, not our failure
		}
		return sale.PayCreated, nil
	case stripe.PaymentIntentStatusRequiresConfirmation:
		return sale.PayCreated, nil
	case stripe.PaymentIntentStatusRequiresAction:
		return sale.PayAction, nil
	case stripe.PaymentIntentStatusProcessing:
		return sale.PayProcessing, nil
	case stripe.PaymentIntentStatusRequiresCapture:
		return sale.PayAuthorized, nil
	case stripe.PaymentIntentStatusSucceeded:
		return sale.PayCaptured, nil
	case stripe.PaymentIntentStatusCanceled:
		return sale.PayCanceled, nil
	default:
		return sale.PayNone, fmt.Errorf("read payment: %w: state %q is not known", ErrUnavailable, pi.Status)
	}
}

// decline is the most telling code of the last failure: the issuer's if there is one.
func decline(e *stripe.Error) string {
	switch {
	case e == nil:
		return ""
	case e.DeclineCode != "":
		return string(e.DeclineCode)
	case e.Code != "":
		return string(e.Code)
	default:
		return string(e.Type)
	}
}

func methodOf(pi *stripe.PaymentIntent) sale.Method {
	switch {
	case pi == nil:
		return sale.MethodNone
	case slices.Contains(pi.PaymentMethodTypes, "pix"):
		return sale.MethodPix
	case slices.Contains(pi.PaymentMethodTypes, "card"):
		return sale.MethodCard
	default:
		return sale.MethodNone
	}
}

func refund(r *stripe.Refund) (outbox.Refund, error) {
	out := outbox.Refund{Ref: r.ID, Amount: r.Amount}
	switch r.Status {
	case stripe.RefundStatusPending, stripe.RefundStatusRequiresAction:
		out.State = sale.RefundPending
	case stripe.RefundStatusSucceeded:
		out.State = sale.RefundSucceeded
	case stripe.RefundStatusFailed, stripe.RefundStatusCanceled:
		out.State = sale.RefundFailed
	default:
		return outbox.Refund{}, fmt.Errorf("read refund: %w: state %q is not known", ErrUnavailable, r.Status)
	}
	return out, nil
}
