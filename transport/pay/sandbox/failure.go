package sandbox

import "fmt"

// failure is an error body of the API, in Stripe's shape.
type failure struct {
	Type    string `json:"type"`
	Code    string `json:"code,omitempty"`
	Decline string `json:"decline_code,omitempty"`
	Message string `json:"message"`
	Param   string `json:"param,omitempty"`
	Charge  string `json:"charge,omitempty"`

	status int    // HTTP status
	intent string // the payment to show with the error
	stored bool   // remember the answer under the idempotency key
}

func invalid(param, code, format string, v ...any) *failure {
	return &failure{Type: "invalid_request_error", Code: code, Param: param, Message: fmt.Sprintf(format, v...), status: 400}
}

func missing(kind, id string) *failure {
	f := invalid("id", "resource_missing", "No such %s: '%s'", kind, id)
	f.status = 404
	return f
}

// unexpectedState refuses what the payment's state does not allow. It is stored: the call was understood.
func unexpectedState(in *intent, verb, allowed string) *failure {
	f := invalid("", "payment_intent_unexpected_state",
		"You cannot %s this PaymentIntent because it has a status of %s. Only a PaymentIntent with one of the following statuses may be used for this: %s.",
		verb, in.Status, allowed)
	f.intent, f.stored = in.ID, true
	return f
}

func broken(message string) *failure {
	return &failure{Type: "api_error", Message: message, status: 500}
}

// declined is the error of a card the bank refuses.
func declined(code, decline string) *failure {
	return &failure{Type: "card_error", Code: code, Decline: decline, Message: declineMessage(code, decline), status: 402, stored: true}
}

func declineMessage(code, decline string) string {
	switch {
	case decline == "insufficient_funds":
		return "Your card has insufficient funds."
	case decline == "test_mode_live_card":
		return "Your card was declined. This is a test environment, but the number is not one of a test card."
	case code == "expired_card":
		return "Your card has expired."
	case code == "incorrect_cvc":
		return "Your card's security code is incorrect."
	case code == "invalid_cvc":
		return "Your card's security code is invalid."
	case code == "incorrect_number", code == "invalid_number":
		return "Your card number is incorrect."
	case code == "invalid_expiry_month":
		return "Your card's expiration month is invalid."
	case code == "invalid_expiry_year":
		return "Your card's expiration year is invalid."
	case code == "processing_error":
		return "An error occurred while processing your card. Try again in a little bit."
	default:
		return "Your card was declined."
	}
}
