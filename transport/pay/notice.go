package pay

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/catraca/catraca/actors/sale"
)

// subject is the kind of object an event is about.
type subject uint8

const (
	nothing subject = iota
	aPayment
	aRefund
	aCharge // or a dispute: both name their payment
)

// subjectOf knows the event types that make us look at a payment. That one was created is no news: either we have asked for
// it, and are told in the answer, or nobody was shown it, and nobody can pay it.
func subjectOf(kind string) subject {
	switch kind {
	case "payment_intent.requires_action", "payment_intent.processing",
		"payment_intent.amount_capturable_updated", "payment_intent.succeeded", "payment_intent.payment_failed",
		"payment_intent.canceled":
		return aPayment
	case "refund.created", "refund.updated", "refund.failed", "charge.refund.updated":
		return aRefund
	case "charge.refunded", "charge.dispute.created", "charge.dispute.closed":
		return aCharge
	default:
		return nothing
	}
}

// readSubject finds the payment an event is about. A charge or refund without one was not made by us.
func (n *Notice) readSubject(about subject, object json.RawMessage) error {
	var o struct {
		ID            string                     `json:"id"`
		PaymentIntent json.RawMessage            `json:"payment_intent"`
		Metadata      map[string]json.RawMessage `json:"metadata"`
		Methods       []string                   `json:"payment_method_types"`
	}
	if len(object) == 0 {
		return errors.New("it is missing")
	}
	if err := json.Unmarshal(object, &o); err != nil {
		return err
	}
	switch about {
	case aPayment:
		n.Ref = o.ID
	case aRefund:
		n.Refund = o.ID
		n.Ref = reference(o.PaymentIntent)
	default:
		n.Ref = reference(o.PaymentIntent)
	}
	if len(n.Ref) > 255 || len(n.Refund) > 255 {
		return errors.New("an id is longer than 255 characters")
	}
	if n.Ref == "" {
		if about == aPayment {
			return fmt.Errorf("%s without an id", n.Type)
		}
		n.Ignored = true
		return nil
	}
	// A Pix payment asks for the payer's part as soon as it is made, which the answer to our call says.
	if n.Type == "payment_intent.requires_action" && slices.Equal(o.Methods, []string{"pix"}) {
		*n = Notice{EventID: n.EventID, Type: n.Type, Created: n.Created, Live: n.Live, Ignored: true}
		return nil
	}
	n.Event = sale.EventID(number(o.Metadata["event"], 32))
	n.Order = sale.OrderID(number(o.Metadata["order"], 32))
	n.Attempt = uint8(number(o.Metadata["attempt"], 8))
	return nil
}

// reference reads an id that may be expanded to the whole object.
func reference(raw json.RawMessage) string {
	var id string
	if json.Unmarshal(raw, &id) == nil {
		return id
	}
	var o struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &o) == nil {
		return o.ID
	}
	return ""
}

// number reads a decimal metadata value; what is not one of ours is 0.
func number(raw json.RawMessage, bits int) uint64 {
	var s string
	if json.Unmarshal(raw, &s) != nil || strings.HasPrefix(s, "+") {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		return 0
	}
	return n
}
