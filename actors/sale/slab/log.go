package slab

import "slices"

// LogView is a log at one moment.
type LogView[T any] struct {
	pieces []piece[T]
	base   uint64 // number of the first row of pieces[0]
	start  uint64 // oldest row kept
	end    uint64 // number of the next row
	mask   uint64 // rows of a chunk - 1
	shift  uint8
}

// Log is a list that grows at its end and is forgotten from its start. Rows are numbered from the first ever appended,
// and never change. MakeLog makes one.
type Log[T any] struct {
	LogView[T]

	epoch uint64
	spare []T // a chunk that was forgotten and that no view has
}

// MakeLog returns an empty log.
func MakeLog[T any]() Log[T] {
	s := Make[T](1)
	return Log[T]{LogView: LogView[T]{mask: uint64(s.mask), shift: s.shift}}
}

// Start is the number of the oldest row kept, End the number of the next one.
func (v *LogView[T]) Start() uint64 { return v.start }

// End is the number that the next row gets.
func (v *LogView[T]) End() uint64 { return v.end }

// Chunks is how many chunks there are.
func (v *LogView[T]) Chunks() int { return len(v.pieces) }

// Get copies row number n, which must be kept.
func (v *LogView[T]) Get(n uint64) T { return v.pieces[(n-v.base)>>(v.shift&63)].rows[n&v.mask] }

// Read is row number n, in place: it must not be written.
func (v *LogView[T]) Read(n uint64) *T { return &v.pieces[(n-v.base)>>(v.shift&63)].rows[n&v.mask] }

// Tail is the rows from number n to the end of its chunk, in place: they must not be written. n must be kept.
func (v *LogView[T]) Tail(n uint64) []T {
	return v.pieces[(n-v.base)>>(v.shift&63)].rows[n&v.mask:]
}

// Append adds a row and returns its number. No row that a view can read is touched.
func (l *Log[T]) Append(x T) uint64 {
	rows, n := l.Run(1)
	rows[0] = x
	return n
}

// Run adds n rows that are in one chunk, at most as many as a chunk has, and returns them and the number of the first. All of them are to be
// filled in at once: what stands there is of rows that were forgotten. There may be a gap of empty rows before them.
func (l *Log[T]) Run(n int) ([]T, uint64) {
	if room := int(l.mask + 1 - l.end&l.mask); room < n {
		rows, _ := l.Run(room)
		clear(rows)
	}
	if l.end&l.mask == 0 {
		l.begin()
	}
	p := &l.pieces[len(l.pieces)-1]
	from := len(p.rows)
	if from+n > cap(p.rows) { // the first chunk grows
		p.rows = slices.Grow(p.rows, n)
	}
	p.rows = p.rows[:from+n]
	l.end += uint64(n)
	return p.rows[from:], l.end - uint64(n)
}

// begin adds a chunk.
func (l *Log[T]) begin() {
	rows := l.spare
	l.spare = nil
	if rows == nil {
		n := int(l.mask) + 1
		if l.end == 0 {
			n = min(n, firstRows)
		}
		rows = make([]T, 0, n)
	}
	l.pieces = append(l.pieces, piece[T]{rows: rows, epoch: l.epoch})
}

// Trim forgets the rows before number n. Their memory is used again as it is, so rows should have no pointers.
func (l *Log[T]) Trim(n uint64) {
	l.start = n
	for len(l.pieces) > 0 && l.base+l.mask < n {
		if p := l.pieces[0]; p.epoch == l.epoch {
			l.spare = p.rows[:0]
		}
		l.pieces[0] = piece[T]{}
		l.pieces = l.pieces[1:]
		l.base += l.mask + 1
	}
}

// Freeze returns the log as it is.
func (l *Log[T]) Freeze() LogView[T] {
	v := l.LogView
	v.pieces = slices.Clone(l.pieces)
	l.epoch++
	return v
}
