package sale

import "math/bits"

// The parts of a cell.
const (
	cellLow    = 1<<40 - 1
	cellTaken  = 1 << 39 // a cell is not 0
	cellNumber = 1<<39 - 1

	leastKeys = 64 // cells of the smallest table
)

// answerKeys finds the numbers of answers by the hash of their key: open addressing with linear probing. A cell is the upper
// 24 bits of the hash and the lower 39 of the number, 0 when it is free; the key itself is in the answer. Like lookup, it
// is derived state, and a table that has to grow is emptied into the new one a few cells at a time.
type answerKeys struct {
	cur, old keyTable
	moved    int // cells of old before this one are empty
	used     int
	newest   uint64 // number
}

// keyTable is a power of two of cells, or none.
type keyTable []uint64

func cellOf(hash, number uint64) uint64 { return hash&^cellLow | cellTaken | number&cellNumber }

// number widens what a cell keeps of a number: no answer is 2^39 older than the newest.
func (k *answerKeys) number(cell uint64) uint64 { return k.newest - (k.newest-cell)&cellNumber }

// home is where the search for a hash, or a cell, begins.
func (t keyTable) home(hash uint64) int {
	return int(hash >> (uint(64-bits.TrailingZeros(uint(len(t)))) & 63))
}

func (t keyTable) insert(cell uint64) {
	i := t.home(cell)
	for t[i] != 0 {
		i = (i + 1) & (len(t) - 1)
	}
	t[i] = cell
}

// empty frees a cell and closes the gap by moving later cells back.
func (t keyTable) empty(gap int) {
	mask := len(t) - 1
	for i := (gap + 1) & mask; t[i] != 0; i = (i + 1) & mask {
		if (i-t.home(t[i]))&mask >= (i-gap)&mask {
			t[gap] = t[i]
			gap = i
		}
	}
	t[gap] = 0
}

// put adds an answer, whose number is larger than all before.
func (k *answerKeys) put(hash, number uint64) {
	k.newest = number
	if (k.used+1)*2 > len(k.cur) {
		k.grow()
	}
	k.cur.insert(cellOf(hash, number))
	k.used++
	k.move()
}

func (k *answerKeys) grow() {
	for k.old != nil {
		k.move()
	}
	if k.used > 0 {
		k.old, k.moved = k.cur, 0
	}
	k.cur = make(keyTable, max(leastKeys, 2*len(k.cur)))
}

// move empties a few cells of the old table.
func (k *answerKeys) move() {
	if k.old == nil {
		return
	}
	for range movePerPut {
		if k.moved == len(k.old) {
			k.old = nil
			return
		}
		cell := k.old[k.moved]
		if cell == 0 {
			k.moved++
			continue
		}
		k.cur.insert(cell)
		k.old.empty(k.moved)
	}
}

// remove forgets an answer that is there.
func (k *answerKeys) remove(hash, number uint64) {
	cell := cellOf(hash, number)
	for _, t := range [...]keyTable{k.cur, k.old} {
		if t == nil {
			continue
		}
		i := t.home(cell)
		for t[i] != 0 && t[i] != cell {
			i = (i + 1) & (len(t) - 1)
		}
		if t[i] == cell {
			t.empty(i)
			k.used--
			return
		}
	}
}
