package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/directory/password"
	"github.com/catraca/catraca/actors/directory/throttle"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/relay"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
	"github.com/catraca/catraca/cluster/pki"
	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/forwarded"
	"github.com/catraca/catraca/transport/issue"
	"github.com/catraca/catraca/transport/live"
	"github.com/catraca/catraca/transport/pass"
)

// outside is what a node talks to that is not part of it. The demonstration and the server bring different ones.
type outside struct {
	payer   outbox.Payer
	webhook api.Webhook
	mailer  func(*issue.Issuer) outbox.Mailer
	pages   func(api http.Handler) (http.Handler, error)
	extra   map[string]http.Handler // further patterns on the fan address
}

// node is one running server. The order of its fields is the order in which it starts; it stops the other way round.
type node struct {
	cfg        config.Config
	log        *slog.Logger
	registry   *prometheus.Registry
	system     *actor.ActorSystem
	relay      *relay.Relay
	events     *event.Service
	directory  *directory.Service
	outbox     *outbox.Outbox
	cluster    *cluster.Node
	gateway    *gateway.Gateway
	keys       *pass.Keyring
	api        *api.Server
	live       *live.Server
	fan        *http.Server
	operator   *http.Server
	fanAddr    net.Addr
	opAddr     net.Addr
	running    atomic.Pointer[cluster.Node] // cluster, for those who come before it
	identity   *pki.Identity
	desk       *pki.Desk
	joined     joined
	member     bool        // was let into a cluster, and has not founded one
	parting    bool        // drains because it stops
	opened     atomic.Bool // has been ready for fans
	serving    atomic.Bool
	draining   atomic.Bool     // an operator wants it
	life       context.Context // ends when the node stops
	end        context.CancelFunc
	background sync.WaitGroup // what watches the node
	failed     chan error     // a listener that ended on its own
}

// start brings a node up and returns once it serves.
func start(ctx context.Context, cfg config.Config, log *slog.Logger, reg *prometheus.Registry, out outside) (_ *node, err error) {
	n := &node{cfg: cfg, log: log, registry: reg, failed: make(chan error, 2)}
	n.life, n.end = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			n.stop(context.WithoutCancel(ctx), 0)
		}
	}()
	if err := os.MkdirAll(cfg.Node.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	if err := refuseHalfRestored(cfg); err != nil {
		return nil, err
	}
	if err := unmarkClean(cfg); err != nil {
		return nil, err
	}
	if err := n.startEngine(ctx, out); err != nil {
		return nil, err
	}
	if err := n.startEdge(out); err != nil {
		return nil, err
	}
	if err := n.settle(ctx); err != nil {
		return nil, err
	}
	n.opened.Store(true)
	n.draining.Store(n.self().State == cluster.StateDraining) // since before the start
	n.serving.Store(true)
	n.background.Go(func() { n.watchDrain(n.life) })
	return n, nil
}

// newRegistry holds the collectors of one process.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	return r
}

// fatal stops the process at once: the disk or the state can no longer be trusted, and an orderly end would write.
func (n *node) fatal(err error) {
	n.log.Error("this node must stop", slog.Any("error", err))
	os.Exit(exitBroken)
}

