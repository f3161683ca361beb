package pay

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stripe/stripe-go/v85"

	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
)

var _ outbox.Payer = (*Stripe)(nil)

// maxAnswer bounds the body of one answer of the provider.
const maxAnswer = 1 << 20

// Stripe is a payment provider that speaks Stripe's wire. Its methods may be called from many goroutines; each
// returns within Options.Timeout.
type Stripe struct {
	opts    Options
	page    hostedPage
	client  *stripe.Client
	http    *http.Client
	log     *slog.Logger
	metrics *metrics
	breaker *breaker
}

// New validates the options and registers the metrics. It does not call the provider.
func New(o Options, log *slog.Logger, reg prometheus.Registerer) (*Stripe, error) {
	o, err := o.resolve()
	if err != nil {
		return nil, fmt.Errorf("configure payment provider: %w", err)
	}
	page, err := parsePage(o.HostedPage)
	if err != nil {
		return nil, fmt.Errorf("configure payment provider: %w", err)
	}
	m, err := newMetrics(reg, o.Provider)
	if err != nil {
		return nil, err
	}
	s := &Stripe{opts: o, page: page, http: newHTTPClient(), log: log, metrics: m}
	s.breaker = &breaker{failures: o.BreakerFailures, openFor: o.BreakerOpen, moved: s.breakerMoved}
	s.client = stripe.NewClient(o.SecretKey, stripe.WithBackends(s.backends()))
	return s, nil
}

// Close drops the idle connections. Calls under way finish.
func (s *Stripe) Close() { s.http.CloseIdleConnections() }

// backends of this client alone: nothing of the library's global state is read or changed.
func (s *Stripe) backends() *stripe.Backends {
	backend := func(kind stripe.SupportedBackend) stripe.Backend {
		return stripe.GetBackendWithConfig(kind, &stripe.BackendConfig{
			EnableTelemetry:   new(false),
			HTTPClient:        s.http,
			LeveledLogger:     clientLog{s.log},
			MaxNetworkRetries: new(int64(s.opts.Retries)),
			URL:               stripe.String(s.opts.BaseURL),
		})
	}
	return &stripe.Backends{
		API: backend(stripe.APIBackend), Connect: backend(stripe.ConnectBackend),
		Uploads: backend(stripe.UploadsBackend), MeterEvents: backend(stripe.MeterEventsBackend),
	}
}

func newHTTPClient() *http.Client {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       60 * time.Second,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: maxTimeout,
		ForceAttemptHTTP2:     true,
	}
	return &http.Client{
		Transport: boundedTransport{t},
		// The secret key goes to the configured address and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// boundedTransport cuts an answer that is larger than any honest one; the cut makes it unreadable, hence temporary.
type boundedTransport struct{ next *http.Transport }

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxAnswer), res.Body}
	return res, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport.
func (t boundedTransport) CloseIdleConnections() { t.next.CloseIdleConnections() }

func (s *Stripe) breakerMoved(open bool) {
	if open {
		s.metrics.resting.Set(1)
		s.log.Warn("payment provider rests", "provider", s.opts.Provider, "failures", s.opts.BreakerFailures, "for", s.opts.BreakerOpen)
		return
	}
	s.metrics.resting.Set(0)
	s.log.Info("payment provider is back", "provider", s.opts.Provider)
}

// attempt is what one operation found out, for the metrics.
type attempt struct {
	method sale.Method
	result string
}

// run makes one operation: breaker, deadline, measurement, classification of the error.
func (s *Stripe) run(ctx context.Context, op string, work func(context.Context, *attempt) error) error {
	started := time.Now()
	probe, ok := s.breaker.enter(started)
	if !ok {
		s.metrics.payments.WithLabelValues("unknown", "resting").Inc()
		return fmt.Errorf("%s: %w", op, errors.Join(ErrOpen, ErrUnavailable))
	}
	bounded, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	var a attempt
	err := work(bounded, &a)
	now := time.Now()
	s.breaker.leave(now, probe, s.judge(ctx, err))
	s.metrics.duration.WithLabelValues(op).Observe(now.Sub(started).Seconds())
	if err != nil {
		err = ours(op, err)
		a.result = result(err)
	}
	s.metrics.payments.WithLabelValues(methodLabel(a.method), a.result).Inc()
	return err
}

// ours classifies an error of the library and leaves those that are already ours as they are.
func ours(op string, err error) error {
	if errors.Is(err, outbox.ErrRefusedByProvider) || errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%s: %w", op, err)
	}
	return classify(op, err)
}

// judge tells the breaker what an error means: a caller that went away says nothing about the provider.
func (s *Stripe) judge(ctx context.Context, err error) outcome {
	switch {
	case err == nil, errors.Is(err, outbox.ErrRefusedByProvider), refusedAsIs(err), errors.Is(err, errProcessing), keyInUse(err):
		return answered
	case ctx.Err() != nil:
		return unknown
	default:
		return failed
	}
}

// keyInUse tells whether another request with the same key is under way.
func keyInUse(err error) bool {
	var se *stripe.Error
	return errors.As(err, &se) && se.HTTPStatusCode == http.StatusConflict
}

// freshKey replaces a burnt key of a call that the payment's state makes harmless to repeat.
func freshKey() string { return "again-" + rand.Text() }

// maxKeys of one payment or refund. An outage of the provider may burn a key with every attempt, so there are more
// than the outbox has attempts.
const maxKeys = 16

// nthKey is the first key, or the one that takes over when n-1 keys are burnt by stored internal errors. It is derived,
// so that it is stable too.
func nthKey(key string, n int) string {
	if n == 1 {
		return key
	}
	if len(key) > 252 {
		sum := sha256.Sum256([]byte(key))
		key = "k" + hex.EncodeToString(sum[:])
	}
	return key + "-" + strconv.Itoa(n)
}

// checkKeyed validates what all calls with an idempotency key share.
func checkKeyed(ref, key string) error {
	switch {
	case key == "" || len(key) > 255:
		return fmt.Errorf("%w: the idempotency key has %d characters, allowed are 1 to 255", outbox.ErrRefusedByProvider, len(key))
	case ref == "":
		return fmt.Errorf("%w: the payment has no reference", outbox.ErrRefusedByProvider)
	}
	return nil
}
