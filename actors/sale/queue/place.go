package queue

// Join gives the account a place at the end, or says again which one it has. Joining while away or parked also
// comes back, as Back does. An account that is done, left or not back within the grace gets a new place; a removed one is refused
// with Barred. Full when MaxPlaces have been issued.
func (q *Queue) Join(account uint64, now int64) (Place, Refusal) {
	now = q.observe(now)
	before := q.latest(account)
	if before != 0 {
		e := q.at(before)
		switch {
		case e.state == Removed:
			return 0, Barred
		case e.state == Parked && q.lapsed(e, now):
			q.move(before, Left, 0, 0)
		case e.state.Live():
			q.back(before, now)
			return before, None
		}
	}
	if q.issued >= q.policy.MaxPlaces {
		return 0, Full
	}
	p := q.append(account, now, before)
	q.move(p, Waiting, 0, 0)
	return p, None
}

// Away records that the last connection of a waiting account is gone. The place keeps its rank. It returns whether
// anything changed; for an offered or shopping account nothing does, its deadline runs.
func (q *Queue) Away(account uint64, now int64) bool {
	q.observe(now)
	p := q.latest(account)
	if p == 0 || q.at(p).state != Waiting {
		return false
	}
	q.move(p, Away, 0, 0)
	return true
}

// Back records that an away or parked account is here again. A parked one goes to the lane of the returned,
// ahead of the line. It returns whether anything changed.
func (q *Queue) Back(account uint64, now int64) bool {
	now = q.observe(now)
	p := q.latest(account)
	return p != 0 && q.back(p, now)
}

func (q *Queue) back(p Place, now int64) bool {
	e := q.at(p)
	switch {
	case e.state == Away:
	case e.state == Parked && !q.lapsed(e, now):
		q.exposure.Returns++
	default:
		return false
	}
	q.move(p, Waiting, 0, 0)
	return true
}

// Leave gives the live place of the account up, at any stage. It returns whether there was one.
func (q *Queue) Leave(account uint64, now int64) bool {
	q.observe(now)
	p := q.latest(account)
	if p == 0 || !q.at(p).state.Live() {
		return false
	}
	q.drop(p, Left)
	return true
}

// Remove bars the account from this queue and ends whatever it had. It returns false if the account never
// joined or is removed already.
func (q *Queue) Remove(account uint64, now int64) bool {
	q.observe(now)
	p := q.latest(account)
	if p == 0 || q.at(p).state == Removed {
		return false
	}
	q.drop(p, Removed)
	return true
}

func (q *Queue) drop(p Place, to State) {
	if q.at(p).state.inLine() {
		q.exposure.Leaves++
	}
	q.move(p, to, 0, 0)
}
