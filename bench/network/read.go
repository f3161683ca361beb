package network

import (
	"errors"
	"os"
	"time"
)

// Read hands out what has arrived.
func (n *conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n.down.turn.Lock()
	defer n.down.turn.Unlock()
	for {
		got, wait, news, err := n.arrived(b)
		if got > 0 || err != nil {
			return got, err
		}
		if news != nil {
			n.await(wait, news)
			continue
		}
		// b is free until something is handed out, so it serves for reading ahead.
		got, err = n.Conn.Read(b)
		now := time.Now()
		n.down.mu.Lock()
		if got > 0 {
			at := n.down.line.arrival(now, got)
			n.down.under.push(piece{at: at, data: append([]byte(nil), b[:got]...)})
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			n.down.ended = err
			n.down.under.push(piece{at: n.down.line.arrival(now, 0)})
		}
		n.down.mu.Unlock()
	}
}

// arrived copies to b what has arrived. If there is nothing yet, it says until when to wait, zero being for ever, and
// when there is no room to read ahead, on what; else the deadline of the connection below is set to the same.
func (n *conn) arrived(b []byte) (got int, wait time.Time, news <-chan struct{}, err error) {
	if n.severed() {
		return 0, wait, nil, errCut("read")
	}
	n.down.mu.Lock()
	defer n.down.mu.Unlock()
	now := time.Now()
	switch d := &n.down; {
	case n.isClosed():
		return 0, wait, nil, errClosed
	case !d.deadline.IsZero() && !now.Before(d.deadline):
		return 0, wait, nil, os.ErrDeadlineExceeded
	case d.under.empty():
	case now.Before(d.under.list[0].at):
		wait = d.under.list[0].at
		if d.ended != nil || d.under.bytes >= n.most {
			news = waits(&d.news)
		}
	case len(d.under.list[0].data) == 0:
		return 0, wait, nil, d.ended // stays there for the next reader
	default:
		return d.under.take(b), wait, nil, nil
	}
	wait = earlier(earlier(wait, n.down.deadline), n.cut)
	if news == nil {
		err = n.Conn.SetReadDeadline(wait)
	}
	return 0, wait, news, err
}

// earlier of two moments, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// SetReadDeadline also wakes a reader that waits for longer.
func (n *conn) SetReadDeadline(t time.Time) error {
	n.down.mu.Lock()
	defer n.down.mu.Unlock()
	if n.isClosed() {
		return errClosed
	}
	n.down.deadline = t
	wake(&n.down.news)
	if !t.IsZero() && !t.After(time.Now()) {
		return n.Conn.SetReadDeadline(t)
	}
	wait := t
	if !n.down.under.empty() {
		wait = earlier(wait, n.down.under.list[0].at)
	}
	return n.Conn.SetReadDeadline(earlier(wait, n.cut))
}
