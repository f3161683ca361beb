package sale

import "github.com/catraca/catraca/actors/sale/seatmap"

// Identifiers. All are dense, start at 1 (0 means none) and are never reused within an event.
type (
	EventID   uint32 // given by the catalogue
	AccountID uint64 // given by the account machine; opaque here
	HoldID    uint32
	OrderID   uint32
	TicketID  uint32 // the serial of an issued ticket
)

// Key identifies one command for exactly-once application; the zero Key asks for no deduplication. All accounts share
// one space of keys: derive a Key by hashing what the client sent together with who it is.
type Key [16]byte

// UnitID and Line are the seat map's.
type (
	UnitID = seatmap.UnitID
	Line   = seatmap.Line
)
