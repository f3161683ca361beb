package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// Ask does a command wherever its shard is led and waits for its outcome, as long as patience and ctx allow. A command
// that was surely not done is tried again, one whose outcome is unknown when it is repeatable: the same bytes to whoever
// leads then. The index is that of its entry, and elsewhere says that another node did it. The command's bytes are the
// caller's again only when there is no error. Without a relay this node is the only one. Any goroutine but the actors'.
func Ask[M sequencer.Machine[R], R any](
	ctx context.Context, r *Relay, patience time.Duration, q *Question[M, R],
) (res R, index uint64, elsewhere bool, err error) {
	if r == nil {
		res, index, err = sequencer.AskFor(ctx, patience, q.Handle, q.Command, q.Repeatable, q.Keep)
		return res, index, false, err
	}
	if q.Handle.Leading() { // nearly always done with: a clock of its own for each command costs as much as the command
		start := time.Now()
		res, index, err = sequencer.AskOnce(ctx, patience, q.Handle, q.Command, q.Keep)
		if err == nil {
			return res, index, false, nil
		}
		if ended(err, q.Repeatable) {
			return res, 0, false, outward(err)
		}
		patience = max(patience-time.Since(start), time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return askOn(ctx, r, q, err)
}

// askOn asks until somebody answers or ctx ends. last is why there is another try already.
func askOn[M sequencer.Machine[R], R any](ctx context.Context, r *Relay, q *Question[M, R], last error) (res R, index uint64, elsewhere bool, err error) {
	err = last
	for n := 0; ; n++ {
		if err != nil {
			if ctx.Err() != nil || !pause(ctx, n) {
				return res, 0, elsewhere, fmt.Errorf("%w: %w", sequencer.ErrUnavailable, err)
			}
			r.o.Metrics.again.Inc()
		}
		elsewhere = !q.Handle.Leading()
		if elsewhere {
			res, index, err = there(ctx, r, q)
		} else {
			res, index, err = sequencer.AskOnce(ctx, 0, q.Handle, q.Command, q.Keep)
		}
		if err == nil {
			return res, index, elsewhere, nil
		}
		if ended(err, q.Repeatable) {
			return res, 0, elsewhere, outward(err)
		}
	}
}

// ended says that another try would be of no use, or no good.
func ended(err error, repeatable bool) bool {
	return !errors.Is(err, sequencer.ErrNotLeader) && (!errors.Is(err, sequencer.ErrUnknown) || !repeatable)
}

func outward(err error) error {
	if errors.Is(err, sequencer.ErrUnknown) {
		return fmt.Errorf("%w: %w", sequencer.ErrUnavailable, err)
	}
	return err
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
