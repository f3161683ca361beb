package api

import (
	"context"
	"slices"
	"sync"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
)

// watches wait for orders to change. There is one subscriber for each sale, however many callers wait, because it
// runs on the sale's own goroutine.
type watches struct {
	mu   sync.Mutex
	subs map[sale.EventID]*orderWatch
}

// order returns a channel that is signalled when the order changes after now; forget ends the wait.
func (w *watches) order(ctx context.Context, sales Sales, id sale.EventID, order sale.OrderID) (changed <-chan struct{}, forget func(), err error) {
	sub, err := w.of(ctx, sales, id)
	if err != nil {
		return nil, nil, err
	}
	c := make(chan struct{}, 1)
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.waiting[order] = append(sub.waiting[order], c)
	return c, func() { sub.forget(order, c) }, nil
}

// of returns the sale's watch and makes it at the first wait; it lasts as long as the process.
func (w *watches) of(ctx context.Context, sales Sales, id sale.EventID) (*orderWatch, error) {
	w.mu.Lock()
	sub, ok := w.subs[id]
	if w.subs == nil {
		w.subs = make(map[sale.EventID]*orderWatch)
	}
	if !ok {
		sub = &orderWatch{waiting: make(map[sale.OrderID][]chan struct{}), ready: make(chan struct{})}
		w.subs[id] = sub
	}
	w.mu.Unlock()
	if ok {
		select {
		case <-sub.ready:
			return sub, sub.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	_, _, sub.err = sales.Subscribe(ctx, id, sub)
	if sub.err != nil {
		w.mu.Lock()
		delete(w.subs, id) // the next wait tries again
		w.mu.Unlock()
	}
	close(sub.ready)
	return sub, sub.err
}

// orderWatch hears when orders of one sale change.
type orderWatch struct {
	ready chan struct{} // closed once it is subscribed
	err   error

	mu      sync.Mutex
	waiting map[sale.OrderID][]chan struct{}
}

func (w *orderWatch) forget(order sale.OrderID, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rest := slices.DeleteFunc(w.waiting[order], func(x chan struct{}) bool { return x == c })
	if len(rest) == 0 {
		delete(w.waiting, order)
		return
	}
	w.waiting[order] = rest
}

// Delta looks for orders that are waited for. The machine's goroutine.
func (w *orderWatch) Delta(d *event.Delta) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		return
	}
	for i := range d.Changes {
		if d.Changes[i].Kind != sale.ChangeOrder {
			continue
		}
		for _, c := range w.waiting[d.Changes[i].Order] {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
}

// View is of no interest here.
func (w *orderWatch) View(*event.View) {}
