package event

import (
	"context"
	"slices"

	"github.com/catraca/catraca/actors/sale"
)

// waiter is one goroutine's wait for one command. It copies the result, whose slices belong to the machine.
type waiter struct {
	res  sale.Result
	done chan error
}

func newWaiter() *waiter { return &waiter{done: make(chan error, 1)} }

func (w *waiter) Result(r sale.Result) {
	r.Units, r.Lines = slices.Clone(r.Units), slices.Clone(r.Lines)
	w.res = r
}

func (w *waiter) Answer(err error) { w.done <- err }

func (w *waiter) wait(ctx context.Context) (sale.Result, error) {
	select {
	case err := <-w.done:
		return w.res, err
	case <-ctx.Done():
		return sale.Result{}, ctx.Err()
	}
}
