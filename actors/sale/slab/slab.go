package slab

import (
	"slices"
	"unsafe" // only Sizeof, a constant
)

const (
	chunkBytes = 64 << 10
	firstRows  = 16 // of the first chunk, which grows; the others are made whole
)

// piece is one chunk. It may be written while its epoch is that of the slab: then no View has it.
type piece[T any] struct {
	rows  []T
	epoch uint64
}

// View is a slab at one moment.
type View[T any] struct {
	pieces []piece[T]
	n      int // strips
	width  int // rows of a strip
	mask   int // strips of a chunk - 1
	shift  uint8
}

// Slab is a growing list of strips of equal width; a strip of one row is a record. Make makes one.
type Slab[T any] struct {
	View[T]

	epoch uint64
}

// Make returns an empty slab of strips of width rows, at least 1.
func Make[T any](width int) Slab[T] {
	var row T
	shift := uint8(0)
	for size := int(unsafe.Sizeof(row)) * width; size<<(shift+1) <= chunkBytes && shift < 16; {
		shift++
	}
	return Slab[T]{View: View[T]{width: width, mask: 1<<shift - 1, shift: shift}}
}

// Len is the number of strips.
func (v *View[T]) Len() int { return v.n }

// Get copies record i of a slab of width 1.
func (v *View[T]) Get(i int) T { return v.pieces[i>>(v.shift&63)].rows[i&v.mask] }

// Read is record i of a slab of width 1, in place: it must not be written. It is as old as the call, see the package.
func (v *View[T]) Read(i int) *T { return &v.pieces[i>>(v.shift&63)].rows[i&v.mask] }

// Strip is strip i, in place: it must not be written.
func (v *View[T]) Strip(i int) []T {
	first := (i & v.mask) * v.width
	return v.pieces[i>>(v.shift&63)].rows[first : first+v.width : first+v.width]
}

// Run is n records from first on that were appended by one AppendRun, in place: they must not be written.
func (v *View[T]) Run(first, n int) []T {
	if n == 0 {
		return nil
	}
	i := first & v.mask
	return v.pieces[first>>(v.shift&63)].rows[i : i+n : i+n]
}

// Mut is record i of a slab of width 1, to be written.
func (s *Slab[T]) Mut(i int) *T {
	p := &s.pieces[i>>(s.shift&63)]
	if p.epoch != s.epoch {
		s.own(p)
	}
	return &p.rows[i&s.mask]
}

// MutStrip is strip i, to be written.
func (s *Slab[T]) MutStrip(i int) []T {
	p := &s.pieces[i>>(s.shift&63)]
	if p.epoch != s.epoch {
		s.own(p)
	}
	first := (i & s.mask) * s.width
	return p.rows[first : first+s.width : first+s.width]
}

// own copies a chunk that a View has.
func (s *Slab[T]) own(p *piece[T]) {
	rows := make([]T, len(p.rows), cap(p.rows))
	copy(rows, p.rows)
	p.rows, p.epoch = rows, s.epoch
}

// last is the chunk with room for one more strip. Appending to it touches no row that a View can read, so it is
// not copied.
func (s *Slab[T]) last() *piece[T] {
	if s.n&s.mask == 0 {
		rows := (s.mask + 1) * s.width
		if s.n == 0 {
			rows = min(rows, firstRows*s.width)
		}
		s.pieces = append(s.pieces, piece[T]{rows: make([]T, 0, rows), epoch: s.epoch})
	}
	return &s.pieces[len(s.pieces)-1]
}

// Append adds a record and returns its number.
func (s *Slab[T]) Append(x T) int {
	p := s.last()
	p.rows = append(p.rows, x)
	s.n++
	return s.n - 1
}

// Extend adds an empty strip and returns its number.
func (s *Slab[T]) Extend() int {
	p := s.last()
	var zero T
	for range s.width {
		p.rows = append(p.rows, zero)
	}
	s.n++
	return s.n - 1
}

// AppendRun adds records that Run returns in one piece, and returns the number of the first. It may leave a gap before
// them. There must not be more than MaxRun.
func (s *Slab[T]) AppendRun(xs []T) int {
	if room := s.mask + 1 - s.n&s.mask; room < len(xs) {
		for range room {
			s.Extend()
		}
	}
	first := s.n
	for _, x := range xs {
		s.Append(x)
	}
	return first
}

// MaxRun is how many records a run may have.
func (s *Slab[T]) MaxRun() int { return s.mask + 1 }

// Freeze returns the slab as it is. It costs one small copy for each chunk; the slab goes on by copying what it writes.
func (s *Slab[T]) Freeze() View[T] {
	v := s.View
	v.pieces = slices.Clone(s.pieces)
	s.epoch++
	return v
}
