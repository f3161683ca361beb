package account

const slabChunk = 4096

// slab is a growing array of records numbered from 1, in chunks, so that growth copies nothing.
type slab[T any] struct {
	chunks [][]T
	n      uint32
}

// add makes a zero record and returns its number.
func (s *slab[T]) add() uint32 {
	if int(s.n)%slabChunk == 0 {
		s.chunks = append(s.chunks, make([]T, slabChunk))
	}
	s.n++
	return s.n
}

// at returns the record of a number that add has given.
func (s *slab[T]) at(number uint32) *T {
	return &s.chunks[(number-1)/slabChunk][(number-1)%slabChunk]
}
