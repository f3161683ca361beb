// Package balance is the load balancer in the binary: it sends each request to the ready node with the fewest
// requests and live sockets under way, asks every node whether it is ready, and stops sending to one that drains
// without cutting what it serves.
//
// There is no stickiness, because any node serves any fan. A request goes to a second node only when the first could
// not be reached at all; one that a node may have seen is never sent twice, because the client holds the idempotency
// key and decides. Bounds for each source address and a redirect from plain HTTP are not here: for a public address
// in front of many machines, the tested configuration files in deploy/ bring them with HAProxy and nginx.
package balance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/transport/forwarded"
)

// Options of a balancer.
type Options struct {
	// Backends are the nodes' fan addresses, http(s)://host:port.
	Backends []string
	// CheckEvery is the time between two looks at a node's /readyz; 0 means 500 ms. Rise and Fall are the looks in
	// a row that change its state; 0 means 1 and 2.
	CheckEvery time.Duration
	Rise, Fall int
	// TrustedProxies in front of the balancer, whose X-Forwarded-For is kept.
	TrustedProxies []string
	// MaxPerBackend bounds what one node has under way; 0 means 100,000. More is refused with 503.
	MaxPerBackend int
	// Transport to the nodes; nil is one with sensible bounds, which trusts the system's certificates.
	Transport  *http.Transport
	Logger     *slog.Logger
	Registerer prometheus.Registerer // may be nil
}

// Balancer is an http.Handler. Close ends its health checks.
type Balancer struct {
	o        Options
	backends []*backend
	proxies  *forwarded.Resolver
	probe    *http.Client
	trip     *http.Transport
	turn     atomic.Uint64 // breaks ties in turn
	stop     context.CancelFunc
	done     sync.WaitGroup
	requests *prometheus.CounterVec
}

type backend struct {
	name   string
	url    *url.URL
	proxy  *httputil.ReverseProxy
	active atomic.Int64
	ready  atomic.Bool
	streak int // looks in a row that differ from ready; the checker's
}

// New starts a balancer; it looks once at every node before it returns.
func New(o Options) (*Balancer, error) {
	if len(o.Backends) == 0 {
		return nil, errors.New("start balancer: no backends")
	}
	o = o.withDefaults()
	proxies, err := forwarded.New(o.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("start balancer: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	b := &Balancer{o: o, proxies: proxies, trip: o.Transport, stop: stop}
	b.probe = &http.Client{Transport: o.Transport, Timeout: 2 * time.Second}
	for i, raw := range o.Backends {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.Path != "" && u.Path != "/" {
			stop()
			return nil, fmt.Errorf("start balancer: backends[%d] %q: want http(s)://host:port", i, raw)
		}
		b.backends = append(b.backends, b.backend(u))
	}
	b.register()
	var first sync.WaitGroup
	for _, be := range b.backends {
		first.Go(func() { be.ready.Store(b.look(ctx, be)) })
	}
	first.Wait()
	for _, be := range b.backends {
		b.done.Go(func() { b.check(ctx, be) })
	}
	return b, nil
}

func (o Options) withDefaults() Options {
	if o.CheckEvery == 0 {
		o.CheckEvery = 500 * time.Millisecond
	}
	if o.Rise == 0 {
		o.Rise = 1
	}
	if o.Fall == 0 {
		o.Fall = 2
	}
	if o.MaxPerBackend == 0 {
		o.MaxPerBackend = 100_000
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			MaxIdleConnsPerHost:   512,
			IdleConnTimeout:       55 * time.Second, // the node's own is 60 s: it never closes under a request
			ResponseHeaderTimeout: 35 * time.Second,
			ForceAttemptHTTP2:     false,
			DisableCompression:    true,
		}
	}
	return o
}

func (b *Balancer) backend(u *url.URL) *backend {
	be := &backend{name: u.Host, url: u}
	be.proxy = &httputil.ReverseProxy{
		Transport: b.trip,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			r.Out.Host = r.In.Host // the node checks the Origin against the host that the browser sees
			b.forward(r)
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { b.unanswered(be, w, r, err) },
		ErrorLog:     slog.NewLogLogger(b.o.Logger.Handler(), slog.LevelDebug),
	}
	return be
}

// forward tells the node who asks. What a stranger wrote into the header does not count.
func (b *Balancer) forward(r *httputil.ProxyRequest) {
	if b.proxies.Trusted(r.In) {
		r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
		r.SetXForwarded()
		if proto := r.In.Header.Get("X-Forwarded-Proto"); proto != "" {
			r.Out.Header.Set("X-Forwarded-Proto", proto)
		}
		return
	}
	r.SetXForwarded()
	if peer, err := netip.ParseAddrPort(r.In.RemoteAddr); err == nil {
		r.Out.Header.Set("X-Forwarded-For", peer.Addr().Unmap().String())
	}
}

// ServeHTTP sends a request to the least busy ready node, and to the next one when that could not be reached.
func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	try := &attempt{left: tries - 1}
	r = r.WithContext(context.WithValue(r.Context(), attemptKey{}, try))
	if r.Body != nil {
		r.Body = unclosed{r.Body} // a transport closes what it could not send; the server closes it in the end
	}
	for {
		try.unreached = false
		be := b.pick()
		if be == nil {
			b.requests.WithLabelValues("none").Inc()
			refuse(w, r)
			return
		}
		b.requests.WithLabelValues(be.name).Inc()
		be.serve(w, r)
		if !try.unreached {
			return
		}
		try.left--
	}
}

