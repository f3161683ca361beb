package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// maxSplices connections of actors are passed on at once. Each pair of nodes needs one or two.
const maxSplices = 256

// DialActors connects to the listener that the named node gave to ServeActors. What goes over the connection is the
// caller's, also its encryption.
func (n *Node) DialActors(ctx context.Context, name string) (net.Conn, error) {
	if n.closed.Load() {
		return nil, ErrClosed
	}
	if name == n.opt.NodeID {
		to := n.mux.actors.Load()
		if to == nil || *to == "" {
			return nil, errors.New("cluster: no actors are served here")
		}
		c, err := new(net.Dialer).DialContext(ctx, "tcp", *to)
		if err != nil {
			return nil, fmt.Errorf("cluster: dial actors: %w", err)
		}
		return c, nil
	}
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	c, err := n.mux.dial(ctx, name, prefaceActors)
	if err != nil {
		return nil, fmt.Errorf("cluster: dial actors: %w", err)
	}
	return c, c.SetDeadline(time.Time{})
}

// ServeActors says where connections of other nodes' DialActors go: a loopback address of this machine. Before it is
// called, and with an empty address, they are closed.
func (n *Node) ServeActors(address string) { n.mux.actors.Store(&address) }

// HandleJoin takes the connections of machines that want to join, before any handshake; f owns the connection and must
// bound how long it takes. nil refuses them. Closing the node closes them.
func (n *Node) HandleJoin(f func(net.Conn)) {
	if f == nil {
		n.mux.join.Store(nil)
		return
	}
	n.mux.join.Store(&f)
}

// routeActors connects c with the listener of the actors here and stays until one side has closed.
func (m *mux) routeActors(c *trackedConn) {
	defer func() { _ = c.Close() }()
	select {
	case m.splices <- struct{}{}:
		defer func() { <-m.splices }()
	default:
		m.log.Warn("too many connections of actors", "limit", maxSplices)
		return
	}
	to := m.actors.Load()
	if to == nil || *to == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), helloTimeout)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", *to)
	if err != nil {
		m.log.Warn("actors not reached", "error", err)
		return
	}
	inner := m.track(raw, prefaceActors)
	if inner == nil {
		return
	}
	defer func() { _ = inner.Close() }()
	splice(c.raw, inner.raw)
}

// splice passes bytes both ways until both ends are through. Between two TCP connections the kernel does it.
func splice(a, b net.Conn) {
	var wg sync.WaitGroup
	pass := func(to, from net.Conn) {
		_, err := io.Copy(to, from)
		if t, ok := to.(*net.TCPConn); ok && err == nil {
			_ = t.CloseWrite() // the other way may still have something to say
			return
		}
		_, _ = to.Close(), from.Close()
	}
	wg.Go(func() { pass(a, b) })
	wg.Go(func() { pass(b, a) })
	wg.Wait()
}
