package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// quitTime bounds the good-bye of an idle connection.
const quitTime = time.Second

// connection is one SMTP session. The library blocks in reads under its own lock, so the raw connection is what
// a cancelled context closes.
type connection struct {
	client  *gomail.Client
	session *smtp.Client
	since   time.Time // last used

	mu  sync.Mutex // guards raw: it is cut from the goroutine of an expired context
	raw net.Conn
}

func dial(ctx context.Context, s *settings) (*connection, error) {
	c := new(connection)
	options := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(s.Timeout), gomail.WithTLSConfig(s.tlsConfig()),
		gomail.WithTLSPolicy(gomail.TLSMandatory),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			return c.open(ctx, s, network, address)
		}),
	}
	if s.TLS != StartTLS {
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS)) // open has done it, or it is loopback
	}
	if s.HELO != "" {
		options = append(options, gomail.WithHELO(s.HELO))
	}
	if s.User != "" {
		password, err := readPassword(s.PasswordFile)
		if err != nil {
			return nil, &SendError{Stage: "connect", Temporary: true, detail: "read password file: " + harmless(err)}
		}
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	var err error
	if c.client, err = gomail.NewClient(s.Host, options...); err != nil {
		return nil, &SendError{Stage: "connect", Temporary: true, detail: "options of the relay"}
	}
	stop := context.AfterFunc(ctx, c.cut)
	defer stop()
	c.session, err = c.client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		c.cut()
		return nil, connectFailure(errors.Join(ctx.Err(), err))
	}
	return c, nil
}

// open connects, with TLS when it is implicit.
func (c *connection) open(ctx context.Context, s *settings, network, address string) (net.Conn, error) {
	raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.raw = raw
	c.mu.Unlock()
	if s.TLS != ImplicitTLS {
		return raw, nil
	}
	secured := tls.Client(raw, s.tlsConfig())
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return secured, nil
}

// cut ends the connection at once; whoever waits on it gets an error. It may be called more than once.
func (c *connection) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.raw != nil {
		_ = c.raw.Close() // nothing is left to be lost on it
	}
}

// quit says good-bye to the relay and does not wait long for the answer.
func (c *connection) quit() {
	c.mu.Lock()
	if c.raw != nil {
		_ = c.raw.SetDeadline(time.Now().Add(quitTime)) // a connection that is gone already needs none
	}
	c.mu.Unlock()
	_ = c.session.Quit() // politeness only
	c.cut()
}

// deliver hands over one message. A refusal after the relay has said yes does not count.
func (c *connection) deliver(ctx context.Context, msg *gomail.Msg) error {
	stop := context.AfterFunc(ctx, c.cut)
	defer stop()
	err := c.client.SendWithSMTPClient(c.session, msg)
	if err == nil || msg.IsDelivered() {
		return nil
	}
	return sendFailure(errors.Join(ctx.Err(), err))
}
