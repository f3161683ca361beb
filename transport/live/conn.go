package live

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

const (
	maxCalls   = 8                // calls of one connection at once
	callWait   = 15 * time.Second // one call, and what the fan is told unasked
	goodbye    = time.Second      // to write a close frame, and for the peer to read it
	maxDrained = 1 << 20          // bytes of a peer that goes on sending after the goodbye
	writeBuf   = 32 << 10         // of the socket: small, so that a slow reader shows early
	upRate     = 20               // frames and pings a second of one connection
	upBurst    = 40
)

// conn is one fan's connection. It implements gateway.Fan. While nothing happens it is one goroutine that reads.
type conn struct {
	s      *Server
	ws     *websocket.Conn
	socket *socket // beneath ws
	person directory.Person
	event  sale.EventID
	slug   string
	source string

	seen  atomic.Int64 // unix ms of the last sign of life
	calls atomic.Int32 // under way
	lang  atomic.Pointer[string]
	ctx   context.Context // ends with the connection
	end   context.CancelFunc

	mu      sync.Mutex // guards the outbox
	out     outbox
	told    told        // a hold that a reply tells
	queued  [lanes]bool // it waits for a writer
	writing bool        // somebody writes
	closed  bool        // nothing is written any more

	seq     uint64 // the writer's
	offered int64  // deadline of the last offer told; the writer's
	over    bool   // told that the sale is over; the writer's
}

func newConn(s *Server, ws *websocket.Conn, p directory.Person, id sale.EventID, slug, source string) *conn {
	ctx, end := context.WithCancel(context.Background())
	below, ok := ws.NetConn().(*socket)
	if !ok { // the upgrade was given another
		below = newSocket(ws.NetConn(), s.o.WriteWait)
	}
	c := &conn{s: s, ws: ws, socket: below, person: p, event: id, slug: slug, source: source, ctx: ctx, end: end}
	c.lang.Store(&c.person.Lang)
	c.alive()
	return c
}

// run reads until the connection ends.
func (c *conn) run() {
	defer c.end() // who waits for it finds it gone
	defer c.s.remove(c)
	defer c.shut()
	c.prepare()
	// Not under c.ctx: its first child would cost each idle fan a map.
	ctx, cancel := context.WithTimeout(context.Background(), callWait)
	detach, err := c.s.o.Gateway.Attach(ctx, c.event, sale.AccountID(c.person.Account), c)
	cancel()
	if err != nil {
		c.bye(wire.CloseBusy, "try again")
		c.drain()
		return
	}
	defer detach()
	c.listen()
	c.drain()
}

// prepare sets what the connection's reads and control frames do.
func (c *conn) prepare() {
	if tcp, ok := underlying(c.socket.Conn).(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(writeBuf) // only a hint
	}
	c.ws.SetReadLimit(wire.MaxUpBytes)
	c.ws.SetPongHandler(func(string) error { c.alive(); return nil })
	answer := c.ws.CloseHandler()
	c.ws.SetCloseHandler(func(code int, text string) error {
		if c.parting() { // this is the peer's answer
			return nil
		}
		return answer(code, text)
	})
}

// parting says that the goodbye was said.
func (c *conn) parting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.parting
}

func underlying(n net.Conn) net.Conn {
	if t, ok := n.(*tls.Conn); ok {
		return t.NetConn()
	}
	return n
}

var errFlood = errors.New("too many control frames")

// listen handles frames until the peer goes, or does what it may not.
func (c *conn) listen() {
	limit := rate.NewLimiter(upRate, upBurst)
	c.ws.SetPingHandler(func(data string) error {
		if !limit.Allow() {
			return errFlood
		}
		c.alive()
		if c.parting() {
			return nil
		}
		return c.ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(goodbye))
	})
	for {
		kind, b, err := c.read()
		switch {
		case errors.Is(err, errFlood):
			c.bye(wire.CloseTooMany, "too many frames")
			return
		case errors.Is(err, websocket.ErrReadLimit):
			c.said(websocket.CloseMessageTooBig)
			return
		case err != nil && !peerGone(err):
			c.said(websocket.CloseProtocolError)
			return
		case err != nil:
			c.mute()
			return
		}
		c.alive()
		if !limit.Allow() {
			c.bye(wire.CloseTooMany, "too many frames")
			return
		}
		if kind != websocket.TextMessage {
			c.bye(wire.CloseBadMessage, "text frames only")
			return
		}
		c.up(*b)
		c.s.buffers.Put(b)
	}
}

