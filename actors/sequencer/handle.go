package sequencer

import (
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Handle is the door to one machine on this node. Its methods may be called from any goroutine.
type Handle[M Machine[R], R any] struct {
	id      uint32
	root    *actor.RootContext
	pid     *actor.PID
	max     int64
	pending atomic.Int64 // commands and reads in the mailbox, the intake or on their way
	leading atomic.Bool
	credits chan struct{} // bounds the committed entries in the mailbox
	dead    chan struct{} // closed when the actor will handle nothing more
	metrics *Metrics
}

// ID is the machine's number on its shard.
func (h *Handle[M, R]) ID() uint32 { return h.id }

// Leading reports whether this node's sequencer accepts commands.
func (h *Handle[M, R]) Leading() bool { return h.leading.Load() }

// Submit hands an encoded command over; cmd must not change until w is told. It returns a [*BusyError] or
// [ErrStopped] and then w is never told; otherwise w is told exactly once.
func (h *Handle[M, R]) Submit(cmd []byte, w Waiter[R]) error {
	if err := h.admit(); err != nil {
		return err
	}
	h.root.Send(h.pid, &submission[R]{cmd: cmd, waiter: w})
	return nil
}

// Read runs fn with the committed state on the actor's goroutine. fn copies what it keeps and does not block.
func (h *Handle[M, R]) Read(fn func(M)) error {
	if err := h.admit(); err != nil {
		return err
	}
	h.root.Send(h.pid, &reading[M]{fn: fn})
	return nil
}

// Post runs fn on the actor's goroutine like Read, without counting against the intake: for the node's own
// housekeeping, whose number the caller bounds.
func (h *Handle[M, R]) Post(fn func(M)) {
	h.root.Send(h.pid, &reading[M]{fn: fn, free: true})
}

func (h *Handle[M, R]) admit() error {
	select {
	case <-h.dead:
		return ErrStopped
	default:
	}
	if n := h.pending.Add(1); n > h.max {
		h.pending.Add(-1)
		h.metrics.refused.Inc()
		// The intake drains within a few commits; half a second spreads those who come back.
		return &BusyError{RetryAfter: 500 * time.Millisecond}
	}
	return nil
}

func (h *Handle[M, R]) send(msg any) { h.root.Send(h.pid, msg) }
