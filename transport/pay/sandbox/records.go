package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
)

// States of a payment, as Stripe names them.
const (
	needsMethod       = "requires_payment_method"
	needsConfirmation = "requires_confirmation"
	needsAction       = "requires_action"
	processing        = "processing"
	needsCapture      = "requires_capture"
	succeeded         = "succeeded"
	canceled          = "canceled"
)

// What happens to a payment by itself when its Due time comes.
const (
	dueSettle  = "settle"  // the processing card is done
	duePay     = "pay"     // the Pix pays itself
	dueExpire  = "expire"  // the Pix code is too old
	dueRelease = "release" // the bank gives an authorised amount back
	dueDispute = "dispute" // the payer's bank claims the money back
)

// intent is one payment. Stored intents are never changed: a transaction works on a clone and puts it in their place.
type intent struct {
	N           uint64            `json:"n"` // creation order
	ID          string            `json:"id"`
	Secret      string            `json:"secret"`
	Created     int64             `json:"created"` // unix seconds
	Amount      int64             `json:"amount"`
	Capturable  int64             `json:"capturable,omitempty"`
	Received    int64             `json:"received,omitempty"`
	Refunded    int64             `json:"refunded,omitempty"` // succeeded and pending refunds
	Currency    string            `json:"currency"`
	Status      string            `json:"status"`
	Capture     string            `json:"capture"` // automatic, automatic_async, manual
	Description string            `json:"description,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Types       []string          `json:"types"`
	ReturnURL   string            `json:"return_url,omitempty"`
	Receipt     string            `json:"receipt,omitempty"`
	Statement   string            `json:"statement,omitempty"`
	CanceledAt  int64             `json:"canceled_at,omitempty"`
	Reason      string            `json:"reason,omitempty"` // of the cancellation
	Method      *method           `json:"method,omitempty"`
	Charge      string            `json:"charge,omitempty"`
	ChargeOK    bool              `json:"charge_ok,omitempty"`
	LastError   *failure          `json:"last_error,omitempty"`
	Pix         *pixCode          `json:"pix,omitempty"`
	Disputed    bool              `json:"disputed,omitempty"`
	Tries       int               `json:"tries,omitempty"` // confirmations
	Due         int64             `json:"due,omitempty"`   // unix ms
	DueWhat     string            `json:"due_what,omitempty"`
}

func (i *intent) clone() *intent {
	c := *i
	c.Metadata = maps.Clone(i.Metadata)
	c.Types = slices.Clone(i.Types)
	return &c // method, error and pix are replaced whole, never changed
}

func (i *intent) is(states ...string) bool { return slices.Contains(states, i.Status) }

// method is the payment method of a payment: a card without its number, or Pix.
type method struct {
	ID    string `json:"id"`
	Type  string `json:"type"`
	Brand string `json:"brand,omitempty"`
	Last4 string `json:"last4,omitempty"`
	Month int    `json:"month,omitempty"`
	Year  int    `json:"year,omitempty"`
	Card  string `json:"card,omitempty"` // name of the test card, see cards
}

type pixCode struct {
	Code    string `json:"code"`
	Expires int64  `json:"expires"` // unix seconds
}

// refund of a payment, whole or in part.
type refund struct {
	N        uint64            `json:"n"`
	ID       string            `json:"id"`
	Intent   string            `json:"intent"`
	Charge   string            `json:"charge"`
	Created  int64             `json:"created"`
	Amount   int64             `json:"amount"`
	Currency string            `json:"currency"`
	Status   string            `json:"status"` // pending, succeeded, failed
	Reason   string            `json:"reason,omitempty"`
	Failure  string            `json:"failure,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Due      int64             `json:"due,omitempty"`  // unix ms
	Then     string            `json:"then,omitempty"` // the status at Due
}

func (r *refund) clone() *refund {
	c := *r
	c.Metadata = maps.Clone(r.Metadata)
	return &c
}

// event is something that happened to a payment, with the body that is delivered.
type event struct {
	N       uint64          `json:"n"`
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Created int64           `json:"created"`
	Intent  string          `json:"intent"`
	Order   string          `json:"order,omitempty"`
	Body    json.RawMessage `json:"body"`

	reference string // of the order; only of events of this process
	ours      bool   // the shop itself has caused it by a call
}

// answer is the first outcome of an idempotency key.
type answer struct {
	Key    string `json:"key"`
	Print  string `json:"print"` // fingerprint of path and parameters
	Status int    `json:"status"`
	Body   string `json:"body"`
	At     int64  `json:"at"` // unix seconds
}
