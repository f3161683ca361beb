package live

import (
	"context"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/wire"
)

// serve writes what waits with as few system calls as there can be. What has to be asked or waited for first gets a
// goroutine. A writer's goroutine; b is its buffer, which it gets back.
func (c *conn) serve(lane int, a *attempt, b []byte) []byte {
	c.mu.Lock()
	c.queued[lane] = false
	if c.writing || c.closed || c.out.empty() { // somebody else has been here
		c.mu.Unlock()
		c.s.running.Done()
		return b
	}
	c.writing = true
	if c.out.asks() {
		c.mu.Unlock()
		go c.write(nil)
		return b
	}
	o := c.takeOut()
	c.mu.Unlock()
	for more := true; more; o, more = c.take() {
		if o.asks() {
			taken := o // so that only this one is on the heap
			go c.write(&taken)
			return b
		}
		b = c.encode(b[:0], &o)
		left, ok, err := a.write(c.socket, b)
		switch {
		case err != nil:
			c.fail()
			c.s.running.Done()
			return b
		case !ok:
			go c.writeOn(append([]byte(nil), left...), o.code, false)
			return b
		case len(left) > 0:
			go c.writeOn(append([]byte(nil), left...), o.code, true)
			return b
		}
		c.part(o.code)
	}
	c.s.running.Done()
	return b
}

// writeOn writes what a socket did not take at once, and then whatever waits. begun says that it is the rest of a write.
func (c *conn) writeOn(left []byte, code int, begun bool) {
	var err error
	if begun {
		err = c.socket.finish(left)
	} else {
		_, err = c.socket.Write(left)
	}
	if err != nil {
		c.fail()
		c.s.running.Done()
		return
	}
	c.part(code)
	c.write(nil)
}

// write asks and waits for whatever has to be, until nothing waits to be written, then ends. o, if not nil, was taken
// already.
func (c *conn) write(o *outbox) {
	defer c.s.running.Done()
	var b []byte
	for {
		if o == nil {
			next, ok := c.take()
			if !ok {
				return
			}
			o = &next
		}
		c.look(o)
		b = c.encode(b[:0], o)
		if _, err := c.socket.Write(b); err != nil {
			c.fail()
			return
		}
		c.part(o.code)
		o = nil
	}
}

// fail ends a connection whose peer does not take what is written, or is gone.
func (c *conn) fail() {
	c.mute()
	c.abort()
}

// part ends the connection after the goodbye, if there was one.
func (c *conn) part(code int) {
	if code != 0 {
		c.s.metrics.closed(code)
		c.linger()
	}
}

// encode writes the frames of an outbox one behind the other.
func (c *conn) encode(b []byte, o *outbox) []byte {
	for _, f := range o.queue {
		b = c.add(b, f)
	}
	if o.place != nil {
		b = c.addPlace(b, o.place)
	}
	for _, f := range o.looked {
		b = c.add(b, f)
	}
	if o.reset {
		b = c.add(b, plainFrame(func(seq uint64) any {
			return wire.StockDown{T: "stock", Seq: seq, Reset: true, Changes: []wire.UnitState{}, Areas: []wire.AreaState{}}
		}))
	} else {
		for _, f := range o.stock {
			b = c.addWhole(b, c.s.shared.stock(f))
		}
	}
	if o.tick != nil {
		b = c.addTick(b, o.tick)
	}
	if o.ping {
		b = appendPing(b)
	}
	if o.code != 0 {
		b = appendClose(b, o.code, o.reason)
	}
	return b
}

func (c *conn) add(b []byte, f frame) []byte {
	start := len(b)
	b = f.appendTo(beginFrame(b), c.seq+1)
	if len(b) == start+headRoom {
		c.s.o.Logger.Error("frame not encoded")
		return b[:start]
	}
	c.seq++
	c.s.metrics.sent.Inc()
	return endFrame(b, start, websocket.TextMessage)
}

// addWhole adds a frame that was made for many.
func (c *conn) addWhole(b, whole []byte) []byte {
	c.s.metrics.sent.Inc()
	return append(b, whole...)
}

func (c *conn) addPlace(b []byte, p *gateway.Place) []byte {
	b = c.add(b, placeFrame{api.RenderPlace(*p, c.slug)})
	if p.State == queue.Removed {
		return c.add(b, plainFrame(func(seq uint64) any { return wire.ReasonDown{T: "removed", Seq: seq} }))
	}
	if p.State != queue.Offered || p.Deadline == c.offered {
		return b
	}
	c.offered = p.Deadline
	return c.add(b, plainFrame(func(seq uint64) any {
		return wire.OfferDown{T: "offer", Seq: seq, Deadline: wire.Time(p.Deadline), Now: wire.Time(p.Now)}
	}))
}

// addTick also says once that the sale is over, and whether anything was left.
func (c *conn) addTick(b []byte, f *gateway.TickFrame) []byte {
	b = c.addWhole(b, c.s.shared.tick(f))
	if f.Phase != sale.PhaseClosed || c.over {
		return b
	}
	c.over = true
	reason := "sold-out"
	for _, n := range f.Stock {
		if n.Free+n.Held > 0 {
			reason = "closed"
		}
	}
	return c.add(b, plainFrame(func(seq uint64) any { return wire.ReasonDown{T: "closed", Seq: seq, Reason: reason} }))
}

// look asks for what the fan is told unasked. What cannot be had is left out: the page asks again when it needs to know.
func (c *conn) look(o *outbox) {
	if !o.asks() {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, callWait)
	defer cancel()
	if o.hold {
		h, err := c.s.o.Caller.LookHold(ctx, c.person, c.event)
		f := holdFrame{hold: h}
		if h == nil && o.gone {
			f.reason = "gone"
		}
		if err == nil {
			o.looked = append(o.looked, f)
		}
	}
	for _, id := range o.orders {
		if order, err := c.s.o.Caller.LookOrder(ctx, c.person, c.event, id); err == nil && order != nil {
			o.looked = append(o.looked, orderFrame{order})
		}
	}
	if o.pinging {
		if o.ping = c.s.o.Still(c.ctx, c.person); !o.ping {
			c.bye(wire.CloseSignIn, "sign in again")
		}
	}
	o.hold, o.orders, o.pinging = false, nil, false
}
