package mail

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// idleTime is how long a connection is kept for the next message. Relays close theirs after a minute or more.
const idleTime = 20 * time.Second

// Mailer hands messages to an SMTP relay over a bounded number of connections, which are used again while they
// are fresh. It is safe for concurrent use.
type Mailer struct {
	s     settings
	slots chan struct{} // one for each connection at work

	mu     sync.Mutex
	idle   []*connection
	closed bool
}

// New checks the options and connects to nothing yet.
func New(o Options) (*Mailer, error) {
	s, err := o.settle()
	if err != nil {
		return nil, err
	}
	return &Mailer{s: s, slots: make(chan struct{}, s.Connections)}, nil
}

// ErrClosed is returned by Send after Close.
var ErrClosed = errors.New("the mailer is closed")

// Send delivers one message to the relay and returns once the relay has taken it. The error is a *[SendError] or the
// context's; see [IsTemporary]. After an error the message may nevertheless have been taken: send it again with
// the same Message-ID.
func (m *Mailer) Send(ctx context.Context, msg Message) error {
	start := m.s.Now()
	err := m.send(ctx, msg)
	took := m.s.Now().Sub(start)
	m.s.Metrics.attempt(err, took)
	if err != nil {
		m.s.Logger.WarnContext(ctx, "mail not sent", "message_id", msg.MessageID, "temporary", IsTemporary(err), "error", err)
		return err
	}
	m.s.Logger.DebugContext(ctx, "mail sent", "message_id", msg.MessageID, "took", took)
	return nil
}

func (m *Mailer) send(ctx context.Context, msg Message) error {
	ctx, cancel := context.WithTimeout(ctx, m.s.Timeout)
	defer cancel()
	built, err := msg.build(m.s.from, m.s.replyTo, m.s.Now())
	if err != nil {
		return err
	}
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return fmt.Errorf("send mail: wait for a connection: %w", context.Cause(ctx))
	}
	for {
		c, fresh, err := m.connection(ctx)
		if err != nil {
			return err
		}
		err = c.deliver(ctx, built)
		if err == nil {
			m.keep(c)
			return nil
		}
		c.cut()
		// A kept connection that the relay has closed meanwhile says nothing about the message.
		var f *SendError
		if !fresh && errors.As(err, &f) && f.Stage == "connect" && ctx.Err() == nil {
			continue
		}
		return err
	}
}

// Close ends the idle connections; those at work end with their message.
func (m *Mailer) Close() error {
	m.mu.Lock()
	idle := m.idle
	m.idle, m.closed = nil, true
	m.mu.Unlock()
	for _, c := range idle {
		c.quit()
	}
	return nil
}

// connection takes the freshest idle connection, or makes one.
func (m *Mailer) connection(ctx context.Context) (c *connection, fresh bool, err error) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil, false, ErrClosed
	}
	var stale []*connection
	for len(m.idle) > 0 && c == nil {
		last := len(m.idle) - 1
		c, m.idle = m.idle[last], m.idle[:last]
		if time.Since(c.since) > idleTime {
			stale, c = append(stale, c), nil
		}
	}
	m.mu.Unlock()
	for _, s := range stale {
		s.quit()
	}
	if c != nil {
		return c, false, nil
	}
	c, err = dial(ctx, &m.s)
	return c, true, err
}

func (m *Mailer) keep(c *connection) {
	c.since = time.Now()
	m.mu.Lock()
	if !m.closed {
		m.idle = append(m.idle, c) // bounded: there are no more connections than slots
		c = nil
	}
	m.mu.Unlock()
	if c != nil {
		c.quit()
	}
}
