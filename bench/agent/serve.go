package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/catraca/catraca/bench/record"
)

// Options of an agent.
type Options struct {
	Secret []byte
	// Say tells people what goes on; nil: nobody.
	Say func(format string, args ...any)
}

// maxCalls bounds how many may try to get in at once, and wrongPause is how long each that was wrong keeps its place.
const (
	maxCalls   = 16
	wrongPause = time.Second
)

// server is an agent.
type server struct {
	o     Options
	clock clock
	cert  tls.Certificate
	calls chan struct{}
	busy  sync.Mutex // held by the coordinator who is served
}

// Serve is an agent at l until the context ends: one coordinator after the other is served. It closes l.
func Serve(ctx context.Context, l net.Listener, o Options) error {
	return serve(ctx, l, o, newClock())
}

func serve(ctx context.Context, l net.Listener, o Options, c clock) error {
	if err := Allowed(l.Addr().String(), o.Secret); err != nil {
		_ = l.Close() // nothing was done with it
		return err
	}
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	cert, err := certificate()
	if err != nil {
		return err
	}
	s := &server{o: o, clock: c, cert: cert, calls: make(chan struct{}, maxCalls)}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		select {
		case s.calls <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept coordinators: %w", err)
		}
		all.Go(func() {
			defer func() { <-s.calls }()
			s.answer(ctx, conn)
		})
	}
}

// answer serves whoever calls.
func (s *server) answer(ctx context.Context, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }() // by then nobody needs it
	c, err := welcome(ctx, conn, s.cert, s.o.Secret)
	if err != nil {
		s.o.Say("%s was not let in: %v", conn.RemoteAddr(), err)
		if errors.Is(err, errSecret) {
			t := time.NewTimer(wrongPause)
			defer t.Stop()
			select {
			case <-t.C:
			case <-ctx.Done():
			}
		}
		return
	}
	if !s.busy.TryLock() {
		_ = c.send(kindFailed, []byte("this agent has another coordinator at present")) // it is refused in any case
		return
	}
	defer s.busy.Unlock()
	s.o.Say("%s coordinates", conn.RemoteAddr())
	here := record.Here()
	machine, _ := os.Hostname() // empty: not known
	err = send(c, kindHello, hello{Protocol: Protocol, Commit: here.Commit, Machine: machine, Cores: here.Cores, OpenFiles: here.OpenFiles})
	if err == nil {
		v := &session{c: c, clock: s.clock, say: s.o.Say}
		err = v.serve(ctx)
	}
	s.o.Say("%s is gone: %v", conn.RemoteAddr(), err)
}
