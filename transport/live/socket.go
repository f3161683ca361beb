package live

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// chunk is how much a peer has to take within the time for a write.
const chunk = 4 << 10

// socket is the connection beneath the library's. The library reads, and writes the answer to the handshake and control
// frames; everything else is written here, several frames at once. Each frame is whole before the next begins.
type socket struct {
	net.Conn

	raw  syscall.RawConn // nil: writes may have to wait
	wait time.Duration   // for a chunk
	turn sync.Mutex      // held from the first byte of a write to its last
}

func newSocket(n net.Conn, wait time.Duration) *socket {
	s := &socket{Conn: n, wait: wait}
	if own, ok := n.(syscall.Conn); ok && instant {
		if raw, err := own.SyscallConn(); err == nil {
			s.raw = raw
		}
	}
	return s
}

// Write writes all of b, and waits for its turn and for the peer. Any goroutine.
func (s *socket) Write(b []byte) (int, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.rest(b)
}

// rest writes what is left. The turn is the caller's.
func (s *socket) rest(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		if err = s.Conn.SetWriteDeadline(time.Now().Add(s.wait)); err == nil {
			m, err = s.Conn.Write(b[n:min(n+chunk, len(b))])
			n += m
		}
	}
	return n, errors.Join(err, s.Conn.SetWriteDeadline(time.Time{})) // one that has passed would fail the next attempt
}

// finish ends a write that an attempt has begun.
func (s *socket) finish(b []byte) error {
	defer s.turn.Unlock()
	_, err := s.rest(b)
	return err
}

// SetWriteDeadline does nothing: each write has its own.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// CloseWrite says that nothing more will be sent.
func (s *socket) CloseWrite() error {
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// attempt writes as much as a socket takes at once. It is one goroutine's, and used again.
type attempt struct {
	b   []byte
	n   int
	err error
	try func(fd uintptr) bool
}

func newAttempt() *attempt {
	a := &attempt{}
	a.try = func(fd uintptr) bool {
		a.n, a.err = writeAtOnce(fd, a.b)
		return true // it is not waited for
	}
	return a
}

// write returns what is left. When something is, the caller has the turn and ends it with finish. ok is false when it was
// not the time for an attempt, and nothing is written.
func (a *attempt) write(s *socket, b []byte) (left []byte, ok bool, err error) {
	if s.raw == nil || !s.turn.TryLock() {
		return b, false, nil
	}
	a.b = b
	err = s.raw.Write(a.try)
	a.b = nil
	if err == nil {
		err = a.err
	}
	if err != nil || a.n == len(b) {
		s.turn.Unlock()
		return nil, true, err
	}
	return b[a.n:], true, nil
}

// taker lets the upgrade take the connection as a socket.
type taker struct {
	http.ResponseWriter

	wait time.Duration
}

// Hijack implements http.Hijacker.
func (t taker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	n, rw, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return newSocket(n, t.wait), rw, nil
}
