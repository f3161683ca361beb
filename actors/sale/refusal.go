package sale

// Refusal is why a command was not done. It is replicated, counted and shown, so it is a number and not an
// error; numbers are never reused.
type Refusal uint16

const (
	Done               Refusal = 0
	RefusedClosed      Refusal = 1  // the sale is over
	RefusedNotOpen     Refusal = 2  // not yet, or paused
	RefusedNoPlace     Refusal = 3  // the account has no place in the queue
	RefusedNotYourTurn Refusal = 4  // no offer, or it lapsed
	RefusedNoLease     Refusal = 5  // shopping time is over or never began
	RefusedConflict    Refusal = 6  // Result.Units lists every unit that is not free
	RefusedSoldOut     Refusal = 7  // best available found nothing
	RefusedLimit       Refusal = 8  // Result.Number is what is allowed
	RefusedOrphan      Refusal = 9  // would leave a single seat alone; Result.Units suggests others
	RefusedUnknownUnit Refusal = 10 //
	RefusedUnknown     Refusal = 11 // no such hold, order or ticket, or it is somebody else's
	RefusedExpired     Refusal = 12 // the hold or order has run out
	RefusedRenewed     Refusal = 13 // a hold is renewed once
	RefusedPaying      Refusal = 14 // a payment is under way
	RefusedState       Refusal = 15 // the order is not in a state for this
	RefusedAttempts    Refusal = 16 // too many payment attempts
	RefusedMismatch    Refusal = 17 // the key was used with another body
	RefusedInvalid     Refusal = 18 // malformed: empty lines, repeated unit, zero count
	RefusedScanned     Refusal = 19 // already let in; Result.At and Result.Number (gate) of the first scan
	RefusedRevoked     Refusal = 20 // the ticket was cancelled
	RefusedVersion     Refusal = 21 // the ticket was re-issued; this code is old
	RefusedRemoved     Refusal = 22 // the account was removed from the queue
	RefusedFull        Refusal = 23 // a bound of the machine is reached
	RefusedHoldExists  Refusal = 24 // the account has a live hold; Result.Hold names it
	RefusedAmount      Refusal = 25 // the provider's amount or currency differs from the order's
)
