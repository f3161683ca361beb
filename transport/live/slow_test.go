package live_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/live"
	"github.com/catraca/catraca/transport/wire"
)

// stage is a live server before a scripted API and gateway, for what a real one rarely does.
type stage struct {
	server *httptest.Server
	live   *live.Server
	fans   chan gateway.Fan
	left   chan struct{}
	reply  []byte
	hold   chan struct{} // calls wait until it is closed
}

func newStage(t testing.TB, change func(*live.Options)) *stage {
	t.Helper()
	s := &stage{fans: make(chan gateway.Fan, 8), left: make(chan struct{}, 8), reply: []byte(`{}`), hold: make(chan struct{})}
	o := live.Options{
		Caller: s, Gateway: s, Still: func(context.Context, directory.Person) bool { return true },
		Address: func(*http.Request) string { return "here" }, Logger: slog.New(slog.DiscardHandler), PerAddress: 100_000,
	}
	if change != nil {
		change(&o)
	}
	s.live = live.New(o)
	mux := http.NewServeMux()
	mux.Handle("GET /{event}", s.live)
	s.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		s.live.Close(ctx, 0)
		s.server.Close()
	})
	return s
}

func (s *stage) Person(*http.Request) (directory.Person, error) {
	return directory.Person{Account: 1, Lang: "en"}, nil
}

func (s *stage) Call(ctx context.Context, _ directory.Person, _ string, _ sale.EventID, _, _ string, _ []byte) (int, []byte) {
	select {
	case <-s.hold:
	case <-ctx.Done():
	}
	return http.StatusOK, s.reply
}

func (s *stage) Begin(context.Context, directory.Person, string, sale.EventID, string, string, []byte, api.Told) bool {
	return false
}

func (s *stage) LookHold(context.Context, directory.Person, sale.EventID) (*wire.Hold, error) {
	return nil, nil //nolint:nilnil // there is none
}

func (s *stage) LookOrder(context.Context, directory.Person, sale.EventID, sale.OrderID) (*wire.Order, error) {
	return nil, nil //nolint:nilnil // there is none
}

func (s *stage) Ask(context.Context, directory.Person, string, sale.EventID, sale.Op) error {
	return nil
}

func (s *stage) Event(directory.Person, string) (sale.EventID, error) { return 1, nil }

func (s *stage) Attach(_ context.Context, _ sale.EventID, _ sale.AccountID, f gateway.Fan) (func(), error) {
	s.fans <- f
	return func() {
		select {
		case s.left <- struct{}{}:
		default: // nobody counts
		}
	}, nil
}

func (s *stage) Stock(sale.EventID, sale.AccountID, gateway.Fan, bool) {}

func (s *stage) SendAway(bool) {}

func (s *stage) Again(sale.EventID, sale.AccountID, gateway.Fan) {}

