package cluster

import (
	"net"
	"sync"
	"time"
)

// outlet writes the messages of one connection, several at once. Its methods are for any goroutine.
type outlet struct {
	mu    sync.Mutex
	conn  net.Conn
	queue []byte
}

// put queues a message. Whoever puts flushes.
func (o *outlet) put(kind byte, id, group uint32, body []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = appendMessage(o.queue, kind, id, group, body)
}

// flush writes what waits. A connection that cannot be written to is closed: whoever reads from it sees that.
func (o *outlet) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		return
	}
	_ = o.conn.SetWriteDeadline(time.Now().Add(rpcTimeout)) // a failed write says the same
	if _, err := o.conn.Write(o.queue); err != nil {
		_ = o.conn.Close()
	}
	o.queue = o.queue[:0]
}
