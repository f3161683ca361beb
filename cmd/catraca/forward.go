package main

import (
	"crypto/tls"

	"github.com/catraca/catraca/actors/relay"
)

// newRelay makes the relay, which carries commands to the nodes that lead their shards. It comes before the services,
// which are given it, and forwards once there is a cluster. A node that has no certificate has no others beside it, and
// no relay: what is not authenticated may not reach the machines.
func (n *node) newRelay(cfg *tls.Config) error {
	if cfg == nil {
		return nil
	}
	r, err := relay.New(relay.Options{
		Name: n.cfg.Node.ID, Shards: n.cfg.Cluster.Shards, Server: cfg, Client: clientOf(cfg), Logger: n.log,
		Metrics: relay.NewMetrics(n.registry),
	})
	n.relay = r
	return err
}

// clientOf is for the end that connects: it takes whoever answers for the node that was meant, by its name.
func clientOf(cfg *tls.Config) *tls.Config {
	c := cfg.Clone()
	c.ServerName = ""
	return c
}

// startRelay opens the relay behind the cluster's port.
func (n *node) startRelay() error {
	n.running.Store(n.cluster)
	if n.relay == nil {
		return nil
	}
	if err := n.relay.Start(n.cluster); err != nil {
		return err
	}
	n.cluster.ServeActors(n.relay.Address())
	return nil
}

// hashed reports what a machine's state hashes to, so that the nodes can compare. What is applied while the cluster node
// starts is compared at the next hash.
func (n *node) hashed(shard int, machine uint32, index uint64, hash [32]byte) {
	if c := n.running.Load(); c != nil {
		c.Hashed(shard, machine, index, hash)
	}
}

// stopRelay ends what waits for other nodes. The cluster node is closed before: leadership has gone elsewhere, and those
// who asked this node have been told so.
func (n *node) stopRelay() {
	if n.relay != nil {
		n.relay.Close()
	}
}
