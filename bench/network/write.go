package network

import (
	"net"
	"os"
	"time"
)

// errClosed is what a closed connection says.
var errClosed = net.ErrClosed

// Write puts b on the line, waiting for room.
func (n *conn) Write(b []byte) (int, error) {
	n.up.turn.Lock()
	defer n.up.turn.Unlock()
	wrote := 0
	for {
		took, wait, room, err := n.put(b[wrote:])
		wrote += took
		if err != nil || wrote == len(b) {
			return wrote, err
		}
		if took == 0 {
			n.await(wait, room)
		}
	}
}

// put takes what there is room for; if there is none, it says until when to wait and on what.
func (n *conn) put(b []byte) (took int, wait time.Time, room <-chan struct{}, err error) {
	if n.severed() {
		return 0, wait, nil, errCut("write")
	}
	n.up.mu.Lock()
	defer n.up.mu.Unlock()
	now := time.Now()
	switch u := &n.up; {
	case n.isClosed():
		return 0, wait, nil, errClosed
	case u.ended != nil:
		return 0, wait, nil, u.ended
	case !u.deadline.IsZero() && !now.Before(u.deadline):
		return 0, wait, nil, os.ErrDeadlineExceeded
	}
	for len(b) > took && n.up.under.bytes < n.most {
		k := min(len(b)-took, n.most-n.up.under.bytes, n.piece())
		at := n.up.line.arrival(now, k)
		n.up.under.push(piece{at: at, data: append([]byte(nil), b[took:took+k]...)})
		took += k
	}
	if took == 0 && len(b) > 0 {
		return 0, earlier(n.up.deadline, n.cut), waits(&n.up.room), nil
	}
	if !n.up.busy {
		n.arm(now)
	}
	return took, wait, nil, nil
}

// piece is how many bytes at most arrive at one moment: a limited line is not to look like one in bursts.
func (n *conn) piece() int {
	if n.up.line.rate > 0 {
		return segment
	}
	return n.most
}

// await returns at that moment, zero being never, or when there is news, or nothing to wait for any more.
func (n *conn) await(until time.Time, news <-chan struct{}) {
	var late <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		late = t.C
	}
	select {
	case <-late:
	case <-news:
	case <-n.gone:
	}
}

// wake lets whoever waits look again. It is called with the direction's mu held.
func wake(waiting *chan struct{}) {
	if *waiting != nil {
		close(*waiting)
		*waiting = nil
	}
}

// waits returns what is closed by [wake]. It is called with the direction's mu held.
func waits(waiting *chan struct{}) <-chan struct{} {
	if *waiting == nil {
		*waiting = make(chan struct{})
	}
	return *waiting
}

// arm sets the timer to the next arrival. It is called with up.mu held, while nobody hands on.
func (n *conn) arm(now time.Time) {
	if n.up.under.empty() {
		return
	}
	d := n.up.under.list[0].at.Sub(now)
	if n.up.timer == nil {
		n.up.timer = time.AfterFunc(d, n.handOn)
		return
	}
	n.up.timer.Reset(d)
}

// handOn gives what has arrived to the connection below. The timer calls it; only one does at a time.
func (n *conn) handOn() {
	n.up.mu.Lock()
	defer n.up.mu.Unlock()
	if n.up.busy {
		return
	}
	n.up.busy = true
	defer func() { n.up.busy = false }()
	for !n.up.under.empty() && !time.Now().Before(n.up.under.list[0].at) {
		p := n.up.under.pop()
		n.up.mu.Unlock()
		var err error
		if len(p.data) == 0 {
			_ = n.Conn.Close() // the last piece; nobody hears of an error
		} else {
			_, err = n.Conn.Write(p.data)
		}
		n.up.mu.Lock()
		n.up.under.bytes = max(0, n.up.under.bytes-len(p.data)) // cleared meanwhile when the connection was cut
		if err != nil && n.up.ended == nil {
			n.up.ended = err
		}
		wake(&n.up.room)
	}
	n.arm(time.Now())
}

// SetWriteDeadline also wakes a writer that waits for longer.
func (n *conn) SetWriteDeadline(t time.Time) error {
	n.up.mu.Lock()
	defer n.up.mu.Unlock()
	if n.isClosed() {
		return errClosed
	}
	n.up.deadline = t
	wake(&n.up.room)
	return nil
}
