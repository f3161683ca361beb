package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/catraca/catraca/actors/sequencer"
)

// followPatience is the least time that this node is given to get what another one did, before it is told. It is given
// what is left of the patience of the whole command, if that is more: the leader may have died right after its answer,
// and the next one has to be elected first.
const followPatience = 2 * time.Second

// Follow waits until this node has the entry that another one made of a command, so that who is answered here finds it
// here; patience is what is left of that given to [Ask]. A node that does not get it in time, cut off or on its way out,
// would deny what was just done: who can ask again is sent to do so with [sequencer.ErrUnavailable], and is then told
// from the answers that are kept. Any goroutine but the actors'.
func Follow[M sequencer.Machine[R], R any](ctx context.Context, patience time.Duration, q *Question[M, R], index uint64) error {
	if q.Handle.Applied() >= index {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, max(patience, followPatience))
	defer cancel()
	if err := q.Handle.Await(ctx, index); err != nil && q.Repeatable {
		return fmt.Errorf("%w: entry %d is done and not here yet: %w", sequencer.ErrUnavailable, index, err)
	}
	return nil
}
