package live_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

// One sale over the socket, from the queue to the tickets.
func TestSaleOverTheSocket(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	s := fan.Live(t, cfg)
	s.Up(t, wire.Up{T: "hello", Lang: "en"})
	s.Up(t, wire.Up{T: "claim"})
	refused := apitest.Frame(t, s, "error", func(wire.ErrorDown) bool { return true })
	if refused.Problem.Code != wire.NoPlace || refused.Problem.Title != wire.Sentence(wire.NoPlace, "en") {
		t.Errorf("claimed without a place: %+v", refused.Problem)
	}
	s.Up(t, wire.Up{T: "join"})
	offer := apitest.Frame(t, s, "offer", func(wire.OfferDown) bool { return true })
	if offer.Deadline <= offer.Now {
		t.Errorf("offer is %+v", offer)
	}
	s.Up(t, wire.Up{T: "claim"})
	p := apitest.Frame(t, s, "place", func(p wire.PlaceDown) bool { return p.State == "shopping" })
	if p.Number != 1 || p.Event != cfg.Slug || p.Deadline == 0 || p.Cap < p.Deadline {
		t.Errorf("place is %+v", p)
	}

	hold := call[wire.Hold](t, s, fan, 1, "hold", wire.HoldRequest{Seats: []uint32{0, 1}}, http.StatusCreated, "GET", "")
	call[wire.Hold](t, s, fan, 2, "hold.change", wire.HoldChange{ID: hold.ID, Add: &wire.HoldRequest{Seats: []uint32{2}}}, http.StatusOK, "GET", apitest.Path(cfg, "holds/me"))
	call[wire.Hold](t, s, fan, 3, "hold.get", nil, http.StatusOK, "GET", apitest.Path(cfg, "holds/me"))
	order := call[wire.Order](t, s, fan, 4, "order", wire.OrderRequest{Hold: hold.ID}, http.StatusCreated, "GET", "")
	path := "/api/v1/orders/" + order.ID
	call[wire.Order](t, s, fan, 5, "order.get", wire.IDRequest{ID: order.ID}, http.StatusOK, "GET", path)
	paying := call[wire.Order](t, s, fan, 6, "pay", wire.PayRequest{ID: order.ID, Method: "card"}, http.StatusOK, "GET", "")
	if paying.Payment == nil || paying.Payment.URL == nil {
		t.Errorf("payment is %+v", paying.Payment)
	}
	fan.Settle(t, order, sale.PayAuthorized)
	done := apitest.Frame(t, s, "order", func(f wire.OrderDown) bool { return f.Order.State == "fulfilled" })
	if len(done.Order.Tickets) != 3 {
		t.Errorf("order is %+v", done.Order)
	}
	call[wire.Order](t, s, fan, 7, "order.get", wire.IDRequest{ID: order.ID}, http.StatusOK, "GET", path)
}

// call does an operation over the socket and, when there is an address for it, compares with HTTP.
func call[T any](t *testing.T, s *apitest.Socket, f *apitest.Fan, id uint64, op string, body any, want int, method, path string) T {
	t.Helper()
	if body == nil {
		body = struct{}{}
	}
	status, b := s.Call(t, id, op, "", body)
	if status != want {
		t.Fatalf("%s: status %d, want %d: %s", op, status, want, b)
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if path != "" {
		if got := f.Do(t, method, path, nil).Want(t, http.StatusOK); !bytes.Equal(got.Body, b) {
			t.Errorf("%s over the socket: %s\nover HTTP: %s", op, b, got.Body)
		}
	}
	return v
}

// What is refused is refused alike on both ways, and a key counts on both.
func TestBothCarriersAnswerAlike(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	other := h.Virtual(t, cfg)
	theirs := other.Buy(t, cfg, 0, 1)
	fan := h.Virtual(t, cfg)
	s := fan.Live(t, cfg)
	none := struct{}{}
	for i, c := range []struct {
		op           string
		body         any
		method, path string
	}{
		{"hold", wire.HoldRequest{Seats: []uint32{3}}, "POST", apitest.Path(cfg, "holds")},
		{"hold.get", none, "GET", apitest.Path(cfg, "holds/me")},
		{"order", wire.OrderRequest{Hold: "h1-999"}, "POST", apitest.Path(cfg, "orders")},
		{"order.get", wire.IDRequest{ID: theirs.ID}, "GET", "/api/v1/orders/" + theirs.ID},
		{"order.cancel", wire.IDRequest{ID: theirs.ID}, "POST", "/api/v1/orders/" + theirs.ID + "/cancel"},
		{"pay", wire.PayRequest{ID: theirs.ID, Method: "card"}, "POST", "/api/v1/orders/" + theirs.ID + "/pay"},
		{"hold.release", wire.IDRequest{ID: "h1-999"}, "DELETE", apitest.Path(cfg, "holds/h1-999")},
		{"finish", none, "DELETE", apitest.Path(cfg, "admission")},
		{"hold", json.RawMessage(`{"seats":["x"]}`), "POST", apitest.Path(cfg, "holds")},
	} {
		body := c.body
		if c.method != "POST" {
			body = nil
		} else if p, ok := body.(wire.PayRequest); ok {
			body = wire.PayRequest{Method: p.Method}
		} else if _, ok := body.(wire.IDRequest); ok {
			body = none
		}
		want := fan.Do(t, c.method, c.path, body)
		if status, got := s.Call(t, uint64(i), c.op, "", c.body); status != want.Status || !bytes.Equal(got, want.Body) {
			t.Errorf("%s: %d %s\nover HTTP: %d %s", c.op, status, got, want.Status, want.Body)
		}
	}
	for _, frame := range []string{`{"t":"call","id":50,"op":"dance"}`, `{"t":"call","id":50,"op":"hold","key":"a b"}`} {
		s.Raw(t, []byte(frame))
		r := apitest.Frame(t, s, "reply", func(r wire.ReplyDown) bool { return r.ID == 50 })
		if r.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", frame, r.Status, r.Body)
		}
	}
	fan.Shop(t, cfg)
	ask := wire.HoldRequest{Seats: []uint32{10, 11}}
	status, first := s.Call(t, 60, "hold", "k1", ask)
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, first)
	}
	again := fan.Do(t, "POST", apitest.Path(cfg, "holds"), ask, apitest.Header("Idempotency-Key", "k1")).Want(t, http.StatusCreated)
	if !bytes.Equal(first, again.Body) {
		t.Errorf("the same key got %s and %s", first, again.Body)
	}
	if status, b := s.Call(t, 61, "finish", "", none); status != http.StatusNoContent {
		t.Errorf("finish: %d %s", status, b)
	}
}

