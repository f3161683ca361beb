package live

import (
	"runtime"
	"sync"
)

// writers write for connections that have something to say. They are as many as there are processors, and never wait for
// a peer: what a socket does not take at once is left to a goroutine of its own. Answers to what a fan has asked go before
// what is told to crowds.
type writers struct {
	mu     sync.Mutex
	some   sync.Cond
	lanes  [lanes][]*conn // those who wait; each connection is in each once
	heads  [lanes]int
	closed bool
	done   sync.WaitGroup
}

// Lanes, the quicker one first.
const (
	askedLane = iota // somebody has asked
	toldLane         // told to many
	lanes
)

// keptLane is how many places of a lane stay for the next crowd.
const keptLane = 4096

func newWriters() *writers {
	w := &writers{}
	w.some.L = &w.mu
	for range runtime.GOMAXPROCS(0) {
		w.done.Go(w.run)
	}
	return w
}

// close ends the writers once nobody waits any more.
func (w *writers) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.some.Broadcast()
	w.done.Wait()
}

// put adds a connection to a lane. Any goroutine; it does not block.
func (w *writers) put(c *conn, lane int) {
	w.mu.Lock()
	if head := w.heads[lane]; head > keptLane && 2*head > len(w.lanes[lane]) { // a lane that never ends
		w.lanes[lane], w.heads[lane] = append(w.lanes[lane][:0], w.lanes[lane][head:]...), 0
	}
	w.lanes[lane] = append(w.lanes[lane], c)
	w.mu.Unlock()
	w.some.Signal()
}

// take waits for the next connection; nil: there will be none.
func (w *writers) take() (c *conn, lane int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for lane := range lanes {
			if c := w.next(lane); c != nil {
				return c, lane
			}
		}
		if w.closed {
			return nil, 0
		}
		w.some.Wait()
	}
}

func (w *writers) next(lane int) *conn {
	all, head := w.lanes[lane], w.heads[lane]
	if head == len(all) {
		return nil
	}
	c := all[head]
	all[head] = nil
	head++
	if head == len(all) {
		all, head = all[:0], 0
		if cap(all) > keptLane {
			all = nil
		}
	}
	w.lanes[lane], w.heads[lane] = all, head
	return c
}

func (w *writers) run() {
	a, b := newAttempt(), make([]byte, 0, chunk)
	for {
		c, lane := w.take()
		if c == nil {
			return
		}
		if b = c.serve(lane, a, b[:0]); cap(b) > mostKept {
			b = make([]byte, 0, chunk)
		}
	}
}

// mostKept bytes of a writer's buffer stay for the next connection.
const mostKept = 64 << 10
