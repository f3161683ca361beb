package sandbox

import (
	"context"
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Bounds of what is kept beside payments and refunds.
const (
	maxEvents    = 20_000
	maxAnswers   = 500_000
	answerLife   = 24 * time.Hour
	couriers     = 64       // events delivered at once: as at a real provider, one that is answered late holds up few others
	rewriteFloor = 64 << 20 // bytes
)

// Server is the payment server; it is an http.Handler. Methods may be called from many goroutines.
type Server struct {
	o      Options
	log    *slog.Logger
	mux    *http.ServeMux
	pages  *pages
	faults *faults
	post   []*courier
	sent   *sentLog
	held   heldTimes

	postHTTP *http.Client // of the couriers

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wake   chan struct{}
	done   sync.WaitGroup

	mu        sync.Mutex // guards everything below
	seed      uint64
	sequence  uint64
	intents   map[string]*intent
	ordered   []string // payments by creation
	refunds   map[string]*refund
	refundsOf map[string][]string // payment -> refunds
	charges   map[string]string   // charge -> payment
	events    []*event            // by number, the oldest are dropped
	undone    map[string]bool     // events that still have to be delivered
	answers   map[string]*answer
	answerAge []*answer // by age
	inFlight  map[string]bool
	due       dueHeap
	journal   *journal // nil without a state file
	rewriteAt int64
	closed    bool
	damage    error // the state file could not be written: nothing more is promised
}

// New opens the state file, if there is one, and starts the timers and the webhook deliveries. Close ends them.
func New(o Options) (*Server, error) {
	o, err := o.resolve()
	if err != nil {
		return nil, fmt.Errorf("configure payment sandbox: %w", err)
	}
	s := &Server{
		o: o, log: o.Logger, seed: o.Seed, sent: &sentLog{}, postHTTP: newPostHTTP(o),
		wake:    make(chan struct{}, 1),
		intents: map[string]*intent{}, refunds: map[string]*refund{}, refundsOf: map[string][]string{},
		charges: map[string]string{}, undone: map[string]bool{}, answers: map[string]*answer{}, inFlight: map[string]bool{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if s.pages, err = newPages(); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	s.faults = newFaults(s.seed)
	for range couriers {
		s.post = append(s.post, newCourier(s))
	}
	s.routes()
	s.resume()
	s.done.Go(s.timers)
	for _, c := range s.post {
		s.done.Go(c.run)
	}
	return s, nil
}

// Close stops the timers and deliveries and closes the state file. Calls that come later are answered 503.
func (s *Server) Close() error {
	s.cancel()
	s.done.Wait()
	s.postHTTP.CloseIdleConnections()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.damage = errors.New("the payment sandbox is closed")
	if s.journal == nil {
		return nil
	}
	return s.journal.close()
}

// ServeHTTP answers the API, the pages and the control API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Server) routes() {
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("POST /v1/payment_intents", s.api(opCreate, (*tx).createIntent))
	s.mux.HandleFunc("GET /v1/payment_intents/{id}", s.api(opGet, (*tx).getIntent))
	s.mux.HandleFunc("POST /v1/payment_intents/{id}/confirm", s.api(opConfirm, (*tx).confirmIntent))
	s.mux.HandleFunc("POST /v1/payment_intents/{id}/capture", s.api(opCapture, (*tx).captureIntent))
	s.mux.HandleFunc("POST /v1/payment_intents/{id}/cancel", s.api(opCancel, (*tx).cancelIntent))
	s.mux.HandleFunc("POST /v1/refunds", s.api(opRefund, (*tx).createRefund))
	s.mux.HandleFunc("GET /v1/refunds", s.api(opGet, (*tx).listRefunds))
	s.mux.HandleFunc("GET /v1/refunds/{id}", s.api(opGet, (*tx).getRefund))
	s.mux.HandleFunc("GET /v1/events", s.api(opGet, (*tx).listEvents))
	s.mux.HandleFunc("GET /v1/events/{id}", s.api(opGet, (*tx).getEvent))
	s.mux.HandleFunc("/v1/", s.api(opGet, (*tx).unknownAddress))
	s.controlRoutes()
	s.pageRoutes()
	s.bankRoutes()
}

// Wake makes the server look at its clock. Only an own clock needs it.
func (s *Server) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
	for _, c := range s.post {
		c.nudge()
	}
}

// base is the address browsers reach this server at.
func (s *Server) base(r *http.Request) string {
	if s.o.PublicURL != "" {
		return s.o.PublicURL
	}
	if r == nil {
		return "http://localhost"
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// newID makes the next id. The caller holds the lock.
func (s *Server) newID(prefix string) (string, uint64) {
	s.sequence++
	return prefix + "_" + s.digest(prefix, s.sequence, 24), s.sequence
}

// digest is n letters and digits that depend on the seed and the number alone.
func (s *Server) digest(label string, n uint64, length int) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], s.seed)
	binary.BigEndian.PutUint64(b[8:], n)
	sum := sha256.Sum256(append(b[:], label...))
	return letters(sum[:], length)
}

// clientSecret lets the payer, and nobody else, at one payment's pages.
func (s *Server) clientSecret(id string) string {
	mac := hmac.New(sha256.New, []byte(s.o.SecretKey))
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], s.seed)
	mac.Write(b[:])
	mac.Write([]byte(id))
	return id + "_secret_" + letters(mac.Sum(nil), 25)
}

func letters(sum []byte, n int) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var out strings.Builder
	for i := range n {
		out.WriteByte(alphabet[int(sum[i%len(sum)])%len(alphabet)])
	}
	return out.String()
}

func drawSeed() uint64 {
	var b [8]byte
	_, _ = crand.Read(b[:]) // never fails, it stops the process instead
	return binary.BigEndian.Uint64(b[:]) | 1
}
