package outbox

import (
	"context"
	"errors"

	"github.com/catraca/catraca/actors/sale"
)

// Payer is a payment provider. Every method is called by the leader's outbox, possibly more than once with the
// same key: the provider must answer a repeated key with the first outcome. Errors that a retry can cure are
// temporary; an error wrapping [ErrRefusedByProvider] is final. A panic counts as a temporary error. Methods return
// soon after ctx has ended.
type Payer interface {
	// Start creates the payment and returns where the payer goes.
	Start(ctx context.Context, r PaymentRequest) (Payment, error)
	// Query asks for the payment's present state. It changes nothing.
	Query(ctx context.Context, ref string) (Payment, error)
	// Capture takes the authorised money.
	Capture(ctx context.Context, ref, key string) (Payment, error)
	// Void cancels a payment that has not been captured.
	Void(ctx context.Context, ref, key string) (Payment, error)
	// Refund gives amount (minor units) of a captured payment back.
	Refund(ctx context.Context, ref string, amount int64, key string) (Refund, error)
}

// ErrRefusedByProvider is wrapped by errors that no retry can cure, of payments and of letters.
var ErrRefusedByProvider = errors.New("refused by the provider")

// Mailer sends what a buyer has to have. It may be called again for the same intent and then sends the same
// message with the same Message-ID. Its errors are as those of a [Payer]: a letter that no retry delivers is final, and
// a person has to look.
type Mailer interface {
	Mail(ctx context.Context, id sale.EventID, in sale.Intent, order sale.Order) error
}

// PaymentRequest asks for a payment of Amount minor units.
type PaymentRequest struct {
	Key       string // idempotency key, at most 255 characters
	Event     sale.EventID
	Order     sale.OrderID
	Attempt   uint8
	Method    sale.Method
	Amount    int64
	Currency  string // ISO 4217
	Label     string // shown to the payer: the event's name
	Reference string // the order's public reference, o1-42
	ReturnURL string // where the payer comes back to
	Expires   int64  // unix ms: after this the payment is of no use
	Lang      string
}

// Payment is what the provider says about one payment.
type Payment struct {
	Ref      string
	State    sale.PayState
	Amount   int64
	Currency string
	URL      string // hosted page for the payer, when there is one
	PixCode  string // copy-and-paste code of a Pix payment
	Decline  string // the provider's code of the last decline
}

// Refund is what the provider says about one refund.
type Refund struct {
	Ref    string
	State  sale.RefundState
	Amount int64
}