func TestTabsShareOnePlace(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, func(c *sale.Config) { c.Queue.ActiveCap = 1 })
	h.Virtual(t, cfg).Shop(t, cfg) // takes the one slot
	fan := h.Virtual(t, cfg)
	one, two := fan.Live(t, cfg), fan.Live(t, cfg)
	one.Up(t, wire.Up{T: "join"})
	waiting := func(p wire.PlaceDown) bool { return p.State == "waiting" }
	a, b := apitest.Frame(t, one, "place", waiting), apitest.Frame(t, two, "place", waiting)
	if a.Number != 2 || b.Number != 2 {
		t.Errorf("the tabs see %d and %d", a.Number, b.Number)
	}
	two.Up(t, wire.Up{T: "join"})
	if c := apitest.Frame(t, two, "place", waiting); c.Number != 2 {
		t.Errorf("joined in the second tab: %d", c.Number)
	}
	// Both lose the connection; the place goes away and comes back with the fan, as the same one.
	_ = one.Close()
	_ = two.Close()
	apitest.Eventually(t, "the place to be away", func() bool {
		return apitest.Into[wire.Place](t, fan.Do(t, "GET", apitest.Path(cfg, "queue/me"), nil)).State == "away"
	})
	third := fan.Live(t, cfg)
	if c := apitest.Frame(t, third, "place", waiting); c.Number != 2 {
		t.Errorf("after coming back the place is %d", c.Number)
	}
	third.Up(t, wire.Up{T: "leave"})
	apitest.Frame(t, third, "place", func(p wire.PlaceDown) bool { return p.State == "left" })
}

func TestTheOldestConnectionMakesRoom(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	first := fan.Live(t, cfg)
	first.Next(t, "tick")
	for range 4 {
		fan.Live(t, cfg).Next(t, "tick")
	}
	first.Next(t, "moved")
	if code := first.Closed(t); code != wire.CloseReplaced {
		t.Errorf("closed with %d", code)
	}
}

func TestSeatMapOverTheSocket(t *testing.T) {
	t.Parallel()
	h := house(t)
	cfg := h.Event(t, nil)
	watcher, buyer := h.Virtual(t, cfg), h.Virtual(t, cfg)
	s := watcher.Live(t, cfg)
	s.Up(t, wire.Up{T: "stock", On: true})
	s.Call(t, 1, "hold.get", "", struct{}{}) // the switch is through
	buyer.Shop(t, cfg)
	hold := buyer.Hold(t, cfg, 4, 5)
	buyer.Do(t, "PATCH", apitest.Path(cfg, "holds", hold.ID), wire.HoldChange{Add: &wire.HoldRequest{Areas: []wire.AreaCount{{Unit: apitest.Area, Count: 2}}}}).Want(t, http.StatusOK)
	seats, area := map[uint32]byte{}, uint32(0)
	apitest.Frame(t, s, "stock", func(f wire.StockDown) bool {
		for _, c := range f.Changes {
			seats[c.Unit] = c.Letter
		}
		for _, a := range f.Areas {
			if a[0] == apitest.Area {
				area = a[1]
			}
		}
		return area == apitest.AreaSize-2
	})
	if seats[4] != 'h' || seats[5] != 'h' || len(seats) != 2 {
		t.Errorf("seats are %v", seats)
	}
	buyer.Do(t, "DELETE", apitest.Path(cfg, "holds", hold.ID), nil).Want(t, http.StatusNoContent)
	apitest.Frame(t, s, "stock", func(f wire.StockDown) bool {
		return slices.ContainsFunc(f.Changes, func(c wire.UnitState) bool { return c.Unit == 4 && c.Letter == 'f' })
	})
	tick := apitest.Frame(t, s, "tick", func(f wire.TickDown) bool { return f.Stock[0].Free == 10 })
	if tick.Event != cfg.Slug || tick.PriceFrom.Amount != apitest.AreaPrice+apitest.AreaFee || len(tick.Stock) != 3 {
		t.Errorf("tick is %+v", tick)
	}
}

