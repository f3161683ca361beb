package sale

import "math/bits"

// movePerPut is how many cells of the old table are emptied with each id put, so that no command pays for a whole table.
const movePerPut = 8

// lookup finds the slot of an id by open addressing with linear probing. Ids are not 0. It holds no state of its
// own: it is rebuilt from the slab it points into, so its layout never matters. A table that has to grow is emptied into
// the new one a few cells at a time.
type lookup struct {
	cur, old lookupTable
	moved    int // cells of old before this one are empty
	used     int
}

// lookupTable is a power of two of cells, or none.
type lookupTable []lookupCell

type lookupCell struct {
	id   uint64 // 0: empty
	slot uint32
}

func (t lookupTable) home(id uint64) int {
	shift := 64 - bits.TrailingZeros(uint(len(t)))
	return int(id * 0x9e3779b97f4a7c15 >> (shift & 63))
}

// find returns the cell of an id or, with an id of 0 in it, the free cell where it belongs. The table must not be full.
func (t lookupTable) find(id uint64) int {
	for i := t.home(id); ; i = (i + 1) & (len(t) - 1) {
		if t[i].id == id || t[i].id == 0 {
			return i
		}
	}
}

// empty frees a cell and closes the gap by moving later cells back, so that no tombstones pile up.
func (t lookupTable) empty(gap int) {
	mask := len(t) - 1
	for i := (gap + 1) & mask; t[i].id != 0; i = (i + 1) & mask {
		if home := t.home(t[i].id); (i-home)&mask >= (i-gap)&mask {
			t[gap] = t[i]
			gap = i
		}
	}
	t[gap] = lookupCell{}
}

func (l *lookup) get(id uint64) (uint32, bool) {
	if l.used == 0 || id == 0 {
		return 0, false
	}
	if c := &l.cur[l.cur.find(id)]; c.id == id {
		return c.slot, true
	}
	if l.old != nil {
		if c := &l.old[l.old.find(id)]; c.id == id {
			return c.slot, true
		}
	}
	return 0, false
}

// put adds an id that is not there yet.
func (l *lookup) put(id uint64, slot uint32) {
	if (l.used+1)*4 > len(l.cur)*3 {
		l.reserve(max(16, 2*len(l.cur)))
	}
	l.cur[l.cur.find(id)] = lookupCell{id, slot}
	l.used++
	l.move()
}

// reserve starts a new table. What is left of the old one, if anything, is moved first.
func (l *lookup) reserve(cells int) {
	for l.old != nil {
		l.move()
	}
	if l.used > 0 {
		l.old, l.moved = l.cur, 0
	}
	l.cur = make(lookupTable, cells)
}

// move empties a few cells of the old table.
func (l *lookup) move() {
	if l.old == nil {
		return
	}
	for range movePerPut {
		if l.moved == len(l.old) {
			l.old = nil
			return
		}
		c := l.old[l.moved]
		if c.id == 0 {
			l.moved++
			continue
		}
		l.cur[l.cur.find(c.id)] = c
		l.old.empty(l.moved)
	}
}

func (l *lookup) remove(id uint64) {
	if l.used == 0 || id == 0 {
		return
	}
	if i := l.cur.find(id); l.cur[i].id == id {
		l.cur.empty(i)
		l.used--
		return
	}
	if l.old == nil {
		return
	}
	if i := l.old.find(id); l.old[i].id == id {
		l.old.empty(i)
		l.used--
	}
}

// foresee fetches the cells where the search for an id begins.
func (l *lookup) foresee(id uint64) uint64 {
	if l.cur == nil {
		return 0
	}
	seen := l.cur[l.cur.home(id)].id
	if l.old != nil {
		seen ^= l.old[l.old.home(id)].id
	}
	return seen
}
