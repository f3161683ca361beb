package api

import (
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// refusal turns what a sale refused into a problem; nil when it was done.
func refusal(e sale.EventID, r sale.Result, lang string) error {
	if r.Refusal == sale.Done {
		return nil
	}
	return problemOf(e, r, lang)
}

// problemOf is the problem of a refusal.
func problemOf(e sale.EventID, r sale.Result, lang string) *wire.Problem {
	p := wire.NewProblem(refusalCode(r.Refusal), lang)
	switch r.Refusal {
	case sale.RefusedConflict:
		p.Units = units(r.Units)
	case sale.RefusedOrphan:
		p.Suggest = units(r.Units)
	case sale.RefusedLimit:
		p.Allowed = &r.Number
	case sale.RefusedHoldExists:
		p.Hold = wire.HoldRef(e, r.Hold)
	case sale.RefusedFull:
		p.RetryAfter = 5000
	default: // the code says it all
	}
	return p
}

func units(in []sale.UnitID) []uint32 {
	out := make([]uint32, len(in))
	for i, u := range in {
		out[i] = uint32(u)
	}
	return out
}

func refusalCode(r sale.Refusal) wire.Code {
	switch r {
	case sale.RefusedClosed:
		return wire.Closed
	case sale.RefusedNotOpen:
		return wire.NotOpen
	case sale.RefusedNoPlace:
		return wire.NoPlace
	case sale.RefusedNotYourTurn:
		return wire.NotYourTurn
	case sale.RefusedNoLease:
		return wire.NoLease
	case sale.RefusedConflict:
		return wire.Conflict
	case sale.RefusedSoldOut:
		return wire.SoldOut
	case sale.RefusedLimit:
		return wire.Limit
	case sale.RefusedOrphan:
		return wire.Orphan
	case sale.RefusedUnknownUnit:
		return wire.UnknownUnit
	case sale.RefusedUnknown:
		return wire.NotFound
	case sale.RefusedExpired:
		return wire.Expired
	case sale.RefusedRenewed:
		return wire.AlreadyRenewed
	case sale.RefusedPaying:
		return wire.PaymentInProgress
	case sale.RefusedState, sale.RefusedScanned, sale.RefusedRevoked, sale.RefusedVersion, sale.RefusedAmount:
		return wire.WrongState
	case sale.RefusedAttempts:
		return wire.TooManyAttempts
	case sale.RefusedMismatch:
		return wire.IdempotencyMismatch
	case sale.RefusedInvalid:
		return wire.InvalidRequest
	case sale.RefusedRemoved:
		return wire.Removed
	case sale.RefusedFull:
		return wire.Busy
	case sale.RefusedHoldExists:
		return wire.HoldExists
	default:
		return wire.Internal
	}
}
