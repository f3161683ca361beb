package live

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/wire"
)

// Caller does what a fan asks for. Package api has it, so both carriers check and answer alike.
type Caller interface {
	Person(r *http.Request) (directory.Person, error)
	// Call does a shopping operation. Begin starts one, if it can do so without waiting, and tells how it ends; what it does
	// not take, it leaves as it was. Problems are told in lang. The body is read before Begin returns.
	Call(ctx context.Context, p directory.Person, lang string, id sale.EventID, op, key string, body []byte) (status int, out []byte)
	Begin(ctx context.Context, p directory.Person, lang string, id sale.EventID, op, key string, body []byte, told api.Told) bool
	// LookHold and LookOrder are what the socket itself wants to know, and do not count against the fan's pace; nil: there
	// is none.
	LookHold(ctx context.Context, p directory.Person, id sale.EventID) (*wire.Hold, error)
	LookOrder(ctx context.Context, p directory.Person, id sale.EventID, order sale.OrderID) (*wire.Order, error)
	Ask(ctx context.Context, p directory.Person, lang string, id sale.EventID, op sale.Op) error
	// Event finds the event of a request for a person who may see it.
	Event(p directory.Person, slug string) (sale.EventID, error)
}

// Gateway keeps the connected fans. Package gateway has it.
type Gateway interface {
	Attach(ctx context.Context, id sale.EventID, account sale.AccountID, fan gateway.Fan) (func(), error)
	Stock(id sale.EventID, account sale.AccountID, fan gateway.Fan, on bool)
	Again(id sale.EventID, account sale.AccountID, fan gateway.Fan)
	// SendAway says whether the fans who go are on their way to another node.
	SendAway(on bool)
}

// Options of the edge.
type Options struct {
	Caller  Caller
	Gateway Gateway
	// Origins are allowed beside the server's own host, scheme://host[:port].
	Origins []string
	// Address tells the visitor's address or network, for the bound per address.
	Address func(*http.Request) string
	// Still checks every half minute that a session holds.
	Still func(ctx context.Context, p directory.Person) bool
	// MaxConnections of the node; 0 means 100,000. PerAddress bounds one address; 0 means 500, since a mobile
	// carrier puts thousands of fans behind one.
	MaxConnections, PerAddress int
	// WriteWait is how long 4 KiB, or a shorter frame, may take to leave; 0 means 5 s. Who does not read for so long is
	// dropped.
	WriteWait time.Duration
	// Pulse is the unit of the pings: each connection is pinged every 25 to 31 of them, and one that was silent for
	// 75 is cut. 0 means a second.
	Pulse      time.Duration
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

func (o *Options) complete() {
	if o.MaxConnections == 0 {
		o.MaxConnections = 100_000
	}
	if o.PerAddress == 0 {
		o.PerAddress = 500
	}
	if o.WriteWait == 0 {
		o.WriteWait = 5 * time.Second
	}
	if o.Pulse == 0 {
		o.Pulse = time.Second
	}
}

// quiet is how long a peer may say nothing, not even answer pings.
func (o *Options) quiet() time.Duration { return 75 * o.Pulse }
