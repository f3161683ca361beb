package bench

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/transport/wire"
)

// sends is the bank of a stub: it fulfils the order that the code names, and tell does the rest.
func (s *stub) sends(tell func(ws *websocket.Conn, o wire.Order)) func(context.Context, string) (time.Time, error) {
	return func(_ context.Context, code string) (time.Time, error) {
		at := time.Now()
		s.mu.Lock()
		defer s.mu.Unlock()
		o := s.orders[code]
		o.State = "fulfilled"
		tell(s.newest[s.owner[code]], *o)
		return at, nil
	}
}

func (s *stub) push(ws *websocket.Conn, o wire.Order) {
	if err := ws.WriteJSON(wire.OrderDown{T: "order", Order: o}); err != nil {
		s.t.Error(err)
	}
}

// A fan who waits for tickets is told by the socket, and asks for nothing.
func TestFanIsToldOfItsTickets(t *testing.T) {
	s := newStub(t, 4)
	s.codes = true
	w, f := &watcher{}, s.fan(1)
	f.Observer = w
	var paid time.Time
	bank := s.sends(func(ws *websocket.Conn, o wire.Order) {
		other := o
		other.ID = "o1-99"
		s.push(ws, other) // of another page of the same fan
		s.push(ws, o)
	})
	f.Bank = func(ctx context.Context, code string) (at time.Time, err error) {
		at, err = bank(ctx, code)
		paid = at
		return at, err
	}
	out, err := f.Run(t.Context(), Story{Quantity: 2, Method: "pix", Live: true, Banking: 20 * time.Millisecond})
	if err != nil || len(out.Tickets) != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	if n := s.done["order.get"]; n != 0 {
		t.Errorf("it looked %d times", n)
	}
	if got := w.said(); !strings.HasSuffix(got, "order pay ticket tickets") {
		t.Fatalf("done was %q", got)
	}
	ticket := w.list[len(w.list)-2]
	if !ticket.planned.Equal(paid) || !ticket.started.Equal(paid) {
		t.Errorf("the wait began at %v, paid was at %v", ticket.planned, paid)
	}
	if len(f.Journal.breaches) != 0 {
		t.Errorf("breaches %v", f.Journal.breaches)
	}
}

// A server that wants nobody to come back is asked over HTTP.
func TestFanWithoutASocketLooks(t *testing.T) {
	for name, c := range map[string]struct {
		bye    int
		opened int
	}{"cut": {0, 2}, "sent away": {wire.CloseSaleOver, 1}} {
		s := newStub(t, 4)
		s.codes = true
		w, f := &watcher{}, s.fan(1)
		f.Observer = w
		f.Bank = s.sends(func(ws *websocket.Conn, _ wire.Order) {
			if c.bye != 0 {
				_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(c.bye, ""), time.Now().Add(time.Second))
			}
			_ = ws.NetConn().Close()
		})
		out, err := f.Run(t.Context(), Story{Quantity: 1, Method: "pix", Live: true, PollOrder: time.Millisecond})
		if err != nil || len(out.Tickets) != 1 || w.opened != c.opened || w.sockets != 0 {
			t.Errorf("%s: %d sockets, %d left, %+v, %v", name, w.opened, w.sockets, out, err)
		}
	}
}

// What an answer says and what the socket told meanwhile may come in either order.
func TestTheFurtherOrderCounts(t *testing.T) {
	for _, c := range []struct{ told, answered, want string }{
		{"committed", "awaiting", "committed"}, {"awaiting", "committed", "committed"}, {"fulfilled", "paid", "fulfilled"},
		{"expired", "awaiting", "expired"}, {"expired", "fulfilled", "fulfilled"}, {"", "paid", "paid"},
	} {
		v := &visit{f: &Fan{Journal: NewJournal("a1")}, out: Outcome{Order: &wire.Order{ID: "o1-1", State: "awaiting"}}}
		v.f.Journal.ordered("h1-1", *v.out.Order)
		if c.told != "" {
			v.see(frame{kind: "order", order: &wire.Order{ID: "o1-1", State: c.told}})
			v.see(frame{kind: "order", order: &wire.Order{ID: "o1-2", State: "refunded"}})
		}
		v.learn(wire.Order{ID: "o1-1", State: c.answered})
		if v.out.Order.State != c.want || v.crossed != nil {
			t.Errorf("%s told, %s answered: it is %s", c.told, c.answered, v.out.Order.State)
		}
	}
}

// What the socket told before an answer may be read after it; what it tells by itself must not go back.
func TestWhatIsToldDoesNotGoBack(t *testing.T) {
	order := func(state string) wire.Order { return wire.Order{ID: "o1-1", State: state} }
	v := &visit{f: &Fan{Journal: NewJournal("a1")}}
	v.f.Journal.ordered("h1-1", order("awaiting"))
	v.learn(order("committed"))
	v.told(order("awaiting"))
	if v.out.Order.State != "committed" || len(v.f.Journal.breaches) != 0 {
		t.Errorf("after an answer that was further it is %s, breaches %v", v.out.Order.State, v.f.Journal.breaches)
	}
	v.told(order("paid"))
	v.told(order("committed"))
	if len(v.f.Journal.breaches) != 1 || v.f.Journal.breaches[0].promise != viewMonotonic {
		t.Errorf("going back by itself: %v", v.f.Journal.breaches)
	}
}

// What the provider held back is taken off, told apart, and never more than there was.
func TestWhatTheProviderHoldsBackIsToldApart(t *testing.T) {
	paid := time.Now().Add(-time.Minute)
	for name, c := range map[string]struct {
		held time.Duration
		err  error
		want string
	}{
		"nothing":  {0, nil, "ticket"},
		"most":     {50 * time.Second, nil, "provider ticket"},
		"too much": {time.Hour, nil, "provider ticket"},
		"unknown":  {time.Hour, context.DeadlineExceeded, "ticket"},
	} {
		w := &watcher{}
		v := &visit{f: &Fan{Observer: w}, out: Outcome{Order: &wire.Order{ID: "o1-1"}}}
		v.f.Held = func(_ context.Context, order string, from, to time.Time, notices bool) (time.Duration, error) {
			if order != "o1-1" || !notices || !from.Equal(paid) || to.Before(from) {
				t.Errorf("asked for %s from %v to %v", order, from, to)
			}
			return c.held, c.err
		}
		u := under{"ticket", paid, paid}
		v.endPaying(t.Context(), &u, "")
		v.endPaying(t.Context(), &u, "") // ended already
		if w.said() != c.want {
			t.Errorf("%s: done was %q", name, w.said())
			continue
		}
		var sum time.Duration
		for _, d := range w.list {
			if d.started.Before(d.planned) || d.ended.Before(d.started) {
				t.Errorf("%s: %s began at %v and ended at %v", name, d.op, d.started, d.ended)
			}
			sum += d.ended.Sub(d.planned)
		}
		if sum < time.Minute || sum > time.Minute+10*time.Second {
			t.Errorf("%s: together they took %v", name, sum)
		}
	}
}
