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
	codes := map[sale.Refusal]wire.Code{
		sale.RefusedClosed: wire.Closed, sale.RefusedNotOpen: wire.NotOpen, sale.RefusedNoPlace: wire.NoPlace,
		sale.RefusedNotYourTurn: wire.NotYourTurn, sale.RefusedNoLease: wire.NoLease, sale.RefusedConflict: wire.Conflict,
		sale.RefusedSoldOut: wire.SoldOut, sale.RefusedLimit: wire.Limit, sale.RefusedOrphan: wire.Orphan,
		sale.RefusedUnknownUnit: wire.UnknownUnit, sale.RefusedUnknown: wire.NotFound, sale.RefusedExpired: wire.Expired,
		sale.RefusedRenewed: wire.AlreadyRenewed, sale.RefusedPaying: wire.PaymentInProgress, sale.RefusedState: wire.WrongState,
		sale.RefusedAttempts: wire.TooManyAttempts, sale.RefusedMismatch: wire.IdempotencyMismatch,
		sale.RefusedInvalid: wire.InvalidRequest, sale.RefusedRemoved: wire.Removed, sale.RefusedFull: wire.Busy,
		sale.RefusedHoldExists: wire.HoldExists, sale.RefusedScanned: wire.WrongState, sale.RefusedRevoked: wire.WrongState,
		sale.RefusedVersion: wire.WrongState, sale.RefusedAmount: wire.WrongState,
	}
	if c, ok := codes[r]; ok {
		return c
	}
	return wire.Internal
}
