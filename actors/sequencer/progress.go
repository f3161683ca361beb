package sequencer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxAwaiting bounds those who wait at one machine for an index.
const maxAwaiting = 1 << 16

// progress is how far a machine has come, and who waits for it to come further.
type progress struct {
	index  atomic.Uint64
	others atomic.Int64 // who wait; the actor looks no further when there are none

	mu      sync.Mutex
	stopped bool
	goals   []goal // by index, rising
}

// goal is one index and the channel that all who wait for it share.
type goal struct {
	index   uint64
	reached chan struct{}
}

// Applied is the index of the last entry that this machine has applied on this node. Entries of other machines have
// indexes too, so it need not reach the shard's.
func (h *Handle[M, R]) Applied() uint64 { return h.applied.index.Load() }

// Await returns when this node's machine has applied an entry of at least this index, as that of [Ask]. It returns
// [ErrStopped] when the machine will apply nothing more, a [*BusyError] when too many wait, or what ended ctx. Any
// goroutine but the actors'.
func (h *Handle[M, R]) Await(ctx context.Context, index uint64) error {
	p := &h.applied
	if p.index.Load() >= index {
		return nil
	}
	defer p.others.Add(-1)
	if p.others.Add(1) > maxAwaiting {
		return &BusyError{RetryAfter: 500 * time.Millisecond}
	}
	reached, ok := p.join(index)
	if !ok {
		return fmt.Errorf("await entry %d: %w", index, ErrStopped)
	}
	select {
	case <-reached:
	case <-ctx.Done():
		return fmt.Errorf("await entry %d: %w", index, ctx.Err())
	}
	if p.index.Load() < index {
		return fmt.Errorf("await entry %d: %w", index, ErrStopped)
	}
	return nil
}

// join returns the channel that is closed when the index is reached or the machine stops. Most wait for the newest
// index, so the search begins there.
func (p *progress) join(index uint64) (<-chan struct{}, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return nil, false
	}
	i := len(p.goals)
	for i > 0 && p.goals[i-1].index > index {
		i--
	}
	if i > 0 && p.goals[i-1].index == index {
		return p.goals[i-1].reached, true
	}
	g := goal{index: index, reached: make(chan struct{})}
	if p.index.Load() >= index { // reached since; the actor may have looked already
		close(g.reached)
		return g.reached, true
	}
	p.goals = slices.Insert(p.goals, i, g)
	return g.reached, true
}

// set moves on to an index and wakes who waits for it. The actor's goroutine.
func (p *progress) set(index uint64) {
	p.index.Store(index)
	if p.others.Load() > 0 {
		p.wake(index)
	}
}

func (p *progress) wake(index uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(p.goals) && p.goals[n].index <= index {
		close(p.goals[n].reached)
		n++
	}
	p.goals = slices.Delete(p.goals, 0, n)
}

// stop wakes everybody.
func (p *progress) stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	p.wake(math.MaxUint64)
}
