package mail

import (
	"fmt"
	"io"
	"time"

	smtpd "github.com/emersion/go-smtp"
)

// Stage is a point in an SMTP session where a [Fault] strikes.
type Stage string

// The stages.
const (
	AtSender    Stage = "sender"    // MAIL FROM
	AtRecipient Stage = "recipient" // RCPT TO
	AtData      Stage = "data"      // after the whole message was read
)

// Fault is something going wrong with the next messages, for tests. Its parts happen in the order of the fields.
type Fault struct {
	Stage Stage
	Delay time.Duration // the answer comes late
	Code  int           // answer 4xx or 5xx; the message is not kept
	Drop  bool          // close the connection without an answer; at AtData the message is kept
	Times int           // 0 is once
}

// Fail queues faults: each strikes the next Times messages that reach its stage, the first queued first.
func (s *Sink) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Heal forgets all faults.
func (s *Sink) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *Sink) fault(at Stage) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) == 0 || s.faults[0].Stage != at {
		return Fault{}, false
	}
	f := s.faults[0]
	if s.faults[0].Times--; s.faults[0].Times <= 0 {
		s.faults = s.faults[1:]
	}
	return f, true
}

// session is one SMTP connection. The server calls its methods one at a time.
type session struct {
	sink *Sink
	conn *smtpd.Conn
	from string
	to   []string
}

func (s *Sink) session(c *smtpd.Conn) (smtpd.Session, error) {
	return &session{sink: s, conn: c}, nil
}

func (x *session) Reset()        { x.from, x.to = "", nil }
func (x *session) Logout() error { return nil }

func (x *session) Mail(from string, _ *smtpd.MailOptions) error {
	x.from = from
	return x.strike(AtSender, nil)
}

func (x *session) Rcpt(to string, _ *smtpd.RcptOptions) error {
	if err := x.strike(AtRecipient, nil); err != nil {
		return err
	}
	x.to = append(x.to, to)
	return nil
}

func (x *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r) // bounded by the server
	if err != nil {
		return err
	}
	keep := func() {
		s := Summary{From: x.from, To: x.to, Size: len(raw)}
		s = open(stored{s, raw}).Summary
		x.sink.box.put(raw, s, x.sink.o.Now().UTC())
	}
	if err := x.strike(AtData, keep); err != nil {
		return err
	}
	keep()
	return nil
}

// strike runs the fault of a stage, if there is one. Keep runs when the message was taken although nobody is told.
func (x *session) strike(at Stage, keep func()) error {
	f, ok := x.sink.fault(at)
	if !ok {
		return nil
	}
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-x.sink.closed:
		}
	}
	switch {
	case f.Code != 0:
		return &smtpd.SMTPError{
			Code: f.Code, EnhancedCode: smtpd.EnhancedCode{f.Code / 100, 0, 0},
			Message: fmt.Sprintf("fault asked for at %s for <%s>", at, x.from),
		}
	case f.Drop:
		if keep != nil {
			keep()
		}
		if err := x.conn.Close(); err != nil {
			return err
		}
		return io.ErrUnexpectedEOF
	}
	return nil
}
