package catraca

import (
	"cmp"
	"slices"

	"github.com/anishathalye/porcupine"
)

// step is an operation as one seat or one account sees it.
type step struct {
	kind stepKind
	hold string
	what byte // of a look at a seat: f free, h held, s sold, m the looker's own
}

type stepKind int

const (
	stepTake    stepKind = iota // a hold was made
	stepTaking                  // a hold was asked for and never answered
	stepFree                    // it was free
	stepTaken                   // it was not free
	stepGive                    // the hold was given back
	stepGiving                  // asked to be given back and never answered
	stepHas                     // the hold was there
	stepHasNot                  // the hold was not there
	stepSell                    // what was held is sold
	stepSelling                 // sold perhaps
	stepSee                     // a look at the seat
)

// projected splits a history by seat and by account.
func projected(all []operation) (seats map[uint32][]porcupine.Operation, accounts map[string][]porcupine.Operation) {
	seats, accounts = make(map[uint32][]porcupine.Operation), make(map[string][]porcupine.Operation)
	clients := make(map[string]int)
	for _, o := range all {
		if _, known := clients[o.account]; !known {
			clients[o.account] = len(clients)
		}
		as := func(s step) porcupine.Operation {
			return porcupine.Operation{ClientId: clients[o.account], Input: s, Call: int64(o.call), Return: int64(o.ret), Metadata: o}
		}
		if o.deed == deedSeats {
			for i := range o.states {
				seats[uint32(i)] = append(seats[uint32(i)], as(step{kind: stepSee, what: o.states[i]})) //nolint:gosec // few
			}
			continue
		}
		for _, seat := range o.seats {
			if s, ok := seatStep(o, seat); ok {
				seats[seat] = append(seats[seat], as(s))
			}
		}
		if s, ok := accountStep(o); ok {
			accounts[o.account] = append(accounts[o.account], as(s))
		}
	}
	for seat, steps := range seats { // one that nobody touched has been looked at only
		if !slices.ContainsFunc(steps, func(s porcupine.Operation) bool { return s.Input.(step).kind != stepSee }) {
			delete(seats, seat)
		}
	}
	return seats, accounts
}

// seatStep is what an operation means for one of its seats; false: nothing.
func seatStep(o operation, seat uint32) (step, bool) {
	switch {
	case o.outcome == done:
		return map[deed]step{
			deedHold: {kind: stepTake, hold: o.hold}, deedBest: {kind: stepTake, hold: o.hold},
			deedRelease: {kind: stepGive, hold: o.hold}, deedCancel: {kind: stepGive, hold: o.hold},
			deedOrder: {kind: stepHas, hold: o.hold}, deedLook: {kind: stepHas, hold: o.hold},
			deedSale: {kind: stepSell, hold: o.hold},
		}[o.deed], true
	case o.outcome == unknown:
		s, ok := map[deed]step{
			deedHold: {kind: stepTaking, hold: cmp.Or(o.hold, o.String())}, deedBest: {kind: stepTaking, hold: o.hold}, deedRelease: {kind: stepGiving, hold: o.hold},
			deedCancel: {kind: stepGiving, hold: o.hold}, deedSale: {kind: stepSelling, hold: o.hold},
		}[o.deed]
		return s, ok
	case o.deed == deedHold && len(o.taken) > 0 && slices.Contains(o.taken, seat):
		return step{kind: stepTaken}, true
	case o.deed == deedHold && len(o.taken) > 0:
		return step{kind: stepFree}, true
	case o.deed == deedRelease, o.deed == deedOrder, o.deed == deedCancel:
		return step{kind: stepHasNot, hold: o.hold}, true
	}
	return step{}, false
}

// accountStep is what an operation means for the account, which has one hold at most; false: nothing.
func accountStep(o operation) (step, bool) {
	switch {
	case o.outcome == done && o.deed == deedLook && o.hold == "":
		return step{kind: stepFree}, true
	case o.outcome == done:
		return seatStep(o, 0)
	case o.outcome == unknown:
		return seatStep(o, 0)
	case o.other != "":
		return step{kind: stepHas, hold: o.other}, true
	case o.deed == deedHold || o.deed == deedBest:
		return step{kind: stepFree}, true // another hold would have been the reason
	default:
		return step{kind: stepHasNot, hold: o.hold}, true
	}
}

// owned is the state of a seat: whose hold has it, and whether it is sold for good.
type owned struct {
	hold string // empty: free
	sold bool
}

// seatModel is one seat: free, in a hold, or sold.
func seatModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return owned{} },
		Step: func(state, input, _ any) (bool, any) {
			at, s := state.(owned), input.(step)
			switch s.kind {
			case stepTake:
				return at.hold == "", owned{hold: s.hold}
			case stepTaking:
				if at.hold == "" {
					at.hold = s.hold
				}
				return true, at
			case stepFree:
				return at.hold == "", at
			case stepTaken:
				return at.hold != "", at
			case stepGive:
				return at == owned{hold: s.hold}, owned{}
			case stepGiving:
				if at == (owned{hold: s.hold}) {
					at = owned{}
				}
				return true, at
			case stepHas:
				return at == owned{hold: s.hold}, at
			case stepHasNot:
				return at != owned{hold: s.hold}, at
			case stepSell:
				return at == owned{hold: s.hold}, owned{hold: s.hold, sold: true}
			case stepSelling:
				if at == (owned{hold: s.hold}) {
					at.sold = true
				}
				return true, at
			default:
				return letter(at) == s.what, at
			}
		},
	}
}

// letter is how a map of seats shows the state.
func letter(at owned) byte {
	switch {
	case at.sold:
		return 's'
	case at.hold != "":
		return 'h'
	default:
		return 'f'
	}
}

// accountModel is one account: its hold, or none. A hold that was sold is none any more.
func accountModel() porcupine.Model {
	m := seatModel()
	step0 := m.Step
	m.Step = func(state, input, output any) (bool, any) {
		ok, next := step0(state, input, output)
		if next.(owned).sold {
			next = owned{}
		}
		return ok, next
	}
	return m
}
