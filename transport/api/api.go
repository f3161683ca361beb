package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// Sales is what the API needs of the sales. Package event has it.
type Sales interface {
	Submit(ctx context.Context, id sale.EventID, c *sale.Command) (sale.Result, error)
	// Begin is Submit for who does not wait, on the node that leads the sale.
	Begin(id sale.EventID, c *sale.Command, w event.Waiter) error
	Read(ctx context.Context, id sale.EventID, fn func(*sale.State)) error
	// ReadStrict reads a state with everything that was acknowledged before, by any node.
	ReadStrict(ctx context.Context, id sale.EventID, fn func(*sale.State)) error
	View(id sale.EventID) (*event.View, error)
	UnitChanges(id sale.EventID, since uint64) ([]event.UnitChange, bool, error)
	Create(ctx context.Context, shard int, cfg *sale.Config) error
	Subscribe(ctx context.Context, id sale.EventID, sub event.Subscriber) (*event.View, func(), error)
}

// Directory is what the API needs of accounts and catalogue. Package directory has it.
type Directory interface {
	Submit(ctx context.Context, c *account.Command) (account.Result, error)
	Read(ctx context.Context, fn func(*account.State)) error
	// ReadStrict and EventBySlugStrict know everything that was acknowledged before, by any node.
	ReadStrict(ctx context.Context, fn func(*account.State)) error
	Authenticate(ctx context.Context, token string) (directory.Person, error)
	Holds(ctx context.Context, p directory.Person) (bool, error)
	Person(ctx context.Context, id account.ID) (directory.Person, bool, error)
	Events() []account.Event
	EventBySlug(slug string) (account.Event, bool)
	EventBySlugStrict(ctx context.Context, slug string) (account.Event, bool, error)
}

// Places is what the API needs of the gateway.
type Places interface {
	Place(ctx context.Context, id sale.EventID, account sale.AccountID) (gateway.Place, bool, error)
}

// Passwords hashes and verifies in a bounded pool. Package password has it.
type Passwords interface {
	Hash(ctx context.Context, password string) (string, error)
	Verify(ctx context.Context, phc, password string) (ok, rehash bool, err error)
}

// SignIns limits tries by account and address before anything is hashed. Package throttle has it.
type SignIns interface {
	Allow(account string, from netip.Addr, now time.Time) (retryAfter time.Duration, ok bool)
}

// Options of the API. All fields are required unless they say otherwise.
type Options struct {
	Sales     Sales
	Directory Directory
	Places    Places
	Passwords Passwords
	SignIns   SignIns
	Issuer    Issuer
	Webhook   Webhook
	// Gates verifies what a scanner read.
	Gates GateVerifier
	// Origins are the allowed values of the Origin header beside the server's own host, scheme://host[:port].
	Origins []string
	// Secure says that browsers reach the server over TLS, so the cookie takes the __Host- name.
	Secure bool
	// SessionLife of a new session; 0 means 12 h.
	SessionLife time.Duration
	// PayWait bounds how long pay waits for the provider; 0 means 10 s.
	PayWait time.Duration
	// Pace bounds how often callers may ask.
	Pace Pace
	// Secret keys the digests by which a repeated request is known. All nodes of a cluster have the same; without
	// one a request that is repeated at another node is refused as a mismatch. Empty: made up at the start.
	Secret []byte
	// Ready says whether the node serves.
	Ready func() bool
	// Address tells the visitor's address; the transport knows which proxies to believe.
	Address func(*http.Request) netip.Addr
	// Status of the node for operators: what is encoded as the answer's cluster field.
	Status func() any
	// Cluster of nodes for operators; nil: the calls about it answer not-found.
	Cluster Cluster
	// Why says in a word or two why the node does not serve while Ready is false; nil: nothing is said.
	Why    func() string
	Now    func() time.Time
	Logger *slog.Logger
	// Import turns an event file into what a sale is created with.
	Import func(body []byte, contentType string) (*sale.Config, any, error)
	// Registerer of the metrics; nil: none are published.
	Registerer prometheus.Registerer
}

// Server answers the API.
type Server struct {
	o       Options
	plans   planCache
	watches watches
	pace    pace
	metrics *metrics
	cross   *http.CrossOriginProtection
	mux     *http.ServeMux
	routes  []string // patterns, as openapi.yaml lists them
	open    []byte   // openapi.json
	async   []byte   // asyncapi.json
}

