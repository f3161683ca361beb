package queue

import "math/bits"

const (
	smallestTable = 6 // log2 of the slots
	movePerInsert = 8 // slots of the old table moved with each new account
)

// accounts finds the latest place of an account: open addressing with linear probing, nothing is ever deleted. A slot
// is the upper half of the account's hash and the place, 0 when free; the account itself is in the slab. A table that
// has to grow is emptied into the new one a few slots at a time, so that no join pays for all.
type accounts struct {
	cur, old []uint64
	curBits  uint8
	oldBits  uint8
	moved    int // slots of old already moved
	used     int // accounts known
}

// tagOf mixes an account number (the finaliser of splitmix64) into the 32 bits a slot keeps.
func tagOf(account uint64) uint32 {
	x := account + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return uint32((x ^ x>>31) >> 32)
}

// probe returns the slot of an account in a table, or the free slot where it belongs.
func (q *Queue) probe(table []uint64, logSize uint8, account uint64, tag uint32) (slot int, found bool) {
	mask := len(table) - 1
	for i := int(tag >> (32 - logSize)); ; i = (i + 1) & mask {
		s := table[i]
		if s == 0 {
			return i, false
		}
		if uint32(s>>32) == tag && q.at(Place(s)).account == account {
			return i, true
		}
	}
}

// latest returns the latest place of an account, 0 if it never joined.
func (q *Queue) latest(account uint64) Place {
	t := &q.accounts
	if t.used == 0 {
		return 0
	}
	tag := tagOf(account)
	if i, ok := q.probe(t.cur, t.curBits, account, tag); ok {
		return Place(t.cur[i])
	}
	if t.old != nil {
		if i, ok := q.probe(t.old, t.oldBits, account, tag); ok {
			return Place(t.old[i])
		}
	}
	return 0
}

// setLatest records a place that is already in the slab as its account's latest; before is the one it had, 0 if none.
func (q *Queue) setLatest(account uint64, p, before Place) {
	t := &q.accounts
	q.makeRoom()
	tag := tagOf(account)
	if before == 0 {
		t.used++
		q.cell(tag, uint64(p))
		return
	}
	i, _ := q.probe(t.cur, t.curBits, account, tag)
	t.cur[i] = uint64(tag)<<32 | uint64(p)
}

// cell fills the first free slot for a tag.
func (q *Queue) cell(tag uint32, p uint64) {
	t := &q.accounts
	mask := len(t.cur) - 1
	i := int(tag >> (32 - t.curBits))
	for t.cur[i] != 0 {
		i = (i + 1) & mask
	}
	t.cur[i] = uint64(tag)<<32 | p
}

// reserve makes an empty table large enough for n accounts.
func (t *accounts) reserve(n int) {
	t.curBits = max(smallestTable, uint8(bits.Len(uint(n+n/3))))
	t.cur = make([]uint64, 1<<t.curBits)
}

// makeRoom keeps the current table at most three quarters full and moves a little of the old one.
func (q *Queue) makeRoom() {
	t := &q.accounts
	if t.cur == nil {
		t.curBits = smallestTable
		t.cur = make([]uint64, 1<<smallestTable)
	}
	if t.used+1 > len(t.cur)/4*3 {
		t.old, t.oldBits, t.moved = t.cur, t.curBits, 0
		t.curBits++
		t.cur = make([]uint64, 1<<t.curBits)
	}
	if t.old == nil {
		return
	}
	for range movePerInsert {
		if s := t.old[t.moved]; s != 0 {
			q.carry(s)
		}
		if t.moved++; t.moved == len(t.old) {
			t.old = nil
			return
		}
	}
}

// carry puts a slot of the old table into the current one. An account that joined again since is there already, with its
// newer place. Whose slot it is matters only beside one with the same tag: the record is somewhere in memory, and looking
// at each would cost more than the rest of a join.
func (q *Queue) carry(s uint64) {
	t := &q.accounts
	tag, mask := uint32(s>>32), len(t.cur)-1
	for i := int(tag >> (32 - t.curBits)); ; i = (i + 1) & mask {
		have := t.cur[i]
		if have == 0 {
			t.cur[i] = s
			return
		}
		if uint32(have>>32) == tag && q.at(Place(have)).account == q.at(Place(s)).account {
			return
		}
	}
}

// Foresee fetches what is needed to find the place of an account. It changes nothing; what it returns means nothing.
func (q *Queue) Foresee(account uint64) uint64 {
	t := &q.accounts
	if t.cur == nil {
		return 0
	}
	tag := tagOf(account)
	s := t.cur[tag>>(32-t.curBits)]
	if t.old != nil {
		old := t.old[tag>>(32-t.oldBits)]
		if uint32(s>>32) != tag {
			s = old
		}
	}
	if uint32(s>>32) != tag {
		return s
	}
	e := q.at(Place(s))
	if e.term != 0 {
		return uint64(q.terms.Read(int(e.term) - 1).at)
	}
	return e.account
}
