package queue

import "math/bits"

// tokenUnits make one offer: the bucket gains RatePerMinute units each millisecond.
const tokenUnits = 60_000

func bucketSize(p Policy) uint64 { return uint64(p.Burst) * tokenUnits }

// fill adds what the rate gives in dt milliseconds.
func (q *Queue) fill(dt uint64) {
	size := bucketSize(q.policy)
	over, gained := bits.Mul64(dt, uint64(q.policy.RatePerMinute))
	if over != 0 || gained > size {
		gained = size
	}
	q.tokens = min(size, q.tokens+gained)
}

// SetRate changes the rate and the cap, exactly as given: 0 stops offers. Offers and leases already given stay,
// even above the new cap. A burst of one second stays one second of the new rate.
func (q *Queue) SetRate(ratePerMinute, activeCap uint32, now int64) {
	q.observe(now)
	if q.policy.Burst == oneSecond(q.policy.RatePerMinute) {
		q.policy.Burst = oneSecond(min(ratePerMinute, MaxRate))
	}
	q.policy.RatePerMinute = min(ratePerMinute, MaxRate)
	q.policy.ActiveCap = min(activeCap, MaxActive)
	q.tokens = min(q.tokens, bucketSize(q.policy))
	q.ceiling = q.active()
}

// Advance does what time has made due. Unclaimed offers are parked (or given up, see MaxMisses), leases that ran out are
// done, parked places whose grace is over have left. Then, when open, it makes offers to the first in line as long as the rate, the
// cap and the stock allow; whoever is first and away is parked instead.
//
// stock is how many places can still be sold or come back: no more fans are offered or shopping than that because of an offer.
// The work is paid for by the calls that put places in line; it is not bounded per call.
func (q *Queue) Advance(now int64, open bool, stock uint32) {
	now = q.observe(now)
	for q.due.Len() > 0 && q.due.Top().At <= now {
		q.expire(Place(q.due.Top().ID), now)
	}
	if !open {
		return
	}
	for q.room(stock) && q.tokens >= tokenUnits {
		slot, ok := q.line.first()
		if !ok {
			return
		}
		q.take(Place(slot+1), now)
	}
}

// expire acts on a deadline that has passed. What follows is counted from now, not from the deadline: nobody loses
// grace because the event stood still.
func (q *Queue) expire(p Place, now int64) {
	e := q.mut(p)
	switch e.state {
	case Offered:
		q.exposure.NoShows++
		if e.misses++; e.misses >= MaxMisses {
			q.move(p, Left, 0, 0)
			return
		}
		q.move(p, Parked, now+q.policy.ParkGraceMs, 0)
	case Shopping:
		q.move(p, Done, 0, 0)
	case Parked:
		q.move(p, Left, 0, 0)
	default: // the others have no deadline
	}
}

// take gives the first in line its turn.
func (q *Queue) take(p Place, now int64) {
	if q.at(p).state == Away {
		q.exposure.Passed++
		q.move(p, Parked, now+q.policy.ParkGraceMs, 0)
	} else {
		q.tokens -= tokenUnits
		q.move(p, Offered, now+q.policy.ClaimMs, 0)
	}
	q.front = max(q.front, p)
}

// room says whether cap, rate and stock allow one more offer, the bucket apart.
func (q *Queue) room(stock uint32) bool {
	n := q.active()
	return q.policy.RatePerMinute > 0 && n < q.policy.ActiveCap && n < stock
}

// Due is the earliest time, not before now, at which Advance with the same arguments would do something; Never if it
// would not without another call in between.
func (q *Queue) Due(now int64, open bool, stock uint32) int64 {
	now = max(q.clock, min(now, maxClock))
	due := Never
	if q.due.Len() > 0 {
		due = q.due.Top().At
	}
	if open && q.line.total > 0 && q.room(stock) {
		at := q.clock
		if q.tokens < tokenUnits {
			rate := uint64(q.policy.RatePerMinute)
			at += int64((tokenUnits - q.tokens + rate - 1) / rate)
		}
		due = min(due, at)
	}
	return max(due, now)
}
