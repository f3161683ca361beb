package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	smtpd "github.com/emersion/go-smtp"
)

// SinkOptions of a [Sink]. The zero value is good.
type SinkOptions struct {
	Prefix      string // path of the inbox page; empty is /mail
	Messages    int    // kept at most; 0 is 500
	Bytes       int    // kept at most; 0 is 128 MiB, less than one message is one message
	Connections int    // at once; 0 is 64
	Logger      *slog.Logger
	Now         func() time.Time // nil is the wall clock
}

// Bounds of the sink that nobody needs to set.
const (
	sinkMessage    = 2 * maxMessage // encoded
	sinkRecipients = 20
	sinkIdle       = 2 * time.Minute
)

// Sink is an SMTP server on loopback that keeps the last messages in memory and shows them on a page. It delivers
// nothing to anybody. It is for demonstrations and tests: whoever can open the page reads all mail.
type Sink struct {
	o      SinkOptions
	box    *letterbox
	inbox  http.Handler
	server *smtpd.Server
	closed chan struct{}
	once   sync.Once
	serve  sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
	faults   []Fault
}

// NewSink returns a sink that does not listen yet; its page works at once.
func NewSink(o SinkOptions) *Sink {
	if o.Prefix == "" {
		o.Prefix = "/mail"
	}
	o.Prefix = "/" + strings.Trim(o.Prefix, "/")
	if o.Messages <= 0 {
		o.Messages = 500
	}
	if o.Bytes <= 0 {
		o.Bytes = 128 << 20
	}
	o.Bytes = max(o.Bytes, sinkMessage)
	if o.Connections <= 0 {
		o.Connections = 64
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Sink{o: o, box: newLetterbox(o.Messages, o.Bytes), closed: make(chan struct{})}
	s.inbox = newInbox(s.box, o.Prefix)
	s.server = smtpd.NewServer(smtpd.BackendFunc(s.session))
	s.server.Domain = "localhost"
	s.server.MaxMessageBytes = sinkMessage
	s.server.MaxRecipients = sinkRecipients
	s.server.ReadTimeout, s.server.WriteTimeout = sinkIdle, sinkIdle
	s.server.EnableSMTPUTF8 = true
	s.server.ErrorLog = log.New(io.Discard, "", 0) // it quotes what clients send
	return s
}

// Listen binds addr, which has to be on loopback, and serves SMTP until Close. Port 0 picks one; see Addr.
func (s *Sink) Listen(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("listen for mail: %w", err)
	}
	if !isLoopback(host) {
		return fmt.Errorf("listen for mail: %s is not this machine alone; want 127.0.0.1, ::1 or localhost", addr)
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for mail: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil || s.isClosed() {
		return errors.Join(errors.New("listen for mail: already listening or closed"), l.Close())
	}
	s.listener = l
	s.serve.Go(func() {
		err := s.server.Serve(&bounded{Listener: l, slots: make(chan struct{}, s.o.Connections)})
		if err != nil && !s.isClosed() {
			s.o.Logger.Error("mail sink stopped", "error", err)
		}
	})
	return nil
}

// Addr is where it listens, "127.0.0.1:2525", or "" before Listen.
func (s *Sink) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Close stops listening and ends all sessions; the messages stay readable.
func (s *Sink) Close() error {
	var err error
	s.once.Do(func() {
		s.mu.Lock()
		close(s.closed)
		l := s.listener
		s.mu.Unlock()
		err = s.server.Close()
		if l != nil {
			_ = l.Close() // when Serve had not yet told the server of it
		}
		s.serve.Wait()
	})
	return err
}

func (s *Sink) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// Messages lists what was received and is still kept, newest first.
func (s *Sink) Messages() []Summary {
	all, _ := s.box.list(nil)
	return all
}

// Message takes one message apart. It is false when it was never there or has had to make room.
func (s *Sink) Message(id uint64) (Received, bool) {
	kept, ok := s.box.get(id)
	if !ok {
		return Received{}, false
	}
	return open(kept), true
}

// Await returns the first message that matches, waiting for it until the context ends.
func (s *Sink) Await(ctx context.Context, match func(Summary) bool) (Received, error) {
	found, err := s.box.await(ctx, match)
	if err != nil {
		return Received{}, fmt.Errorf("wait for mail: %w", err)
	}
	r, ok := s.Message(found.ID)
	if !ok {
		return Received{}, errors.New("wait for mail: the message had to make room")
	}
	return r, nil
}

// ServeHTTP is the inbox page under SinkOptions.Prefix.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.inbox.ServeHTTP(w, r) }

// bounded refuses connections beyond its slots with a temporary SMTP answer.
type bounded struct {
	net.Listener

	slots chan struct{}
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.slots <- struct{}{}:
			return &slotted{Conn: c, free: sync.OnceFunc(func() { <-b.slots })}, nil
		default:
			_, _ = io.WriteString(c, "421 4.7.0 too many connections\r\n") // courtesy; it is closed anyway
			_ = c.Close()
		}
	}
}

// slotted gives its slot back when it is closed.
type slotted struct {
	net.Conn

	free func()
}

func (s *slotted) Close() error {
	s.free()
	return s.Conn.Close()
}
