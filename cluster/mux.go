package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

const (
	helloTimeout = 5 * time.Second // for the handshake and the greeting
	maxHellos    = 128             // connections that have not said whose they are
	maxJoins     = 8               // newcomers talked to at once
)

// mux shares one TCP listener between the groups of a node, the links, actors and newcomers. Every connection is
// known, so that closing leaves none behind: raft does not set a deadline while it reads a snapshot.
type mux struct {
	ln      net.Listener
	tls     *tls.Config // nil: plain
	log     *slog.Logger
	me      string // server id
	cluster string
	book    *book
	layers  []*layer // of the groups, and behind them that of the pulse
	hellos  chan struct{}
	joins   chan struct{}
	splices chan struct{}

	// welcome says whether a server id may talk to this node. link serves the link of a peer, or of a newcomer that
	// only asks. Both are set before serve.
	welcome func(id string) error
	link    func(c *trackedConn)
	actors  atomic.Pointer[string]
	join    atomic.Pointer[func(net.Conn)]

	refused lastSaid

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

func newMux(ln net.Listener, o *Options, me, cluster string, book *book) *mux {
	m := &mux{ln: ln, log: o.Logger, me: me, cluster: cluster, book: book,
		hellos: make(chan struct{}, maxHellos), joins: make(chan struct{}, maxJoins), splices: make(chan struct{}, maxSplices),
		welcome: func(string) error { return nil }, link: func(c *trackedConn) { _ = c.Close() },
		conns: make(map[*trackedConn]struct{}), done: make(chan struct{})}
	m.tls = nodeTLS(o)
	for i := range o.Shards + 1 {
		m.layers = append(m.layers, &layer{m: m, group: uint32(i), accept: make(chan net.Conn), done: make(chan struct{})})
	}
	return m
}

func nodeTLS(o *Options) *tls.Config {
	if o.TLS == nil {
		return nil
	}
	conf := o.TLS.Clone()
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS13)
	return conf
}

// start begins to accept. Until then what connects waits in the kernel.
func (m *mux) start() { m.wg.Go(m.serve) }

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
				m.route(c, sync.OnceFunc(func() { <-m.hellos }))
			})
		default:
			_ = c.Close()
		}
	}
}

// route learns what an accepted connection is for and hands it over. greeted must be called as soon as it has said so.
func (m *mux) route(raw net.Conn, greeted func()) {
	defer greeted()
	c := m.track(raw, 0)
	if c == nil {
		return
	}
	_ = c.SetDeadline(time.Now().Add(helloTimeout))
	var preface [1]byte
	if _, err := io.ReadFull(raw, preface[:]); err != nil {
		_ = c.Close()
		return
	}
	m.name(c, preface[0])
	switch preface[0] {
	case prefaceRaft:
		m.routeRaft(c)
	case prefaceLink:
		if m.secure(c) {
			greeted()
			m.link(c)
		}
	case prefaceActors:
		_ = c.SetDeadline(time.Time{})
		greeted()
		m.routeActors(c)
	case prefaceJoin:
		greeted()
		m.routeJoin(c)
	default:
		_ = c.Close()
	}
}

func (m *mux) name(c *trackedConn, kind byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.kind = kind
}

// secure does the handshake of the accepting side; when it fails the connection is closed.
func (m *mux) secure(c *trackedConn) bool {
	if m.tls == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), helloTimeout)
	defer cancel()
	t := tls.Server(c.raw, m.tls)
	if err := t.HandshakeContext(ctx); err != nil {
		m.log.Warn("cluster handshake failed", "remote", c.raw.RemoteAddr().String(), "error", err)
		_ = c.Close()
		return false
	}
	c.Conn = t
	return true
}