// connect dials with a receive buffer so small that a reader who stops is noticed soon.
func (s *stage) connect(t testing.TB) (*websocket.Conn, gateway.Fan) {
	t.Helper()
	d := websocket.Dialer{
		Subprotocols: []string{wire.Subprotocol},
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, address)
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetReadBuffer(4 << 10)
			}
			return c, err
		},
	}
	ws, _, err := d.DialContext(t.Context(), "ws"+strings.TrimPrefix(s.server.URL, "http")+"/aurora", http.Header{"Authorization": {"Bearer x"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws, <-s.fans
}

// A fan who does not read is dropped within the time of one frame, and its place is left to the gateway.
func TestSlowReaderIsDropped(t *testing.T) {
	s := newStage(t, func(o *live.Options) { o.WriteWait = 50 * time.Millisecond })
	s.reply = []byte(`{"pad":"` + strings.Repeat("x", 256<<10) + `"}`)
	close(s.hold)
	ws, _ := s.connect(t)
	for range 20 {
		if ws.WriteJSON(wire.Up{T: "call", Op: "hold.get"}) != nil {
			break
		}
	}
	select {
	case <-s.left:
	case <-time.After(10 * time.Second):
		t.Fatal("a fan who does not read stayed")
	}
}

// The same on the whole house: the fan comes back to its place.
func TestSlowReaderKeepsItsPlace(t *testing.T) {
	t.Parallel()
	h := hasty(t)
	cfg := h.Event(t, func(c *sale.Config) { c.Queue.ActiveCap = 1 })
	h.Virtual(t, cfg).Shop(t, cfg)
	fan := h.Virtual(t, cfg)
	slow := fan.Live(t, cfg)
	slow.Up(t, wire.Up{T: "join"})
	apitest.Frame(t, slow, "place", func(wire.PlaceDown) bool { return true })                          // so it is counted
	apitest.Eventually(t, "the connection to be cut", func() bool { return h.Live.Connections() == 0 }) // answers no ping
	back := fan.Live(t, cfg)
	if p := apitest.Frame(t, back, "place", func(wire.PlaceDown) bool { return true }); p.Number != 2 {
		t.Errorf("place is %+v", p)
	}
}

// The first reason to close counts, however many follow.
func TestClosedOnce(t *testing.T) {
	s := newStage(t, nil)
	ws, fan := s.connect(t)
	for range 200 {
		fan.Close(gateway.SaleOver)
		fan.Close(gateway.Restarting)
		fan.Close(gateway.Replaced)
	}
	_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, _, err := ws.ReadMessage()
		if c, ok := errors.AsType[*websocket.CloseError](err); ok {
			if c.Code != wire.CloseSaleOver {
				t.Errorf("closed with %d", c.Code)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestCallsAtOnceAreBounded(t *testing.T) {
	s := newStage(t, nil)
	ws, _ := s.connect(t)
	for i := range 9 {
		if err := ws.WriteJSON(wire.Up{T: "call", ID: uint64(i + 1), Op: "pay"}); err != nil {
			t.Fatal(err)
		}
	}
	read := func() wire.ReplyDown {
		_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, b, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var r wire.ReplyDown
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := read(); r.ID != 9 || r.Status != http.StatusTooManyRequests {
		t.Errorf("the ninth call: %+v", r)
	}
	close(s.hold)
	seen := map[uint64]bool{}
	for range 8 {
		r := read()
		if seen[r.ID] = true; r.Status != http.StatusOK {
			t.Errorf("call %d: %d", r.ID, r.Status)
		}
	}
	if len(seen) != 8 {
		t.Errorf("replies to %v", seen)
	}
}

// Languages change while frames go both ways; under the race detector this is the test of the connection's locks.
func TestPushesFromManySides(t *testing.T) {
	s := newStage(t, nil)
	close(s.hold)
	ws, fan := s.connect(t)
	var wg sync.WaitGroup
	config := &sale.Config{Slug: "aurora", Plan: &seatmap.Plan{}}
	for range 4 {
		wg.Go(func() {
			for range 200 {
				fan.Push(gateway.PlaceFrame{})
				fan.Push(&gateway.TickFrame{Event: 1, Config: config})
				fan.Push(&gateway.StockFrame{Event: 1})
				fan.Push(gateway.HoldChanged{Hold: 1, Gone: true})
				fan.Push(gateway.OrderChanged{Order: 1})
			}
		})
	}
	for i, lang := range []string{"en", "es", "pt-BR", "en", "xx"} {
		if err := ws.WriteJSON(wire.Up{T: "hello", Lang: lang}); err != nil {
			t.Fatal(err)
		}
		if err := ws.WriteJSON(wire.Up{T: "call", ID: uint64(i + 1), Op: "hold.get"}); err != nil {
			t.Fatal(err)
		}
	}
	replies, last := 0, uint64(0)
	for replies < 5 {
		_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, b, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			T   string
			Seq uint64
		}
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		if f.T == "tick" || f.T == "stock" && !bytes.Contains(b, []byte(`"reset":true`)) {
			continue // built once for all, with a count of their own
		}
		if f.Seq <= last {
			t.Errorf("frame %d after %d: %s", f.Seq, last, b)
		}
		if last = f.Seq; f.T == "reply" {
			replies++
		}
	}
	wg.Wait()
}