// tries of one request, the first included.
const tries = 2

// attempt is what a request and the handler of its failure tell each other.
type attempt struct {
	left      int  // further tries
	unreached bool // the node was not reached and nothing was answered
}

type attemptKey struct{}

type unclosed struct{ io.ReadCloser }

func (unclosed) Close() error { return nil }

func (be *backend) serve(w http.ResponseWriter, r *http.Request) {
	be.active.Add(1)
	defer be.active.Add(-1)
	be.proxy.ServeHTTP(w, r)
}

// unanswered leaves a node alone until its next good look, and says whether another may be asked.
func (b *Balancer) unanswered(be *backend, w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		b.o.Logger.Warn("node did not answer", slog.String("backend", be.name), slog.Any("error", err))
		be.ready.Store(false)
	}
	var dial *net.OpError
	try, ok := r.Context().Value(attemptKey{}).(*attempt)
	if ok && try.left > 0 && errors.As(err, &dial) && dial.Op == "dial" {
		try.unreached = true
		return
	}
	refuse(w, r)
}

// pick returns the ready node with the least under way, nil when there is none with room.
func (b *Balancer) pick() *backend {
	n := uint64(len(b.backends))
	start := b.turn.Add(1)
	var best *backend
	for i := range n {
		be := b.backends[(start+i)%n]
		if !be.ready.Load() || be.active.Load() >= int64(b.o.MaxPerBackend) {
			continue
		}
		if best == nil || be.active.Load() < best.active.Load() {
			best = be
		}
	}
	return best
}

const (
	refusal = `{"type":"/problems/unavailable","code":"unavailable","title":"No server is ready; try again in a moment.","status":503,"retry_after_ms":1000}`
	// refusalPage is for a person who asked for a page: the only one that is not a node's, so it speaks all languages.
	refusalPage = `<!doctype html><meta charset=utf-8><meta name=viewport content=width=device-width><meta http-equiv=refresh content=5><title>Catraca</title>` +
		`<p>Voltamos em instantes. Seu lugar na fila está guardado; esta página tenta de novo sozinha.` +
		`<p lang=en>Back in a moment. Your place in the queue is kept; this page tries again by itself.` +
		`<p lang=es>Volvemos enseguida. Tu lugar en la fila está guardado; esta página vuelve a intentarlo sola.`
)

// refuse tells a person by a page that asks again by itself, and a program by a problem.
func refuse(w http.ResponseWriter, r *http.Request) {
	kind, body, after := "application/problem+json", refusal, "1"
	if r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
		kind, body, after = "text/html; charset=utf-8", refusalPage, "5"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Retry-After", after)
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, body) // the visitor is gone when this fails
}

// check looks at a node until the balancer ends.
func (b *Balancer) check(ctx context.Context, be *backend) {
	t := time.NewTicker(b.o.CheckEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		ok := b.look(ctx, be)
		if ok == be.ready.Load() {
			be.streak = 0
			continue
		}
		be.streak++
		if ok && be.streak >= b.o.Rise || !ok && be.streak >= b.o.Fall {
			be.streak = 0
			be.ready.Store(ok)
			b.o.Logger.Info("node changed", slog.String("backend", be.name), slog.Bool("ready", ok))
		}
	}
}

func (b *Balancer) look(ctx context.Context, be *backend) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, be.url.JoinPath("readyz").String(), nil)
	if err != nil {
		return false
	}
	res, err := b.probe.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close() // a line of text
	return res.StatusCode == http.StatusOK
}

func (b *Balancer) register() {
	b.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "catraca_balance_requests_total", Help: "Requests by the node they were sent to; none when no node was ready.",
	}, []string{"backend"})
	if b.o.Registerer == nil {
		return
	}
	b.o.Registerer.MustRegister(b.requests)
	for _, be := range b.backends {
		labels := prometheus.Labels{"backend": be.name}
		b.o.Registerer.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "catraca_balance_active", Help: "Requests and live sockets under way at a node.", ConstLabels: labels,
			}, func() float64 { return float64(be.active.Load()) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "catraca_balance_ready", Help: "1 while a node is sent requests.", ConstLabels: labels,
			}, func() float64 {
				if be.ready.Load() {
					return 1
				}
				return 0
			}),
		)
	}
}

// Close ends the health checks. Requests under way go on.
func (b *Balancer) Close() {
	b.stop()
	b.done.Wait()
	b.trip.CloseIdleConnections()
}
