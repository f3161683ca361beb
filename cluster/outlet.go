package cluster

import (
	"net"
	"sync"
	"time"
)

// How long messages wait for company. Heartbeats are due every tenth of a timeout and may come a little late; when
// sixteen shards beat, waking up the other process for each costs more than all that is in them.
const (
	beatPatience   = 40 * time.Millisecond
	answerPatience = 2 * time.Millisecond
)

// outlet writes the messages of one connection, those that can wait together. Its methods are for any goroutine.
type outlet struct {
	mu    sync.Mutex
	conn  net.Conn
	queue []byte
	timer bool // somebody will flush
}

// put queues a message, and writes the queue at once without patience. A connection that cannot be written to is
// closed: whoever reads from it sees that.
func (o *outlet) put(b []byte, patience time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, b...)
	switch {
	case patience == 0:
		o.write()
	case !o.timer:
		o.timer = true
		time.AfterFunc(patience, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.timer = false
			o.write()
		})
	}
}

// flush writes what waits.
func (o *outlet) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.write()
}

// write writes the queue. The caller holds mu.
func (o *outlet) write() {
	if len(o.queue) == 0 {
		return
	}
	_ = o.conn.SetWriteDeadline(time.Now().Add(rpcTimeout)) // a failed write says the same
	if _, err := o.conn.Write(o.queue); err != nil {
		_ = o.conn.Close()
	}
	o.queue = o.queue[:0]
}
