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

// write writes until nothing waits, then ends: an idle fan has no writer.
func (c *conn) write() {
	defer c.s.running.Done()
	for {
		o, ok := c.take()
		if !ok {
			return
		}
		if !c.writeAll(&o) {
			c.mute()
			c.abort()
			return
		}
		if o.code != 0 {
			c.part(o.code, o.reason)
			return
		}
	}
}

// writeAll sends one outbox; false when the peer does not take it in time.
func (c *conn) writeAll(o *outbox) bool {
	for _, f := range o.queue {
		if !c.send(f) {
			return false
		}
	}
	if o.place != nil && !c.writePlace(*o.place) || o.hold && !c.writeHold(o.gone) {
		return false
	}
	for _, id := range o.orders {
		if !c.writeOrder(id) {
			return false
		}
	}
	if o.reset {
		if !c.send(func(seq uint64) any {
			return wire.StockDown{T: "stock", Seq: seq, Reset: true, Changes: []wire.UnitState{}, Areas: []wire.AreaState{}}
		}) {
			return false
		}
	} else {
		for _, f := range o.stock {
			if !c.prepared(c.s.shared.stock(f)) {
				return false
			}
		}
	}
	if o.tick != nil && !c.writeTick(o.tick) {
		return false
	}
	if o.pinging {
		return c.writePing()
	}
	return true
}

// part says goodbye.
func (c *conn) part(code int, reason string) {
	msg := websocket.FormatCloseMessage(code, reason)
	_ = c.ws.WriteControl(websocket.CloseMessage, msg, time.Now().Add(goodbye)) // the peer may be gone
	c.s.metrics.closed(code)
	c.linger()
}

func (c *conn) send(f func(seq uint64) any) bool {
	c.seq++
	b, err := json.Marshal(f(c.seq))
	if err != nil {
		c.s.o.Logger.Error("frame not encoded")
		return true // the other frames are still good
	}
	if err := c.ws.SetWriteDeadline(time.Now().Add(c.s.o.WriteWait)); err != nil {
		return false
	}
	c.s.metrics.sent.Inc()
	return c.ws.WriteMessage(websocket.TextMessage, b) == nil
}

func (c *conn) prepared(m *websocket.PreparedMessage) bool {
	if m == nil {
		return true
	}
	if err := c.ws.SetWriteDeadline(time.Now().Add(c.s.o.WriteWait)); err != nil {
		return false
	}
	c.s.metrics.sent.Inc()
	return c.ws.WritePreparedMessage(m) == nil
}

func (c *conn) writePlace(p gateway.Place) bool {
	if !c.send(func(seq uint64) any {
		return wire.PlaceDown{T: "place", Seq: seq, Place: api.RenderPlace(p, c.slug)}
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

// writeTick also says once that the sale is over, and whether anything was left.
func (c *conn) writeTick(f *gateway.TickFrame) bool {
	if !c.prepared(c.s.shared.tick(f)) {
		return false
	}
	if f.Phase != sale.PhaseClosed || c.over {
		return true
	}
	c.over = true
	reason := "sold-out"
	for _, n := range f.Stock {
		if n.Free+n.Held > 0 {
			reason = "closed"
		}
	}
	return c.send(func(seq uint64) any { return wire.ReasonDown{T: "closed", Seq: seq, Reason: reason} })
}

func (c *conn) writeHold(gone bool) bool {
	status, body := c.look("hold.get", "")
	switch status {
	case http.StatusOK:
		var h wire.Hold
		if json.Unmarshal(body, &h) != nil {
			return true
		}
		return c.send(func(seq uint64) any { return wire.HoldDown{T: "hold", Seq: seq, Hold: &h} })
	case http.StatusNotFound:
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
	status, body := c.look("order.get", wire.OrderRef(c.event, id))
	if status != http.StatusOK {
		return true
	}
	var o wire.Order
	if json.Unmarshal(body, &o) != nil {
		return true
	}
	return c.send(func(seq uint64) any { return wire.OrderDown{T: "order", Seq: seq, Order: o} })
}

// look reads what the fan is told unasked.
func (c *conn) look(op, id string) (int, []byte) {
	ctx, cancel := context.WithTimeout(c.ctx, callWait)
	defer cancel()
	body := []byte("{}")
	if id != "" {
		body, _ = json.Marshal(wire.IDRequest{ID: id}) // a string always encodes
	}
	return c.s.o.Caller.Look(ctx, c.person, *c.lang.Load(), c.event, op, body)
}

// writePing also ends connections whose session was revoked.
func (c *conn) writePing() bool {
	if !c.s.o.Still(c.ctx, c.person) {
		c.bye(wire.CloseSignIn, "sign in again")
		return true
	}
	return c.prepared(c.s.shared.ping())
}
