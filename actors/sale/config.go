package sale

import (
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// Config is everything a sale is created with. Times are unix milliseconds UTC, durations milliseconds.
type Config struct {
	Event     EventID
	Slug      string // in addresses: [a-z0-9-]{1,64}
	Name      string
	Venue     string
	Currency  string // ISO 4217
	TimeZone  string // IANA name, for people
	Rehearsal bool   // virtual fans are allowed; no real money
	Epoch     uint8  // identifiers begin in this one: 0, but for an event that is made after a backup was restored

	StartsAt int64 // when the concert begins
	LobbyAt  int64 // joining the queue is allowed from here
	OpensAt  int64 // offers are made from here
	ClosesAt int64 // no new hold or order after this

	Queue  queue.Policy
	Limits Limits
	Times  Times
	Orphan seatmap.OrphanPolicy
	Plan   *seatmap.Plan
}

// Limits bound what one account may take.
type Limits struct {
	PerHold    uint32 // places in one hold
	PerAccount uint32 // held + in payment + sold places of one account
	Attempts   uint8  // payment attempts per order
}

// Times are the clocks of holds and payments, in milliseconds.
type Times struct {
	Hold        int64 // life of a new hold
	HoldRenewal int64 // one renewal sets the expiry to max(expiry, now+HoldRenewal)
	HoldCap     int64 // absolute cap from the first acquisition
	PayGrace    int64 // begin-payment moves the expiry to min(cap, now+PayGrace) if later
	ActionGrace int64 // the same when the payer has to act (3-D Secure, Pix)
}

// Phase of the sale.
type Phase uint8

const (
	PhaseScheduled Phase = iota // before the lobby
	PhaseLobby                  // joining is allowed, no offers yet
	PhaseOpen
	PhasePaused // by the organiser; places kept, no offers; holds and payments go on
	PhaseClosed
)
