package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
)

// Sales is what the API needs of the sales. Package event has it.
type Sales interface {
	Submit(ctx context.Context, id sale.EventID, c *sale.Command) (sale.Result, error)
	Read(ctx context.Context, id sale.EventID, fn func(*sale.State)) error
	View(id sale.EventID) (*event.View, error)
	UnitChanges(id sale.EventID, since uint64) ([]event.UnitChange, bool, error)
	Create(ctx context.Context, shard int, cfg *sale.Config) error
	Subscribe(ctx context.Context, id sale.EventID, sub event.Subscriber) (*event.View, func(), error)
}

// Directory is what the API needs of accounts and catalogue. Package directory has it.
type Directory interface {
	Submit(ctx context.Context, c *account.Command) (account.Result, error)
	Read(ctx context.Context, fn func(*account.State)) error
	Authenticate(ctx context.Context, token string) (directory.Person, error)
	Person(ctx context.Context, id account.ID) (directory.Person, bool, error)
	Events() []account.Event
	EventBySlug(slug string) (account.Event, bool)
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
	// Ready says whether the node serves.
	Ready func() bool
	// Address tells the visitor's address; the transport knows which proxies to believe.
	Address func(*http.Request) netip.Addr
	// Status of the node for operators: what is encoded as the answer's cluster field.
	Status func() any
	Now    func() time.Time
	Logger *slog.Logger
	// Import turns an event file into what a sale is created with.
	Import func(body []byte, contentType string) (*sale.Config, any, error)
}

// Server answers the API.
type Server struct {
	o     Options
	plans planCache
	cross *http.CrossOriginProtection
	mux   *http.ServeMux
}

// New returns a server.
func New(o Options) (*Server, error) {
	if o.SessionLife == 0 {
		o.SessionLife = 12 * time.Hour
	}
	if o.PayWait == 0 {
		o.PayWait = 10 * time.Second
	}
	s := &Server{o: o, cross: http.NewCrossOriginProtection(), mux: http.NewServeMux()}
	for _, origin := range o.Origins {
		if err := s.cross.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	s.routes()
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	s.mux.ServeHTTP(w, r)
}

// routes lists the API; openapi.yaml lists the same.
func (s *Server) routes() {
	any := func(h handler) http.Handler { return s.handle(h, anyone) }
	fan := func(h handler) http.Handler { return s.handle(h, account.RoleFan) }
	s.mux.Handle("POST /api/v1/accounts", any(s.signUp))
	s.mux.Handle("GET /api/v1/accounts/me", fan(s.me))
	s.mux.Handle("PATCH /api/v1/accounts/me", fan(s.changeMe))
	s.mux.Handle("DELETE /api/v1/accounts/me", fan(s.eraseMe))
	s.mux.Handle("POST /api/v1/sessions", any(s.signIn))
	s.mux.Handle("DELETE /api/v1/sessions/current", any(s.signOut))

	s.mux.Handle("GET /api/v1/events", any(s.listEvents))
	s.mux.Handle("GET /api/v1/events/{event}", any(s.getEvent))
	s.mux.Handle("GET /api/v1/events/{event}/plan/{file}", any(s.getPlan))
	s.mux.Handle("GET /api/v1/events/{event}/seats", fan(s.getSeats))

	s.mux.Handle("POST /api/v1/events/{event}/queue", fan(s.join))
	s.mux.Handle("GET /api/v1/events/{event}/queue/me", fan(s.myPlace))
	s.mux.Handle("DELETE /api/v1/events/{event}/queue/me", fan(s.leave))
	s.mux.Handle("POST /api/v1/events/{event}/admission", fan(s.claim))
	s.mux.Handle("DELETE /api/v1/events/{event}/admission", fan(s.finish))

	s.mux.Handle("POST /api/v1/events/{event}/holds", fan(s.httpOp(opHold)))
	s.mux.Handle("GET /api/v1/events/{event}/holds/me", fan(s.httpOp(opHoldGet)))
	s.mux.Handle("PATCH /api/v1/events/{event}/holds/{id}", fan(s.httpOp(opHoldChange)))
	s.mux.Handle("DELETE /api/v1/events/{event}/holds/{id}", fan(s.httpOp(opHoldRelease)))
	s.mux.Handle("POST /api/v1/events/{event}/orders", fan(s.httpOp(opOrder)))
	s.mux.Handle("GET /api/v1/orders", fan(s.myOrders))
	s.mux.Handle("GET /api/v1/orders/{id}", fan(s.httpOp(opOrderGet)))
	s.mux.Handle("POST /api/v1/orders/{id}/pay", fan(s.httpOp(opPay)))
	s.mux.Handle("POST /api/v1/orders/{id}/cancel", fan(s.httpOp(opOrderCancel)))
	s.mux.Handle("POST /api/v1/orders/{id}/refunds", s.handle(s.refund, account.RoleOperator))
	s.mux.Handle("GET /api/v1/orders/{id}/pix.svg", fan(s.pixQR))
	s.mux.Handle("GET /api/v1/orders/{id}/tickets", fan(s.orderTickets))
	s.mux.Handle("GET /api/v1/orders/{id}/tickets.pdf", fan(s.orderPDF))
	s.mux.Handle("GET /api/v1/tickets/{file}", fan(s.ticket))

	s.mux.Handle("POST /api/v1/payments/stripe/webhook", any(s.webhook))
	s.mux.Handle("POST /api/v1/gates/{gate}/scans", s.handle(s.scan, account.RoleGate))
	s.mux.Handle("GET /.well-known/jwks.json", any(s.jwks))
	s.mux.Handle("GET /openapi.json", any(s.openAPI))
	s.mux.Handle("GET /asyncapi.json", any(s.asyncAPI))
	s.mux.HandleFunc("GET /livez", s.livez)
	s.mux.HandleFunc("GET /readyz", s.readyz)
	s.adminRoutes()
	s.mux.Handle("/", any(func(context.Context, *request) (answer, error) { return answer{}, s.problem("not-found", "") }))
}
