package main

import (
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/relay"
	"github.com/catraca/catraca/cluster"
)

// newWay makes the way to the node that leads. Between the processes of one measurement nobody is authenticated: they
// speak on loopback only.
func newWay(o nodeOptions, log *slog.Logger) (*relay.Relay, error) {
	r, err := relay.New(relay.Options{
		Name: o.Name, Shards: o.Shards, Logger: log, Metrics: relay.NewMetrics(prometheus.NewRegistry()),
	})
	if err != nil {
		return nil, fmt.Errorf("make relay: %w", err)
	}
	return r, nil
}

// openWay begins to forward.
func openWay(r *relay.Relay, n *cluster.Node) error {
	if err := r.Start(n); err != nil {
		return fmt.Errorf("start relay: %w", err)
	}
	n.ServeActors(r.Address())
	return nil
}
