package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"time"
)

// Options of a node's relay.
type Options struct {
	// Name of this node. Its certificate says the same.
	Name string
	// Shards of the cluster.
	Shards int
	// Server and Client authenticate both sides of a connection: the server asks for a certificate and the name of the
	// node that calls is one of its DNS names; the client finds the node's name in the server's. Nil, on one machine in
	// tests only: anybody is believed.
	Server, Client *tls.Config
	Logger         *slog.Logger
	Metrics        *Metrics

	// MaxOutstanding requests to one node wait for an answer, of at most MaxBytes, the rest is refused; 0 means 16,384
	// and 64 MiB.
	MaxOutstanding int
	MaxBytes       int
	// Silence is how long a node may leave a frame unacknowledged before it is given up; 0 means 2 s.
	Silence time.Duration

	carrier func(*Relay) (carrier, error) // nil: proto.actor's remote
}

// Cluster is what the relay asks of the cluster node. All methods are for any goroutine.
type Cluster interface {
	// Leader says who leads a shard, "" when nobody is known to, and in which term.
	Leader(shard int) (name string, term uint64, self bool)
	// ReadIndex says on the leader up to which entry of a shard one has to have read.
	ReadIndex(ctx context.Context, shard int) (uint64, error)
	// Applied is the newest entry of a shard that has been handed to its machines on this node.
	Applied(shard int) uint64
	// DialActors opens a connection that ends at the named node's relay.
	DialActors(ctx context.Context, name string) (net.Conn, error)
}

const (
	maxPeers = 256
	// window frames to one node may be unacknowledged: one on the way, one behind it.
	window = 2
	// dialPatience bounds opening a connection.
	dialPatience = 2 * time.Second
	// lookEvery is how often silence and changes of leadership are noticed.
	lookEvery = 100 * time.Millisecond
	// comeBack spreads those who were refused because too much waits.
	comeBack = 500 * time.Millisecond
	// hintLife is how long another node's word about a leader counts: the cluster knows by itself then.
	hintLife = 3 * time.Second
	// closePatience bounds the end of the connections.
	closePatience = 3 * time.Second
)

func (o *Options) complete() error {
	if o.Name == "" || o.Shards <= 0 || o.Logger == nil || o.Metrics == nil {
		return errors.New("relay: a name, shards, a logger and metrics are needed")
	}
	if (o.Server == nil) != (o.Client == nil) {
		return errors.New("relay: both sides of a connection are authenticated, or none")
	}
	if o.MaxOutstanding == 0 {
		o.MaxOutstanding = 16384
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 64 << 20
	}
	if o.Silence == 0 {
		o.Silence = 2 * time.Second
	}
	return nil
}
