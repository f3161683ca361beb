package sandbox

import (
	"container/heap"
	"time"
)

// dueHeap orders what will happen by itself. An item is stale when its payment or refund says another time by now.
type dueHeap []dueItem

type dueItem struct {
	at int64 // unix ms
	id string
}

func (h *dueHeap) Len() int           { return len(*h) }
func (h *dueHeap) Less(i, j int) bool { return (*h)[i].at < (*h)[j].at }
func (h *dueHeap) Swap(i, j int)      { (*h)[i], (*h)[j] = (*h)[j], (*h)[i] }

// Push and Pop are for container/heap.
func (h *dueHeap) Push(x any) { *h = append(*h, x.(dueItem)) }

func (h *dueHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func (h *dueHeap) add(at int64, id string) { heap.Push(h, dueItem{at, id}) }

// timers makes things happen when their time comes. One goroutine.
func (s *Server) timers() {
	for {
		wait := s.runDue()
		t := time.NewTimer(wait)
		select {
		case <-s.ctx.Done():
			t.Stop()
			return
		case <-s.wake:
			t.Stop()
		case <-t.C:
		}
	}
}

// runDue does everything that is due and returns how long nothing will be.
func (s *Server) runDue() time.Duration {
	for {
		id, wait := s.nextDue()
		if id == "" {
			return wait
		}
		t := &tx{}
		events, err := s.update(t, func(t *tx) { t.happen(id) })
		if err != nil {
			return time.Hour // damaged or closed
		}
		s.publish(events)
	}
}

// nextDue takes the next item whose time has come, or tells how long to wait for one.
func (s *Server) nextDue() (string, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.damage != nil {
		return "", time.Hour
	}
	now := s.o.Now().UnixMilli()
	for len(s.due) > 0 {
		next := s.due[0]
		if in, r := s.intents[next.id], s.refunds[next.id]; (in == nil || in.Due != next.at) && (r == nil || r.Due != next.at) {
			heap.Pop(&s.due)
			continue
		}
		if next.at > now {
			return "", time.Duration(next.at-now) * time.Millisecond
		}
		heap.Pop(&s.due)
		return next.id, 0
	}
	return "", time.Hour
}

// happen does what a payment or refund was waiting for.
func (t *tx) happen(id string) {
	if r := t.refund(id); r != nil {
		t.settleRefund(r)
		return
	}
	in := t.intent(id)
	if in == nil {
		return
	}
	what := in.DueWhat
	in.Due, in.DueWhat = 0, ""
	switch what {
	case dueSettle:
		if in.Status == processing {
			t.accept(in)
		}
	case duePay:
		if in.Status == needsAction && in.Pix != nil {
			t.accept(in)
		}
	case dueExpire:
		if in.Status == needsAction && in.Pix != nil {
			t.refuse(in, &failure{Type: "invalid_request_error", Code: "payment_intent_payment_attempt_expired",
				Message: "The Pix code has expired before it was paid."})
		}
	case dueRelease:
		if in.Status == needsCapture {
			t.cancel(in, "automatic")
		}
	case dueDispute:
		t.dispute(in)
	}
}
