package queue

import (
	"strings"
	"testing"
)

// TestVerifyNotices damages a sound queue in one place and expects Verify to name it.
func TestVerifyNotices(t *testing.T) {
	inState := func(q *Queue, s State) (Place, *entry) {
		for p := Place(1); uint32(p) <= q.issued; p++ {
			if q.at(p).state == s {
				return p, q.mut(p)
			}
		}
		t.Fatalf("no place is %s", s)
		return 0, nil
	}
	for _, c := range []struct {
		name   string
		damage func(q *Queue)
		want   string
	}{
		{"a count", func(q *Queue) { q.byState[Left]++ }, "places by state"},
		{"line against states", func(q *Queue) { q.byState[Waiting]++; q.byState[Left]-- }, "ranked in line"},
		{"the cap", func(q *Queue) { q.policy.ActiveCap, q.ceiling = 1, 1 }, "offered and shopping, cap 1"},
		{"a lost deadline", func(q *Queue) { q.due.Remove(q.due.Top().Slot) }, "deadlines for"},
		{"front", func(q *Queue) { q.front = 1_000 }, "front 1000"},
		{"returned", func(q *Queue) { q.returned++ }, "counted"},
		{"bucket", func(q *Queue) { q.tokens = 1 << 60 }, "units in a bucket"},
		{"two states exchanged", func(q *Queue) { _, e := inState(q, Left); e.state = Removed }, "counted"},
		{"no state", func(q *Queue) { _, e := inState(q, Left); e.state = 0 }, "no state 0"},
		{"a bit", func(q *Queue) { p, _ := inState(q, Left); q.line.pages[0][0] |= 1 << (p - 1) }, "rank says otherwise"},
		{"the tree", func(q *Queue) { q.line.tree[1]--; q.line.grow() }, "places by state"},
		{"overtaking", func(q *Queue) { q.front = 3 }, "although the line has come to 3 only"},
		{"the account table", func(q *Queue) { q.accounts.cur = make([]uint64, 1<<q.accounts.curBits) }, "beside place 0"},
		{"two live places", func(q *Queue) { _, e := inState(q, Waiting); e.account = 1 }, "of the same account"},
		{"a deadline of nobody", func(q *Queue) { _, e := inState(q, Parked); e.term = 0 }, "deadline 0"},
		{"another's deadline", func(q *Queue) {
			_, e := inState(q, Parked)
			_, f := inState(q, Shopping)
			e.term = f.term
		}, "out of order"},
		{"deadline order", func(q *Queue) { q.terms.Mut(0).at = 1 << 50 }, "out of order"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := aged()
			if err := q.Verify(); err != nil {
				t.Fatalf("before: %v", err)
			}
			c.damage(q)
			if err := q.Verify(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
