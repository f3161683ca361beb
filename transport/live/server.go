package live

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// Caller does what a fan asks for. Package api has it, so both carriers check and answer alike.
type Caller interface {
	Person(r *http.Request) (directory.Person, error)
	Call(ctx context.Context, p directory.Person, id sale.EventID, op, key string, body []byte) (status int, out []byte)
	Ask(ctx context.Context, p directory.Person, id sale.EventID, op sale.Op) error
	// Event finds the event of a request for a person who may see it.
	Event(p directory.Person, slug string) (sale.EventID, error)
}

// Gateway keeps the connected fans. Package gateway has it.
type Gateway interface {
	Attach(ctx context.Context, id sale.EventID, account sale.AccountID, fan gateway.Fan) (func(), error)
	Stock(account sale.AccountID, fan gateway.Fan, on bool)
	Place(ctx context.Context, id sale.EventID, account sale.AccountID) (gateway.Place, bool, error)
}

// Options of the edge.
type Options struct {
	Caller  Caller
	Gateway Gateway
	// Origins are allowed beside the server's own host, scheme://host[:port].
	Origins []string
	// Address tells the visitor's address or network, for the bound per address.
	Address func(*http.Request) string
	// Still checks every half minute that a session holds.
	Still func(ctx context.Context, p directory.Person) bool
	// MaxConnections of the node; 0 means 100,000. PerAddress bounds one address; 0 means 500, since a mobile
	// carrier puts thousands of fans behind one.
	MaxConnections, PerAddress int
	Logger                     *slog.Logger
	Registerer                 prometheus.Registerer
}

// Server upgrades and keeps the connections. It implements http.Handler for GET …/events/{event}/live.
type Server struct {
	o        Options
	upgrader websocket.Upgrader
	shared   shared
	metrics  *metrics

	mu      sync.Mutex
	conns   map[*conn]struct{}
	sources map[string]int
	wheel   [pingSlots][]*conn
	pos     int
	closing bool

	stop chan struct{}
	done sync.WaitGroup
}

// pingSlots of a second each: a connection is pinged every pingSlots-1 seconds at the latest.
const pingSlots = 32

// New returns a server; Close ends it.
func New(o Options) *Server {
	if o.MaxConnections == 0 {
		o.MaxConnections = 100_000
	}
	if o.PerAddress == 0 {
		o.PerAddress = 500
	}
	s := &Server{
		o: o, conns: make(map[*conn]struct{}), sources: make(map[string]int), stop: make(chan struct{}),
		metrics: newMetrics(o.Registerer),
	}
	s.upgrader = websocket.Upgrader{
		HandshakeTimeout: 5 * time.Second, ReadBufferSize: 512, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{},
		Subprotocols: []string{wire.Subprotocol}, CheckOrigin: s.originAllowed, EnableCompression: false,
	}
	s.done.Go(s.pulse)
	return s
}

// originAllowed wants an Origin from browsers: this very host, or one of the list. A program shows its token in a
// header, which no browser sends for another site, and may come without.
func (s *Server) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return strings.HasPrefix(strings.ToLower(r.Header.Get("Authorization")), "bearer ")
	}
	for _, o := range s.o.Origins {
		if strings.EqualFold(o, origin) {
			return true
		}
	}
	u, err := url.Parse(origin)
	return err == nil && u.User == nil && u.Path == "" && (u.Scheme == "https" || u.Scheme == "http") &&
		strings.EqualFold(u.Host, r.Host)
}

// ServeHTTP authenticates, upgrades, and returns: the connection lives on without the handler's stack and buffers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.originAllowed(r) {
		refuse(w, wire.NewProblem(wire.ForeignOrigin, ""))
		return
	}
	p, err := s.o.Caller.Person(r)
	switch {
	case errors.Is(err, directory.ErrNoSession):
		refuse(w, wire.NewProblem(wire.Unauthenticated, ""))
		return
	case err != nil:
		refuse(w, wire.NewProblem(wire.Unavailable, ""))
		return
	}
	id, err := s.o.Caller.Event(p, r.PathValue("event"))
	if err != nil {
		var problem *wire.Problem
		if !errors.As(err, &problem) {
			problem = wire.NewProblem(wire.Unavailable, p.Lang)
		}
		refuse(w, problem)
		return
	}
	source := s.o.Address(r)
	if !s.admit(source) {
		problem := wire.NewProblem(wire.Busy, p.Lang)
		problem.RetryAfter = 5000
		refuse(w, problem)
		return
	}
	ws, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		s.release(source)
		return // the upgrader has answered
	}
	c := newConn(s, ws, p, id, source)
	s.metrics.opened.Inc()
	go c.run() //nolint:gosec // outlives the request on purpose; Server.Close ends it
}

func refuse(w http.ResponseWriter, p *wire.Problem) {
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(p.JSON()) // the visitor is gone when this fails
}

// admit counts a connection in before it exists, so that a burst cannot pass the bound.
func (s *Server) admit(source string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || len(s.conns) >= s.o.MaxConnections || s.sources[source] >= s.o.PerAddress {
		return false
	}
	s.sources[source]++
	return true
}

func (s *Server) release(source string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sources[source]--; s.sources[source] <= 0 {
		delete(s.sources, source)
	}
}

// add registers a running connection; false when the server is closing.
func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.conns[c] = struct{}{}
	s.plan(c)
	s.metrics.connections.Inc()
	return true
}

// plan puts the next ping 25 to 31 seconds ahead. Called with mu held.
func (s *Server) plan(c *conn) {
	slot := (s.pos + 25 + rand.IntN(pingSlots-25)) % pingSlots
	s.wheel[slot] = append(s.wheel[slot], c)
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	if _, ok := s.conns[c]; ok {
		delete(s.conns, c)
		s.metrics.connections.Dec()
	}
	s.mu.Unlock()
	s.release(c.source)
}

func (s *Server) pulse() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
		}
		s.mu.Lock()
		s.pos = (s.pos + 1) % pingSlots
		due := s.wheel[s.pos]
		s.wheel[s.pos] = nil
		for _, c := range due {
			if _, ok := s.conns[c]; ok {
				s.plan(c)
			}
		}
		s.mu.Unlock()
		for _, c := range due {
			c.ping()
		}
	}
}

// Connections is the number of live ones.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Close asks every fan to come back to another node, spread over the given time, and returns when all are gone
// or ctx ends. New connections are refused from now on.
func (s *Server) Close(ctx context.Context, over time.Duration) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	s.closing = true
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	const waves = 20
	for i := range waves {
		for j := i; j < len(all); j += waves {
			all[j].Close(gateway.Restarting)
		}
		select {
		case <-ctx.Done():
		case <-time.After(over / waves):
		}
	}
	close(s.stop)
	s.done.Wait()
	for s.Connections() > 0 && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	for _, c := range all {
		c.abort()
	}
}
