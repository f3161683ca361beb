package sequencer

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// stopPatience bounds in milliseconds how long a stop waits for the last of those it has to tell.
const stopPatience = 5000

// maxPendingBytes bounds the commands that wait at one machine by size, beside their number.
const maxPendingBytes = 64 << 20

// Handle is the door to one machine on this node. Its methods may be called from any goroutine.
type Handle[M Machine[R], R any] struct {
	id      uint32
	root    *actor.RootContext
	pid     *actor.PID
	max     int64
	pending atomic.Int64 // commands and reads in the mailbox, the intake or on their way
	bytes   atomic.Int64 // of commands in the mailbox and the intake
	leading atomic.Bool
	term    atomic.Uint64 // of the batches that may be proposed, 0: none
	credits chan struct{} // bounds the committed entries in the mailbox
	applied progress
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
func (h *Handle[M, R]) Submit(cmd []byte, w Waiter[R]) error {
	if len(cmd) > MaxCommandBytes {
		return fmt.Errorf("submit %d bytes, at most %d: %w", len(cmd), MaxCommandBytes, ErrTooLarge)
	}
	if err := h.admit(len(cmd)); err != nil {
		return err
	}
	h.root.Send(h.pid, &submission[R]{cmd: cmd, waiter: w})
	return nil
}

// Read runs fn with the committed state on the actor's goroutine. fn copies what it keeps and does not block. It
// is not run when the machine stops before; see [Handle.Done].
func (h *Handle[M, R]) Read(fn func(M)) error {
	if err := h.admit(0); err != nil {
		return err
	}
	h.root.Send(h.pid, &reading[M]{fn: fn})
	return nil
}

// Post runs fn on the actor's goroutine like Read, without counting against the intake: for the node's own
// housekeeping, whose number the caller bounds.
func (h *Handle[M, R]) Post(fn func(M)) { h.send(&reading[M]{fn: fn, free: true}) }

// admit counts first and looks at the end second: when the machine has stopped and nothing is pending, nobody is
// on the way to it either.
func (h *Handle[M, R]) admit(size int) error {
	n, b := h.pending.Add(1), h.bytes.Add(int64(size))
	select {
	case <-h.dead:
		h.expel(size)
		return ErrStopped
	default:
	}
	if n > h.max || n > 1 && b > maxPendingBytes {
		h.expel(size)
		h.metrics.refused.Inc()
		// The intake drains within a few commits; half a second spreads those who come back.
		return &BusyError{RetryAfter: 500 * time.Millisecond}
	}
	return nil
}

func (h *Handle[M, R]) expel(size int) {
	h.bytes.Add(-int64(size))
	h.pending.Add(-1)
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
		if h.pending.Load() == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	_ = h.root.StopFuture(h.pid).Wait() // nothing is left to be lost
}
