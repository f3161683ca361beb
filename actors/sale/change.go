package sale

import "github.com/catraca/catraca/actors/sale/queue"

// ChangeKind says what a Change is about.
type ChangeKind uint8

const (
	ChangePlace  ChangeKind = iota + 1 // Account, Place, State, At (deadline)
	ChangeUnit                         // Unit, Status (seat), or free count of an area in Number
	ChangeHold                         // Account, Hold, At expiry (0: gone)
	ChangeOrder                        // Account, Order
	ChangePhase                        // the phase, rate or message changed
	ChangeIntent                       // Intent was opened, re-armed or closed
	ChangeScan                         // Ticket was let in
)

// Change is one thing that a batch did, for subscribers. Flat, so that a batch's changes are one slice.
type Change struct {
	Kind    ChangeKind
	State   queue.State
	Status  UnitStatus
	Account AccountID
	Place   queue.Place
	Unit    UnitID
	Number  uint32
	Hold    HoldID
	Order   OrderID
	Ticket  TicketID
	Intent  uint64
	At      int64
}

// UnitStatus of a seat as shown to fans.
type UnitStatus uint8

const (
	UnitFree UnitStatus = iota
	UnitHeld
	UnitSold
	UnitBlocked
)
