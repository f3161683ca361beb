package sale

import "math/bits"

// lookup finds the slot of an id by open addressing with linear probing. Ids are not 0. It holds no state of its
// own: it is rebuilt from the slab it points into, so its layout never matters.
type lookup struct {
	cells []lookupCell // a power of two, or none
	used  int
}

type lookupCell struct {
	id   uint64 // 0: empty
	slot uint32
}

func (l *lookup) home(id uint64) int {
	shift := 64 - bits.TrailingZeros(uint(len(l.cells)))
	return int(id * 0x9e3779b97f4a7c15 >> shift)
}

func (l *lookup) get(id uint64) (uint32, bool) {
	if len(l.cells) == 0 || id == 0 {
		return 0, false
	}
	for i := l.home(id); ; i = (i + 1) & (len(l.cells) - 1) {
		switch l.cells[i].id {
		case id:
			return l.cells[i].slot, true
		case 0:
			return 0, false
		}
	}
}

// put adds an id that is not there yet.
func (l *lookup) put(id uint64, slot uint32) {
	if l.used*4 >= len(l.cells)*3 {
		l.grow()
	}
	i := l.home(id)
	for l.cells[i].id != 0 {
		i = (i + 1) & (len(l.cells) - 1)
	}
	l.cells[i] = lookupCell{id, slot}
	l.used++
}

func (l *lookup) grow() {
	old := l.cells
	l.cells = make([]lookupCell, max(16, 2*len(old)))
	l.used = 0
	for _, c := range old {
		if c.id != 0 {
			l.put(c.id, c.slot)
		}
	}
}

// remove closes the gap by moving later cells back, so that no tombstones pile up.
func (l *lookup) remove(id uint64) {
	if len(l.cells) == 0 || id == 0 {
		return
	}
	mask := len(l.cells) - 1
	gap := l.home(id)
	for l.cells[gap].id != id {
		if l.cells[gap].id == 0 {
			return
		}
		gap = (gap + 1) & mask
	}
	l.used--
	for i := (gap + 1) & mask; l.cells[i].id != 0; i = (i + 1) & mask {
		if home := l.home(l.cells[i].id); (i-home)&mask >= (i-gap)&mask {
			l.cells[gap] = l.cells[i]
			gap = i
		}
	}
	l.cells[gap] = lookupCell{}
}
