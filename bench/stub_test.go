package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/bench/hall"
	"github.com/catraca/catraca/transport/wire"
)

// trouble is what a stub does to a request instead of serving it well.
type trouble int

const (
	none      trouble = iota
	cutBefore         // the connection breaks before anything is done
	cutAfter          // it breaks when all is done and nothing is answered
	busy              // 503 with a retry-after
)

// stub is a sale of numbered seats, as simple as can be, that survives its own restarts.
type stub struct {
	t       *testing.T
	address string
	// trouble picks what goes wrong with an operation; nil: nothing.
	trouble func(op string) trouble

	mu      sync.Mutex
	server  *http.Server
	sockets map[*websocket.Conn]bool
	seats   uint32          // units 0..seats-1 are all there is
	next    uint32          // unit
	taken   map[uint32]bool // units that were named, and those that others have without a word
	looks   int             // so often was the map asked for
	places  map[string]*wire.Place
	issued  uint32
	offers  int64
	holds   map[string]*wire.Hold // by fan
	orders  map[string]*wire.Order
	owner   map[string]string // of an order
	answers map[string]stored
	done    map[string]int // effects by operation
	cards   map[string]bool
	silent  bool                       // what is taken is told by conflicts alone
	gave    int                        // holds
	plans   int                        // so often was the plan asked for
	stocks  map[string]bool            // fans who want to be told what is taken
	stock   wire.StockDown             // told to whoever wants to be told
	deaf    int                        // so many payments the provider cannot be asked for
	newest  map[string]*websocket.Conn // socket of a fan
	codes   bool                       // a Pix waits for the bank
	ticks   int                        // so many are sent before a place
}

type stored struct {
	status int
	body   []byte
}

func newStub(t *testing.T, seats uint32) *stub {
	s := &stub{
		t: t, address: "127.0.0.1:0", seats: seats, sockets: map[*websocket.Conn]bool{}, newest: map[string]*websocket.Conn{}, places: map[string]*wire.Place{},
		holds: map[string]*wire.Hold{}, orders: map[string]*wire.Order{}, owner: map[string]string{},
		answers: map[string]stored{}, done: map[string]int{}, cards: map[string]bool{}, taken: map[uint32]bool{}, stocks: map[string]bool{},
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *stub) url() string { return "http://" + s.address }

func (s *stub) start() {
	s.t.Helper()
	var l net.Listener
	var err error
	for range 100 { // the port may still be closing
		if l, err = net.Listen("tcp", s.address); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/events/{event}/live", s.live)
	mux.HandleFunc("POST /page/{order}", s.page)
	mux.HandleFunc("GET /plan.json", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.plans++
		_, _ = io.WriteString(w, s.planText())
	})
	for pattern, op := range map[string]string{
		"GET /events/{event}": "event", "GET /events/{event}/seats": "seats", "DELETE /events/{event}/admission": "finish", "DELETE /events/{event}/queue/me": "leave",
		"POST /events/{event}/holds": "hold", "GET /events/{event}/holds/me": "hold.get", "DELETE /events/{event}/holds/{id}": "hold.release",
		"POST /events/{event}/orders": "order", "GET /orders/{id}": "order.get", "POST /orders/{id}/pay": "pay", "GET /orders/{id}/tickets": "tickets",
	} {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /api/v1"+path, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			status, out := s.serve(r.Header.Get("Authorization"), op, r.Header.Get("Idempotency-Key"), r.PathValue("id"), body)
			if status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write(out)
		})
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	s.mu.Lock()
	s.server, s.address = server, l.Addr().String()
	s.mu.Unlock()
	go func() { _ = server.Serve(l) }()
}

// stop cuts everything at once, as a power switch does.
func (s *stub) stop() {
	s.mu.Lock()
	server := s.server
	for ws := range s.sockets {
		_ = ws.NetConn().Close()
	}
	s.mu.Unlock()
	_ = server.Close()
}

func (s *stub) restart() {
	s.stop()
	s.start()
}

