package queue

// Issued reads a place by its number, whoever has it; false if it was not issued. Of an account with several places
// the earlier ones are found too. It is for audits: the counts ahead and the deadlines are left out.
func (q *Queue) Issued(p Place) (Info, bool) {
	if p == 0 || uint32(p) > q.issued {
		return Info{}, false
	}
	e := q.at(p)
	return Info{Place: p, Account: e.account, State: e.state, JoinedAt: e.joinedAt}, true
}
