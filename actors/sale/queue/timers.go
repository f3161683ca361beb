package queue

import "github.com/catraca/catraca/actors/sale/due"

// term is the deadline of one offered, shopping or parked place. Its slot stays while the place is timed; the order of
// the deadlines is kept apart, so that moving one touches no place.
type term struct {
	at  int64
	cap int64 // while shopping: at never goes beyond; otherwise 0
}

// arm sets the deadline of a place.
func (q *Queue) arm(p Place, e *entry, t term) {
	if e.term == 0 {
		if n := len(q.freeTerms); n > 0 {
			e.term = q.freeTerms[n-1]
			q.freeTerms = q.freeTerms[:n-1]
		} else {
			e.term = uint32(q.terms.Append(term{})) + 1
		}
	}
	q.setTerm(p, e.term-1, t)
}

// setTerm moves the deadline of a place that has one.
func (q *Queue) setTerm(p Place, slot uint32, t term) {
	*q.terms.Mut(int(slot)) = t
	q.due.Set(due.Item{At: t.at, ID: uint32(p), Slot: slot})
}

// disarm forgets the deadline of a place, if it has one.
func (q *Queue) disarm(e *entry) {
	if e.term == 0 {
		return
	}
	q.due.Remove(e.term - 1)
	q.freeTerms = append(q.freeTerms, e.term)
	e.term = 0
}

// termOf copies the deadline of a place that has one.
func (q *Queue) termOf(e *entry) term { return q.terms.Get(int(e.term) - 1) }

// lapsed says whether the deadline has passed although Advance has not yet acted on it.
func (q *Queue) lapsed(e *entry, now int64) bool { return q.termOf(e).at <= now }
