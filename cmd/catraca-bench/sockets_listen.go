package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// dialect is what listeners have to know of a server: how one comes in, and what its frames mean. Texts are JSON, one to a
// line.
type dialect struct {
	request func(i int) string // handshake of the i-th socket, to its empty line
	hello   func(i int) string // first text, once the socket is open
	answers string             // what the text has in it that answers it
	more    string             // text that asks for what is pushed; empty: it comes anyway
	pushed  string             // what a text has in it that is pushed
	ping    string             // text that has to be answered by itself; empty: pings are frames
}

// listeners are very many sockets that do nothing but listen, made as lean as they can be: a goroutine and half a kilobyte
// each. They are the same for every server.
type listeners struct {
	d       dialect
	address string
	conns   []net.Conn

	frames, bytes atomic.Int64 // that have come
	pushes, wants atomic.Int64 // texts pushed so far, and how many are waited for
	reached       chan time.Time
	lost          chan error // of the first that was lost
	closing       atomic.Bool
	readers       sync.WaitGroup
}

// dialLanes is how many sockets are opened at a time.
const dialLanes = 64

// dialWait bounds the opening of one socket.
const dialWait = 30 * time.Second

// gather opens n sockets, each of which has been answered when it returns.
func gather(ctx context.Context, d dialect, address string, n int) (*listeners, error) {
	c := &listeners{d: d, address: address, conns: make([]net.Conn, n), reached: make(chan time.Time, 1), lost: make(chan error, 1)}
	var next atomic.Int64
	var lanes sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for range dialLanes {
		lanes.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := c.enter(ctx, i); err != nil {
					cancel(fmt.Errorf("open socket %d of %d: %w", i+1, n, err))
				}
			}
		})
	}
	lanes.Wait()
	if err := context.Cause(ctx); err != nil {
		c.leave()
		return nil, err
	}
	return c, nil
}

// enter opens one socket and waits for its answer.
func (c *listeners) enter(ctx context.Context, i int) error {
	conn, err := (&net.Dialer{Timeout: dialWait}).DialContext(ctx, "tcp", c.address)
	if err != nil {
		return err
	}
	c.conns[i] = conn
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // ten thousand ports are free again at once
	}
	if err := conn.SetDeadline(time.Now().Add(dialWait)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, c.d.request(i)); err != nil {
		return err
	}
	s := &rawSocket{conn: conn, in: bufio.NewReaderSize(conn, 512)}
	if err := s.upgraded(); err != nil {
		return err
	}
	if err := s.say(c.d.hello(i)); err != nil {
		return err
	}
	for answered := false; !answered; {
		kind, text, err := s.next()
		if err != nil {
			return fmt.Errorf("wait for the answer: %w", err)
		}
		answered = kind == textFrame && bytes.Contains(text, []byte(c.d.answers))
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	c.readers.Go(func() { c.listen(s) })
	return nil
}

// listen reads until the socket is closed.
func (c *listeners) listen(s *rawSocket) {
	for {
		kind, text, err := s.next()
		if err == nil {
			err = c.heard(s, kind, text)
		}
		if err != nil {
			if !c.closing.Load() {
				select {
				case c.lost <- err:
				default: // one says enough
				}
			}
			return
		}
	}
}

