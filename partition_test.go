package catraca

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// traffic is what happens to the bytes of one direction of a wire.
type traffic int

const (
	flows   traffic = iota
	dropped         // swallowed; the connection hangs, and is cut when the cable heals, as TCP would give it up
	stalled         // kept back, and delivered when the cable heals, as TCP would send them again
	refused         // connections are reset, old and new ones
)

// cable carries the connections that one node opens to another one, through a listener of its own. What happens to the
// bytes can be changed while it runs, at once for the connections there are.
type cable struct {
	listener net.Listener
	target   string
	done     sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed when anything below changes
	how     [2]traffic    // by direction
	delay   time.Duration // of every piece, in either direction
	open    map[*splice]struct{}
	closed  bool
	carried int64 // bytes delivered
	lost    int64 // bytes swallowed
}

// The directions: forth is the opener's.
const (
	forth = iota
	back
)

// splice is one connection through a wire.
type splice struct {
	near, far net.Conn // far is nil until it is dialled; guarded by the cable's mu
	spoiled   [2]bool  // bytes of the direction were swallowed
}

// newCable listens on a loopback port and carries everything to target.
func newCable(target string) (*cable, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &cable{listener: l, target: target, changed: make(chan struct{}), open: make(map[*splice]struct{})}
	w.done.Go(w.accept)
	return w, nil
}

// address is what the opener dials.
func (w *cable) address() string { return w.listener.Addr().String() }

// set changes what happens to the bytes. A connection of which bytes were swallowed is cut when their direction is
// not dropped any more, and every one at once when either direction is refused.
func (w *cable) set(there, here traffic, delay time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.how, w.delay = [2]traffic{there, here}, delay
	close(w.changed)
	w.changed = make(chan struct{})
	for s := range w.open {
		if w.refuses() || s.spoiled[forth] && there != dropped || s.spoiled[back] && here != dropped {
			s.reset()
		}
	}
}

// refuses is called with mu held.
func (w *cable) refuses() bool { return w.closed || w.how[forth] == refused || w.how[back] == refused }

// reset cuts a connection the hard way. The wire's mu is held.
func (s *splice) reset() {
	for _, c := range []net.Conn{s.near, s.far} {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset instead of a farewell
			_ = tcp.Close()
		}
	}
}

// close ends the listener and every connection, and waits for all goroutines.
func (w *cable) close() {
	w.mu.Lock()
	w.closed = true
	close(w.changed)
	w.changed = make(chan struct{})
	for s := range w.open {
		s.reset()
	}
	w.mu.Unlock()
	_ = w.listener.Close()
	w.done.Wait()
}

func (w *cable) accept() {
	for {
		c, err := w.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // out of descriptors, for a moment
			continue
		}
		s := &splice{near: c}
		w.mu.Lock()
		w.open[s] = struct{}{}
		if w.refuses() {
			s.reset()
		}
		w.mu.Unlock()
		w.done.Go(func() { w.carry(s) })
	}
}

// carry dials the other side and copies both ways until either side ends.
func (w *cable) carry(s *splice) {
	defer func() {
		w.mu.Lock()
		delete(w.open, s)
		s.reset()
		w.mu.Unlock()
	}()
	// A connection cannot even be opened while the opener's packets do not arrive: the far side hears nothing of it.
	if !w.admit(s) {
		return
	}
	far, err := net.DialTimeout("tcp", w.target, 2*time.Second)
	if err != nil {
		return
	}
	w.mu.Lock()
	s.far = far
	if w.refuses() {
		s.reset()
	}
	w.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { w.copy(s, far, s.near, forth) })
	both.Go(func() { w.copy(s, s.near, far, back) })
	both.Wait()
}

// admit waits until the opener's packets may go forth. One that tried while they were dropped is cut when it heals.
func (w *cable) admit(s *splice) bool {
	for {
		w.mu.Lock()
		how, closed, changed := w.how[forth], w.closed, w.changed
		s.spoiled[forth] = s.spoiled[forth] || how == dropped
		spoiled := s.spoiled[forth]
		w.mu.Unlock()
		switch {
		case closed || how == refused:
			return false
		case how == flows:
			return !spoiled
		}
		<-changed
	}
}

// copy moves bytes in one direction. It is polite about the end: what was written before is delivered first.
func (w *cable) copy(s *splice, to, from net.Conn, way int) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !w.deliver(s, to, buf[:n], way) {
			return
		}
		if err != nil {
			w.end(s, to, err, way)
			return
		}
	}
}

// end passes on that one side has ended: after a clean end the other direction may go on.
func (w *cable) end(s *splice, to net.Conn, err error, way int) {
	if !w.pass(s, 0, way) {
		return // whoever is cut off does not hear of the end either, until the cable heals
	}
	if tcp, ok := to.(*net.TCPConn); ok && errors.Is(err, io.EOF) {
		_ = tcp.CloseWrite()
		return
	}
	w.mu.Lock()
	s.reset()
	w.mu.Unlock()
}

