package live

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

const (
	writeWait = 5 * time.Second  // one frame has to leave within this
	quiet     = 75 * time.Second // a peer that says nothing for so long is gone: two pings were not answered
	maxCalls  = 8                // calls of one connection at once
	maxQueue  = 64               // frames that may not be dropped, waiting
	maxStock  = 16               // seat map frames waiting; more, and the page reads the map again
	callWait  = 15 * time.Second
)

// conn is one fan's connection. It implements gateway.Fan.
type conn struct {
	s      *Server
	ws     *websocket.Conn
	person directory.Person
	event  sale.EventID
	source string

	seen  atomic.Int64 // unix ms of the last sign of life
	calls chan struct{}
	ctx   context.Context
	end   context.CancelFunc

	mu      sync.Mutex // guards what waits to be written
	place   *gateway.Place
	tick    *gateway.TickFrame
	queue   []func(seq uint64) any
	stock   []*gateway.StockFrame
	reset   bool // stock frames were dropped
	hold    bool // the hold has to be read and told
	gone    bool // the hold is no more
	orders  []sale.OrderID
	pinging bool
	closing int // close code, 0: none
	reason  string
	writing bool
	closed  bool

	seq     uint64 // the writer's
	offered int64  // deadline of the last offer told; the writer's
}

func newConn(s *Server, ws *websocket.Conn, p directory.Person, id sale.EventID, source string) *conn {
	ctx, end := context.WithCancel(context.Background())
	c := &conn{s: s, ws: ws, person: p, event: id, source: source, calls: make(chan struct{}, maxCalls), ctx: ctx, end: end}
	c.seen.Store(time.Now().UnixMilli())
	return c
}

// run reads until the connection ends.
func (c *conn) run() {
	defer c.s.remove(c)
	defer c.end()
	defer c.shut()
	if !c.s.add(c) {
		c.closeNow(wire.CloseRestart, "restarting")
		return
	}
	if tcp, ok := c.ws.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(32 << 10) // shows slow readers early; only a hint
	}
	c.ws.SetReadLimit(wire.MaxUpBytes)
	c.ws.SetPongHandler(func(string) error { c.alive(); return nil })
	limit := rate.NewLimiter(20, 40)
	c.ws.SetPingHandler(func(data string) error {
		if !limit.Allow() {
			return errFlood
		}
		c.alive()
		err := c.ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
		if errors.Is(err, websocket.ErrCloseSent) {
			return nil
		}
		return err
	})
	detach, err := c.s.o.Gateway.Attach(c.ctx, c.event, sale.AccountID(c.person.Account), c)
	if err != nil {
		c.closeNow(wire.CloseBusy, "try again")
		return
	}
	defer detach()
	for {
		kind, b, err := c.ws.ReadMessage()
		if err != nil {
			if errors.Is(err, errFlood) {
				c.closeNow(wire.CloseTooMany, "too many frames")
			}
			return
		}
		c.alive()
		if !limit.Allow() {
			c.closeNow(wire.CloseTooMany, "too many frames")
			return
		}
		if kind != websocket.TextMessage {
			c.closeNow(wire.CloseBadMessage, "text frames only")
			return
		}
		c.up(b)
	}
}

var errFlood = errors.New("too many control frames")

func (c *conn) alive() { c.seen.Store(time.Now().UnixMilli()) }

// up handles one frame of the fan.
func (c *conn) up(b []byte) {
	u, err := wire.DecodeUp(b)
	if err != nil {
		p := wire.NewProblem(wire.InvalidRequest, c.person.Lang)
		p.Detail = err.Error()
		c.problem(p)
		return
	}
	switch u.T {
	case "hello":
		if u.Lang == "pt-BR" || u.Lang == "en" || u.Lang == "es" {
			c.person.Lang = u.Lang // read by this goroutine and by calls started after it
		}
		c.showPlace()
	case "join":
		c.ask(sale.OpJoin)
	case "leave":
		c.ask(sale.OpLeave)
	case "claim":
		c.ask(sale.OpClaim)
	case "stock":
		c.s.o.Gateway.Stock(sale.AccountID(c.person.Account), c, u.On)
	case "pong":
	case "call":
		c.call(u)
	}
}

