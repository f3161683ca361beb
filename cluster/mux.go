package cluster

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

const (
	helloTimeout = 5 * time.Second // for the handshake and the group's number
	maxHellos    = 128             // connections that have not said whose they are
)

// mux shares one TCP listener between the groups of a node. A connection begins with the number of its group, four
// bytes, big endian. Every connection is known, so that closing leaves none behind: raft does not set a deadline
// while it reads a snapshot.
type mux struct {
	ln     net.Listener
	tls    *tls.Config // nil: plain
	log    *slog.Logger
	layers []*layer
	hellos chan struct{}

	mu     sync.Mutex
	conns  map[*trackedConn]struct{}
	closed bool
	done   chan struct{}
	wg     sync.WaitGroup
}

// listen opens the listener, or takes the one given, and refuses to be reachable from elsewhere without TLS.
func listen(o *Options) (net.Listener, error) {
	ln := o.Listener
	if ln == nil {
		var err error
		if ln, err = new(net.ListenConfig).Listen(context.Background(), "tcp", o.Listen); err != nil {
			return nil, fmt.Errorf("cluster: listen: %w", err)
		}
	}
	addr, ok := ln.Addr().(*net.TCPAddr)
	if o.TLS == nil && (!ok || !addr.IP.IsLoopback()) {
		_ = ln.Close()
		return nil, fmt.Errorf("cluster: listen on %s: only a loopback address may be used without tls", ln.Addr())
	}
	return ln, nil
}

func newMux(ln net.Listener, o *Options, advertise string) *mux {
	m := &mux{ln: ln, log: o.Logger, hellos: make(chan struct{}, maxHellos),
		conns: make(map[*trackedConn]struct{}), done: make(chan struct{})}
	if o.TLS != nil {
		m.tls = o.TLS.Clone()
		m.tls.MinVersion = max(m.tls.MinVersion, tls.VersionTLS13)
	}
	for i := range o.Shards {
		m.layers = append(m.layers, &layer{m: m, group: uint32(i), addr: address(advertise),
			accept: make(chan net.Conn), done: make(chan struct{})})
	}
	m.wg.Go(m.serve)
	return m
}

func (m *mux) serve() {
	pause := 5 * time.Millisecond
	for {
		c, err := m.ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			m.log.Warn("cluster accept failed", "error", err)
			select {
			case <-m.done:
				return
			case <-time.After(pause): // out of file descriptors, most likely
			}
			pause = min(2*pause, time.Second)
			continue
		}
		pause = 5 * time.Millisecond
		select {
		case m.hellos <- struct{}{}:
			m.wg.Go(func() {
				defer func() { <-m.hellos }()
				m.route(c)
			})
		default:
			_ = c.Close()
		}
	}
}

// route learns which group an accepted connection is for and hands it over.
func (m *mux) route(raw net.Conn) {
	c := m.track(raw)
	if c == nil {
		return
	}
	_ = c.SetDeadline(time.Now().Add(helloTimeout))
	if m.tls != nil {
		ctx, cancel := context.WithTimeout(context.Background(), helloTimeout)
		defer cancel()
		t := tls.Server(raw, m.tls)
		if err := t.HandshakeContext(ctx); err != nil {
			m.log.Warn("cluster handshake failed", "remote", raw.RemoteAddr().String(), "error", err)
			_ = c.Close()
			return
		}
		c.Conn = t
	}
	var hello [4]byte
	if _, err := io.ReadFull(c, hello[:]); err != nil {
		_ = c.Close()
		return
	}
	group := binary.BigEndian.Uint32(hello[:])
	if group >= uint32(len(m.layers)) {
		m.log.Warn("cluster connection for unknown shard", "remote", raw.RemoteAddr().String(), "shard", group)
		_ = c.Close()
		return
	}
	_ = c.SetDeadline(time.Time{})
	l := m.layers[group]
	select {
	case l.accept <- c:
	case <-l.done:
		_ = c.Close()
	case <-m.done:
		_ = c.Close()
	case <-time.After(helloTimeout):
		_ = c.Close()
	}
}

// track returns nil, and closes raw, when the mux is closed.
func (m *mux) track(raw net.Conn) *trackedConn {
	c := &trackedConn{Conn: raw, raw: raw, m: m}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		_ = raw.Close()
		return nil
	}
	m.conns[c] = struct{}{}
	return c
}

// Close stops listening, closes every connection and waits for the goroutines.
func (m *mux) Close() {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		close(m.done)
		_ = m.ln.Close()
		for c := range m.conns {
			_ = c.raw.Close()
		}
		clear(m.conns)
	}
	m.mu.Unlock()
	m.wg.Wait()
}

// trackedConn is known to its mux until it is closed.
type trackedConn struct {
	net.Conn // raw, or TLS over it

	raw net.Conn
	m   *mux
}

// Close implements net.Conn.
func (c *trackedConn) Close() error {
	c.m.mu.Lock()
	delete(c.m.conns, c)
	c.m.mu.Unlock()
	return c.Conn.Close()
}

// layer is one group's share of the mux.
type layer struct {
	m      *mux
	group  uint32
	addr   address
	accept chan net.Conn
	done   chan struct{}
	once   sync.Once
}

var _ raft.StreamLayer = (*layer)(nil)

// Accept implements net.Listener.
func (l *layer) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept; the shared listener stays open.
func (l *layer) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr is where other nodes reach this one.
func (l *layer) Addr() net.Addr { return l.addr }

// Dial connects to the same group on another node.
func (l *layer) Dial(to raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), min(timeout, helloTimeout))
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", string(to))
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	c := l.m.track(raw)
	if c == nil {
		return nil, fmt.Errorf("dial: %w", net.ErrClosed)
	}
	if err := l.greet(ctx, c, string(to)); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("dial %s: %w", to, err)
	}
	return c, nil
}

func (l *layer) greet(ctx context.Context, c *trackedConn, to string) error {
	deadline, _ := ctx.Deadline()
	_ = c.SetDeadline(deadline)
	if l.m.tls != nil {
		conf := l.m.tls.Clone()
		if conf.ServerName == "" {
			host, _, err := net.SplitHostPort(to)
			if err != nil {
				return err
			}
			conf.ServerName = host
		}
		t := tls.Client(c.raw, conf)
		if err := t.HandshakeContext(ctx); err != nil {
			return err
		}
		c.Conn = t
	}
	var hello [4]byte
	binary.BigEndian.PutUint32(hello[:], l.group)
	if _, err := c.Write(hello[:]); err != nil {
		return err
	}
	return c.SetDeadline(time.Time{})
}

// address is a net.Addr that is told, not found out.
type address string

// Network implements net.Addr.
func (a address) Network() string { return "tcp" }

// String implements net.Addr.
func (a address) String() string { return string(a) }
