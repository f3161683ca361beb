package account

import "slices"

// slabChunk records are copied when one of them is written to after a freeze: few enough that nobody notices, many
// enough that a freeze, which looks at every chunk, is short.
const slabChunk = 512

// chunk of a slab or of texts. It may be written to while its epoch is that of its owner; before that it is shared
// with a frozen state, and the first write copies it.
type chunk[T any] struct {
	items []T
	epoch uint64
}

// own returns the items for writing.
func (c *chunk[T]) own(epoch uint64) []T {
	if c.epoch != epoch {
		c.items, c.epoch = slices.Clone(c.items), epoch
	}
	return c.items
}

// slab is a growing array of records numbered from 1, in chunks, so that growth copies nothing and a frozen slab
// shares what does not change.
type slab[T any] struct {
	chunks []chunk[T]
	n      uint32
	epoch  uint64
}

// add makes a zero record and returns its number.
func (s *slab[T]) add() uint32 {
	if int(s.n)%slabChunk == 0 {
		s.chunks = append(s.chunks, chunk[T]{make([]T, slabChunk), s.epoch})
	}
	s.n++
	return s.n
}

// at returns the record of a number that add has given, to read it. After the next edit of any record it may be an
// old copy: who is going to edit one holds on to what edit returns.
func (s *slab[T]) at(number uint32) *T {
	return &s.chunks[(number-1)/slabChunk].items[(number-1)%slabChunk]
}

// edit returns the record of a number that add has given, to write to it until the next freeze.
func (s *slab[T]) edit(number uint32) *T {
	return &s.chunks[(number-1)/slabChunk].own(s.epoch)[(number-1)%slabChunk]
}

// freeze returns the slab as it is. Any goroutine may read that one.
func (s *slab[T]) freeze() slab[T] {
	s.epoch++
	return slab[T]{chunks: slices.Clone(s.chunks), n: s.n}
}