// deliver writes a piece as the cable's state wants it; false ends the direction.
func (w *cable) deliver(s *splice, to net.Conn, piece []byte, way int) bool {
	if !w.pass(s, len(piece), way) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return !w.closed && w.how[way] == dropped // go on swallowing
	}
	_, err := to.Write(piece)
	if err != nil {
		w.mu.Lock()
		s.reset()
		w.mu.Unlock()
	}
	return err == nil
}

// pass waits out the delay and what holds a piece of n bytes back, 0 for the end of the direction; true lets it
// through.
func (w *cable) pass(s *splice, n int, way int) bool {
	arrived := time.Now()
	for {
		w.mu.Lock()
		how, wait, closed, changed := w.how[way], w.delay-time.Since(arrived), w.closed, w.changed
		spoiled := s.spoiled[way]
		switch {
		case how == dropped && n > 0:
			s.spoiled[way] = true
			w.lost += int64(n)
		case how == flows && wait <= 0 && !spoiled:
			w.carried += int64(n)
		}
		w.mu.Unlock()
		switch {
		case closed || how == refused || how == dropped && n > 0 || how != dropped && spoiled:
			return false
		case how == flows && wait <= 0:
			return true
		case how == flows:
			select {
			case <-changed:
			case <-time.After(wait):
			}
		default:
			<-changed
		}
	}
}

// counts are the bytes delivered and swallowed so far, and the connections there are.
func (w *cable) counts() (carried, lost int64, open int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.carried, w.lost, len(w.open)
}

// echoServer answers every byte with itself until the test ends.
func echoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { _ = c.Close() })
			all.Go(func() {
				defer stop()
				_, _ = io.Copy(c, c) // until either side ends
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() { cancel(); _ = l.Close(); all.Wait() })
	return l.Addr().String()
}

// said sends text and reads as much back within a time.
func said(c net.Conn, text string, within time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	return heard(c, text, within)
}

func heard(c net.Conn, text string, within time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if !bytes.Equal(got, []byte(text)) {
		return errors.New("other bytes came back")
	}
	return nil
}

func TestCableCutsAndHeals(t *testing.T) {
	w, err := newCable(echoServer(t))
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", w.address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	const soon, silence = 5 * time.Second, 100 * time.Millisecond
	fine := func(c net.Conn) {
		t.Helper()
		if err := said(c, "hello", soon); err != nil {
			t.Fatalf("the cable is whole, but: %v", err)
		}
	}
	hangs := func(c net.Conn) {
		t.Helper()
		if err := said(c, "lost?", silence); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("the connection should hang: %v", err)
		}
	}
	cut := func(c net.Conn) {
		t.Helper()
		if err := said(c, "hello", soon); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("the connection should be cut: %v", err)
		}
	}
	old := dial()
	fine(old)
	for _, kind := range []struct {
		name        string
		forth, back traffic
	}{{"both", dropped, dropped}, {"forth", dropped, flows}, {"back", flows, dropped}} {
		w.set(kind.forth, kind.back, 0)
		fresh := dial()
		hangs(old)
		hangs(fresh)
		w.set(flows, flows, 0)
		cut(old)
		cut(fresh)
		old = dial()
		fine(old)
	}
	w.set(stalled, flows, 0)
	hangs(old)
	w.set(flows, flows, 0)
	if err := heard(old, "lost?", soon); err != nil {
		t.Fatalf("what was kept back did not come: %v", err)
	}
	fine(old)
	w.set(refused, refused, 0)
	cut(old)
	if c, err := net.Dial("tcp", w.address()); err == nil { // or it is reset before it is open
		cut(c)
		_ = c.Close()
	}
	w.set(flows, flows, 30*time.Millisecond)
	began := time.Now()
	fine(dial())
	if took := time.Since(began); took < 60*time.Millisecond {
		t.Errorf("there and back took %v, the cable delays 30 ms each way", took)
	}
	if carried, lost, _ := w.counts(); carried == 0 || lost == 0 {
		t.Errorf("%d bytes were delivered and %d swallowed", carried, lost)
	}
}

func TestCableEndsWithBothSides(t *testing.T) {
	w, err := newCable(echoServer(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", w.address())
	if err != nil {
		t.Fatal(err)
	}
	if err := said(c, "hello", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the farewell: %d bytes, %v", n, err)
	}
	_ = c.Close()
	stuck, err := net.Dial("tcp", w.address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stuck.Close() }()
	if err := said(stuck, "hello", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	w.set(stalled, stalled, 0)
	if _, err := io.WriteString(stuck, "kept"); err != nil {
		t.Fatal(err)
	}
	w.close() // does not wait for anybody
	if _, _, open := w.counts(); open != 0 {
		t.Errorf("%d connections are left", open)
	}
}
