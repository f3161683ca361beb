package wire

import (
	"fmt"
	"strconv"

	"github.com/catraca/catraca/actors/sale"
)

// Public identifiers name the event and the thing: h1-42 is hold 42 of event 1, o1-42 an order, t1-42 a ticket.
// They are no secrets: whoever asks is checked against the owner.

// HoldRef writes a hold's public identifier.
func HoldRef(e sale.EventID, id sale.HoldID) string { return ref('h', e, uint32(id)) }

// OrderRef writes an order's public identifier.
func OrderRef(e sale.EventID, id sale.OrderID) string { return ref('o', e, uint32(id)) }

// TicketRef writes a ticket's public identifier.
func TicketRef(e sale.EventID, id sale.TicketID) string { return ref('t', e, uint32(id)) }

// ParseHoldRef reads what HoldRef wrote.
func ParseHoldRef(s string) (sale.EventID, sale.HoldID, error) {
	e, n, err := parseRef('h', s)
	return e, sale.HoldID(n), err
}

// ParseOrderRef reads what OrderRef wrote.
func ParseOrderRef(s string) (sale.EventID, sale.OrderID, error) {
	e, n, err := parseRef('o', s)
	return e, sale.OrderID(n), err
}

// ParseTicketRef reads what TicketRef wrote.
func ParseTicketRef(s string) (sale.EventID, sale.TicketID, error) {
	e, n, err := parseRef('t', s)
	return e, sale.TicketID(n), err
}

func ref(kind byte, e sale.EventID, n uint32) string {
	b := make([]byte, 0, 24)
	b = append(b, kind)
	b = strconv.AppendUint(b, uint64(e), 10)
	b = append(b, '-')
	return string(strconv.AppendUint(b, uint64(n), 10))
}

func parseRef(kind byte, s string) (sale.EventID, uint32, error) {
	bad := func() (sale.EventID, uint32, error) {
		return 0, 0, fmt.Errorf("parse identifier %.30q: want %c<event>-<number>", s, kind)
	}
	if len(s) < 4 || len(s) > 24 || s[0] != kind {
		return bad()
	}
	for i := 1; i < len(s); i++ {
		if s[i] != '-' {
			continue
		}
		e, err1 := strconv.ParseUint(s[1:i], 10, 32)
		n, err2 := strconv.ParseUint(s[i+1:], 10, 32)
		if err1 != nil || err2 != nil || e == 0 || n == 0 || ref(kind, sale.EventID(e), uint32(n)) != s {
			return bad() // also +1, 01 and the like: one thing has one name
		}
		return sale.EventID(e), uint32(n), nil
	}
	return bad()
}