// read waits for the next message. The buffer is given back by the caller; who waits has none.
func (c *conn) read() (kind int, b *[]byte, err error) {
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return 0, nil, err
	}
	b, ok := c.s.buffers.Get().(*[]byte)
	if !ok {
		b = new(make([]byte, 0, wire.MaxUpBytes+1))
	}
	for *b = (*b)[:0]; ; {
		n, err := r.Read((*b)[len(*b):cap(*b)]) // the library's limit is less than the room
		*b = (*b)[:len(*b)+n]
		switch {
		case errors.Is(err, io.EOF):
			return kind, b, nil
		case err != nil:
			c.s.buffers.Put(b)
			return 0, nil, err
		}
	}
}

// peerGone tells the end of a connection from a breach of the protocol.
func peerGone(err error) bool {
	var bye *websocket.CloseError
	var network net.Error
	return errors.As(err, &bye) || errors.As(err, &network) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF)
}

func (c *conn) alive() { c.seen.Store(time.Now().UnixMilli()) }

// up handles one frame of the fan.
func (c *conn) up(b []byte) {
	u, err := wire.DecodeUp(b)
	if err != nil {
		p := wire.NewProblem(wire.InvalidRequest, *c.lang.Load())
		p.Detail = err.Error()
		c.problem(p)
		return
	}
	switch u.T {
	case "hello":
		if u.Lang == "pt-BR" || u.Lang == "en" || u.Lang == "es" {
			c.lang.Store(&u.Lang)
		}
		c.showPlace()
	case "join":
		c.ask(sale.OpJoin)
	case "leave":
		c.ask(sale.OpLeave)
	case "claim":
		c.ask(sale.OpClaim)
	case "stock":
		c.s.o.Gateway.Stock(c.event, sale.AccountID(c.person.Account), c, u.On)
	case "pong":
	case "call":
		c.call(u)
	}
}

func (c *conn) ask(op sale.Op) {
	lang := *c.lang.Load()
	if err := c.s.o.Caller.Ask(c.ctx, c.person, lang, c.event, op); err != nil {
		var p *wire.Problem
		if !errors.As(err, &p) {
			p = wire.NewProblem(wire.Internal, lang)
		}
		c.problem(p)
		return
	}
	c.showPlace() // also when nothing changed: a second join is answered like the first
}

func (c *conn) showPlace() {
	c.s.o.Gateway.Again(c.event, sale.AccountID(c.person.Account), c)
}

// call does a shopping operation, several of one fan at once. One that is a single command needs no goroutine; what has to
// be waited for gets its own.
func (c *conn) call(u wire.Up) {
	lang := *c.lang.Load()
	if c.calls.Add(1) > maxCalls {
		c.calls.Add(-1)
		p := wire.NewProblem(wire.TooManyRequests, lang)
		p.RetryAfter = 200
		c.reply(u.ID, p.Status, p)
		return
	}
	c.s.running.Add(1)
	b := begun{c, u.ID}
	if c.s.o.Caller.Begin(c.ctx, c.person, lang, c.event, u.Op, u.Key, u.Body, b) {
		return
	}
	u.Body = bytes.Clone(u.Body) // part of what was read
	go func() {
		ctx, cancel := context.WithTimeout(c.ctx, callWait)
		defer cancel()
		status, body := c.s.o.Caller.Call(ctx, c.person, lang, c.event, u.Op, u.Key, u.Body)
		b.Done(status, wire.JSON(body))
	}()
}

// begun is a call that is under way. It implements [api.Told].
type begun struct {
	c  *conn
	id uint64
}

// Done implements [api.Told].
func (b begun) Done(status int, body wire.Appender) {
	b.c.reply(b.id, status, body)
	b.c.calls.Add(-1)
	b.c.s.running.Done()
}

// mute stops writing: the peer is gone, or has been told the last word.
func (c *conn) mute() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
}

// said ends the writing after a goodbye that the library has said by itself.
func (c *conn) said(code int) {
	c.mu.Lock()
	c.closed, c.out.parting = true, true
	c.mu.Unlock()
	c.s.metrics.closed(code)
	c.linger()
}

// linger lets the peer read the last frame. A socket that is closed while something of the peer's is still unread
// tells it of a reset instead, so this side only says that it will send no more, and goes on reading for a moment.
func (c *conn) linger() {
	n := c.ws.NetConn()
	if half, ok := n.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the peer may be gone
	}
	_ = n.SetReadDeadline(time.Now().Add(goodbye)) // the reader ends by it
}

// drain reads what the peer still sends until it goes or the goodbye is over.
func (c *conn) drain() {
	c.mu.Lock()
	silent := c.closed && !c.out.parting // the peer went by itself
	c.mu.Unlock()
	if !silent {
		_, _ = io.Copy(io.Discard, io.LimitReader(c.ws.NetConn(), maxDrained)) // nothing of it is wanted
	}
}

// shut closes the connection.
func (c *conn) shut() {
	c.mute()
	_ = c.ws.Close() // already closed when the peer did it
}

// abort ends the connection without a word; the reader notices.
func (c *conn) abort() { _ = c.ws.NetConn().Close() }
