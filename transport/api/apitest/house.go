package apitest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/directory/password"
	"github.com/catraca/catraca/actors/directory/throttle"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/issue"
	"github.com/catraca/catraca/transport/live"
	"github.com/catraca/catraca/transport/pass"
	"github.com/catraca/catraca/transport/pay"
)

// WebhookSecret signs the provider's messages.
const WebhookSecret = "whsec_0123456789abcdef"

const shards = 4

// Options of a house. The zero value is good for most tests.
type Options struct {
	API     func(*api.Options) // changes what the API is made with
	Live    func(*live.Options)
	Gateway func(*gateway.Options)
	Log     io.Writer // nil: discarded
}

// House is a running node. Its parts may be used directly.
type House struct {
	Server    *httptest.Server
	API       *api.Server
	Live      *live.Server
	Events    *event.Service
	Directory *directory.Service
	Gateway   *gateway.Gateway
	Outbox    *outbox.Outbox
	Cluster   *cluster.Node
	Payer     *Payer
	Mailbox   *Mailbox
	Keys      *pass.Keyring
	Issuer    *issue.Issuer
	Spec      *Spec
	Ready     atomic.Bool
	Address   atomic.Pointer[netip.Addr] // of every visitor; nil: as the connection says

	system *actor.ActorSystem
	log    *slog.Logger
	names  atomic.Int64
}

// New starts a house that ends with the test.
func New(t testing.TB, o Options) *House {
	t.Helper()
	h, err := Start(t.Context(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// Start starts a house with its data in a folder.
func Start(ctx context.Context, dir string, o Options) (*House, error) {
	spec, err := NewSpec()
	if err != nil {
		return nil, err
	}
	out := o.Log
	if out == nil {
		out = io.Discard
	}
	h := &House{Payer: NewPayer(), Mailbox: &Mailbox{}, Spec: spec, log: slog.New(slog.NewTextHandler(out, nil))}
	h.Ready.Store(true)
	if h.Keys, err = pass.NewKeyring(); err != nil {
		return nil, err
	}
	if err := h.startEngine(ctx, dir); err != nil {
		return nil, err
	}
	if err := h.startEdge(o); err != nil {
		return nil, err
	}
	return h, nil
}

func (h *House) startEngine(ctx context.Context, dir string) error {
	h.system = actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterRequestLogging(false), actor.WithDeadLetterThrottleCount(1), actor.WithDeadLetterThrottleInterval(time.Minute),
	)
	reg := prometheus.NewRegistry()
	now := func() int64 { return time.Now().UnixMilli() }
	fatal := func(err error) { panic(err) }
	h.Events = event.New(event.Options{
		System: h.system, Shards: shards, Now: now, Logger: h.log, Fatal: fatal, Metrics: sequencer.NewMetrics(reg, "event"),
		Leading: func(id sale.EventID, leading bool) { h.Outbox.Leading(id, leading) },
	})
	h.Directory = directory.New(directory.Options{
		System: h.system, Shards: shards, Now: now, Logger: h.log, Fatal: fatal, Metrics: sequencer.NewMetrics(reg, "directory"),
	})
	h.Issuer = &issue.Issuer{
		Sales: h.Events, People: h.Directory, Keys: h.Keys,
		OrderURL: func(ref string) string { return "https://tickets.example/orders/" + ref },
	}
	h.Outbox = outbox.New(outbox.Options{
		Sales: h.Events, Payer: h.Payer, Mailer: issue.NewMailer(h.Issuer, h.Mailbox), KeyPrefix: "test",
		ReturnURL: func(_, ref string) string { return h.Issuer.OrderURL(ref) }, Now: time.Now, Logger: h.log,
	})
	var err error
	h.Cluster, err = cluster.Start(cluster.Options{
		NodeID: "n1", Dir: dir, Shards: shards, Logger: h.log, Fatal: fatal, Preallocate: -1,
	}, func(shard int) cluster.Pump {
		if shard == directory.Shard {
			return h.Directory.Pump()
		}
		return h.Events.Pump(shard)
	})
	if err != nil {
		return err
	}
	h.Events.Use(sequencer.Over(h.Cluster))
	h.Directory.Use(sequencer.Over(h.Cluster))
	if err := h.Directory.Ensure(ctx); err != nil {
		return err
	}
	for !h.Cluster.Ready() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the shards: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

func (h *House) startEdge(o Options) error {
	g := gateway.Options{System: h.system, Sales: h.Events, Now: time.Now, Logger: h.log}
	if o.Gateway != nil {
		o.Gateway(&g)
	}
	var err error
	if h.Gateway, err = gateway.New(g); err != nil {
		return err
	}
	verifier, err := pay.NewVerifier(WebhookSecret)
	if err != nil {
		return err
	}
	a := api.Options{
		Sales: h.Events, Directory: h.Directory, Places: h.Gateway, Passwords: password.NewPool(2, 10*time.Second, nil),
		SignIns: throttle.NewSignIn(throttle.Limits{}, nil), Issuer: h.Issuer, Webhook: verifier, Gates: h.Keys, Ready: h.Ready.Load,
		Pace:    api.Pace{Shopping: throttle.Rate{Count: 10_000, Per: time.Second}},
		Address: h.address, Status: func() any { return h.Cluster.Status() }, Now: time.Now, Logger: h.log, Import: ImportEvent,
	}
	if o.API != nil {
		o.API(&a)
	}
	if h.API, err = api.New(a); err != nil {
		return err
	}
	l := live.Options{
		Caller: h.API, Gateway: h.Gateway, Still: h.API.Still, Logger: h.log,
		Address: func(r *http.Request) string { return throttle.AddressKey(h.address(r)) },
	}
	if o.Live != nil {
		o.Live(&l)
	}
	h.Live = live.New(l)
	mux := http.NewServeMux()
	mux.Handle("GET /api/v1/events/{event}/live", h.Live)
	mux.Handle("/", h.API)
	h.Server = httptest.NewServer(mux)
	return nil
}

func (h *House) address(r *http.Request) netip.Addr {
	if a := h.Address.Load(); a != nil {
		return *a
	}
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr()
}

// Close ends everything in the order that loses nothing.
func (h *House) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	h.Live.Close(ctx, 0)
	h.Server.Close()
	h.Outbox.Close()
	h.Gateway.Close()
	err := h.Cluster.Close()
	h.Events.Close()
	h.Directory.Close()
	h.system.Shutdown()
	return err
}

// Name makes a name that no other test of this house has.
func (h *House) Name(prefix string) string { return fmt.Sprintf("%s-%d", prefix, h.names.Add(1)) }
