package queue

// chunkShift makes a chunk of the slab 96 KiB: growing never copies the places already there.
const chunkShift = 12

// entry is one place: 24 bytes without pointers.
type entry struct {
	account  uint64
	joinedAt int64
	timer    uint32 // index into timers plus one; 0 has no deadline
	state    State
	misses   uint8 // offers that lapsed
}

type chunk [1 << chunkShift]entry

// at returns the entry of an issued place.
func (q *Queue) at(p Place) *entry {
	s := uint32(p) - 1
	return &q.slab[s>>chunkShift][s&(1<<chunkShift-1)]
}

// append issues the next place number.
func (q *Queue) append(account uint64, joinedAt int64) (Place, *entry) {
	if q.issued&(1<<chunkShift-1) == 0 {
		q.slab = append(q.slab, new(chunk))
	}
	q.issued++
	p := Place(q.issued)
	e := q.at(p)
	e.account, e.joinedAt = account, joinedAt
	q.line.grow()
	q.setLatest(account, p)
	return p, e
}