// The fan's own hold ends elsewhere, or by itself: the page hears of it.
func TestHoldGoes(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	s := fan.Live(t, cfg)
	fan.Shop(t, cfg)
	hold := fan.Hold(t, cfg, 4, 5)
	apitest.Frame(t, s, "hold", func(f wire.HoldDown) bool { return f.Hold != nil && f.Hold.ID == hold.ID })
	fan.Do(t, "DELETE", apitest.Path(cfg, "holds", hold.ID), nil).Want(t, http.StatusNoContent)
	if f := apitest.Frame(t, s, "hold", func(f wire.HoldDown) bool { return f.Hold == nil }); f.Reason != "gone" {
		t.Errorf("frame is %+v", f)
	}
}

// A hold that a call has made is told to the connection by the reply alone, and to the fan's others as a change.
func TestOwnHoldIsToldOnce(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	fan.Shop(t, cfg)
	own, other := fan.Live(t, cfg), fan.Live(t, cfg)
	for round := range uint64(3) {
		status, b := own.Call(t, 2*round+1, "hold", "", wire.HoldRequest{Seats: []uint32{4, 5}})
		var hold wire.Hold
		if err := json.Unmarshal(b, &hold); err != nil || status != http.StatusCreated || len(hold.Lines) != 2 {
			t.Fatalf("hold: %d %s, %v", status, b, err)
		}
		got := apitest.Frame(t, other, "hold", func(wire.HoldDown) bool { return true })
		if got.Hold == nil || !reflect.DeepEqual(*got.Hold, hold) {
			t.Errorf("the other hears of %+v, the reply says %+v", got.Hold, hold)
		}
		if status, b := own.Call(t, 2*round+2, "hold.release", "", wire.IDRequest{ID: hold.ID}); status != http.StatusNoContent {
			t.Fatalf("release: %d %s", status, b)
		}
		for name, s := range map[string]*apitest.Socket{"own": own, "other": other} {
			if f := apitest.Frame(t, s, "hold", func(wire.HoldDown) bool { return true }); f.Hold != nil || f.Reason != "gone" {
				t.Errorf("the %s connection hears of %+v, the hold is no more", name, f)
			}
		}
	}
}

func TestLeaseFollowsTheHold(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, func(c *sale.Config) { c.Queue.LeaseMs, c.Queue.LeaseCapMs = 60_000, 3600_000 })
	fan := h.Virtual(t, cfg)
	s := fan.Live(t, cfg)
	before := fan.Shop(t, cfg)
	fan.Hold(t, cfg, 4, 5)
	now := apitest.Into[wire.Place](t, fan.Do(t, "GET", apitest.Path(cfg, "queue/me"), nil))
	if now.Deadline <= before.Deadline {
		t.Fatalf("the lease was not extended: %+v, %+v", before, now)
	}
	pushed := apitest.Frame(t, s, "place", func(p wire.PlaceDown) bool { return p.Deadline == now.Deadline })
	if pushed.Cap != now.Cap {
		t.Errorf("pushed %+v, read %+v", pushed, now)
	}
}

func TestRemovedAndClosed(t *testing.T) {
	t.Parallel()
	h := house(t)
	cfg := h.Event(t, func(c *sale.Config) { c.Queue.ActiveCap = 1 })
	h.Virtual(t, cfg).Shop(t, cfg)
	fan := h.Virtual(t, cfg)
	s := fan.Live(t, cfg)
	s.Up(t, wire.Up{T: "join"})
	s.Next(t, "place")
	res, err := h.Events.Submit(t.Context(), cfg.Event, &sale.Command{Op: sale.OpRemove, Account: sale.AccountID(fan.Account)})
	if err != nil || res.Refusal != sale.Done {
		t.Fatal(res.Refusal, err)
	}
	s.Next(t, "removed")
	op := h.Person(t, account.RoleOperator)
	op.Do(t, "POST", "/api/v1/admin/events/"+cfg.Slug+"/close", nil).Want(t, http.StatusOK)
	var over wire.ReasonDown
	if err := json.Unmarshal(s.Next(t, "closed"), &over); err != nil || over.Reason != "closed" {
		t.Errorf("frame is %+v, %v", over, err)
	}
}
