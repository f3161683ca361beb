package queue

import (
	"github.com/catraca/catraca/actors/sale/due"
	"github.com/catraca/catraca/actors/sale/slab"
)

// Never is the Due of a queue in which nothing will happen by itself.
const Never = int64(1<<63 - 1)

// MaxMisses is how many lapsed offers a place survives: with the last it is given up, so that a fan who keeps
// coming back without ever entering cannot occupy a slot for ever.
const MaxMisses = 3

// maxClock bounds the time that callers may pass, so that adding a duration never overflows.
const maxClock = int64(1) << 53

// keptTransitions bounds the memory kept for the next batch by ClearTransitions.
const keptTransitions = 1 << 16

// Queue is the queue of one event. All calls are made by one goroutine.
type Queue struct {
	policy Policy
	clock  int64 // latest time seen, unix ms

	slab      slab.Slab[entry]
	issued    uint32
	accounts  accounts
	line      line
	front     Place  // the turn of all places up to here has come
	returned  uint32 // in line at or before front
	terms     slab.Slab[term]
	freeTerms []uint32 // index plus one
	due       due.Heap
	byState   [Removed + 1]uint32

	tokens   uint64 // in sixty-thousandths of an offer
	ceiling  uint32 // offered + shopping when the cap was lowered below it, falling with every end
	exposure Exposure

	transitions []Transition
}

// New returns an empty queue. Values outside the bounds of Validate are brought to the nearest bound.
func New(p Policy) *Queue {
	q := empty()
	q.policy = p.clamped()
	q.tokens = bucketSize(q.policy)
	return q
}

// empty is a queue without a policy.
func empty() *Queue {
	return &Queue{slab: slab.Make[entry](1), terms: slab.Make[term](1)}
}

// Policy in force, as changed by SetRate.
func (q *Queue) Policy() Policy { return q.policy }

// Counts of places by state.
func (q *Queue) Counts() Counts {
	return Counts{
		Waiting: q.byState[Waiting], Away: q.byState[Away], Offered: q.byState[Offered], Shopping: q.byState[Shopping],
		Parked: q.byState[Parked], Done: q.byState[Done], Left: q.byState[Left], Removed: q.byState[Removed],
		Issued: q.issued, Returned: q.returned,
	}
}

// Exposure up to the latest time seen.
func (q *Queue) Exposure() Exposure { return q.exposure }

// Transitions since the last ClearTransitions, in order. The slice is valid until the next call that changes the
// queue. Snapshots don't carry transitions: clear them first.
func (q *Queue) Transitions() []Transition { return q.transitions }

// ClearTransitions forgets the transitions; their memory is used again.
func (q *Queue) ClearTransitions() {
	if cap(q.transitions) > keptTransitions {
		q.transitions = nil
		return
	}
	q.transitions = q.transitions[:0]
}

// Ahead counts those who are served before a waiting place p: the waiting and away places before it in its lane. It
// never rises for a place in line; the returned, who go first, are in Counts. A number not yet issued counts all in line.
func (q *Queue) Ahead(p Place) uint32 { return ahead(&q.line.rank, p, q.front, q.returned) }

func ahead(r *rank, p, front Place, returned uint32) uint32 {
	if p == 0 {
		return 0
	}
	n := r.before(uint32(p) - 1)
	if p > front {
		n -= returned
	}
	return n
}

// Lookup returns the latest place of an account; false if it never joined.
func (q *Queue) Lookup(account uint64) (Info, bool) {
	p := q.latest(account)
	if p == 0 {
		return Info{}, false
	}
	e := q.at(p)
	info := Info{Place: p, Account: account, State: e.state, JoinedAt: e.joinedAt}
	if e.state.inLine() || e.state == Parked {
		info.Ahead = q.Ahead(p)
	}
	if e.term != 0 {
		t := q.termOf(e)
		info.Deadline, info.Cap = t.at, t.cap
	}
	return info, true
}

// observe moves the clock, fills the bucket and sums the exposure. It returns the time that counts.
func (q *Queue) observe(now int64) int64 {
	now = min(now, maxClock)
	if now <= q.clock {
		return q.clock
	}
	dt := uint64(now - q.clock)
	q.exposure.ActiveMs += dt * uint64(q.active())
	q.exposure.WaitingMs += dt * uint64(q.line.total)
	q.fill(dt)
	q.clock = now
	return now
}

// active is what the cap bounds.
func (q *Queue) active() uint32 { return q.byState[Offered] + q.byState[Shopping] }

// move is the only way a place changes its state. at and limit are the deadline and the cap of the new state.
func (q *Queue) move(p Place, to State, at, limit int64) {
	e := q.mut(p)
	from := e.state
	e.state = to
	if from != 0 {
		q.byState[from]--
	}
	q.byState[to]++
	switch {
	case from.inLine() && !to.inLine():
		q.line.clear(uint32(p) - 1)
		if p <= q.front {
			q.returned--
		}
	case !from.inLine() && to.inLine():
		q.line.set(uint32(p) - 1)
		if p <= q.front {
			q.returned++
		}
	}
	if from.active() && !to.active() {
		q.exposure.Ends++
		q.ceiling = min(q.ceiling, q.active())
	}
	if to.timed() {
		q.arm(p, e, term{at, limit})
	} else {
		q.disarm(e)
	}
	q.transitions = append(q.transitions, Transition{Place: p, Account: e.account, From: from, To: to, Deadline: at})
}
