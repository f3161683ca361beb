package queue

// entry is one place: 24 bytes without pointers.
type entry struct {
	account  uint64
	joinedAt int64
	term     uint32 // index into terms plus one; 0 has no deadline
	state    State
	misses   uint8 // offers that lapsed
}

// at is the entry of an issued place, only to be read, and before the next change of that place.
func (q *Queue) at(p Place) *entry { return q.slab.Read(int(p) - 1) }

// mut is the entry of an issued place, to be written.
func (q *Queue) mut(p Place) *entry { return q.slab.Mut(int(p) - 1) }

// append issues the next place number; before is the latest place of the account, 0 if it never joined.
func (q *Queue) append(account uint64, joinedAt int64, before Place) Place {
	q.slab.Append(entry{account: account, joinedAt: joinedAt})
	q.issued++
	p := Place(q.issued)
	q.line.grow()
	q.setLatest(account, p, before)
	return p
}
