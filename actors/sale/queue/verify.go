package queue

import (
	"fmt"

	"github.com/catraca/catraca/actors/sale/due"
)

// Check compares the totals in constant time, for after every batch.
func (q *Queue) Check() error {
	var sum uint32
	for _, n := range q.byState {
		sum += n
	}
	timed := q.byState[Offered] + q.byState[Shopping] + q.byState[Parked]
	switch {
	case sum != q.issued || q.issued != q.line.slots:
		return fmt.Errorf("check queue: %d places by state, %d ranked, %d issued", sum, q.line.slots, q.issued)
	case q.line.total != q.byState[Waiting]+q.byState[Away]:
		return fmt.Errorf("check queue: %d ranked in line, %d waiting and %d away", q.line.total, q.byState[Waiting], q.byState[Away])
	case q.active() > max(q.policy.ActiveCap, q.ceiling):
		return fmt.Errorf("check queue: %d offered and shopping, cap %d, allowed since it was lowered %d", q.active(), q.policy.ActiveCap, q.ceiling)
	case uint32(q.due.Len()) != timed || q.terms.Len()-len(q.freeTerms) != q.due.Len():
		return fmt.Errorf("check queue: %d deadlines for %d places", q.due.Len(), timed)
	case q.returned > q.line.total || uint32(q.front) > q.issued:
		return fmt.Errorf("check queue: front %d of %d, %d returned of %d in line", q.front, q.issued, q.returned, q.line.total)
	case q.tokens > bucketSize(q.policy):
		return fmt.Errorf("check queue: %d units in a bucket of %d", q.tokens, bucketSize(q.policy))
	}
	return nil
}

// Verify recounts everything from the places. It takes time and memory in proportion to them: for tests, audits and
// restored snapshots, not for every batch.
func (q *Queue) Verify() error {
	if err := q.Check(); err != nil {
		return err
	}
	var byState [Removed + 1]uint32
	var line, returned, timed uint32
	for p := Place(1); uint32(p) <= q.issued; p++ {
		e := q.at(p)
		if err := q.verifyPlace(p, e); err != nil {
			return err
		}
		if got := q.line.before(uint32(p) - 1); got != line {
			return fmt.Errorf("verify queue: place %d: %d in line before it, ranked %d", p, line, got)
		}
		byState[e.state]++
		if e.state.inLine() {
			line++
			if p <= q.front {
				returned++
			}
		}
		if e.state.timed() {
			timed++
		}
	}
	if byState != q.byState || line != q.line.total || returned != q.returned || timed != uint32(q.due.Len()) {
		return fmt.Errorf("verify queue: counted %v, %d in line, %d returned, %d timed; kept %v, %d, %d, %d",
			byState, line, returned, timed, q.byState, q.line.total, q.returned, q.due.Len())
	}
	return nil
}

func (q *Queue) verifyPlace(p Place, e *entry) error {
	if e.state < Waiting || e.state > Removed {
		return fmt.Errorf("verify queue: place %d: no state %d", p, e.state)
	}
	if q.line.has(uint32(p)-1) != e.state.inLine() {
		return fmt.Errorf("verify queue: place %d is %s but its rank says otherwise", p, e.state)
	}
	if p > q.front && (e.state.timed() || e.state == Done) {
		return fmt.Errorf("verify queue: place %d is %s although the line has come to %d only", p, e.state, q.front)
	}
	if last := q.latest(e.account); last < p || last != p && e.state != Done && e.state != Left {
		return fmt.Errorf("verify queue: place %d is %s beside place %d of the same account", p, e.state, last)
	}
	if e.state.timed() != (e.term != 0) {
		return fmt.Errorf("verify queue: place %d is %s, deadline %d", p, e.state, e.term)
	}
	if e.term != 0 && !q.due.Has(due.Item{At: q.termOf(e).at, ID: uint32(p), Slot: e.term - 1}) {
		return fmt.Errorf("verify queue: place %d: its deadline is out of order", p)
	}
	return nil
}
