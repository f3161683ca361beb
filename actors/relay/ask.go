package relay

import (
	"context"
	"errors"
	"fmt"

	"github.com/catraca/catraca/actors/sequencer"
)

// Question is one command for a machine.
type Question[M sequencer.Machine[R], R any] struct {
	Shard   int
	Machine uint32
	Command []byte // encoded; does not change any more
	// Repeatable says that doing the command twice is the same as doing it once.
	Repeatable bool
	// Handle is the machine on this node.
	Handle *sequencer.Handle[M, R]
	// Keep copies what a result of the machine here points to; Decode reads one that came from another node.
	Keep   func(R) R
	Decode func([]byte) (R, error)
}

// Ask does a command wherever its shard is led and waits for its outcome, as long as ctx allows. A command that was
// surely not done is tried again, one whose outcome is unknown when it is repeatable: the same bytes to whoever leads
// then. The index is that of its entry, and elsewhere says that another node did it. Without a relay this node is the
// only one. Any goroutine but the actors'.
func Ask[M sequencer.Machine[R], R any](ctx context.Context, r *Relay, q *Question[M, R]) (res R, index uint64, elsewhere bool, err error) {
	if r == nil {
		res, index, err = sequencer.Ask(ctx, q.Handle, q.Command, q.Repeatable, q.Keep)
		return res, index, false, err
	}
	for n := 0; ; n++ {
		if n > 0 {
			r.o.Metrics.again.Inc()
		}
		elsewhere = !q.Handle.Leading()
		if elsewhere {
			res, index, err = there(ctx, r, q)
		} else {
			res, index, err = here(ctx, q)
		}
		switch {
		case err == nil:
			return res, index, elsewhere, nil
		case errors.Is(err, sequencer.ErrNotLeader), errors.Is(err, sequencer.ErrUnknown) && q.Repeatable:
		case errors.Is(err, sequencer.ErrUnknown):
			return res, 0, elsewhere, fmt.Errorf("%w: %w", sequencer.ErrUnavailable, err)
		default:
			return res, 0, elsewhere, err
		}
		if ctx.Err() != nil || !pause(ctx, n) {
			return res, 0, elsewhere, fmt.Errorf("%w: %w", sequencer.ErrUnavailable, err)
		}
	}
}

// there asks the leader.
func there[M sequencer.Machine[R], R any](ctx context.Context, r *Relay, q *Question[M, R]) (R, uint64, error) {
	var none R
	b, index, err := r.Forward(ctx, q.Shard, q.Machine, q.Command)
	if err != nil {
		return none, 0, err
	}
	res, err := q.Decode(b)
	if err != nil { // of a later version, for example: it is done, but nobody here knows what
		return none, 0, fmt.Errorf("%w: %w", sequencer.ErrUnavailable, err)
	}
	return res, index, nil
}

// here asks the machine on this node, once.
func here[M sequencer.Machine[R], R any](ctx context.Context, q *Question[M, R]) (R, uint64, error) {
	w := &own[M, R]{q: q, done: make(chan error, 1)}
	if err := q.Handle.Submit(q.Command, w); err != nil {
		return w.res, 0, err
	}
	select {
	case err := <-w.done:
		return w.res, w.index, err
	case <-ctx.Done():
		var none R // w may still be written to
		return none, 0, fmt.Errorf("%w: %w", sequencer.ErrUnknown, ctx.Err())
	}
}

// own waits for a command of this node.
type own[M sequencer.Machine[R], R any] struct {
	q     *Question[M, R]
	res   R
	index uint64
	done  chan error
}

// Result keeps the answer. The machine's goroutine.
func (w *own[M, R]) Result(r R, index uint64) { w.res, w.index = w.q.Keep(r), index }

// Answer ends the wait. The machine's goroutine.
func (w *own[M, R]) Answer(err error) { w.done <- err }
