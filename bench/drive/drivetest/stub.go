// Package drivetest has a sale for tests of what lets fans come: it answers as a server does, and keeps no books.
package drivetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/bench/hall"
	"github.com/catraca/catraca/transport/wire"
)

// Stub is a sale that lets everybody in at once and gives everybody a seat to hold, or says that it is sold out.
type Stub struct {
	*httptest.Server

	SoldOut bool // of every hold
	Twice   bool // everybody gets the same seat
	Real    bool // no rehearsal

	mu     sync.Mutex
	file   string // the event, as it was put on sale
	steps  []string
	minted int
	issued uint32
	given  int // holds
	places map[string]*wire.Place
	holds  map[string]*wire.Hold
}

// Seats is how many there are.
const Seats = 10_000

// Plan of the seats has a row of four seats; the others are not drawn.
const Plan = `{"sections":[{"focal":[0,0]}],"rows":[{"count":4}],"seats":{"x":[10,20,30,40],"y":[1,1,1,1],"category":[0,0,0,0],"flags":[0,0,0,0]}}`

// New starts one.
func New(t *testing.T) *Stub {
	t.Helper()
	s := &Stub{places: make(map[string]*wire.Place), holds: make(map[string]*wire.Hold)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/admin/events", s.apply)
	mux.HandleFunc("POST /api/v1/admin/events/{event}/rehearsal-fans", s.mint)
	mux.HandleFunc("POST /api/v1/admin/events/{event}/{step}", s.steer)
	mux.HandleFunc("GET /api/v1/admin/events/{event}/ledger", s.ledger)
	mux.HandleFunc("GET /api/v1/events/{event}", s.event)
	mux.HandleFunc("GET /api/v1/events/{event}/seats", func(w http.ResponseWriter, _ *http.Request) { say(w, 200, hall.States{Version: 1, Status: "ffff"}) })
	mux.HandleFunc("GET /plan.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(Plan)) })
	mux.HandleFunc("GET /api/v1/events/{event}/live", s.live)
	mux.HandleFunc("POST /api/v1/events/{event}/admission", func(w http.ResponseWriter, _ *http.Request) { no(w, wire.NotYourTurn) })
	mux.HandleFunc("DELETE /api/v1/events/{event}/admission", s.finish)
	mux.HandleFunc("DELETE /api/v1/events/{event}/queue/me", s.finish)
	mux.HandleFunc("POST /api/v1/events/{event}/holds", func(w http.ResponseWriter, r *http.Request) {
		status, body := s.hold(r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
	mux.HandleFunc("GET /api/v1/events/{event}/holds/me", func(w http.ResponseWriter, r *http.Request) {
		status, body := s.call(r.Header.Get("Authorization"), "hold.get")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
	mux.HandleFunc("DELETE /api/v1/events/{event}/holds/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "go_goroutines 5") })
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func no(w http.ResponseWriter, c wire.Code) { say(w, c.Status(), wire.NewProblem(c, "en")) }

func (s *Stub) apply(w http.ResponseWriter, r *http.Request) {
	b := make([]byte, 1<<16)
	n, _ := r.Body.Read(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file = string(b[:n])
	say(w, 201, struct{}{})
}

func (s *Stub) mint(w http.ResponseWriter, r *http.Request) {
	var in struct{ Count int }
	_ = json.NewDecoder(r.Body).Decode(&in)
	s.mu.Lock()
	defer s.mu.Unlock()
	var fans []map[string]string
	for range in.Count {
		s.minted++
		fans = append(fans, map[string]string{"account": fmt.Sprint(s.minted), "token": fmt.Sprint("fan-", s.minted)})
	}
	say(w, 201, map[string]any{"fans": fans})
}

func (s *Stub) steer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, r.PathValue("step"))
	say(w, 200, struct{}{})
}

func (s *Stub) ledger(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	say(w, 200, wire.Ledger{Clean: true, Queue: wire.LedgerQueue{Issued: s.issued}, Recounted: true, Places: wire.LedgerPlaces{Capacity: Seats, Free: Seats}})
}

func (s *Stub) event(w http.ResponseWriter, r *http.Request) {
	say(w, 200, wire.Event{
		ID: "1", Slug: r.PathValue("event"), Rehearsal: !s.Real, PlanURL: "/plan.json",
		Categories: []wire.Category{{ID: 1, Key: "1", Capacity: Seats, Free: Seats}},
	})
}

func (s *Stub) finish(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.places[r.Header.Get("Authorization")]; p != nil {
		p.State = "done"
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Stub) hold(fan string) (int, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.places[fan]; p == nil || p.State != "shopping" {
		return wire.NoLease.Status(), wire.NewProblem(wire.NoLease, "en").JSON()
	}
	if s.SoldOut {
		return wire.SoldOut.Status(), wire.NewProblem(wire.SoldOut, "en").JSON()
	}
	s.given++
	h := &wire.Hold{
		ID: fmt.Sprintf("h1-%d", s.given), Expires: wire.Time(time.Now().Add(time.Minute).UnixMilli()),
		Lines: []wire.Line{{Unit: uint32(s.given), Count: 1}}, Total: wire.Money{Amount: 100, Currency: "BRL"}, //nolint:gosec // few
	}
	if s.Twice {
		h.Lines[0].Unit = 0
	}
	s.holds[fan] = h
	b, _ := json.Marshal(h)
	return http.StatusCreated, b
}

func (s *Stub) live(w http.ResponseWriter, r *http.Request) {
	fan := r.Header.Get("Authorization")
	up := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.Close() }()
	for {
		_, b, err := ws.ReadMessage()
		if err != nil {
			return
		}
		u, err := wire.DecodeUp(b)
		if err != nil {
			return
		}
		var out any
		if u.T == "call" {
			status, body := s.call(fan, u.Op)
			out = wire.ReplyDown{T: "reply", ID: u.ID, Status: status, Body: body}
		} else {
			out = wire.PlaceDown{T: "place", Place: s.place(fan, u.T)}
		}
		if ws.WriteJSON(out) != nil {
			return
		}
	}
}

func (s *Stub) place(fan, what string) wire.Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.places[fan]
	switch {
	case p == nil:
		s.issued++
		p = &wire.Place{Number: s.issued, State: "offered", Deadline: wire.Time(s.issued)}
		s.places[fan] = p
	case what == "claim":
		p.State = "shopping"
	}
	return *p
}

func (s *Stub) call(fan, op string) (int, []byte) {
	switch op {
	case "hold":
		return s.hold(fan)
	case "hold.get":
		s.mu.Lock()
		defer s.mu.Unlock()
		b, _ := json.Marshal(s.holds[fan])
		return 200, b
	case "order":
		return wire.Closed.Status(), wire.NewProblem(wire.Closed, "en").JSON()
	default: // release, finish
		return 204, nil
	}
}

// Did says whether the sale was steered so.
func (s *Stub) Did(step string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(strings.Join(s.steps, " "), step)
}

// Minted is how many fans were made.
func (s *Stub) Minted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.minted
}
