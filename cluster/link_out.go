package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const linkTimeout = 5 * time.Second // for each read and write on a link

// keep holds the connection to one node until it has left or this node stops.
func (l *links) keep(p *peer, stop <-chan struct{}) {
	pause := l.n.opt.pace.beat / 10
	for {
		started := time.Now()
		err := l.connect(p, stop)
		select {
		case <-stop:
			return
		case <-p.stop:
			return
		default:
		}
		if time.Since(started) > linkTimeout {
			pause = l.n.opt.pace.beat / 10
		}
		l.n.opt.Logger.Debug("link ended", "node", p.name, "error", err)
		wait := time.After(pause/2 + rand.N(pause)) //nolint:gosec // spreads attempts
		pause = min(2*pause, l.n.opt.pace.retry)
		for waiting := true; waiting; {
			select {
			case <-wait:
				waiting = false
			case a := <-p.asks:
				a.done <- &unreachableError{p.name, err}
			case <-p.beat:
			case <-stop:
				return
			case <-p.stop:
				return
			}
		}
	}
}

// open connects and introduces this node.
func (l *links) open(p *peer, stop <-chan struct{}) (*trackedConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), linkTimeout)
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	c, err := l.n.mux.dial(ctx, p.name, prefaceLink)
	if err != nil {
		l.n.book.doubt(p.name)
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = c.raw.Close() })()
	w, err := introduce(c, &linkHello{Cluster: l.n.mux.cluster, From: l.n.id, To: p.name})
	if err == nil && w.Refused != "" {
		err = fmt.Errorf("refused: %s", w.Refused)
		l.refused(p, w.Refused)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	l.refused(p, "")
	return c, nil
}

// refused notes and logs, once, that another node does not want to talk to this one.
func (l *links) refused(p *peer, why string) {
	l.mu.Lock()
	news := p.refused != why
	p.refused = why
	l.mu.Unlock()
	if news && why != "" {
		l.n.opt.Logger.Warn("another node refuses this one", "node", p.name, "reason", why)
	}
}

// introduce says hello and reads the answer.
func introduce(c *trackedConn, h *linkHello) (*linkWelcome, error) {
	if err := writeMessage(c, &message{Hello: h}); err != nil {
		return nil, err
	}
	m, err := readMessage(c)
	if err != nil {
		return nil, err
	}
	if m == nil || m.Welcome == nil {
		return nil, errMessage
	}
	return m.Welcome, nil
}

// connect opens one connection and serves it until it breaks.
func (l *links) connect(p *peer, stop <-chan struct{}) error {
	c, err := l.open(p, stop)
	if err != nil {
		return err
	}
	answers, broken, over := make(chan *answer, 16), make(chan error, 1), make(chan struct{})
	defer close(over)
	l.n.workers.Go(func() { broken <- readAnswers(c, answers, over) })
	err = l.send(p, c, answers, broken, stop)
	_ = c.Close()
	return err
}

// readAnswers ends when the connection does, or when nothing has come for long.
func readAnswers(c *trackedConn, to chan<- *answer, over <-chan struct{}) error {
	for {
		_ = c.SetReadDeadline(time.Now().Add(linkTimeout))
		m, err := readMessage(c)
		if err != nil {
			return err
		}
		if m == nil || m.Answer == nil {
			continue
		}
		select {
		case to <- m.Answer:
		case <-over:
			return ErrClosed
		}
	}
}

// send writes frames and asks, and hands answers to those who wait for them.
func (l *links) send(p *peer, c *trackedConn, answers <-chan *answer, broken <-chan error, stop <-chan struct{}) (err error) {
	waiting := make(map[uint64]*pending)
	defer func() {
		for _, a := range waiting {
			a.done <- fmt.Errorf("cluster: node %s was lost while it was asked: %w", p.name, err)
		}
	}()
	var id uint64
	told := false
	var toldVersion uint64
	write := func(b []byte) error {
		_ = c.SetWriteDeadline(time.Now().Add(linkTimeout))
		_, err := c.Write(b)
		return err
	}
	for {
		if nodes, gone, version := l.n.book.all(); !told || version != toldVersion {
			b, err := encodeMessage(&message{Gossip: &gossip{nodes, gone}})
			if err != nil {
				return err
			}
			if err := write(b); err != nil {
				return err
			}
			told, toldVersion = true, version
		}
		if b := l.current.Load(); b != nil {
			if err := write(*b); err != nil {
				return err
			}
		}
	listen:
		for {
			select {
			case <-p.beat:
				break listen
			case a := <-p.asks:
				id++
				a.ask.ID = id
				waiting[id] = a
				b, err := encodeMessage(&message{Ask: &a.ask})
				if err != nil {
					return err
				}
				if err := write(b); err != nil {
					return err
				}
			case got := <-answers:
				if a := waiting[got.ID]; a != nil {
					delete(waiting, got.ID)
					a.done <- got.err()
				}
			case err := <-broken:
				return err
			case <-p.stop:
				return errors.New("the node has left")
			case <-stop:
				return ErrClosed
			}
		}
	}
}
