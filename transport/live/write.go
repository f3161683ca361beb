package live

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/wire"
)

// kick starts a writer when none runs. Called with mu held, which it gives up.
func (c *conn) kick() {
	start := !c.writing && !c.closed
	if start {
		c.writing = true
	}
	c.mu.Unlock()
	if start {
		go c.drain()
	}
}

// work is one round of what waits.
type work struct {
	place   *gateway.Place
	tick    *gateway.TickFrame
	queue   []func(uint64) any
	stock   []*gateway.StockFrame
	reset   bool
	hold    bool
	gone    bool
	orders  []sale.OrderID
	pinging bool
	closing int
	reason  string
}

// take empties what waits; false when there was nothing, and then the writer is over.
func (c *conn) take() (work, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := work{
		place: c.place, tick: c.tick, queue: c.queue, stock: c.stock, reset: c.reset, hold: c.hold, gone: c.gone,
		orders: c.orders, pinging: c.pinging, closing: c.closing, reason: c.reason,
	}
	c.place, c.tick, c.queue, c.stock, c.orders = nil, nil, nil, nil, nil
	c.reset, c.hold, c.gone, c.pinging = false, false, false, false
	idle := w.place == nil && w.tick == nil && len(w.queue)+len(w.stock)+len(w.orders) == 0 &&
		!w.reset && !w.hold && !w.pinging && w.closing == 0
	if idle || c.closed {
		c.writing = false
		return w, false
	}
	return w, true
}

// drain writes until nothing waits, then ends: an idle fan has no writer.
func (c *conn) drain() {
	for {
		w, ok := c.take()
		if !ok {
			return
		}
		if !c.write(w) {
			c.mu.Lock()
			c.closed, c.writing = true, false
			c.mu.Unlock()
			c.abort()
			return
		}
	}
}

// write sends one round; false ends the connection.
func (c *conn) write(w work) bool {
	for _, f := range w.queue {
		if !c.send(f) {
			return false
		}
	}
	if w.place != nil && !c.writePlace(*w.place) {
		return false
	}
	if w.hold && !c.writeHold(w.gone) {
		return false
	}
	for _, id := range w.orders {
		if !c.writeOrder(id) {
			return false
		}
	}
	if w.reset {
		w.stock = nil
		if !c.send(func(seq uint64) any {
			return wire.StockDown{T: "stock", Seq: seq, Reset: true, Changes: []wire.UnitState{}, Areas: []wire.AreaState{}}
		}) {
			return false
		}
	}
	for _, f := range w.stock {
		if !c.prepared(c.s.shared.stock(f)) {
			return false
		}
	}
	if w.tick != nil && !c.prepared(c.s.shared.tick(w.tick)) {
		return false
	}
	if w.pinging && !c.writePing() {
		return false
	}
	if w.closing != 0 {
		msg := websocket.FormatCloseMessage(w.closing, w.reason)
		_ = c.ws.WriteControl(websocket.CloseMessage, msg, time.Now().Add(time.Second)) // the peer may be gone
		c.s.metrics.closed(w.closing)
		return false
	}
	return true
}

func (c *conn) send(f func(seq uint64) any) bool {
	c.seq++
	b, err := json.Marshal(f(c.seq))
	if err != nil {
		c.s.o.Logger.Error("frame not encoded")
		return true // the other frames are still good
	}
	if err := c.ws.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return false
	}
	c.s.metrics.sent.Inc()
	return c.ws.WriteMessage(websocket.TextMessage, b) == nil
}

func (c *conn) prepared(m *websocket.PreparedMessage) bool {
	if m == nil {
		return true
	}
	if err := c.ws.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return false
	}
	c.s.metrics.sent.Inc()
	return c.ws.WritePreparedMessage(m) == nil
}

func (c *conn) writePlace(p gateway.Place) bool {
	slug := c.s.shared.slug(p.Event)
	if !c.send(func(seq uint64) any {
		return wire.PlaceDown{T: "place", Seq: seq, Place: api.RenderPlace(p, slug)}
	}) {
		return false
	}
	if p.State == queue.Removed {
		return c.send(func(seq uint64) any { return wire.ReasonDown{T: "removed", Seq: seq} })
	}
	if p.State != queue.Offered || p.Deadline == c.offered {
		return true
	}
	c.offered = p.Deadline
	return c.send(func(seq uint64) any {
		return wire.OfferDown{T: "offer", Seq: seq, Deadline: wire.Time(p.Deadline), Now: wire.Time(p.Now)}
	})
}

func (c *conn) writeHold(gone bool) bool {
	status, body := c.get("hold.get", "")
	switch {
	case status == http.StatusOK:
		var h wire.Hold
		if json.Unmarshal(body, &h) != nil {
			return true
		}
		return c.send(func(seq uint64) any { return wire.HoldDown{T: "hold", Seq: seq, Hold: &h} })
	case status == http.StatusNotFound:
		reason := ""
		if gone {
			reason = "gone"
		}
		return c.send(func(seq uint64) any { return wire.HoldDown{T: "hold", Seq: seq, Reason: reason} })
	default:
		return true // the page asks again when it needs to know
	}
}

func (c *conn) writeOrder(id sale.OrderID) bool {
	status, body := c.get("order.get", wire.OrderRef(c.event, id))
	if status != http.StatusOK {
		return true
	}
	var o wire.Order
	if json.Unmarshal(body, &o) != nil {
		return true
	}
	return c.send(func(seq uint64) any { return wire.OrderDown{T: "order", Seq: seq, Order: o} })
}

func (c *conn) get(op, id string) (int, []byte) {
	ctx, cancel := context.WithTimeout(c.ctx, callWait)
	defer cancel()
	body := []byte("{}")
	if id != "" {
		body, _ = json.Marshal(wire.IDRequest{ID: id}) // a string always encodes
	}
	return c.s.o.Caller.Call(ctx, c.person, c.event, op, "", body)
}

// writePing also ends connections whose session was revoked.
func (c *conn) writePing() bool {
	if !c.s.o.Still(c.ctx, c.person) {
		msg := websocket.FormatCloseMessage(wire.CloseSignIn, "sign in again")
		_ = c.ws.WriteControl(websocket.CloseMessage, msg, time.Now().Add(time.Second)) // the peer may be gone
		c.s.metrics.closed(wire.CloseSignIn)
		return false
	}
	return c.prepared(c.s.shared.ping())
}
