package drive

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/network"
)

// line is how the fans of one network class reach the servers.
type line struct {
	class   network.Class
	weight  int
	sockets *websocket.Dialer
	fronts  *fronts
	cables  *cables
	shared  *http.Client // nil: each fan has a line of its own
	bank    *http.Client // reaches the payment pages
	payer   func(ctx context.Context, page, card string) (time.Time, error)
	pix     func(ctx context.Context, code string) (time.Time, error)
	held    bench.Held
}

// sharedConns bounds the connections that fans without a class of their own share, and bankConns those to the payment
// pages, which are no part of what is measured.
const (
	sharedConns = 1000
	bankConns   = 256
)

func newLine(class network.Class, weight int, s *Share) line {
	l := line{class: class, weight: weight, sockets: bench.NewSockets(), fronts: newFronts(s), cables: newCables(s)}
	l.cables.fronts = l.fronts
	l.sockets.NetDialContext = class.Dial(l.cables.dial)
	l.bank = bench.NewClient(bankConns)
	l.payer = bench.SandboxPayer(l.bank)
	if s.Payments != "" {
		l.pix, l.held = bench.SandboxBank(l.bank, s.Payments), bench.SandboxHeld(l.bank, s.Payments)
	}
	if class == (network.Class{}) {
		l.shared = l.over(sharedConns)
	}
	return l
}

func (l *line) close() {
	if l.shared != nil {
		l.shared.CloseIdleConnections()
	}
	l.bank.CloseIdleConnections()
	l.cables.cut()
}

// client is that of one fan. Whoever has a slow line has it alone.
func (l *line) client() *http.Client {
	if l.shared != nil {
		return l.shared
	}
	return l.over(6) // as many connections as a browser opens
}

// over is a client over this line.
func (l *line) over(conns int) *http.Client {
	c := bench.ClientOver(l.class, conns)
	if t, ok := c.Transport.(*http.Transport); ok {
		t.DialContext = l.class.Dial(l.fronts.dial)
	}
	return c
}

// leave gives up what a fan has alone.
func (l *line) leave(f *bench.Fan) {
	if l.shared == nil {
		f.Client.CloseIdleConnections()
	}
}

// cables are the connections of live sockets, so that all may be cut at once.
type cables struct {
	fronts *fronts
	from   []net.IP // addresses of this machine in turn; none: the system's choice
	next   atomic.Uint64

	mu   sync.Mutex
	open map[*cable]struct{}
}

// portsEach is how many connections one address of this machine can surely have to one of a server.
const portsEach = 15_000

// newCables gives sockets to servers on this machine addresses of their own to come from. Those of several shares are
// different ones, because they may be on the same machine.
func newCables(s *Share) *cables {
	c := &cables{open: make(map[*cable]struct{})}
	u, err := url.Parse(s.Base)
	if err != nil {
		return c
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsLoopback() && ip.To4() != nil {
		for i := 0; i < len(s.Fans)/portsEach; i++ {
			c.from = append(c.from, net.IPv4(127, 1, byte(s.Number), byte(1+2*i%250)), net.IPv4(127, 1, byte(s.Number), byte(2+2*i%250)))
		}
	}
	return c
}

func (c *cables) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: 30 * time.Second}
	if len(c.from) > 0 {
		d.LocalAddr = &net.TCPAddr{IP: c.from[c.next.Add(1)%uint64(len(c.from))]}
	}
	conn, err := c.fronts.by(ctx, &d, network, address)
	if err != nil {
		return nil, err
	}
	out := &cable{Conn: conn, of: c}
	c.mu.Lock()
	c.open[out] = struct{}{}
	c.mu.Unlock()
	return out, nil
}

// cut cuts all that are there, and says how many.
func (c *cables) cut() int {
	c.mu.Lock()
	var all []*cable
	for k := range c.open {
		all = append(all, k)
	}
	c.mu.Unlock()
	for _, k := range all {
		_ = k.Close()
	}
	return len(all)
}

// cable is one of them.
type cable struct {
	net.Conn

	of *cables
}

// Close forgets the cable.
func (k *cable) Close() error {
	k.of.mu.Lock()
	delete(k.of.open, k)
	k.of.mu.Unlock()
	return k.Conn.Close()
}
