package sequencer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// ErrUnavailable means no leader answered in time. Whether the command was done is unknown, unless it was one
// that is safe to repeat: then the caller repeats it.
var ErrUnavailable = errors.New("the shard has no leader at the moment")

// Ask does one command and waits for its outcome, as long as ctx allows. A command that was surely not done is
// tried again; one whose outcome is unknown only when repeatable says that twice is the same as once. keep copies
// what the result points to, since that belongs to the machine. The index is that of the entry the command is in. cmd
// is the caller's again only when err is nil. Any goroutine but the actors'.
func Ask[M Machine[R], R any](ctx context.Context, h *Handle[M, R], cmd []byte, repeatable bool, keep func(R) R) (R, uint64, error) {
	return AskFor(ctx, 0, h, cmd, repeatable, keep)
}

// AskFor is Ask with a patience, 0 for none, that the actor looks after a few times a second: a context with a timeout
// costs as much as the command.
func AskFor[M Machine[R], R any](
	ctx context.Context, patience time.Duration, h *Handle[M, R], cmd []byte, repeatable bool, keep func(R) R,
) (R, uint64, error) {
	var none R
	until := h.until(patience)
	w := h.waiter(keep)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		if err := h.submit(cmd, w, until); err != nil {
			return none, 0, err
		}
		err := w.wait(ctx)
		switch {
		case err == nil:
			res, index := w.res, w.index
			h.release(w)
			return res, index, nil
		case errors.Is(err, ErrNotLeader), errors.Is(err, ErrUnknown) && repeatable:
		case errors.Is(err, ErrUnknown), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
			return none, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		default:
			return none, 0, err
		}
		select {
		case <-ctx.Done():
			return none, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		case <-time.After(min(pause, until-h.age())):
		}
		if h.age() >= until {
			return none, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

// waiter is one goroutine's wait for one command. Once it has been told it may wait for another.
type waiter[R any] struct {
	keep  func(R) R
	res   R
	index uint64
	done  chan error
}

func (h *Handle[M, R]) waiter(keep func(R) R) *waiter[R] {
	w, ok := h.waiters.Get().(*waiter[R])
	if !ok {
		w = &waiter[R]{done: make(chan error, 1)}
	}
	w.keep = keep
	return w
}

// release gives back a waiter that nobody will tell anything.
func (h *Handle[M, R]) release(w *waiter[R]) {
	var none R
	w.res, w.keep = none, nil
	h.waiters.Put(w)
}

func (w *waiter[R]) Result(r R, index uint64) { w.res, w.index = w.keep(r), index }

func (w *waiter[R]) Answer(err error) { w.done <- err }

func (w *waiter[R]) wait(ctx context.Context) error {
	gone := ctx.Done()
	if gone == nil {
		return <-w.done
	}
	select {
	case err := <-w.done:
		return err
	case <-gone:
		return ctx.Err()
	}
}

// Look runs fn with the committed state on the machine's goroutine and waits for it. fn copies what it keeps. When
// Look returns, fn has run, or it will never run: what it writes may be read without a lock. A panic in fn, which
// only reads, is the caller's and comes back as an error.
func Look[M Machine[R], R any](ctx context.Context, h *Handle[M, R], fn func(M)) error {
	var taken atomic.Bool // by the machine, or by the caller who gives up
	done := make(chan error, 1)
	err := h.Read(func(m M) {
		if taken.CompareAndSwap(false, true) {
			done <- guarded(fn, m)
		}
	})
	if err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-h.dead:
		err = ErrStopped
	case <-ctx.Done():
		err = ctx.Err()
	}
	if taken.CompareAndSwap(false, true) {
		return err
	}
	return <-done
}

func guarded[M any](fn func(M), m M) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("read panicked: %v\n%s", r, debug.Stack())
		}
	}()
	fn(m)
	return nil
}