func (n *node) startEngine(ctx context.Context, out outside) error {
	n.system = actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return n.log.With(slog.String("part", "actors")) }),
		actor.WithDeadLetterRequestLogging(false), actor.WithDeadLetterThrottleCount(3),
		actor.WithDeadLetterThrottleInterval(time.Minute),
	)
	now := func() int64 { return time.Now().UnixMilli() }
	if err := n.openIdentity(); err != nil {
		return err
	}
	if err := n.newRelay(n.identity.TLS()); err != nil {
		return err
	}
	n.events = event.New(event.Options{
		System: n.system, Shards: n.cfg.Cluster.Shards, Now: now, Logger: n.log, Fatal: n.fatal, Forward: n.relay, Hashed: n.hashed,
		Metrics: sequencer.NewMetrics(n.registry, "event"),
		Leading: func(id sale.EventID, leading bool) { n.outbox.Leading(id, leading) },
	})
	n.registry.MustRegister(event.NewCollector(n.events))
	n.directory = directory.New(directory.Options{
		System: n.system, Shards: n.cfg.Cluster.Shards, Now: now, Logger: n.log, Fatal: n.fatal, Forward: n.relay, Hashed: n.hashed,
		Metrics: sequencer.NewMetrics(n.registry, "directory"),
	})
	keys, err := pass.Open(ticketKeyPath(n.cfg))
	if err != nil {
		return fmt.Errorf("open ticket key: %w", err)
	}
	n.keys = keys
	issuer := &issue.Issuer{Sales: n.events, People: n.directory, Keys: keys, OrderURL: n.orderURL}
	clusterID, err := identity(n.cfg.Node.Data)
	if err != nil {
		return err
	}
	house, err := houseID(n.cfg.Node.Data)
	if err != nil {
		return err
	}
	n.outbox = outbox.New(outbox.Options{
		Sales: n.events, Payer: out.payer, Mailer: out.mailer(issuer), KeyPrefix: house,
		ReturnURL: func(_, ref string) string { return n.orderURL(ref) }, Now: time.Now, Logger: n.log,
		Metrics: outbox.NewMetrics(n.registry),
	})
	n.cluster, err = cluster.Start(n.clusterOptions(clusterID), func(shard int) cluster.Pump {
		if shard == directory.Shard {
			return n.directory.Pump()
		}
		return n.events.Pump(shard)
	})
	if err != nil {
		return fmt.Errorf("start cluster node: %w", err)
	}
	n.events.Use(sequencer.Over(n.cluster))
	n.directory.Use(sequencer.Over(n.cluster))
	if err := n.startRelay(); err != nil {
		return err
	}
	n.openDesk()
	if err := n.endParting(ctx); err != nil {
		return err
	}
	return nil
}

// settle waits until this node has what the others have, and does what is left from before. Operators can see the
// cluster meanwhile: a node that waits for others is what they want to look at.
func (n *node) settle(ctx context.Context) error {
	if err := n.directory.Ensure(ctx); err != nil {
		return err
	}
	return n.whenReady(ctx)
}

// clusterOptions of this node. Damaged data is thrown away where others have it: they give it back.
func (n *node) clusterOptions(id string) cluster.Options {
	c := n.cfg.Cluster
	role := cluster.RoleVoter
	if c.Role == cluster.RoleGateway.String() {
		role = cluster.RoleGateway
	}
	return cluster.Options{
		NodeID: n.cfg.Node.ID, ClusterID: id, Dir: raftDir(n.cfg), Listen: c.Listen, Advertise: c.Advertise, TLS: n.identity.TLS(),
		Shards: c.Shards, Join: n.member, Seeds: n.joined.peers(), Role: role, Replicas: c.Replicas, Routes: c.Routes,
		DeadAfter: c.DeadAfter, Version: readBuild().Version, Rejoin: true,
		Logger: n.log, Registerer: n.registry, Fatal: n.fatal,
	}
}

// whenReady waits until every shard has a leader that has applied what was committed before.
func (n *node) whenReady(ctx context.Context) error {
	for !n.cluster.Ready() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the shards: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

func (n *node) orderURL(ref string) string { return n.publicURL() + "/orders/" + ref }

// publicURL is the address as browsers see it.
func (n *node) publicURL() string {
	if u := n.cfg.Fan.PublicURL; u != "" {
		return strings.TrimRight(u, "/")
	}
	scheme := "http"
	if n.cfg.Fan.CertFile != "" {
		scheme = "https"
	}
	if n.fanAddr != nil {
		return scheme + "://" + n.fanAddr.String()
	}
	return scheme + "://" + n.cfg.Fan.Listen
}

func (n *node) secure() bool { return strings.HasPrefix(n.publicURL(), "https://") }

func (n *node) startEdge(out outside) error {
	fanListener, err := listen(n.cfg.Fan.Listener, "fan")
	if err != nil {
		return err
	}
	n.fanAddr = fanListener.Addr()
	opListener, err := listen(n.cfg.Operator, "operator")
	if err != nil {
		_ = fanListener.Close() // nothing was accepted
		return err
	}
	n.opAddr = opListener.Addr()
	proxies, err := forwarded.New(n.cfg.Fan.TrustedProxies)
	if err != nil {
		return fmt.Errorf("fan.%w", err)
	}
	n.gateway, err = gateway.New(gateway.Options{
		System: n.system, Sales: n.events, Now: time.Now, Logger: n.log, Registerer: n.registry,
	})
	if err != nil {
		return err
	}
	origins := append([]string{n.publicURL()}, n.cfg.Fan.Origins...)
	if n.api, err = n.newAPI(out, proxies, origins); err != nil {
		return err
	}
	n.live = live.New(live.Options{
		Caller: n.api, Gateway: n.gateway, Origins: origins, Still: n.api.Still, Logger: n.log, Registerer: n.registry,
		Address:        func(r *http.Request) string { return throttle.AddressKey(proxies.Addr(r)) },
		MaxConnections: n.cfg.Fan.MaxConnections, PerAddress: n.cfg.Fan.PerAddress,
	})
	pages, err := out.pages(n.api)
	if err != nil {
		return err
	}
	n.fan = &http.Server{
		Handler:           n.whenOpen(n.fanRoutes(pages, out.extra)),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
		// The live socket is an upgrade of HTTP/1.1.
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}},
	}
	operator, err := n.operatorRoutes()
	if err != nil {
		return err
	}
	n.operator = &http.Server{Handler: operator, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 60 * time.Second}
	n.serve(n.fan, fanListener, n.cfg.Fan.Listener)
	n.serve(n.operator, opListener, n.cfg.Operator)
	return nil
}

