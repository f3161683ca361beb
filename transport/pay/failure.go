package pay

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/stripe/stripe-go/v85"

	"github.com/catraca/catraca/actors/outbox"
)

// Errors beside outbox.ErrRefusedByProvider. All of them are temporary.
var (
	// ErrUnavailable is wrapped when the provider did not give a usable answer; the effect is unknown.
	ErrUnavailable = errors.New("payment provider unavailable")
	// ErrOpen is wrapped when the call was not made because the last ones failed.
	ErrOpen = errors.New("payment provider is resting after failures")
	// ErrCredentials is wrapped when the provider does not accept the key: a person has to act, no payment is lost.
	ErrCredentials = errors.New("payment provider refused the secret key")
)

// classify turns an error of the client library into one of ours: final only when the provider understood the request
// and will never grant it. The library's text is not used, because it may hold the payer's client secret.
func classify(verb string, err error) error {
	var se *stripe.Error
	if !errors.As(err, &se) {
		if errors.Is(err, context.Canceled) {
			return fmt.Errorf("%s: %w", verb, context.Canceled)
		}
		return fmt.Errorf("%s: %w: %w", verb, ErrUnavailable, err)
	}
	said := fmt.Sprintf("status %d, type %s, code %s, param %s: %s", se.HTTPStatusCode, se.Type, se.Code, se.Param, se.Msg)
	switch {
	case se.HTTPStatusCode == http.StatusUnauthorized || se.HTTPStatusCode == http.StatusForbidden:
		return fmt.Errorf("%s: %w: %s", verb, ErrCredentials, said)
	case temporaryStatus(se):
		return fmt.Errorf("%s: %w: %s", verb, ErrUnavailable, said)
	case se.HTTPStatusCode >= 400 && se.HTTPStatusCode < 500:
		return fmt.Errorf("%s: %w: %s", verb, outbox.ErrRefusedByProvider, said)
	default:
		return fmt.Errorf("%s: %w: %s", verb, ErrUnavailable, said)
	}
}

// temporaryStatus lists the answers below 500 that mean "later": a key in use by a request in flight, a lock, a rate.
func temporaryStatus(se *stripe.Error) bool {
	switch se.HTTPStatusCode {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return se.HTTPStatusCode >= 500
}

// errProcessing is why a payment cannot be settled yet: the provider works, it is only too early.
var errProcessing = errors.New("the payment is being processed")

// replayed tells whether the provider repeats a stored refusal or failure: the key is burnt, a retry with it gets the
// same answer for a day, whatever has become true since.
func replayed(err error) bool {
	var se *stripe.Error
	return errors.As(err, &se) && se.LastResponse != nil && se.LastResponse.Header.Get("Idempotent-Replayed") == "true"
}

// replayedFailure is replayed for an internal error of the provider, which says nothing about the request.
func replayedFailure(err error) bool {
	var se *stripe.Error
	return errors.As(err, &se) && se.HTTPStatusCode >= 500 && replayed(err)
}

// refusedAsIs tells whether the provider refused because of the state the payment or refund is in.
func refusedAsIs(err error) bool {
	var se *stripe.Error
	return errors.As(err, &se) && se.HTTPStatusCode >= 400 && se.HTTPStatusCode < 500 &&
		!temporaryStatus(se) && se.HTTPStatusCode != http.StatusUnauthorized && se.HTTPStatusCode != http.StatusForbidden
}

// result is the label of an error in the metrics.
func result(err error) string {
	switch {
	case errors.Is(err, outbox.ErrRefusedByProvider):
		return "refused"
	case errors.Is(err, ErrOpen):
		return "resting"
	case errors.Is(err, context.Canceled):
		return "abandoned"
	default:
		return "unavailable"
	}
}
