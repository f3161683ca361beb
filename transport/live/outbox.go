package live

import (
	"slices"
	"time"

	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

const (
	maxQueue = 64 // frames that may not be dropped, waiting
	maxStock = 16 // seat map frames waiting; more, and the page reads the map again
)

const restarting = "moving to another server, the place is kept"

// outbox is what waits to be written. It is bounded: of places and ticks the newest waits, of holds that one changed,
// of orders which; replies wait in a queue of limited length, and seat map frames give way to one that says so.
type outbox struct {
	place   *gateway.Place
	tick    *gateway.TickFrame
	queue   []frame
	stock   []*gateway.StockFrame
	reset   bool // stock frames were dropped
	hold    bool // the hold has to be read and told
	gone    bool // the hold is no more
	orders  []sale.OrderID
	pinging bool
	looked  []frame // what was read of hold and orders
	ping    bool    // the session was found to hold
	code    int     // close code, 0: none
	reason  string
	parting bool // the close frame was taken to be written
}

func (o *outbox) empty() bool {
	return o.place == nil && o.tick == nil && len(o.queue)+len(o.stock) == 0 && !o.reset && o.code == 0 && !o.asks()
}

// asks says whether something has to be asked before it can be told.
func (o *outbox) asks() bool { return o.hold || o.pinging || len(o.orders) > 0 }

func (c *conn) reply(id uint64, status int, body wire.Appender) {
	c.enqueue(replyFrame{id: id, status: status, body: body})
}

func (c *conn) problem(p *wire.Problem) {
	c.enqueue(plainFrame(func(seq uint64) any { return wire.ErrorDown{T: "error", Seq: seq, Problem: p} }))
}

// enqueue adds a frame that may not be dropped. A fan who lets too many wait does not read.
func (c *conn) enqueue(f frame) {
	c.mu.Lock()
	switch {
	case len(c.out.queue) < maxQueue:
		c.out.queue = append(c.out.queue, f)
	case c.out.code == 0:
		c.out.code, c.out.reason = wire.CloseSlow, "too slow"
	}
	c.kick(askedLane)
}

// Hold implements [api.Told]: a change that the coming reply tells is not told a second time. A change of the same hold
// after it, in the same entry or a later one, is.
func (b begun) Hold(index uint64, id sale.HoldID) {
	b.c.mu.Lock()
	b.c.told = told{index, id}
	b.c.mu.Unlock()
}

// told is a hold as an entry of the log has left it.
type told struct {
	index uint64
	hold  sale.HoldID
}

// Push takes a frame of the gateway. Its workers' goroutines; never blocks.
func (c *conn) Push(f gateway.Frame) {
	c.mu.Lock()
	o := &c.out
	switch f := f.(type) {
	case gateway.PlaceFrame:
		o.place = &f.Place
	case *gateway.TickFrame:
		o.tick = f
	case *gateway.StockFrame:
		if len(o.stock) >= maxStock || o.reset {
			o.stock, o.reset = nil, true
		} else {
			o.stock = append(o.stock, f)
		}
	case gateway.HoldChanged:
		if c.told == (told{f.Index, f.Hold}) && !f.Gone {
			c.told = told{} // by the reply
			break
		}
		o.hold, o.gone = true, f.Gone
	case gateway.OrderChanged:
		if !slices.Contains(o.orders, f.Order) {
			o.orders = append(o.orders, f.Order) // bounded by the orders of one account
		}
	}
	c.kick(toldLane)
}

// Close ends the connection with the reason's code once what waits is written.
func (c *conn) Close(r gateway.Reason) {
	switch r {
	case gateway.Replaced:
		c.enqueue(plainFrame(func(seq uint64) any {
			return wire.ReasonDown{T: "moved", Seq: seq, Reason: "another connection took over"}
		}))
		c.bye(wire.CloseReplaced, "another connection took over")
	case gateway.SaleOver:
		c.bye(wire.CloseSaleOver, "the sale is over")
	default:
		c.bye(wire.CloseRestart, restarting)
	}
}

// bye closes with a code once what waits is written. The first reason counts.
func (c *conn) bye(code int, text string) {
	c.mu.Lock()
	if c.out.code == 0 {
		c.out.code, c.out.reason = code, text
	}
	c.kick(toldLane)
}

// ping is called every half minute by the server's pulse.
func (c *conn) ping() {
	if time.Now().UnixMilli()-c.seen.Load() > c.s.o.quiet().Milliseconds() {
		c.abort() // two pings were not answered
		return
	}
	c.mu.Lock()
	c.out.pinging = true
	c.kick(toldLane)
}

// kick sees to it that what waits is written. Called with mu held, which it gives up.
func (c *conn) kick(lane int) {
	switch {
	case c.writing || c.closed || c.out.empty():
		c.mu.Unlock()
	case c.socket.raw == nil: // each write may have to wait
		c.writing = true
		c.s.running.Add(1)
		c.mu.Unlock()
		go c.write(nil)
	case c.queued[askedLane] || c.queued[lane]:
		c.mu.Unlock()
	default:
		c.queued[lane] = true
		c.s.running.Add(1)
		c.mu.Unlock()
		c.s.writers.put(c, lane)
	}
}

// take empties the outbox; false when nothing waits or nothing may be written, and then the writer is over.
func (c *conn) take() (outbox, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.out.empty() {
		c.writing = false
		return outbox{}, false
	}
	return c.takeOut(), true
}

// takeOut is take when something waits. Called with mu held.
func (c *conn) takeOut() outbox {
	o := c.out
	c.out = outbox{parting: o.code != 0}
	if o.code != 0 {
		c.closed = true // nothing follows a close frame
	}
	return o
}
