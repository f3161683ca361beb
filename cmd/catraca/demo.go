package main

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/config/eventfile"
	"github.com/catraca/catraca/transport/balance"
	"github.com/catraca/catraca/transport/issue"
	"github.com/catraca/catraca/transport/mail"
	"github.com/catraca/catraca/transport/pay"
	"github.com/catraca/catraca/transport/pay/sandbox"
)

//go:embed demo/aurora.yaml
var auroraFile []byte

// demoOptions are the flags of the demonstration.
type demoOptions struct {
	listen   string
	public   string // address of a balancer in front; empty: the demonstration's own
	event    string // file; empty: the built-in one
	opensIn  time.Duration
	fans     int
	data     string // empty: a temporary folder
	pixAfter time.Duration
	nodes    int
	verbose  bool
}

func demoCommand(env environment) *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run a whole sale on this machine: queue, seats, sandbox payments, mailbox",
		Long: "Runs everything in one process: a node, a load balancer in front of it, a payment server that moves no\n" +
			"money, and a mailbox. With --nodes 3 the nodes are three processes, each of which may be killed while fans buy, and\n" +
			"comes back by itself. The data is temporary unless --data is given. Ctrl-C ends it all.",
		Example: "  catraca demo\n  catraca demo --nodes 3\n  catraca demo --fans 2000 --opens-in 5s\n  catraca demo --event my-event.yaml --data ./demo-data",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.nodes != 1 && o.nodes != 3 {
				return &usageError{fmt.Errorf("--nodes %d: 1 or 3", o.nodes)}
			}
			if o.fans < 0 || o.fans > 15000 {
				return &usageError{fmt.Errorf("--fans %d: 0 to 15000", o.fans)}
			}
			if o.public != "" && !origin(o.public) {
				return &usageError{fmt.Errorf("--public-url %s: want http(s)://host[:port]", o.public)}
			}
			return demo(cmd.Context(), env, o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address of the pages; another free port is taken when it is in use")
	f.StringVar(&o.public, "public-url", "", "address as browsers see it, when you put a balancer of your own in front of the node")
	f.StringVar(&o.event, "event", "", "event file instead of the built-in event")
	f.DurationVar(&o.opensIn, "opens-in", 20*time.Second, "time until the sale opens")
	f.IntVar(&o.fans, "fans", 300, "simulated fans in the queue")
	f.StringVar(&o.data, "data", "", "keep the data in this folder")
	f.DurationVar(&o.pixAfter, "pix-after", 5*time.Second, "a Pix pays itself after this long")
	f.IntVar(&o.nodes, "nodes", 1, "nodes, 1 or 3")
	f.BoolVar(&o.verbose, "verbose", false, "show the server's log")
	return c
}

// stage is what the demonstration has started, in that order.
type stage struct {
	log       *slog.Logger
	dir       string
	sink      *mail.Sink
	sandbox   *sandbox.Server
	payments  *http.Server
	payURL    string
	node      *node
	troupe    *troupe // instead of the node
	balancer  *balance.Balancer
	front     *http.Server
	url       string // our own balancer
	public    string // as browsers see it
	admin     string // password
	event     *sale.Config
	closeLast []func()
}

func demo(ctx context.Context, env environment, o demoOptions) (err error) {
	began := time.Now()
	s := &stage{log: slog.New(slog.DiscardHandler)}
	if o.verbose {
		s.log = logger(env, config.Log{Level: "info", Format: "text"})
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
		defer cancel()
		s.stop(stopping)
	}()
	if err := s.start(ctx, env, o); err != nil {
		return err
	}
	var fans []fan
	if o.fans > 0 {
		if fans, err = s.mint(ctx, o.fans); err != nil {
			return err
		}
	}
	s.announce(env, o, time.Since(began))
	crowd := startCrowd(ctx, s, fans)
	defer crowd.wait()
	return s.watch(ctx, env)
}

func (s *stage) start(ctx context.Context, env environment, o demoOptions) error {
	s.dir = o.data
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "catraca-demo-")
		if err != nil {
			return fmt.Errorf("make temporary folder: %w", err)
		}
		s.dir = dir
		s.closeLast = append(s.closeLast, func() { _ = os.RemoveAll(dir) }) // a leftover in the temporary folder
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	front, err := frontListener(o.listen)
	if err != nil {
		return err
	}
	s.url = "http://" + front.Addr().String()
	s.public = cmp.Or(o.public, s.url)
	s.sink = mail.NewSink(mail.SinkOptions{Logger: s.log})
	if err := s.sink.Listen("127.0.0.1:0"); err != nil {
		return errors.Join(fmt.Errorf("start mailbox: %w", err), front.Close())
	}
	if err := s.startPayments(o); err != nil {
		return errors.Join(err, front.Close())
	}
	if o.nodes > 1 {
		err = s.startTroupe(ctx, env, o)
	} else {
		err = s.startNode(ctx)
	}
	if err != nil {
		return errors.Join(err, front.Close())
	}
	if err := s.startFront(front); err != nil {
		return err
	}
	if s.troupe != nil {
		return s.stageByAPI(ctx, o)
	}
	return s.stageSale(ctx, o)
}

