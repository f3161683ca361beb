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

// outbox is what waits to be written. It is bounded: of places and ticks the newest waits, of holds that one changed,
// of orders which; replies wait in a queue of limited length, and seat map frames give way to one that says so.
type outbox struct {
	place   *gateway.Place
	tick    *gateway.TickFrame
	queue   []func(seq uint64) any
	stock   []*gateway.StockFrame
	reset   bool // stock frames were dropped
	hold    bool // the hold has to be read and told
	gone    bool // the hold is no more
	orders  []sale.OrderID
	pinging bool
	code    int // close code, 0: none
	reason  string
	parting bool // the close frame was taken to be written
}

func (o *outbox) empty() bool {
	return o.place == nil && o.tick == nil && len(o.queue)+len(o.stock)+len(o.orders) == 0 &&
		!o.reset && !o.hold && !o.pinging && o.code == 0
}

func (c *conn) reply(id uint64, status int, body []byte) {
	c.enqueue(func(seq uint64) any {
		return wire.ReplyDown{T: "reply", Seq: seq, ID: id, Status: status, Body: body}
	})
}

func (c *conn) problem(p *wire.Problem) {
	c.enqueue(func(seq uint64) any { return wire.ErrorDown{T: "error", Seq: seq, Problem: p} })
}

// enqueue adds a frame that may not be dropped. A fan who lets too many wait does not read.
func (c *conn) enqueue(f func(seq uint64) any) {
	c.mu.Lock()
	switch {
	case len(c.out.queue) < maxQueue:
		c.out.queue = append(c.out.queue, f)
	case c.out.code == 0:
		c.out.code, c.out.reason = wire.CloseSlow, "too slow"
	}
	c.kick()
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
		o.hold, o.gone = true, f.Gone
	case gateway.OrderChanged:
		if !slices.Contains(o.orders, f.Order) {
			o.orders = append(o.orders, f.Order) // bounded by the orders of one account
		}
	}
	c.kick()
}

// Close ends the connection with the reason's code once what waits is written.
func (c *conn) Close(r gateway.Reason) {
	switch r {
	case gateway.Replaced:
		c.enqueue(func(seq uint64) any {
			return wire.ReasonDown{T: "moved", Seq: seq, Reason: "another connection took over"}
		})
		c.bye(wire.CloseReplaced, "another connection took over")
	case gateway.SaleOver:
		c.bye(wire.CloseSaleOver, "the sale is over")
	default:
		c.bye(wire.CloseRestart, "moving to another server, the place is kept")
	}
}

// bye closes with a code once what waits is written. The first reason counts.
func (c *conn) bye(code int, text string) {
	c.mu.Lock()
	if c.out.code == 0 {
		c.out.code, c.out.reason = code, text
	}
	c.kick()
}

// ping is called every half minute by the server's pulse.
func (c *conn) ping() {
	if time.Now().UnixMilli()-c.seen.Load() > c.s.o.quiet().Milliseconds() {
		c.abort() // two pings were not answered
		return
	}
	c.mu.Lock()
	c.out.pinging = true
	c.kick()
}

// kick starts a writer when none runs. Called with mu held, which it gives up.
func (c *conn) kick() {
	start := !c.writing && !c.closed
	if start {
		c.writing = true
		c.s.running.Add(1)
	}
	c.mu.Unlock()
	if start {
		go c.write()
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
	o := c.out
	c.out = outbox{parting: o.code != 0}
	if o.code != 0 {
		c.closed = true // nothing follows a close frame
	}
	return o, true
}
