package queue

import "strconv"

// Place is the number a fan sees: 1, 2, 3 … in log order of the first join; 0 is none. Never reused.
type Place uint32

// State of a place. Numbers are stored and never reused.
type State uint8

const (
	Waiting  State = iota + 1 // in line and connected
	Away                      // in line, no connection; keeps its rank
	Offered                   // "your turn", until the deadline
	Shopping                  // has a lease, until the deadline
	Parked                    // the turn came and nobody was there; kept until the deadline
	Done                      // finished, or the lease ran out
	Left                      // gave up, or was not back within the grace
	Removed                   // by the organiser; the account may not join again
)

func stateNames() [9]string {
	return [...]string{"none", "waiting", "away", "offered", "shopping", "parked", "done", "left", "removed"}
}

// String is the word used in frames and answers.
func (s State) String() string {
	if names := stateNames(); int(s) < len(names) {
		return names[s]
	}
	return "state(" + strconv.Itoa(int(s)) + ")"
}

// Live says whether the account still has a turn to come or is having it.
func (s State) Live() bool { return s >= Waiting && s <= Parked }

// inLine says whether the place counts as ahead of later ones.
func (s State) inLine() bool { return s == Waiting || s == Away }

// timed says whether the place has a deadline.
func (s State) timed() bool { return s == Offered || s == Shopping || s == Parked }

// active says whether the place takes up one of the ActiveCap.
func (s State) active() bool { return s == Offered || s == Shopping }

// Refusal is why a join or claim was not done.
type Refusal uint8

const (
	None       Refusal = iota // done
	NoPlace                   // the account has no place, or gave it up
	NotOffered                // it is not its turn, or the offer has lapsed
	Barred                    // the account was removed
	Full                      // MaxPlaces have been issued
	Ended                     // its shopping time is over
)

// Info is what is known of one account's latest place.
type Info struct {
	Place    Place
	Account  uint64
	State    State
	Ahead    uint32 // only while waiting, away or parked
	Deadline int64  // only while offered, shopping or parked; unix ms
	JoinedAt int64  // unix ms
	Cap      int64  // only while shopping: the lease never goes beyond; unix ms
}

// Transition is one change of state, in the order they happened. From is 0 for a new place.
type Transition struct {
	Place    Place
	Account  uint64
	From, To State
	Deadline int64 // of To, unix ms; 0 if it has none
}

// Counts of places by state.
type Counts struct {
	Waiting, Away, Offered, Shopping, Parked, Done, Left, Removed uint32

	Issued   uint32 // all of them together
	Returned uint32 // those of Waiting and Away whose turn had come before; served first
}

// Exposure is what an estimator needs, cumulative since the start; differences of two samples are what
// happened between them.
type Exposure struct {
	Ends    uint64 // turns that ended, claimed or not: a slot of the cap came free
	Leaves  uint64 // left or removed while in line
	Claims  uint64 // offers taken
	NoShows uint64 // offers that lapsed
	Passed  uint64 // parked because they were away at their turn: left the line without taking a slot
	Returns uint64 // came back from being parked

	ActiveMs  uint64 // milliseconds spent offered or shopping, over all places
	WaitingMs uint64 // milliseconds spent in line, over all places
}
