package sequencer

import (
	"sync"
	"time"
)

const (
	// maxPendingBytes bounds the commands that wait at one machine by size, beside their number.
	maxPendingBytes = 64 << 20
	// keptQueue is how many places of a queue stay for the next burst.
	keptQueue = 4096
	// busyFor is when those who are refused may come back: the intake drains within a few commits, and half a second
	// spreads them.
	busyFor = 500 * time.Millisecond
)

// intake is where commands wait for the actor. Callers append under a lock, and the actor is sent a message only when
// it has run dry: while a batch is on its way it comes by itself. A message a command would cost more than the command.
type intake[R any] struct {
	mu      sync.Mutex
	queue   []submission[R]
	max     int64
	pending int64 // commands and reads that have no answer yet
	bytes   int64 // of the commands that are in no batch yet
	dry     bool  // the actor has found nothing and wants to be told
	closed  bool
}

// submission is one command and who waits for it.
type submission[R any] struct {
	cmd    []byte
	waiter Waiter[R]
	until  time.Duration // of the handle's age
}

// put appends a command and says whether the actor has to be told.
func (in *intake[R]) put(s submission[R]) (tell bool, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.admit(int64(len(s.cmd))); err != nil {
		return false, err
	}
	in.queue = append(in.queue, s)
	tell, in.dry = in.dry, false
	return tell, nil
}

// enter counts a read.
func (in *intake[R]) enter() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.admit(0)
}

func (in *intake[R]) admit(size int64) error {
	switch {
	case in.closed:
		return ErrStopped
	case in.pending >= in.max || in.pending > 0 && in.bytes+size > maxPendingBytes:
		return &BusyError{RetryAfter: busyFor}
	}
	in.pending++
	in.bytes += size
	return nil
}

// leave ends the wait of n.
func (in *intake[R]) leave(n int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.pending -= int64(n)
}

// expel ends the wait for a command of so many bytes that is in no batch.
func (in *intake[R]) expel(size int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.pending--
	in.bytes -= int64(size)
}

// batched says that commands of so many bytes are in a batch now.
func (in *intake[R]) batched(size int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.bytes -= int64(size)
}

// take hands over all that has gathered and goes on with an empty queue. With nothing there, or last, the next
// command brings a message.
func (in *intake[R]) take(empty []submission[R], last bool) []submission[R] {
	if cap(empty) > keptQueue {
		empty = nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.dry = last || len(in.queue) == 0
	got := in.queue
	in.queue = empty[:0]
	return got
}

// close lets nobody in any more.
func (in *intake[R]) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
}

func (in *intake[R]) counts() (pending, bytes int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.pending, in.bytes
}