// serve does one operation with its trouble; status 0 means that nothing is answered.
func (s *stub) serve(fan, op, key, id string, body []byte) (int, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wrong := none
	if s.trouble != nil {
		wrong = s.trouble(op)
	}
	switch wrong {
	case cutBefore:
		return 0, nil
	case busy:
		p := wire.NewProblem(wire.Busy, "en")
		p.RetryAfter = 10
		return p.Status, p.JSON()
	}
	name := fan + op + key
	a, again := s.answers[name]
	if !again || key == "" {
		a.status, a.body = s.do(fan, op, id, body)
		s.answers[name] = a
		if a.status < 300 {
			s.done[op]++
		}
	}
	if wrong == cutAfter {
		return 0, nil
	}
	return a.status, a.body
}

func (s *stub) no(c wire.Code) (int, []byte) { return c.Status(), wire.NewProblem(c, "en").JSON() }

func (s *stub) yes(status int, v any) (int, []byte) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return status, b
}

func (s *stub) do(fan, op, id string, body []byte) (int, []byte) {
	switch op {
	case "event":
		return s.yes(200, wire.Event{Categories: []wire.Category{{Free: s.seats - s.next}}})
	case "seats":
		s.looks++
		return s.yes(200, hall.States{Version: uint64(s.looks), Status: s.status()}) //nolint:gosec // few
	case "finish", "leave":
		s.places[fan].State = map[string]string{"finish": "done", "leave": "left"}[op]
		return 204, nil
	case "hold":
		return s.hold(fan, body)
	case "hold.get":
		if h := s.holds[fan]; h != nil {
			return s.yes(200, h)
		}
		return s.no(wire.NotFound)
	case "hold.release":
		if h := s.holds[fan]; h == nil || h.ID != id {
			return s.no(wire.Expired)
		}
		delete(s.holds, fan)
		return 204, nil
	case "order":
		h := s.holds[fan]
		if h == nil {
			return s.no(wire.Expired)
		}
		delete(s.holds, fan)
		o := &wire.Order{ID: fmt.Sprintf("o1-%d", len(s.orders)+1), State: "awaiting", Expires: h.Expires, Total: h.Total, Lines: h.Lines}
		s.orders[o.ID], s.owner[o.ID] = o, fan
		return s.yes(201, o)
	}
	return s.doOrder(fan, op, id, body)
}

func (s *stub) doOrder(fan, op, id string, body []byte) (int, []byte) {
	o := s.orders[id]
	if o == nil || s.owner[id] != fan {
		return s.no(wire.NotFound)
	}
	switch op {
	case "pay":
		var in wire.PayRequest
		if json.Unmarshal(body, &in) != nil {
			return s.no(wire.InvalidRequest)
		}
		url := "http://" + s.address + "/page/" + id
		o.Payment = &wire.Payment{Method: in.Method, State: "action", URL: &url}
		if s.deaf > 0 {
			s.deaf--
			o.Payment.State, o.Payment.URL = "failed", nil
			return s.yes(200, o)
		}
		switch {
		case in.Method == "pix" && s.codes:
			o.Payment.URL, o.Payment.Pix = nil, &wire.Pix{Code: id}
		case in.Method == "pix":
			o.Payment.URL, o.State = nil, "fulfilled"
		}
	case "tickets":
		list := wire.List[wire.Ticket]{}
		for _, l := range o.Lines {
			list.Items = append(list.Items, wire.Ticket{ID: fmt.Sprintf("t1-%d", l.Unit+1), Order: id, Unit: l.Unit, Number: 1, Code: fmt.Sprint("CT1", l.Unit)})
		}
		return s.yes(200, list)
	}
	return s.yes(200, o)
}

func (s *stub) hold(fan string, body []byte) (int, []byte) {
	var in wire.HoldRequest
	if json.Unmarshal(body, &in) != nil || in.Best == nil && len(in.Seats) == 0 {
		return s.no(wire.InvalidRequest)
	}
	if in.Best != nil {
		for s.taken[s.next] {
			s.next++
		}
		n := in.Best.Quantity
		if s.next+n > s.seats {
			return s.no(wire.SoldOut)
		}
		for range n {
			in.Seats = append(in.Seats, s.next)
			s.next++
		}
	} else if gone := s.named(in.Seats); len(gone) > 0 {
		p := wire.NewProblem(wire.Conflict, "en")
		p.Units = gone
		return p.Status, p.JSON()
	}
	s.gave++
	h := &wire.Hold{ID: fmt.Sprintf("h1-%d", s.gave), Expires: wire.Time(time.Now().Add(time.Minute).UnixMilli())}
	for _, u := range in.Seats {
		h.Lines = append(h.Lines, wire.Line{Unit: u, Count: 1})
	}
	h.Total = wire.Money{Amount: int64(len(in.Seats)) * 100, Currency: "BRL"}
	s.holds[fan] = h
	return s.yes(201, h)
}