func (m *mux) routeRaft(c *trackedConn) {
	if !m.secure(c) {
		return
	}
	h, err := readGreeting(c)
	if err != nil {
		_ = c.Close()
		return
	}
	if err := m.check(c, h); err != nil {
		if m.refused.worth(h.from + ": " + err.Error()) { // whoever is refused tries again and again
			m.log.Warn("cluster connection refused", "remote", c.raw.RemoteAddr().String(), "from", h.from, "error", err)
		}
		_ = c.Close()
		return
	}
	_ = c.SetDeadline(time.Time{})
	l := m.layers[h.group]
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

func (m *mux) check(c *trackedConn, h greeting) error {
	switch {
	case h.group >= uint32(len(m.layers)):
		return fmt.Errorf("shard %d does not exist", h.group)
	case h.cluster != m.cluster:
		return fmt.Errorf("is of cluster %q", h.cluster)
	case h.to != m.me:
		return fmt.Errorf("is meant for %q", h.to)
	}
	if err := proves(c.Conn, nameOf(h.from)); err != nil {
		return err
	}
	return m.welcome(h.from)
}

func (m *mux) routeJoin(c *trackedConn) {
	f := m.join.Load()
	if f == nil {
		_ = c.Close()
		return
	}
	select {
	case m.joins <- struct{}{}:
	default:
		_ = c.Close()
		return
	}
	defer func() { <-m.joins }()
	_ = c.SetDeadline(time.Time{})
	(*f)(c)
}

// track returns nil, and closes raw, when the mux is closed.
func (m *mux) track(raw net.Conn, kind byte) *trackedConn {
	c := &trackedConn{Conn: raw, raw: raw, m: m, kind: kind}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		_ = raw.Close()
		return nil
	}
	m.conns[c] = struct{}{}
	return c
}

// cutLinks closes what is not raft's, so that those who serve it come back.
func (m *mux) cutLinks() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c := range m.conns {
		if c.kind != prefaceRaft {
			_ = c.raw.Close()
		}
	}
}

// Close stops listening, closes every connection and waits for the goroutines.
func (m *mux) Close() {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		close(m.done)
		if m.ln != nil {
			_ = m.ln.Close()
		}
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

	raw  net.Conn
	m    *mux
	kind byte // its preface
}

// Close implements net.Conn.
func (c *trackedConn) Close() error {
	c.m.mu.Lock()
	delete(c.m.conns, c)
	c.m.mu.Unlock()
	return c.Conn.Close()
}

// dial connects to a node by name and says what for.
func (m *mux) dial(ctx context.Context, name string, preface byte) (*trackedConn, error) {
	address, err := m.book.address(name)
	if err != nil {
		return nil, err
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", name, err)
	}
	c := m.track(raw, preface)
	if c == nil {
		return nil, fmt.Errorf("dial %s: %w", name, net.ErrClosed)
	}
	if err := greet(ctx, c, m.tls, name, preface); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("dial %s: %w", name, err)
	}
	return c, nil
}

// greet writes the preface, does the handshake where there is one, and leaves the deadline of ctx.
func greet(ctx context.Context, c *trackedConn, conf *tls.Config, name string, preface byte) error {
	deadline, _ := ctx.Deadline()
	_ = c.SetDeadline(deadline)
	if _, err := c.raw.Write([]byte{preface}); err != nil {
		return err
	}
	if conf == nil || preface == prefaceActors {
		return nil
	}
	conf = conf.Clone()
	conf.ServerName = name // the certificate must be of the node that is meant, wherever it is
	t := tls.Client(c.raw, conf)
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	c.Conn = t
	return nil
}

// layer is one group's share of the mux. What raft takes for addresses here are server ids.
type layer struct {
	m      *mux
	group  uint32
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

// Addr is this node's server id.
func (l *layer) Addr() net.Addr { return address(l.m.me) }

// Dial connects to the same group on the node with that server id.
func (l *layer) Dial(to raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), min(timeout, helloTimeout))
	defer cancel()
	c, err := l.m.dial(ctx, nameOf(string(to)), prefaceRaft)
	if err != nil {
		return nil, err
	}
	h := greeting{group: l.group, cluster: l.m.cluster, to: string(to), from: l.m.me}
	if _, err := c.Write(h.encode()); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("greet %s: %w", to, err)
	}
	return c, c.SetDeadline(time.Time{})
}

// address is a net.Addr that is told, not found out.
type address string

// Network implements net.Addr.
func (a address) Network() string { return "tcp" }

// String implements net.Addr.
func (a address) String() string { return string(a) }
