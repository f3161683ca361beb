package live

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// Server upgrades and keeps the connections. It implements http.Handler for GET …/events/{event}/live.
type Server struct {
	o        Options
	upgrader websocket.Upgrader
	shared   shared
	writers  *writers
	buffers  sync.Pool // of *[]byte, for what fans send
	metrics  *metrics

	mu      sync.Mutex
	conns   map[*conn]struct{}
	sources map[string]int
	wheel   [pingSlots][]*conn
	pos     int
	closing bool               // for good
	away    context.CancelFunc // not nil: fans are sent to other nodes; ends the waves

	stop    chan struct{}
	done    sync.WaitGroup // the pulse
	running sync.WaitGroup // connections, their writers and their calls
}

// pingSlots of a pulse each, a second: a connection is pinged every pingSlots-1 seconds at the latest.
const pingSlots = 32

// New returns a server; Close ends it.
func New(o Options) *Server {
	o.complete()
	s := &Server{
		o: o, conns: make(map[*conn]struct{}), sources: make(map[string]int), stop: make(chan struct{}),
		metrics: newMetrics(o.Registerer), writers: newWriters(),
	}
	s.upgrader = websocket.Upgrader{
		HandshakeTimeout: 5 * time.Second, ReadBufferSize: 512, WriteBufferSize: 256, WriteBufferPool: &sync.Pool{},
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
	p, id, problem := s.check(r)
	if problem != nil {
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
	ws, err := s.upgrader.Upgrade(taker{w, s.o.WriteWait}, r, nil)
	if err != nil {
		s.release(source)
		return // the upgrader has answered
	}
	c := newConn(s, ws, p, id, r.PathValue("event"), source)
	if !s.add(c) {
		s.release(source)
		_, _ = c.socket.Write(appendClose(nil, wire.CloseRestart, restarting)) // the peer may be gone
		c.part(wire.CloseRestart)
		c.shut()
		c.end()
		return
	}
	go c.run() // outlives the request on purpose; Close ends it
}

// check says who wants to connect and to what, or why not.
func (s *Server) check(r *http.Request) (directory.Person, sale.EventID, *wire.Problem) {
	if !s.originAllowed(r) {
		return directory.Person{}, 0, wire.NewProblem(wire.ForeignOrigin, "")
	}
	p, err := s.o.Caller.Person(r)
	switch {
	case errors.Is(err, directory.ErrNoSession):
		return p, 0, wire.NewProblem(wire.Unauthenticated, "")
	case err != nil:
		return p, 0, unavailable("")
	}
	id, err := s.o.Caller.Event(p, r.PathValue("event"))
	if err != nil {
		var problem *wire.Problem
		if !errors.As(err, &problem) {
			problem = unavailable(p.Lang)
		}
		return p, 0, problem
	}
	if websocket.IsWebSocketUpgrade(r) && !slices.Contains(websocket.Subprotocols(r), wire.Subprotocol) {
		problem := wire.NewProblem(wire.InvalidRequest, p.Lang)
		problem.Detail = "Sec-WebSocket-Protocol has to offer " + wire.Subprotocol
		return p, 0, problem
	}
	return p, id, nil
}

func unavailable(lang string) *wire.Problem {
	p := wire.NewProblem(wire.Unavailable, lang)
	p.RetryAfter = 1000
	return p
}

func refuse(w http.ResponseWriter, p *wire.Problem) {
	w.Header().Set("Cache-Control", "no-store")
	p.Write(w)
}

// admit counts a connection in before it exists, so that a burst cannot pass the bound.
func (s *Server) admit(source string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving() || len(s.conns) >= s.o.MaxConnections || s.sources[source] >= s.o.PerAddress {
		return false
	}
	s.sources[source]++
	return true
}

func (s *Server) release(source string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vacate(source)
}

// vacate gives a connection's room back. Called with mu held.
func (s *Server) vacate(source string) {
	if s.sources[source]--; s.sources[source] <= 0 {
		delete(s.sources, source)
	}
}

// add registers a running connection; false when the server is closing.
func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving() {
		return false
	}
	s.conns[c] = struct{}{}
	s.plan(c)
	s.running.Add(1) // under mu, and never once Close waits
	s.metrics.opened.Inc()
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
	delete(s.conns, c)
	s.vacate(c.source)
	s.mu.Unlock()
	s.metrics.connections.Dec()
	s.running.Done()
}

func (s *Server) pulse() {
	t := time.NewTicker(s.o.Pulse)
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