// named takes units by name, if all are free; else it returns those that are not.
func (s *stub) named(units []uint32) (gone []uint32) {
	for _, u := range units {
		if u >= s.seats || u < s.next || s.taken[u] {
			gone = append(gone, u)
		}
	}
	for _, u := range units {
		if len(gone) == 0 {
			s.taken[u] = true
		}
	}
	return gone
}

// status is a letter for each seat. Those taken without a word are not told.
func (s *stub) status() string {
	b := []byte(strings.Repeat("f", int(s.seats)))
	for u := range b {
		if uint32(u) < s.next || s.taken[uint32(u)] && !s.silent { //nolint:gosec // few
			b[u] = 's'
		}
	}
	return string(b)
}

// planText is the stub's plan: one row, whose first seat is the best.
func (s *stub) planText() string {
	x := make([]int, s.seats)
	for i := range x {
		x[i] = 10 * i
	}
	none := make([]int, s.seats)
	b, err := json.Marshal(map[string]any{
		"sections": []any{map[string]any{"focal": []int{0, 0}}}, "rows": []any{map[string]any{"section": 0, "first": 0, "count": s.seats}},
		"seats": map[string]any{"x": x, "y": none, "category": none, "flags": none},
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// page is the payment page: cards that end in 2 are declined.
func (s *stub) page(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	card := r.FormValue("number")
	s.cards[card] = true
	if strings.HasSuffix(card, "2") && card != "4242" {
		_, _ = io.WriteString(w, `<p role="alert">declined</p>`)
		return
	}
	s.orders[r.PathValue("order")].State = "fulfilled"
	http.Redirect(w, r, "http://shop.example/", http.StatusSeeOther)
}

func (s *stub) live(w http.ResponseWriter, r *http.Request) {
	fan := r.Header.Get("Authorization")
	up := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.sockets[ws], s.newest[fan] = true, ws
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.sockets, ws)
		s.mu.Unlock()
		_ = ws.Close()
	}()
	for {
		_, b, err := ws.ReadMessage()
		if err != nil {
			return
		}
		u, err := wire.DecodeUp(b)
		if err != nil || !s.up(ws, fan, u) {
			return
		}
	}
}

// up answers one frame of a socket; false breaks it.
func (s *stub) up(ws *websocket.Conn, fan string, u wire.Up) bool {
	if u.T == "call" {
		var id wire.IDRequest
		_ = json.Unmarshal(u.Body, &id)
		status, body := s.serve(fan, u.Op, u.Key, id.ID, u.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		return status != 0 && ws.WriteJSON(wire.ReplyDown{T: "reply", ID: u.ID, Status: status, Body: body}) == nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	wrong := none
	if s.trouble != nil {
		wrong = s.trouble(u.T)
	}
	switch wrong {
	case cutBefore:
		return false
	case busy:
		p := wire.NewProblem(wire.Busy, "en")
		p.RetryAfter = 10
		return ws.WriteJSON(wire.ErrorDown{T: "error", Problem: p}) == nil
	}
	if u.T == "stock" {
		s.stocks[fan] = u.On
		return !u.On || ws.WriteJSON(s.stock) == nil
	}
	p := s.places[fan]
	switch {
	case u.T == "join" && (p == nil || p.State == "done" || p.State == "left"):
		s.issued++
		s.offers++
		p = &wire.Place{Number: s.issued, State: "offered", Deadline: wire.Time(s.offers)}
		s.places[fan] = p
		s.done["join"]++
	case u.T == "claim" && p != nil && p.State == "offered":
		p.State = "shopping"
		s.done["claim"]++
	}
	if wrong == cutAfter {
		return false
	}
	for range s.ticks {
		if ws.WriteJSON(wire.TickDown{T: "tick", Now: wire.Time(time.Now().Add(time.Hour).UnixMilli())}) != nil {
			return false
		}
	}
	return p == nil || ws.WriteJSON(wire.PlaceDown{T: "place", Place: *p}) == nil
}
