package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"time"

	crowd "github.com/catraca/catraca/bench/drive"
	"github.com/catraca/catraca/bench/network"
)

// lag stands before the servers and makes every round trip to them longer, so that everybody can see what a comparison
// makes of servers that are slower by a known time. The servers and the plan of the run are as they were.
type lag struct {
	listen net.Listener
	to     string // host:port
	dial   network.DialContext
	ctx    context.Context //nolint:containedctx // ends the lines when the lag ends
	end    context.CancelFunc
	lines  sync.WaitGroup
}

// before puts a lag before a target, and makes it what fans reach. A lag of nothing is only one hop more.
func before(t *crowd.Target, by time.Duration) (*lag, error) {
	class := network.Class{RTT: by}
	if err := class.Check(); err != nil {
		return nil, wrong("--lag: %w", err)
	}
	u, err := url.Parse(t.Base)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return nil, wrong("--lag: it stands only before http://host:port, and not before %.100q", t.Base)
	}
	listen, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the lag: %w", err)
	}
	l := &lag{listen: listen, to: u.Host, dial: class.Dial(nil)}
	l.ctx, l.end = context.WithCancel(context.Background())
	t.Base, t.Fronts = "http://"+listen.Addr().String(), nil
	l.lines.Go(l.serve)
	return l, nil
}

func (l *lag) serve() {
	for {
		near, err := l.listen.Accept()
		if err != nil {
			return // it is closed
		}
		l.lines.Go(func() { l.carry(near) })
	}
}

// carry carries one connection until either side ends it.
func (l *lag) carry(near net.Conn) {
	defer func() { _ = near.Close() }() // whoever ended it knows
	far, err := l.dial(l.ctx, "tcp", l.to)
	if err != nil {
		return // as if the server had not answered
	}
	defer func() { _ = far.Close() }() // as above
	both := func() { _, _ = near.Close(), far.Close() }
	stop := context.AfterFunc(l.ctx, both)
	defer stop()
	var ways sync.WaitGroup
	ways.Go(func() { _, _ = io.Copy(far, near); both() }) // a line that breaks ends both ways
	ways.Go(func() { _, _ = io.Copy(near, far); both() })
	ways.Wait()
}

// close ends all lines.
func (l *lag) close() {
	l.end()
	_ = l.listen.Close() // nobody reaches it any more either way
	l.lines.Wait()
}
