package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/transport/balance"
)

func balanceCommand(env environment) *cobra.Command {
	var listener, operator config.Listener
	var backends, trusted []string
	c := &cobra.Command{
		Use:     "balance",
		Short:   "Run the load balancer in front of one or more nodes",
		Example: "  catraca balance --listen 127.0.0.1:8080 --backend http://127.0.0.1:8091 --backend http://127.0.0.1:8092",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := logger(env, config.Log{Level: "info", Format: "json"})
			reg := prometheus.NewRegistry()
			b, err := balance.New(balance.Options{
				Backends: backends, TrustedProxies: trusted, Logger: log, Registerer: reg,
			})
			if err != nil {
				return &usageError{err}
			}
			defer b.Close()
			return serveBalancer(cmd.Context(), log, b, reg, listener, operator)
		},
	}
	f := c.Flags()
	f.StringVar(&listener.Listen, "listen", "127.0.0.1:8080", "address to listen on")
	f.StringVar(&listener.CertFile, "cert", "", "certificate chain (PEM); needed beyond loopback")
	f.StringVar(&listener.KeyFile, "key", "", "certificate's key (PEM)")
	f.StringVar(&operator.Listen, "operator", "", "address for /metrics; empty: none")
	f.StringSliceVar(&backends, "backend", nil, "a node's fan address, http(s)://host:port")
	f.StringSliceVar(&trusted, "trusted-proxy", nil, "address or prefix whose X-Forwarded-For is believed")
	return c
}

// serveBalancer runs until it is told to stop.
func serveBalancer(ctx context.Context, log *slog.Logger, h http.Handler, reg *prometheus.Registry, fan, operator config.Listener) error {
	l, err := listen(fan, "balance")
	if err != nil {
		return err
	}
	s := balancerServer(h)
	failed := make(chan error, 2)
	go func() {
		if fan.CertFile != "" {
			failed <- s.ServeTLS(l, fan.CertFile, fan.KeyFile)
			return
		}
		failed <- s.Serve(l)
	}()
	log.Info("balancing", slog.String("listen", l.Addr().String()))
	metrics := &http.Server{Handler: promhttp.HandlerFor(reg, promhttp.HandlerOpts{}), ReadHeaderTimeout: 5 * time.Second}
	if operator.Listen != "" {
		ol, err := listen(operator, "operator")
		if err != nil {
			return err
		}
		go func() { failed <- metrics.Serve(ol) }()
	}
	select {
	case <-ctx.Done():
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		_ = metrics.Shutdown(stopping) // a scrape that hangs is cut
		return errors.Join(s.Shutdown(stopping))
	case err := <-failed:
		return fmt.Errorf("a listener ended: %w", err)
	}
}

func balancerServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}},
	}
}