// newAPI assembles the API over the engine.
func (n *node) newAPI(out outside, proxies *forwarded.Resolver, origins []string) (*api.Server, error) {
	token, err := houseToken(n.cfg.Node.Data)
	if err != nil {
		return nil, err
	}
	secret := sha256.Sum256([]byte("catraca digests of requests\x00" + token))
	return api.New(api.Options{
		Sales: n.events, Directory: n.directory, Places: n.gateway,
		Passwords: password.NewPool(n.cfg.Accounts.HashWorkers, n.cfg.Accounts.HashMaxWait, n.registry),
		SignIns: throttle.NewSignIn(throttle.Limits{
			PerAddress: n.cfg.Accounts.PerAddressMin, PerAccount: n.cfg.Accounts.PerAccountMin,
		}, n.registry),
		Issuer:  &issue.Issuer{Sales: n.events, People: n.directory, Keys: n.keys, OrderURL: n.orderURL},
		Webhook: out.webhook, Gates: n.keys, Origins: origins, Secure: n.secure(), Secret: secret[:],
		SessionLife: n.cfg.Accounts.SessionLife, Ready: n.ready, Why: n.why, Cluster: operations{n}, Address: proxies.Addr,
		Status: func() any { return n.cluster.Status() }, Now: time.Now, Logger: n.log, Import: importEvent,
		Registerer: n.registry,
	})
}

func (n *node) serve(s *http.Server, l net.Listener, o config.Listener) {
	go func() {
		var err error
		if o.CertFile != "" {
			err = s.ServeTLS(l, o.CertFile, o.KeyFile)
		} else {
			err = s.Serve(l)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			n.failed <- err
		}
	}()
}

// stop ends a node in the order that loses nothing: the balancers hear of it, others lead, the fans go to other nodes,
// and then the engine ends.
func (n *node) stop(ctx context.Context, drain time.Duration) {
	served := n.serving.Swap(false)
	n.end()
	n.background.Wait()
	if served {
		n.handAway(ctx)
	}
	if n.live != nil {
		n.live.Close(ctx, drain)
	}
	for _, s := range []*http.Server{n.fan, n.operator} {
		if s != nil {
			_ = s.Shutdown(ctx) // what does not end in time is cut
		}
	}
	if n.outbox != nil {
		n.outbox.Close()
	}
	if n.gateway != nil {
		n.gateway.Close()
	}
	n.stopCluster(ctx)
	n.stopRelay()
	if n.cluster != nil {
		n.events.Close()
		n.directory.Close()
		n.system.Shutdown()
	}
}

// stopCluster closes the engine, and notes that it was closed cleanly.
func (n *node) stopCluster(ctx context.Context) {
	if n.cluster == nil {
		return
	}
	if n.parting {
		if err := n.endParting(ctx); err != nil {
			n.log.Warn("this node still drains; its next start ends that", slog.Any("error", err))
		}
	}
	err := n.cluster.Close()
	if err == nil {
		err = markClean(n.cfg)
	}
	if err != nil {
		n.log.Error("cluster node not closed cleanly", slog.Any("error", err))
	}
}
