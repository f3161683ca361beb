package cluster

import (
	"fmt"
	"sync"
	"time"
)

// accept serves one link of another node: it hears frames and answers asks.
func (l *links) accept(c *trackedConn) {
	defer func() { _ = c.Close() }()
	name, err := l.welcome(c)
	if err != nil {
		l.n.opt.Logger.Debug("link refused", "remote", c.raw.RemoteAddr().String(), "error", err)
		return
	}
	if name == "" {
		return // it only wanted to know
	}
	err = l.listen(c, name)
	l.n.opt.Logger.Debug("link of another node ended", "node", name, "error", err)
}

// welcome reads who it is and answers. An empty name belongs to a probe.
func (l *links) welcome(c *trackedConn) (name string, err error) {
	m, err := readMessage(c)
	if err != nil {
		return "", err
	}
	if m == nil || m.Hello == nil {
		return "", errMessage
	}
	h := m.Hello
	name = nameOf(h.From)
	if err := proves(c.Conn, name); err != nil {
		return "", err
	}
	w := &linkWelcome{Cluster: l.n.mux.cluster, Incarnation: l.n.newest(name)}
	if err = l.check(h); err != nil {
		w.Refused = err.Error()
	}
	if err := writeMessage(c, &message{Welcome: w}); err != nil {
		return "", err
	}
	if err != nil || h.Probe {
		return "", err
	}
	return name, nil
}

func (l *links) check(h *linkHello) error {
	switch name := nameOf(h.From); {
	case h.To != l.n.opt.NodeID:
		return fmt.Errorf("this is not %s", h.To)
	case h.Probe && name == l.n.opt.NodeID:
		return fmt.Errorf("%s is this node's own name", name)
	case h.Probe && l.n.book.isGone(name):
		return fmt.Errorf("%s has left the cluster for good", name)
	case h.Probe: // it does not know yet which cluster this is, nor who it is
		return nil
	case h.Cluster != l.n.mux.cluster:
		return fmt.Errorf("%s is of another cluster", h.From)
	}
	return l.n.welcome(h.From)
}

// listen hears frames and asks until the connection ends.
func (l *links) listen(c *trackedConn, name string) error {
	var writing sync.Mutex
	answering := make(chan struct{}, 16)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer func() { _ = c.Close() }() // before the wait: nobody hears the answers
	write := func(b []byte) error {
		writing.Lock()
		defer writing.Unlock()
		_ = c.SetWriteDeadline(time.Now().Add(linkTimeout))
		_, err := c.Write(b)
		return err
	}
	for {
		_ = c.SetReadDeadline(time.Now().Add(linkTimeout))
		m, err := readMessage(c)
		if err != nil {
			return err
		}
		switch {
		case m == nil:
			return errMessage
		case m.Frame != nil:
			if err = l.n.welcome(m.Frame.ServerID); err != nil {
				wg.Wait() // it may have asked to leave, and should hear that it has
				return err
			}
			if err = l.heard(name, m.Frame); err == nil {
				err = write(make([]byte, 4))
			}
		case m.Gossip != nil:
			err = l.gossip(m.Gossip)
		case m.Ask != nil:
			answering <- struct{}{}
			wg.Go(func() {
				defer func() { <-answering }()
				if b, err := encodeMessage(&message{Answer: l.n.answer(m.Ask)}); err == nil {
					_ = write(b) // else the asking node's deadline passes
				}
			})
		}
		if err != nil {
			return err
		}
	}
}

// gossip takes in what another node knows.
func (l *links) gossip(g *gossip) error {
	if len(g.Nodes) > maxBookNodes || len(g.Gone) > maxBookNodes {
		return fmt.Errorf("%w: %d nodes", errMessage, len(g.Nodes))
	}
	for _, name := range g.Gone {
		if name == l.n.opt.NodeID && !l.n.book.isGone(name) {
			l.n.opt.Logger.Warn("this node has been told to leave the cluster for good")
		}
	}
	if err := l.n.book.bury(g.Gone...); err != nil {
		l.n.opt.Logger.Warn("address book not written", "error", err)
	}
	l.n.book.learn(false, g.Nodes...)
	return nil
}
