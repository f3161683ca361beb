package wire

import (
	"github.com/catraca/catraca/actors/sale"
)

// PayStateName names a state of a payment.
func PayStateName(s sale.PayState) string {
	if s == sale.PayNone {
		s = sale.PayCreated // a payment that is begun is told as one
	}
	return s.String()
}

// MethodName names a method of payment; ParseMethod reads it.
func MethodName(m sale.Method) string {
	if m == sale.MethodNone {
		return ""
	}
	return m.String()
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
