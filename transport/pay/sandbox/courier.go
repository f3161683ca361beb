package sandbox

import (
	"container/heap"
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	maxPending    = 1600            // deliveries per courier
	reorderWait   = 5 * time.Second // an event held back for its successor leaves alone after this
	beforeTimeout = 5 * time.Second
)

// courier delivers the events of a share of the payments, one at a time, so that the events of one payment keep
// their order unless a fault or a retry breaks it. One goroutine runs it; add and nudge may be called by any.
type courier struct {
	s    *Server
	wake chan struct{}

	mu    sync.Mutex
	queue deliveryHeap
	held  map[string]*delivery // by payment: waits for the payment's next event
	seq   uint64
}

func newCourier(s *Server) *courier {
	return &courier{s: s, wake: make(chan struct{}, 1), held: map[string]*delivery{}}
}

// newPostHTTP returns the client that all couriers of a server share.
func newPostHTTP(o Options) *http.Client {
	return &http.Client{
		Timeout:       o.WebhookTimeout,
		Transport:     &http.Transport{MaxIdleConnsPerHost: couriers, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type deliveryHeap []*delivery

func (h *deliveryHeap) Len() int { return len(*h) }
func (h *deliveryHeap) Less(i, j int) bool {
	if !(*h)[i].due.Equal((*h)[j].due) {
		return (*h)[i].due.Before((*h)[j].due)
	}
	return (*h)[i].seq < (*h)[j].seq
}
func (h *deliveryHeap) Swap(i, j int) { (*h)[i], (*h)[j] = (*h)[j], (*h)[i] }

// Push and Pop are for container/heap.
func (h *deliveryHeap) Push(x any) { *h = append(*h, x.(*delivery)) }

func (h *deliveryHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return x
}

func (c *courier) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *courier) add(d *delivery) {
	c.mu.Lock()
	c.push(d)
	if late := c.held[d.ev.Intent]; late != nil { // it waited for this one
		delete(c.held, d.ev.Intent)
		late.due = d.due
		c.push(late)
	}
	c.mu.Unlock()
	c.nudge()
}

// hold keeps a delivery back until the payment's next event, or until it is due.
func (c *courier) hold(d *delivery) {
	c.mu.Lock()
	if before := c.held[d.ev.Intent]; before != nil {
		before.due = c.s.o.Now()
		c.push(before)
	}
	c.held[d.ev.Intent] = d
	c.mu.Unlock()
	c.nudge()
}

// push needs the lock. A queue that is full loses its new arrivals, as a provider's outage would.
func (c *courier) push(d *delivery) {
	if len(c.queue) >= maxPending {
		c.s.log.Warn("webhook lost because too many wait", "webhook_event", d.id)
		return
	}
	c.seq++
	d.seq = c.seq
	heap.Push(&c.queue, d)
}

// take returns a delivery whose time has come, or how long to wait.
func (c *courier) take() (*delivery, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.s.o.Now()
	wait := time.Hour
	for payment, d := range c.held {
		if !d.due.After(now) {
			delete(c.held, payment)
			c.push(d)
			continue
		}
		wait = min(wait, d.due.Sub(now))
	}
	if len(c.queue) == 0 {
		return nil, wait
	}
	if next := c.queue[0]; next.due.After(now) {
		return nil, min(wait, next.due.Sub(now))
	}
	return heap.Pop(&c.queue).(*delivery), 0
}

func (c *courier) run() {
	for {
		d, wait := c.take()
		if d != nil {
			c.deliver(c.s.ctx, d)
		}
		if c.s.ctx.Err() != nil {
			return
		}
		if d != nil {
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-c.s.ctx.Done():
		case <-c.wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// now delivers at once, in the caller's goroutine. A failure goes the ordinary way of retries.
func (c *courier) now(d *delivery) {
	ctx, cancel := context.WithTimeout(c.s.ctx, beforeTimeout)
	defer cancel()
	c.deliver(ctx, d)
}

// deliver makes one try and plans the next one if it failed.
func (c *courier) deliver(ctx context.Context, d *delivery) {
	s := c.s
	now := s.o.Now()
	d.tries++
	status, err := c.attempt(ctx, d, now)
	if c.s.ctx.Err() != nil && err != nil {
		return // closing: the event stays undone and is delivered after the restart
	}
	result := "status " + strconv.Itoa(status)
	if err != nil {
		result = err.Error()
	}
	s.sent.add(Delivery{Event: d.id, Type: d.ev.Type, Payment: d.ev.Intent, At: now, Try: d.tries, Status: status, Result: result})
	if status >= 200 && status < 300 {
		if !d.copy {
			s.settle(d.ev.ID)
		}
		return
	}
	if d.tries >= s.o.WebhookTries {
		s.log.Warn("webhook given up", "webhook_event", d.id, "type", d.ev.Type, "tries", d.tries, "result", result)
		if !d.copy {
			s.settle(d.ev.ID)
		}
		return
	}
	d.fault = "" // a bad signature or an old timestamp happens once
	d.due = s.o.Now().Add(min(s.o.WebhookRetry<<min(d.tries-1, 30), s.o.WebhookRetryMax))
	c.mu.Lock()
	c.push(d)
	c.mu.Unlock()
	c.nudge()
}
