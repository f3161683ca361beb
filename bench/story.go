package bench

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/bench/network"
	"github.com/catraca/catraca/transport/wire"
)

// Story is what a fan sets out to do.
type Story struct {
	Quantity uint32  // places wanted
	Category *uint16 // nil: any
	Scatter  bool    // separate places are better than none
	Fewer    bool    // fewer places are better than none
	Live     bool    // shops over the live socket, and over HTTP only what that does not answer

	Named bool   // chooses places on the map of [Fan.Map] by name, and the best there are only when that fails
	Near  uint32 // the unit it likes most, when it does

	Seats    bool          // loads the map, as the page with the seats does; whoever chooses by name always does
	Linger   time.Duration // looks at the seats before choosing
	Hesitate time.Duration // looks at what it holds before it goes on
	GiveUp   bool          // leaves the queue instead of waiting
	Walkaway bool          // leaves the shop without choosing
	Release  bool          // gives back what it held, and leaves
	Vanish   bool          // leaves without a word what it held

	Method string // card or pix
	Card   string // number typed on the payment page
	Second string // number typed after the first was declined; empty: none
	// Banking is how long a payer of a Pix takes in the app of the bank.
	Banking time.Duration

	Patience time.Duration // gives a single request up after; 0: 60 s
	// PollOrder is the time between looks at an order that is being paid. 0: 5 s while the live socket tells of it, as the
	// page does, 250 ms when there is none.
	PollOrder time.Duration
}

// Outcome of a story. At most one of SoldOut, Left and Closed is true; with none of them there is an order, and
// tickets if it was paid.
type Outcome struct {
	Place   wire.Place
	Hold    *wire.Hold
	Order   *wire.Order
	Tickets []wire.Ticket
	SoldOut bool // was told that nothing is left
	Left    bool // went away by itself
	Closed  bool // was told that the sale is over although something is left
	// Conflicts is how often others were quicker at what it had chosen.
	Conflicts int
}

// Fan is one virtual fan.
type Fan struct {
	Base    string // http://host:port of the server or its balancer
	Event   string // slug
	Token   string
	Client  *http.Client
	Journal *Journal
	// Sockets opens the live socket; nil: one of its own. Many fans of one process share one, see [NewSockets].
	Sockets *websocket.Dialer
	// Payer plays the person on the payment page, given its address and the card, and says when the card was taken. nil:
	// the method needs none.
	Payer func(ctx context.Context, page, card string) (time.Time, error)
	// Bank plays the person in the app of the bank, given a Pix code, and says when the money was sent. nil: a Pix is left
	// alone, and nobody knows when it is paid.
	Bank func(ctx context.Context, code string) (time.Time, error)
	// Held is asked what the payment provider holds back on purpose; nil: it never does.
	Held Held
	// Map is the plan of the seats; nil: the fan knows none, and cannot choose by name.
	Map *Map
	// Comeback is the longest pause before a lost socket is opened again; 0: 20 s.
	Comeback time.Duration
	// Observer is told of every operation; nil: nobody is. Due is when the fan was planned to arrive, from which its
	// first operation is measured; zero: when it is started.
	Observer Observer
	Due      time.Time
	// Class is the kind of line the fan has, for the record; Client and Sockets are what really make it so.
	Class string
}

// Held says how long of a time the payment provider has held back, on purpose, its answers about an order, and with notices
// also the notices of what the payer has done.
type Held func(ctx context.Context, order string, from, to time.Time, notices bool) (time.Duration, error)

// Observer learns how long the operations of fans took: connect, join, claim, map, hold, order, pay, ticket, push.
// Many fans call it at the same time. The first operation is planned for when the fan was due, a later one for the
// moment at which the fan was free to begin it; started is when it really began. An empty code is success.
type Observer interface {
	Done(op string, planned, started, ended time.Time, code string)
	Sockets(delta int) // live sockets opened, or closed
}

// NewSockets returns a dialer for the live sockets of any number of fans: an idle one costs half a kilobyte of buffer.
func NewSockets() *websocket.Dialer { return SocketsOver(network.Class{}) }

// SocketsOver is [NewSockets] over lines of a class.
func SocketsOver(class network.Class) *websocket.Dialer {
	return &websocket.Dialer{
		NetDialContext:   class.Dial(nil),
		HandshakeTimeout: 10 * time.Second, Subprotocols: []string{wire.Subprotocol},
		ReadBufferSize: 512, WriteBufferSize: 512, WriteBufferPool: &sync.Pool{},
	}
}

// NewClient returns a client for any number of fans, which share at most conns connections to a server.
func NewClient(conns int) *http.Client { return ClientOver(network.Class{}, conns) }

// ClientOver is [NewClient] over lines of a class. A request has a whole line for itself.
func ClientOver(class network.Class, conns int) *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DialContext: class.Dial(nil), MaxIdleConnsPerHost: conns, MaxConnsPerHost: conns, IdleConnTimeout: 30 * time.Second,
		},
	}
}
