package sequencer

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// stopPatience bounds in milliseconds how long a stop waits for the last of those it has to tell.
const stopPatience = 5000

// Handle is the door to one machine on this node. Its methods may be called from any goroutine.
type Handle[M Machine[R], R any] struct {
	id      uint32
	root    *actor.RootContext
	pid     *actor.PID
	in      intake[R]
	waiters sync.Pool // of *waiter[R]
	leading atomic.Bool
	term    atomic.Uint64 // of the batches that may be proposed, 0: none
	credits chan struct{} // bounds the committed entries in the mailbox
	applied progress
	born    time.Time
	dead    chan struct{} // closed when the actor will handle nothing more
	metrics *Metrics
}

// ID is the machine's number on its shard.
func (h *Handle[M, R]) ID() uint32 { return h.id }

// Leading reports whether this node's sequencer accepts commands.
func (h *Handle[M, R]) Leading() bool { return h.leading.Load() }

// Done is closed when the machine has stopped and runs nothing more.
func (h *Handle[M, R]) Done() <-chan struct{} { return h.dead }

// Submit hands an encoded command over; cmd must not change until w is told. It returns a [*BusyError],
// [ErrStopped] or, for more than [MaxCommandBytes], [ErrTooLarge], and then w is never told; otherwise w is told
// exactly once.
func (h *Handle[M, R]) Submit(cmd []byte, w Waiter[R]) error { return h.submit(cmd, w, endless) }

// SubmitFor is Submit with a patience, 0 for none: then w is told [ErrUnknown], or [ErrUnavailable] if the command was
// surely not done.
func (h *Handle[M, R]) SubmitFor(patience time.Duration, cmd []byte, w Waiter[R]) error {
	return h.submit(cmd, w, h.until(patience))
}

func (h *Handle[M, R]) submit(cmd []byte, w Waiter[R], until time.Duration) error {
	if len(cmd) > MaxCommandBytes {
		return fmt.Errorf("submit %d bytes, at most %d: %w", len(cmd), MaxCommandBytes, ErrTooLarge)
	}
	tell, err := h.in.put(submission[R]{cmd, w, until})
	if err != nil {
		return h.refused(err)
	}
	if tell {
		h.root.Send(h.pid, wake{})
	}
	return nil
}

// Read runs fn with the committed state on the actor's goroutine. fn copies what it keeps and does not block. It
// is not run when the machine stops before; see [Handle.Done].
func (h *Handle[M, R]) Read(fn func(M)) error {
	if err := h.in.enter(); err != nil {
		return h.refused(err)
	}
	h.root.Send(h.pid, &reading[M]{fn: fn})
	return nil
}

// Post runs fn on the actor's goroutine like Read, without counting against the intake: for the node's own
// housekeeping, whose number the caller bounds.
func (h *Handle[M, R]) Post(fn func(M)) { h.send(&reading[M]{fn: fn, free: true}) }

func (h *Handle[M, R]) refused(err error) error {
	if errors.As(err, new(*BusyError)) {
		h.metrics.refused.Inc()
	}
	return err
}

// send hands over what nobody waits for without looking at Done as well.
func (h *Handle[M, R]) send(msg any) {
	select {
	case <-h.dead:
	default:
		h.root.Send(h.pid, msg)
	}
}

// stop ends the actor once everybody who came in before has been told.
func (h *Handle[M, R]) stop() {
	h.send(halt{})
	<-h.dead
	// Those who were let in a moment before are on their way to the mailbox.
	for range stopPatience {
		if pending, _ := h.in.counts(); pending == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	_ = h.root.StopFuture(h.pid).Wait() // nothing is left to be lost
}
