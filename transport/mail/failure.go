package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"syscall"

	gomail "github.com/wneessen/go-mail"
)

// SendError is why a message was not delivered. Its text carries the stage and the relay's code, never the relay's
// sentence: that one often quotes the address.
type SendError struct {
	Stage     string // connect, sender, recipient, data, message
	Code      int    // SMTP reply code, 0 when there was none
	Enhanced  string // RFC 3463 code, "5.1.1", or ""
	Temporary bool   // trying again later can help
	detail    string
}

// Error names no person.
func (f *SendError) Error() string {
	s := "send mail: " + f.Stage
	if f.Code != 0 {
		s += fmt.Sprintf(": relay answered %d", f.Code)
	}
	if f.Enhanced != "" {
		s += " " + f.Enhanced
	}
	if f.detail != "" {
		s += ": " + f.detail
	}
	return s
}

// IsTemporary reports whether sending the same message again later can help. An error of another origin, like an
// expired context, is temporary.
func IsTemporary(err error) bool {
	if f, ok := errors.AsType[*SendError](err); ok {
		return f.Temporary
	}
	return err != nil
}

func invalid(detail string) *SendError { return &SendError{Stage: "message", detail: detail} }

// connectFailure is always temporary: whatever is wrong with the relay, its certificate or our password, it is
// not the message, and an operator can mend it while the message waits.
func connectFailure(err error) *SendError {
	f := &SendError{Stage: "connect", Temporary: true, detail: harmless(err)}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		f.Code = reply.Code
	}
	return f
}

// sendFailure classifies what the library says about a message it could not hand over.
func sendFailure(err error) *SendError {
	f := &SendError{Stage: "data", Temporary: true, detail: harmless(err)}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		f.Code = reply.Code
	}
	var s *gomail.SendError
	if !errors.As(err, &s) {
		return f
	}
	switch s.Reason {
	case gomail.ErrSMTPMailFrom:
		f.Stage = "sender"
	case gomail.ErrSMTPRcptTo:
		f.Stage = "recipient"
	case gomail.ErrConnCheck:
		f.Stage = "connect"
	default:
	}
	if f.Code == 0 {
		f.Code = s.ErrorCode()
	}
	f.Enhanced = s.EnhancedStatusCode()
	f.Temporary = !permanent(f.Code)
	if f.Code == 0 && f.detail == "" {
		f.detail = "the relay did not answer in time or the connection broke" // the library keeps the cause to itself
	}
	return f
}

// permanent codes reject this message for good. Those about authentication do not: they are about us.
func permanent(code int) bool {
	switch code {
	case 530, 534, 535, 538:
		return false
	}
	return code >= 500 && code < 600
}

// harmless is the text of errors that come from the machine and the network, which name hosts but no person;
// everything else is withheld.
func harmless(err error) string {
	var netErr net.Error
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var errno syscall.Errno
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded.Error()
	case errors.As(err, &cert):
		return cert.Error()
	case errors.As(err, &record):
		return record.Error()
	case errors.As(err, &netErr):
		return netErr.Error()
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed by the relay"
	}
	return ""
}