func (c *conn) ask(op sale.Op) {
	ctx, cancel := context.WithTimeout(c.ctx, callWait)
	defer cancel()
	if err := c.s.o.Caller.Ask(ctx, c.person, c.event, op); err != nil {
		var p *wire.Problem
		if !errors.As(err, &p) {
			p = wire.NewProblem(wire.Internal, c.person.Lang)
		}
		c.problem(p)
		return
	}
	c.showPlace() // also when nothing changed: a second join is answered like the first
}

func (c *conn) showPlace() {
	ctx, cancel := context.WithTimeout(c.ctx, callWait)
	defer cancel()
	if p, ok, err := c.s.o.Gateway.Place(ctx, c.event, sale.AccountID(c.person.Account)); err == nil && ok {
		c.Push(gateway.PlaceFrame{Place: p})
	}
}

// call does a shopping operation on a goroutine of its own, several of one fan at once.
func (c *conn) call(u wire.Up) {
	select {
	case c.calls <- struct{}{}:
	default:
		p := wire.NewProblem(wire.TooManyRequests, c.person.Lang)
		p.RetryAfter = 200
		c.reply(u.ID, p.Status, p.JSON())
		return
	}
	person := c.person
	go func() {
		defer func() { <-c.calls }()
		ctx, cancel := context.WithTimeout(c.ctx, callWait)
		defer cancel()
		status, body := c.s.o.Caller.Call(ctx, person, c.event, u.Op, u.Key, u.Body)
		c.reply(u.ID, status, body)
	}()
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
	if len(c.queue) >= maxQueue {
		c.closing, c.reason = wire.CloseSlow, "too slow"
	} else {
		c.queue = append(c.queue, f)
	}
	c.kick()
}

// Push takes a frame of the gateway. Its workers' goroutines; never blocks.
func (c *conn) Push(f gateway.Frame) {
	c.mu.Lock()
	switch f := f.(type) {
	case gateway.PlaceFrame:
		c.place = &f.Place
	case *gateway.TickFrame:
		c.tick = f
	case *gateway.StockFrame:
		if len(c.stock) >= maxStock {
			c.stock, c.reset = nil, true
		} else {
			c.stock = append(c.stock, f)
		}
	case gateway.HoldChanged:
		c.hold, c.gone = true, f.Gone
	case gateway.OrderChanged:
		c.addOrder(f.Order)
	}
	c.kick()
}

func (c *conn) addOrder(id sale.OrderID) {
	for _, o := range c.orders {
		if o == id {
			return
		}
	}
	c.orders = append(c.orders, id)
}

// Close ends the connection with the reason's code once what waits is written.
func (c *conn) Close(r gateway.Reason) {
	code, text := wire.CloseRestart, "restarting"
	switch r {
	case gateway.Replaced:
		code, text = wire.CloseReplaced, "another connection took over"
	case gateway.SaleOver:
		code, text = wire.CloseSaleOver, "the sale is over"
	}
	c.mu.Lock()
	c.closing, c.reason = code, text
	c.kick()
}

// ping is called every half minute by the server's pulse.
func (c *conn) ping() {
	if time.Now().UnixMilli()-c.seen.Load() > quiet.Milliseconds() {
		c.abort()
		return
	}
	c.mu.Lock()
	c.pinging = true
	c.kick()
}

// closeNow says goodbye from the reading goroutine.
func (c *conn) closeNow(code int, text string) {
	msg := websocket.FormatCloseMessage(code, text)
	_ = c.ws.WriteControl(websocket.CloseMessage, msg, time.Now().Add(time.Second)) // the peer may be gone
	c.s.metrics.closed(code)
}

func (c *conn) shut() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	_ = c.ws.Close() // already closed when the peer did it
}

// abort ends the connection without a word; the reader notices.
func (c *conn) abort() { _ = c.ws.NetConn().Close() }

var _ http.Handler = (*Server)(nil)