// heard acts on one frame.
func (c *listeners) heard(s *rawSocket, kind byte, text []byte) error {
	switch kind {
	case pingFrame:
		return s.write(pongFrame, text)
	case closeFrame:
		return fmt.Errorf("the server has closed a socket: %.120q", text)
	case textFrame:
	default:
		return nil
	}
	c.frames.Add(1)
	c.bytes.Add(int64(len(text)))
	for line := range bytes.SplitSeq(text, []byte{'\n'}) {
		switch {
		case bytes.Contains(line, []byte(c.d.pushed)):
			if c.pushes.Add(1) == c.wants.Load() {
				c.reached <- time.Now()
			}
		case c.d.ping != "" && string(line) == c.d.ping:
			if err := s.write(textFrame, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// push lets something be pushed to all and returns how long it took until the last one had it. It is not to be called
// again before it has returned.
func (c *listeners) push(ctx context.Context, within time.Duration, do func() error) (time.Duration, error) {
	before := c.pushes.Load()
	c.wants.Store(before + int64(len(c.conns)))
	began := time.Now()
	if err := do(); err != nil {
		return 0, err
	}
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case at := <-c.reached:
		return at.Sub(began), nil
	case err := <-c.lost:
		return 0, err
	case <-late.C:
		return 0, &unreachedError{int(c.pushes.Load() - before), len(c.conns)}
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// unreachedError means that not everybody heard of what was pushed.
type unreachedError struct{ got, of int }

func (e *unreachedError) Error() string {
	return fmt.Sprintf("what was pushed has reached %d of %d sockets", e.got, e.of)
}

// ask sends a text from every socket.
func (c *listeners) ask(text string) error {
	for _, conn := range c.conns {
		if err := (&rawSocket{conn: conn}).say(text); err != nil {
			return err
		}
	}
	return nil
}

// whole says whether every socket is still open.
func (c *listeners) whole() error {
	select {
	case err := <-c.lost:
		return fmt.Errorf("a socket was lost: %w", err)
	default:
		return nil
	}
}

// leave closes everything.
func (c *listeners) leave() {
	c.closing.Store(true)
	for _, conn := range c.conns {
		if conn != nil {
			_ = conn.Close() // the server may have done it
		}
	}
	c.readers.Wait()
}

// Kinds of frames.
const (
	textFrame  = 1
	closeFrame = 8
	pingFrame  = 9
	pongFrame  = 10
)

// maxText bounds one message.
const maxText = 64 << 10

var errFrame = errors.New("the server's frame cannot be read")

// rawSocket is the client's end of a live socket.
type rawSocket struct {
	conn net.Conn
	in   *bufio.Reader
	part []byte // of a message that comes in several frames; nil: none
}

// upgraded reads the answer to the handshake.
func (s *rawSocket) upgraded() error {
	status, err := s.in.ReadString('\n')
	if err != nil {
		return fmt.Errorf("read the handshake's answer: %w", err)
	}
	if !strings.HasPrefix(status, "HTTP/1.1 101 ") {
		return fmt.Errorf("the handshake was answered %.80q", status)
	}
	for range 100 {
		line, err := s.in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("read the handshake's answer: %w", err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return nil
		}
	}
	return errors.New("the handshake's answer does not end")
}

// next reads the next message or control frame. What it returns is good until it is called again.
func (s *rawSocket) next() (kind byte, data []byte, err error) {
	for {
		head, err := s.in.Peek(2)
		if err != nil {
			return 0, nil, err
		}
		kind, last, size, skip := head[0]&15, head[0]&0x80 != 0, int(head[1]), 2
		switch {
		case head[0]&0x70 != 0 || size > 127: // compressed, or masked
			return 0, nil, errFrame
		case size == 126:
			skip = 4
		case size == 127:
			skip = 10
		}
		if head, err = s.in.Peek(skip); err != nil {
			return 0, nil, err
		}
		switch skip {
		case 4:
			size = int(binary.BigEndian.Uint16(head[2:]))
		case 10:
			size = int(min(binary.BigEndian.Uint64(head[2:]), maxText+1))
		}
		if size > maxText {
			return 0, nil, errFrame
		}
		if _, err := s.in.Discard(skip); err != nil {
			return 0, nil, err
		}
		data, err := s.payload(size)
		switch {
		case err != nil:
			return 0, nil, err
		case kind > 7:
			return kind, data, nil
		case last && s.part == nil && kind != 0:
			return kind, data, nil
		}
		whole, done, err := s.join(kind, data, last)
		if err != nil {
			return 0, nil, err
		}
		if done {
			return textFrame, whole, nil
		}
	}
}

// payload takes so many bytes, out of the buffer if they fit.
func (s *rawSocket) payload(size int) ([]byte, error) {
	if size > s.in.Size() {
		b := make([]byte, size)
		_, err := io.ReadFull(s.in, b)
		return b, err
	}
	b, err := s.in.Peek(size)
	if err == nil {
		_, err = s.in.Discard(size)
	}
	return b, err
}

// join adds a piece to the message that is being read.
func (s *rawSocket) join(kind byte, data []byte, last bool) (whole []byte, done bool, err error) {
	if (kind == 0) != (s.part != nil) || len(s.part)+len(data) > maxText {
		return nil, false, errFrame
	}
	s.part = append(append(make([]byte, 0, len(s.part)+len(data)+1), s.part...), data...)
	if !last {
		return nil, false, nil
	}
	whole, s.part = s.part, nil
	return whole, true, nil
}

func (s *rawSocket) say(text string) error { return s.write(textFrame, []byte(text)) }

// write sends one frame, under a mask of zeros.
func (s *rawSocket) write(kind byte, data []byte) error {
	b := make([]byte, 0, 8+len(data))
	switch {
	case len(data) < 126:
		b = append(b, 0x80|kind, 0x80|byte(len(data)))
	case len(data) <= maxText:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|kind, 0x80|126), uint16(min(len(data), maxText-1)))
	}
	b = append(b, 0, 0, 0, 0)
	_, err := s.conn.Write(append(b, data...))
	return err
}
