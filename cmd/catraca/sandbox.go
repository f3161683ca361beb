package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/transport/mail"
	"github.com/catraca/catraca/transport/pay/sandbox"
)

// sandboxOptions are the flags of the sandbox.
type sandboxOptions struct {
	payments  string
	smtp      string
	page      string
	webhook   string
	returns   []string
	secretDir string
	state     string
	pixAfter  time.Duration
	verbose   bool
}

func sandboxCommand(env environment) *cobra.Command {
	var o sandboxOptions
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Run a payment server that moves no money, and a mailbox, for rehearsals and tests",
		Long: "Runs a payment server that speaks Stripe's wire and moves no money, and a mail server that delivers to nobody\n" +
			"and shows every letter on a page. Both answer on this machine only. The secret key and the webhook secret are\n" +
			"made in --secret-dir at the first start; the server's configuration names the same files. With --state, payments\n" +
			"survive a restart. Ctrl-C ends it.",
		Example: "  catraca sandbox --webhook http://127.0.0.1:8080/api/v1/payments/stripe/webhook --secret-dir ./secrets --state ./payments.json",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			if o.secretDir == "" {
				return wrong(c, "--secret-dir is missing: where the secret key and the webhook secret are kept")
			}
			if u, err := url.Parse(o.webhook); o.webhook != "" && (err != nil || u.Host == "") {
				return wrong(c, "--webhook %q, allowed is http(s)://host:port/path", o.webhook)
			}
			return o.run(c.Context(), env)
		},
	}
	f := c.Flags()
	f.StringVar(&o.payments, "payments", "127.0.0.1:8090", "address of the payment server")
	f.StringVar(&o.smtp, "mail-smtp", "127.0.0.1:2525", "address that takes mail; empty: no mail")
	f.StringVar(&o.page, "mail-page", "127.0.0.1:8091", "address of the mailbox page")
	f.StringVar(&o.webhook, "webhook", "", "address that payment events are sent to; empty: none")
	f.StringSliceVar(&o.returns, "return", nil, "address payers may be sent back to; the webhook's host unless given")
	f.StringVar(&o.secretDir, "secret-dir", "", "folder of stripe.key and stripe.webhook; needed")
	f.StringVar(&o.state, "state", "", "file that keeps payments across restarts; empty: in memory")
	f.DurationVar(&o.pixAfter, "pix-after", 5*time.Second, "a Pix pays itself after this long; negative: never")
	f.BoolVar(&o.verbose, "verbose", false, "show what it does")
	return c
}

// run serves until it is told to stop.
func (o *sandboxOptions) run(ctx context.Context, env environment) (err error) {
	log := slog.New(slog.DiscardHandler)
	if o.verbose {
		log = logger(env, config.Log{Level: "info", Format: "text"})
	}
	// The addresses first: whoever mistypes one finds no secrets made.
	payments, err := listenHere(ctx, o.payments, "--payments")
	if err != nil {
		return err
	}
	defer func() { _ = payments.Close() }() // when it was not served
	s := &sandboxServers{failed: make(chan error, 2)}
	defer func() { err = errors.Join(err, s.close()) }()
	keyFile, key, err := openSecret(o.secretDir, "stripe.key", "sk_test_")
	if err != nil {
		return err
	}
	hookFile, hook, err := openSecret(o.secretDir, "stripe.webhook", "whsec_")
	if err != nil {
		return err
	}
	pay, err := sandbox.New(o.options(payments.Addr(), key, hook, log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pay.Close()) }()
	s.serve(payments, pay)
	base := "http://" + payments.Addr().String()
	lines := []string{"payments", base, "hosted-page", base + sandbox.HostedPath, "secret-key-file", keyFile, "webhook-secret-file", hookFile}
	if o.smtp != "" {
		sink := mail.NewSink(mail.SinkOptions{Logger: log})
		if err := sink.Listen(o.smtp); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, sink.Close()) }()
		page, err := listenHere(ctx, o.page, "--mail-page")
		if err != nil {
			return err
		}
		s.serve(page, sink)
		lines = append(lines, "mail-smtp", sink.Addr(), "mailbox", "http://"+page.Addr().String()+"/mail")
	}
	if err := facts(env.stdout, lines...); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return fmt.Errorf("a listener ended: %w", err)
	}
}

func (o *sandboxOptions) options(at net.Addr, key, hook string, log *slog.Logger) sandbox.Options {
	out := sandbox.Options{
		SecretKey: key, PublicURL: "http://" + at.String(), ReturnPrefixes: o.returns, WebhookURL: o.webhook,
		WebhookRetryMax: 30 * time.Second, PixAfter: o.pixAfter, StateFile: o.state, Logger: log,
	}
	if o.webhook != "" {
		out.WebhookSecret = hook
	}
	if u, err := url.Parse(o.webhook); err == nil && u.Host != "" && len(o.returns) == 0 {
		out.ReturnPrefixes = []string{u.Scheme + "://" + u.Host + "/"}
	}
	return out
}

// sandboxServers are the HTTP servers of the sandbox.
type sandboxServers struct {
	servers []*http.Server
	failed  chan error
}

func (s *sandboxServers) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	s.servers = append(s.servers, server)
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
}

func (s *sandboxServers) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

// listenHere listens on this machine alone: whoever reaches the sandbox can read all mail and invent payments.
func listenHere(ctx context.Context, address, flag string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil || !loopbackHost(host) {
		return nil, &usageError{fmt.Errorf("%s %q, allowed is a port of this machine like 127.0.0.1:8090", flag, address)}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", flag, err)
	}
	return l, nil
}

// openSecret reads a secret of the sandbox, or makes it.
func openSecret(dir, name, prefix string) (path, secret string, err error) {
	path = filepath.Join(dir, name)
	secret, err = readToken(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return path, secret, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", fmt.Errorf("make --secret-dir: %w", err)
	}
	raw := make([]byte, 20)
	_, _ = rand.Read(raw) // never fails
	secret = prefix + hex.EncodeToString(raw)
	return path, secret, writeSecret(path, secret)
}
