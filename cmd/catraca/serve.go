package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/config/eventfile"
	"github.com/catraca/catraca/transport/issue"
	"github.com/catraca/catraca/transport/mail"
	"github.com/catraca/catraca/transport/page"
	"github.com/catraca/catraca/transport/pay"
)

// drainTime is how long fans are given to move to another node.
const drainTime = 5 * time.Second

func serveCommand(env environment) *cobra.Command {
	var f configFlags
	c := &cobra.Command{
		Use:     "serve",
		Short:   "Run one node",
		Example: "  catraca serve --config /etc/catraca/catraca.yaml",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := f.load(c, env)
			if err != nil {
				return err
			}
			return serve(c.Context(), env, l.Config)
		},
	}
	f.flags(c)
	return c
}

// serve runs a node until it is told to stop.
func serve(ctx context.Context, env environment, cfg config.Config) error {
	log, reg := logger(env, cfg.Log), newRegistry()
	out, closeOutside, err := connect(cfg, log, reg)
	if err != nil {
		return err
	}
	defer closeOutside()
	if err := checkData(ctx, cfg, log); err != nil {
		return err
	}
	n, err := start(ctx, cfg, log, reg, out)
	if err != nil {
		return err
	}
	log.Info("serving", slog.String("fan", n.fanAddr.String()), slog.String("operator", n.opAddr.String()), slog.String("public_url", n.publicURL()))
	tellManager(env, log, "READY=1\nSTATUS=serving "+n.publicURL())
	err = n.wait(ctx)
	tellManager(env, log, "STOPPING=1\nSTATUS=moving leaderships and fans to other nodes")
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime+10*time.Second)
	defer cancel()
	n.stop(stopping, drainTime)
	log.Info("stopped")
	return err
}

// wait returns when the node is told to stop, or when one of its listeners ended on its own.
func (n *node) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.failed:
		return fmt.Errorf("a listener ended: %w", err)
	}
}

// connect opens what the configuration names outside the process.
func connect(cfg config.Config, log *slog.Logger, reg *prometheus.Registry) (outside, func(), error) {
	if cfg.Payment.SecretKeyFile == "" || cfg.Payment.WebhookSecretFile == "" {
		return outside{}, nil, errors.New("payment.secret_key_file and payment.webhook_secret_file are needed; `catraca sandbox` runs a payment server to try with")
	}
	provider := "stripe"
	if cfg.Payment.APIURL != "" {
		provider = "sandbox"
	}
	payer, err := pay.New(pay.Options{
		Provider: provider, BaseURL: cfg.Payment.APIURL, SecretKeyFile: cfg.Payment.SecretKeyFile, HostedPage: cfg.Payment.HostedPage,
	}, log, reg)
	if err != nil {
		return outside{}, nil, fmt.Errorf("payment: %w", err)
	}
	verifier, err := pay.OpenVerifier(cfg.Payment.WebhookSecretFile)
	if err != nil {
		return outside{}, nil, fmt.Errorf("payment.webhook_secret_file: %w", err)
	}
	relay, err := mail.New(mail.Options{
		Host: cfg.Mail.Host, Port: cfg.Mail.Port, TLS: mail.TLSMode(cfg.Mail.TLS), User: cfg.Mail.User,
		PasswordFile: cfg.Mail.PasswordFile, From: cfg.Mail.From, Logger: log, Metrics: mail.NewMetrics(reg),
	})
	if err != nil {
		return outside{}, nil, fmt.Errorf("mail: %w", err)
	}
	out := outside{
		payer: payer, webhook: verifier,
		mailer: func(i *issue.Issuer) outbox.Mailer {
			return &issue.Mailer{Issuer: i, Sender: relay, Virtual: cfg.Mail.VirtualFans}
		},
		pages: fanPages(cfg, log, ""),
	}
	return out, func() {
		payer.Close()
		if err := relay.Close(); err != nil {
			log.Warn("mail connections not closed", slog.Any("error", err))
		}
	}, nil
}

// fanPages makes the pages over the API.
func fanPages(cfg config.Config, log *slog.Logger, mailURL string) func(http.Handler) (http.Handler, error) {
	return func(api http.Handler) (http.Handler, error) {
		o := page.Options{API: api, Logger: log, Secure: cfg.Fan.CertFile != "", MailURL: mailURL}
		if u, err := url.Parse(cfg.Fan.PublicURL); err == nil && u.Scheme == "https" {
			o.Secure = true
		}
		if u, err := url.Parse(cfg.Payment.HostedPage); err == nil && u.Host != "" {
			o.PaymentOrigins = []string{u.Scheme + "://" + u.Host}
		}
		return page.New(o)
	}
}

// importEvent reads what organisers apply.
func importEvent(body []byte, contentType string) (*sale.Config, any, error) {
	return eventfile.Import(time.Now(), body, contentType)
}

// logger writes to standard error.
func logger(env environment, o config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.Level)); err != nil {
		level = slog.LevelInfo // validated before
	}
	opts := &slog.HandlerOptions{Level: level}
	if o.Format == "text" {
		return slog.New(slog.NewTextHandler(env.stderr, opts))
	}
	return slog.New(slog.NewJSONHandler(env.stderr, opts))
}

// writeSecret keeps a secret in a file of its own.
func writeSecret(path, secret string) error {
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		return fmt.Errorf("write secret: %w", err)
	}
	return nil
}
