package throttle

import (
	"hash/maphash"
	"sync"
	"time"
)

// Limiter allows Count tries in a row under one key and then one in every Per/Count (the generic cell rate
// algorithm: one instant of memory for each key). Any goroutine may call it.
type Limiter struct {
	every  time.Duration // one try
	burst  time.Duration // how far tries may run ahead of their rate
	seed   maphash.Seed
	shards [shardCount]shard
}

const shardCount = 16

// Rate is a number of tries in a time.
type Rate struct {
	Count int
	Per   time.Duration
}

// New returns a limiter that remembers at most maxKeys keys, some 60 bytes each. A rate below one try or a time below
// a millisecond are raised to that, and maxKeys to 16.
func New(r Rate, maxKeys int) *Limiter {
	count := max(r.Count, 1)
	every := max(r.Per, time.Millisecond) / time.Duration(count)
	l := &Limiter{every: max(every, 1), seed: maphash.MakeSeed()}
	l.burst = l.every * time.Duration(count-1)
	for i := range l.shards {
		l.shards[i].limit = max(maxKeys/shardCount, 1)
		l.shards[i].places = make(map[uint64]uint32)
	}
	return l
}

// Allow counts a try under the key at that time. When it is not ok, nothing was counted and the next try is
// allowed after retryAfter.
func (l *Limiter) Allow(key string, now time.Time) (retryAfter time.Duration, ok bool) {
	h := l.hash(key)
	s := &l.shards[h%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cell(h)
	at := now.UnixNano()
	// Free is when the key's tries so far are paid off. It can't be further ahead than the burst and one try
	// unless the clock was set back.
	free := min(max(c.free, at), at+int64(l.burst+l.every))
	if wait := time.Duration(free-at) - l.burst; wait > 0 {
		return wait, false
	}
	c.free = free + int64(l.every)
	return 0, true
}

// hash is 64 bits under a secret seed: nobody can choose keys that share a count with another's.
func (l *Limiter) hash(key string) uint64 { return maphash.String(l.seed, key) }

// Len is how many keys are remembered.
func (l *Limiter) Len() int {
	n := 0
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		n += len(s.places)
		s.mu.Unlock()
	}
	return n
}

// shard keeps its cells in one slice, linked by when they were last asked for.
type shard struct {
	mu     sync.Mutex
	limit  int
	places map[uint64]uint32 // place in cells
	cells  []cell
	newest uint32
	oldest uint32
}

type cell struct {
	key   uint64
	free  int64 // unix nanoseconds
	older uint32
	newer uint32
}

// cell returns the key's cell and makes it the newest; a new key takes the oldest one's when all are in use.
func (s *shard) cell(key uint64) *cell {
	i, ok := s.places[key]
	switch {
	case ok && i == s.newest:
		return &s.cells[i]
	case ok:
		s.unlink(i)
	case len(s.cells) < s.limit:
		i = uint32(len(s.cells))
		s.cells = append(s.cells, cell{key: key})
		s.places[key] = i
		if i == 0 {
			s.newest, s.oldest = 0, 0
			return &s.cells[0]
		}
	default:
		i = s.oldest
		if s.limit > 1 {
			s.unlink(i)
		}
		delete(s.places, s.cells[i].key)
		s.cells[i] = cell{key: key}
		s.places[key] = i
	}
	if s.limit > 1 {
		s.cells[i].older, s.cells[s.newest].newer = s.newest, i
		s.newest = i
	}
	return &s.cells[i]
}

// unlink takes a cell that is not the newest out of the order. The links at both ends mean nothing.
func (s *shard) unlink(i uint32) {
	c := &s.cells[i]
	if i == s.oldest {
		s.oldest = c.newer
		return
	}
	s.cells[c.older].newer = c.newer
	s.cells[c.newer].older = c.older
}
