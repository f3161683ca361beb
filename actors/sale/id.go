package sale

import "github.com/catraca/catraca/actors/sale/seatmap"

// EventID is given by the catalogue. No identifier is 0, which means none, or used again within an event. Those of holds,
// orders and tickets count up from 1; see epoch.go for what restoring a backup does to them.
type EventID uint32

// AccountID is given by the account machine; opaque here.
type AccountID uint64

// HoldID numbers the holds of a sale.
type HoldID uint32

// OrderID numbers the orders of a sale.
type OrderID uint32

// TicketID is the serial of an issued ticket.
type TicketID uint32

// Key identifies one command for exactly-once application; the zero Key asks for no deduplication. All accounts share
// one space of keys: derive a Key by hashing what the client sent together with who it is.
type Key [16]byte

// UnitID is the seat map's.
type UnitID = seatmap.UnitID

// Line is the seat map's.
type Line = seatmap.Line
