package queue

// Claim takes the offer: the account shops until the deadline returned, unix ms. While it shops it gets the
// same answer again.
func (q *Queue) Claim(account uint64, now int64) (deadline int64, r Refusal) {
	now = q.observe(now)
	p := q.latest(account)
	if p == 0 {
		return 0, NoPlace
	}
	e := q.at(p)
	switch e.state {
	case Offered:
		if q.lapsed(e, now) {
			return 0, NotOffered
		}
		q.exposure.Claims++
		deadline = now + q.policy.LeaseMs
		q.move(p, Shopping, deadline, now+q.policy.LeaseCapMs)
		return deadline, None
	case Shopping:
		if q.lapsed(e, now) {
			return 0, Ended
		}
		return q.termOf(e).at, None
	case Done:
		return 0, Ended
	case Left:
		return 0, NoPlace
	case Removed:
		return 0, Barred
	default:
		return 0, NotOffered
	}
}

// Touch records activity of a shopping account: its lease lasts at least until the given time, but not beyond its
// cap. It returns the deadline, unix ms, or 0 when the account is not shopping or its lease has run out. Extending is no transition.
func (q *Queue) Touch(account uint64, now, until int64) int64 {
	return q.TouchPlace(q.latest(account), now, until)
}

// TouchPlace is Touch for who knows the account's latest place, as Lease tells it.
func (q *Queue) TouchPlace(p Place, now, until int64) int64 {
	now = q.observe(now)
	if p == 0 {
		return 0
	}
	e := q.at(p)
	if e.state != Shopping {
		return 0
	}
	t := q.termOf(e)
	if t.at <= now {
		return 0
	}
	if at := min(until, t.cap); at > t.at {
		t.at = at
		q.setTerm(p, e.term-1, t)
	}
	return t.at
}

// Shopping says whether the account has a lease. A lease that has run out counts until the next Advance.
func (q *Queue) Shopping(account uint64) bool { return q.Lease(account) != 0 }

// Lease is the place of an account that is shopping, 0 of one that is not.
func (q *Queue) Lease(account uint64) Place {
	p := q.latest(account)
	if p == 0 || q.at(p).state != Shopping {
		return 0
	}
	return p
}

// Finish ends the lease of a shopping account. It returns whether it had one.
func (q *Queue) Finish(account uint64, now int64) bool {
	q.observe(now)
	p := q.latest(account)
	if p == 0 || q.at(p).state != Shopping {
		return false
	}
	q.move(p, Done, 0, 0)
	return true
}