// origin says whether s is scheme://host[:port] and nothing else.
func origin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && s == u.Scheme+"://"+u.Host
}

// frontListener takes the address asked for, or any free port beside it when that is in use.
func frontListener(address string) (net.Listener, error) {
	l, err := listen(config.Listener{Listen: address}, "demo")
	if err == nil {
		return l, nil
	}
	host, _, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return nil, &usageError{fmt.Errorf("--listen %s: want host:port", address)}
	}
	if l, again := listen(config.Listener{Listen: net.JoinHostPort(host, "0")}, "demo"); again == nil {
		return l, nil
	}
	return nil, err
}

const (
	sandboxKey    = "sk_test_catraca_demo_0000000000"
	sandboxSecret = "whsec_catraca_demo_000000000000"
)

func (s *stage) startPayments(o demoOptions) error {
	l, err := listen(config.Listener{Listen: "127.0.0.1:0"}, "demo")
	if err != nil {
		return fmt.Errorf("start payment server: %w", err)
	}
	s.payURL = "http://" + l.Addr().String()
	s.sandbox, err = sandbox.New(sandbox.Options{
		SecretKey: sandboxKey, PublicURL: s.payURL, ReturnPrefixes: []string{s.public + "/"},
		WebhookURL: s.url + "/api/v1/payments/stripe/webhook", WebhookSecret: sandboxSecret,
		WebhookRetryMax: 30 * time.Second, PixAfter: o.pixAfter,
		StateFile: filepath.Join(s.dir, "sandbox.json"), Logger: s.log,
	})
	if err != nil {
		return errors.Join(fmt.Errorf("start payment server: %w", err), l.Close())
	}
	s.payments = &http.Server{Handler: s.sandbox, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.payments.Serve(l) }() // ends with Shutdown
	return nil
}

func (s *stage) startNode(ctx context.Context) error {
	reg := newRegistry()
	cfg := config.Default()
	cfg.Node.Data = s.dir
	cfg.Fan.Listen, cfg.Operator.Listen, cfg.Cluster.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	cfg.Fan.PublicURL, cfg.Fan.TrustedProxies = s.public, []string{"127.0.0.1"}
	cfg.Fan.PerAddress = cfg.Fan.MaxConnections // everybody comes from this machine
	cfg.Payment.HostedPage = s.payURL + sandbox.HostedPath
	payer, err := pay.New(pay.Options{
		Provider: "sandbox", BaseURL: s.payURL, SecretKey: sandboxKey, HostedPage: cfg.Payment.HostedPage,
	}, s.log, reg)
	if err != nil {
		return fmt.Errorf("open payments: %w", err)
	}
	s.closeLast = append(s.closeLast, payer.Close)
	verifier, err := pay.NewVerifier(sandboxSecret)
	if err != nil {
		return fmt.Errorf("open payments: %w", err)
	}
	host, port, err := net.SplitHostPort(s.sink.Addr())
	if err != nil {
		return fmt.Errorf("find mailbox: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("find mailbox: %w", err)
	}
	relay, err := mail.New(mail.Options{
		Host: host, Port: number, TLS: mail.NoTLS, From: "Catraca <ingressos@catraca.example>",
		Logger: s.log, Metrics: mail.NewMetrics(reg),
	})
	if err != nil {
		return fmt.Errorf("open mail: %w", err)
	}
	s.closeLast = append(s.closeLast, func() { _ = relay.Close() }) // idle connections to our own sink
	s.node, err = start(ctx, cfg, s.log, reg, outside{
		payer: payer, webhook: verifier,
		mailer: func(i *issue.Issuer) outbox.Mailer { return issue.NewMailer(i, relay) },
		pages:  fanPages(cfg, s.log, "/mail"),
		extra:  map[string]http.Handler{"/mail": s.sink, "/mail/": s.sink},
	})
	return err
}

// backends are the nodes' addresses for fans.
func (s *stage) backends() []string {
	if s.troupe == nil {
		return []string{"http://" + s.node.fanAddr.String()}
	}
	var out []string
	for _, p := range s.troupe.actors {
		out = append(out, "http://"+p.fan)
	}
	return out
}

func (s *stage) startFront(l net.Listener) error {
	b, err := balance.New(balance.Options{Backends: s.backends(), Logger: s.log})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	s.balancer = b
	s.front = balancerServer(b)
	if s.troupe != nil { // its nodes do not know the mailbox
		mux := http.NewServeMux()
		mux.Handle("/mail", s.sink)
		mux.Handle("/mail/", s.sink)
		mux.Handle("/", b)
		s.front.Handler = mux
	}
	go func() { _ = s.front.Serve(l) }() // ends with Shutdown
	return nil
}

// adminEmail signs the organiser in.
const adminEmail = "admin@catraca.example"

func newPassword() string {
	raw := make([]byte, 10)
	_, _ = rand.Read(raw) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw))
}

