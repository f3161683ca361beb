package relay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/catraca/catraca/actors/sequencer"
)

// strictPatience bounds one round of asking the leader and catching up with it.
const strictPatience = time.Second

// strictEvery is the least time between two questions about one shard.
const strictEvery = 5 * time.Millisecond

// maxGathered bounds those who wait for the same question.
const maxGathered = 1 << 16

// gatherer asks one question at a time for all who came before it was asked.
type gatherer struct {
	do func(ctx context.Context) (uint64, error)

	mu      sync.Mutex
	running bool
	waiting []func(uint64, error)
}

// gather has done told the answer to a question that is asked after this moment.
func (r *Relay) gather(g *gatherer, done func(uint64, error)) {
	g.mu.Lock()
	if len(g.waiting) >= maxGathered {
		g.mu.Unlock()
		done(0, &sequencer.BusyError{RetryAfter: comeBack})
		return
	}
	g.waiting = append(g.waiting, done)
	start := !g.running
	g.running = true
	g.mu.Unlock()
	if !start {
		return
	}
	if err := r.spawn(func() { r.round(g) }); err != nil {
		g.end(err)
	}
}

// round asks until nobody waits, with a little time between two questions, so that a crowd shares one.
func (r *Relay) round(g *gatherer) {
	for {
		asked := time.Now()
		g.mu.Lock()
		batch := g.waiting
		g.waiting = nil
		g.running = len(batch) > 0
		g.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(r.ctx, strictPatience)
		index, err := g.do(ctx)
		cancel()
		for _, done := range batch {
			done(index, err)
		}
		select {
		case <-r.ctx.Done():
		case <-time.After(strictEvery - time.Since(asked)):
		}
	}
}

func (g *gatherer) end(err error) {
	g.mu.Lock()
	batch := g.waiting
	g.waiting, g.running = nil, false
	g.mu.Unlock()
	for _, done := range batch {
		done(0, err)
	}
}

// Strict returns once every entry of a shard that was committed before the call has been handed to its machines on this
// node: what is read after it, on a machine's own goroutine, is at least as new. Those who ask at once share one
// question to the leader. [sequencer.ErrUnavailable]: no leader answered within a second.
func (r *Relay) Strict(ctx context.Context, shard int) error {
	if shard < 0 || shard >= len(r.shards) {
		return fmt.Errorf("relay: no shard %d", shard)
	}
	done := make(chan error, 1)
	r.gather(&r.shards[shard].ours, func(_ uint64, err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", sequencer.ErrUnavailable, ctx.Err())
	}
}

// strict asks the leader how far one has to read, and waits until this node has come there.
func (r *Relay) strict(ctx context.Context, shard int) error {
	var index uint64
	for n := 0; ; n++ {
		var err error
		if index, err = r.index(ctx, shard); err == nil {
			break
		}
		var busy *sequencer.BusyError
		if errors.As(err, &busy) || errors.Is(err, sequencer.ErrStopped) {
			return err
		}
		if !pause(ctx, n) {
			return fmt.Errorf("%w: %w", sequencer.ErrUnavailable, err)
		}
	}
	c := *r.c.Load()
	for c.Applied(shard) < index {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: this node is behind: %w", sequencer.ErrUnavailable, ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// index asks once.
func (r *Relay) index(ctx context.Context, shard int) (uint64, error) {
	_, _, self := r.Leader(shard)
	if c := r.c.Load(); c != nil && self {
		return (*c).ReadIndex(ctx, shard)
	}
	_, index, err := r.request(ctx, &item{op: opIndex, shard: shard})
	return index, err
}

// pause waits a little before another try, at random so that not all come back at once; the first time hardly. It is
// false when ctx ends first.
func pause(ctx context.Context, n int) bool {
	longest := min(10*time.Millisecond<<min(n, 4), 100*time.Millisecond)
	t := time.NewTimer(longest/4 + rand.N(longest*3/4))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
