package wire

import (
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
)

// PhaseName of a sale.
func PhaseName(p sale.Phase) string {
	switch p {
	case sale.PhaseLobby:
		return "lobby"
	case sale.PhaseOpen:
		return "open"
	case sale.PhasePaused:
		return "paused"
	case sale.PhaseClosed:
		return "closed"
	default:
		return "scheduled"
	}
}

// PlaceState names a state of a place.
func PlaceState(s queue.State) string { return s.String() }

// OrderStateName names a state of an order.
func OrderStateName(s sale.OrderState) string {
	switch s {
	case sale.OrderAwaiting:
		return "awaiting"
	case sale.OrderCommitted:
		return "committed"
	case sale.OrderPaid:
		return "paid"
	case sale.OrderFulfilled:
		return "fulfilled"
	case sale.OrderExpired:
		return "expired"
	case sale.OrderCanceled:
		return "canceled"
	case sale.OrderRefunding:
		return "refunding"
	case sale.OrderRefunded:
		return "refunded"
	default:
		return "unknown"
	}
}

// PayStateName names a state of a payment.
func PayStateName(s sale.PayState) string {
	switch s {
	case sale.PayAction:
		return "action"
	case sale.PayProcessing:
		return "processing"
	case sale.PayFailed:
		return "failed"
	case sale.PayAuthorized:
		return "authorized"
	case sale.PayCaptured:
		return "captured"
	case sale.PayCanceled:
		return "canceled"
	default:
		return "created"
	}
}

// MethodName names a method of payment; ParseMethod reads it.
func MethodName(m sale.Method) string {
	switch m {
	case sale.MethodCard:
		return "card"
	case sale.MethodPix:
		return "pix"
	default:
		return ""
	}
}

// ParseMethod reads a method's name.
func ParseMethod(s string) (sale.Method, bool) {
	switch s {
	case "card":
		return sale.MethodCard, true
	case "pix":
		return sale.MethodPix, true
	default:
		return sale.MethodNone, false
	}
}

// UnitLetter is a seat's state on the wire.
func UnitLetter(s sale.UnitStatus) byte {
	switch s {
	case sale.UnitHeld:
		return 'h'
	case sale.UnitSold:
		return 's'
	case sale.UnitBlocked:
		return 'b'
	default:
		return 'f'
	}
}

// RefundStateName names a state of a refund.
func RefundStateName(s sale.RefundState) string {
	switch s {
	case sale.RefundPending:
		return "pending"
	case sale.RefundSucceeded:
		return "succeeded"
	case sale.RefundFailed:
		return "failed"
	default:
		return "none"
	}
}