// stageSale makes the administrator and puts the event on sale.
func (s *stage) stageSale(ctx context.Context, o demoOptions) error {
	s.admin = newPassword()
	if _, err := s.node.api.AddAccount(ctx, 0, adminEmail, "Admin", s.admin, account.RoleOwner); err != nil {
		s.admin = "(as before)" // kept data: the account is there
	}
	name, data := "aurora.yaml", auroraFile
	if o.event != "" {
		b, err := os.ReadFile(o.event)
		if err != nil {
			return fmt.Errorf("read event file: %w", err)
		}
		name, data = o.event, b
	}
	f, err := eventfile.Parse(name, data)
	if err != nil {
		return err
	}
	f.OpensAt, f.Rehearsal = eventfile.Instant("now+"+o.opensIn.String()), true
	var plan []byte
	if o.event != "" && f.Plan != "" {
		if b, err := os.ReadFile(filepath.Join(filepath.Dir(o.event), f.Plan)); err == nil {
			plan = b
		}
	}
	cfg, _, err := f.Config(time.Now(), plan)
	if err != nil {
		return err
	}
	if e, ok := s.node.directory.EventBySlug(cfg.Slug); ok { // kept data: the sale goes on
		v, err := s.node.events.View(sale.EventID(e.ID))
		if err != nil {
			return fmt.Errorf("find the kept sale: %w", err)
		}
		s.event = v.Config
		return nil
	}
	v, err := s.node.api.ApplyEvent(ctx, 0, cfg)
	if err != nil {
		return fmt.Errorf("put the event on sale: %w", err)
	}
	s.event = v.Config
	return nil
}

// announce prints where to go and three things to try.
func (s *stage) announce(env environment, o demoOptions, took time.Duration) {
	page := s.public + "/e/" + s.event.Slug
	data := "in memory of this run; it ends with Ctrl-C"
	if o.data != "" {
		data = "kept in " + o.data
	}
	_, _ = fmt.Fprintf(env.stderr, `
  Catraca demo — ready in %.1f s   (data %s)

  Fan page    %s      %s
  Mailbox     %s/mail
  Payments    %s      test money only
  Metrics     http://%s/metrics
  Sign in as  %s / %s   (organiser)

  Three things to try
   1. Open the fan page, make an account, and watch your place fall behind %d simulated fans.
   2. Buy two seats together with card 4242 4242 4242 4242 (or Pix), then open the mailbox.
   3. Pay with card 4000 0000 0000 0002 first: it is declined, and your seats stay yours.

`, took.Seconds(), data, page, opening(s.event.OpensAt), s.public, s.payURL, s.operator(), adminEmail, s.admin, o.fans) // nowhere else to tell it
	if o.public != "" {
		_, _ = fmt.Fprintf(env.stderr, "  Node        %s      your balancer sends here what comes to %s\n\n", strings.Join(s.backends(), " "), o.public) // as above
	}
	if s.troupe != nil {
		s.announceNodes(env)
	}
	_, _ = fmt.Fprintln(env.stdout, page)
}

// operator is the address of a node for operators.
func (s *stage) operator() string {
	if s.troupe != nil {
		return s.troupe.actors[0].operator
	}
	return s.node.opAddr.String()
}

// opening says when the sale opens; one that was kept may be open already.
func opening(at int64) string {
	if wait := time.Until(time.UnixMilli(at)).Round(time.Second); wait > 0 {
		return "the sale opens in " + wait.String()
	}
	return "the sale is open"
}

func (s *stage) stop(ctx context.Context) {
	if s.front != nil {
		_ = s.front.Shutdown(ctx) // live sockets are closed by the node
	}
	if s.node != nil {
		s.node.stop(ctx, 0)
	}
	if s.troupe != nil {
		s.troupe.stop()
	}
	if s.balancer != nil {
		s.balancer.Close()
	}
	if s.payments != nil {
		_ = s.payments.Shutdown(ctx) // a payer's page that hangs is cut
	}
	if s.sandbox != nil {
		_ = s.sandbox.Close() // its journal is in the folder
	}
	if s.sink != nil {
		_ = s.sink.Close() // mail is in memory
	}
	for _, v := range slices.Backward(s.closeLast) {
		v()
	}
}