// New returns a server.
func New(o Options) (*Server, error) {
	if o.SessionLife == 0 {
		o.SessionLife = 12 * time.Hour
	}
	if o.PayWait == 0 {
		o.PayWait = 10 * time.Second
	}
	if len(o.Secret) == 0 {
		o.Secret = make([]byte, 32)
		_, _ = rand.Read(o.Secret) // never fails
	}
	s := &Server{o: o, pace: newPace(o.Pace), metrics: newMetrics(o.Registerer), cross: http.NewCrossOriginProtection(), mux: http.NewServeMux()}
	for _, origin := range o.Origins {
		if err := s.cross.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust origin: %w", err)
		}
	}
	var err error
	if s.open, err = OpenAPI(); err != nil {
		return nil, err
	}
	if s.async, err = AsyncAPI(); err != nil {
		return nil, err
	}
	s.accountRoutes()
	s.saleRoutes()
	s.orderRoutes()
	s.adminRoutes()
	s.plainRoutes()
	return s, nil
}

// ServeHTTP answers one request. Nothing is kept by caches unless a handler says otherwise.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	s.mux.ServeHTTP(w, r)
}

// route adds one operation; openapi.yaml has it too.
func (s *Server) route(pattern string, h handler, a access) {
	s.routes = append(s.routes, pattern)
	s.mux.Handle(pattern, s.handle(pattern, h, a))
}

// Who may call. Staff may do what a fan may; the sale's own checks come on top.
func anyone() access                  { return access{anyone: true} }
func fans() access                    { return access{} }
func shoppers() access                { return access{paced: true} }
func staff(least account.Role) access { return access{least: least} }

func (s *Server) accountRoutes() {
	s.route("POST /api/v1/accounts", s.signUp, anyone())
	s.route("GET /api/v1/accounts/me", s.me, fans())
	s.route("PATCH /api/v1/accounts/me", s.changeMe, fans())
	s.route("DELETE /api/v1/accounts/me", s.eraseMe, fans())
	s.route("POST /api/v1/sessions", s.signIn, anyone())
	s.route("DELETE /api/v1/sessions/current", s.signOut, anyone())
}

func (s *Server) saleRoutes() {
	s.route("GET /api/v1/events", s.listEvents, anyone())
	s.route("GET /api/v1/events/{event}", s.getEvent, anyone())
	s.route("GET /api/v1/events/{event}/plan/{file}", s.getPlan, anyone())
	s.route("GET /api/v1/events/{event}/seats", s.getSeats, shoppers())

	s.route("POST /api/v1/events/{event}/queue", s.join, shoppers())
	s.route("GET /api/v1/events/{event}/queue/me", s.myPlace, shoppers())
	s.route("DELETE /api/v1/events/{event}/queue/me", s.leave, shoppers())
	s.route("POST /api/v1/events/{event}/admission", s.claim, shoppers())
	s.route("DELETE /api/v1/events/{event}/admission", s.finish, shoppers())

	s.route("POST /api/v1/events/{event}/holds", s.httpOp(opHold), shoppers())
	s.route("GET /api/v1/events/{event}/holds/me", s.httpOp(opHoldGet), shoppers())
	s.route("PATCH /api/v1/events/{event}/holds/{id}", s.httpOp(opHoldChange), shoppers())
	s.route("DELETE /api/v1/events/{event}/holds/{id}", s.httpOp(opHoldRelease), shoppers())
	s.route("POST /api/v1/events/{event}/orders", s.httpOp(opOrder), shoppers())
}

func (s *Server) orderRoutes() {
	s.route("GET /api/v1/orders", s.myOrders, shoppers())
	s.route("GET /api/v1/orders/{id}", s.httpOp(opOrderGet), shoppers())
	s.route("POST /api/v1/orders/{id}/pay", s.httpOp(opPay), shoppers())
	s.route("POST /api/v1/orders/{id}/cancel", s.httpOp(opOrderCancel), shoppers())
	s.route("POST /api/v1/orders/{id}/refunds", s.refund, staff(account.RoleOperator))
	s.route("GET /api/v1/orders/{id}/pix.svg", s.pixQR, shoppers())
	s.route("GET /api/v1/orders/{id}/tickets", s.orderTickets, shoppers())
	s.route("GET /api/v1/orders/{id}/tickets.pdf", s.orderPDF, shoppers())
	s.route("GET /api/v1/tickets/{file}", s.ticket, shoppers())
	s.route("POST /api/v1/payments/stripe/webhook", s.webhook, anyone())
	s.route("POST /api/v1/gates/{gate}/scans", s.scan, staff(account.RoleGate))
}

// plainRoutes are those for programs that look after this one.
func (s *Server) plainRoutes() {
	s.route("GET /.well-known/jwks.json", s.jwks, anyone())
	s.route("GET /openapi.json", s.openAPI, anyone())
	s.route("GET /asyncapi.json", s.asyncAPI, anyone())
	s.routes = append(s.routes, "GET /livez", "GET /readyz")
	s.mux.HandleFunc("GET /livez", s.livez)
	s.mux.HandleFunc("GET /readyz", s.readyz)
	s.mux.Handle("/", s.handle("none", func(_ context.Context, r *request) (answer, error) {
		return answer{}, s.problem(wire.NotFound, r.lang)
	}, anyone()))
}
