package sequencer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/cluster"
)

// Options of the machines of one shard. All functions are required unless they say otherwise.
type Options[M Machine[R], R any] struct {
	System   *actor.ActorSystem
	Name     string // names the actors: Name/<machine id>
	Shard    int
	Proposer Proposer
	// Create makes a machine from the blob of a KindCreate entry; Restore from a snapshot. Raft's goroutine.
	Create  func(id uint32, blob []byte) (M, error)
	Restore func(id uint32, blob []byte) (M, error)
	// Applied is called after every batch and Leading when leadership comes or goes, on the actor's goroutine.
	// Both may be nil.
	Applied func(id uint32, m M, leader bool)
	Leading func(id uint32, m M, leading bool)
	// Installed is called instead of Applied when a snapshot replaced the machine, on the actor's goroutine: what was
	// known of the old one may be wrong, and the changes in between are not to be had. May be nil.
	Installed func(id uint32, m M)
	// Added is called once a machine lives on this node, before it applies anything. It must not call the shard.
	// May be nil.
	Added func(h *Handle[M, R])
	// Hashed is told the SHA-256 of a machine's snapshot at one index, which is the same on every replica that applied
	// the same log. It is called on a goroutine of its own, at most one a machine. May be nil: then nothing is hashed.
	Hashed func(machine uint32, index uint64, hash [32]byte)
	// Now is the wall clock in unix milliseconds.
	Now func() int64
	// MaxPending bounds the commands and reads that wait at one machine; 0 means 16,384.
	MaxPending int
	// CommitTimeout bounds the wait for one entry; 0 means 10 s.
	CommitTimeout time.Duration
	Logger        *slog.Logger
	Metrics       *Metrics
	// Fatal stops the process: the state can no longer be trusted. It is called at most once for a shard, may return
	// only in tests, and must neither panic, which the actor system would catch, nor wait for Close.
	Fatal func(error)
}

func (o *Options[M, R]) applied(id uint32, m M, leader bool) {
	if o.Applied != nil {
		o.Applied(id, m, leader)
	}
}

func (o *Options[M, R]) installed(id uint32, m M) {
	if o.Installed != nil {
		o.Installed(id, m)
	}
}

func (o *Options[M, R]) leading(id uint32, m M, leading bool) {
	if o.Leading != nil {
		o.Leading(id, m, leading)
	}
}

// Metrics of all sequencers of one kind.
type Metrics struct {
	batch   prometheus.Histogram
	commit  prometheus.Histogram
	refused prometheus.Counter
}

// NewMetrics registers the collectors with a constant label kind.
func NewMetrics(reg prometheus.Registerer, kind string) *Metrics {
	labels := prometheus.Labels{"kind": kind}
	m := &Metrics{
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "catraca_sequencer_batch_commands", Help: "Commands gathered into one entry.", ConstLabels: labels,
			Buckets: prometheus.ExponentialBuckets(1, 4, 6), NativeHistogramBucketFactor: 1.1,
		}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "catraca_sequencer_commit_seconds", Help: "From proposing an entry to having applied it.", ConstLabels: labels,
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14), NativeHistogramBucketFactor: 1.1,
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "catraca_sequencer_refused_total", Help: "Commands and reads refused because the intake was full.", ConstLabels: labels,
		}),
	}
	reg.MustRegister(m.batch, m.commit, m.refused)
	return m
}

// Over lets a cluster node take the proposals.
func Over(n *cluster.Node) Proposer { return node{n} }

type node struct{ n *cluster.Node }

func (p node) Propose(shard int, data []byte, timeout time.Duration) (Pending, error) {
	f, err := p.n.Propose(shard, data, timeout)
	if err != nil {
		return nil, translate(err)
	}
	return pending{f}, nil
}

type pending struct{ f *cluster.Future }

func (p pending) Wait(ctx context.Context) error { return translate(p.f.Wait(ctx)) }

// translate keeps the callers of this package free of the cluster's errors.
func translate(err error) error {
	var busy *BusyError
	switch {
	case err == nil, errors.As(err, &busy):
		return err
	case errors.Is(err, cluster.ErrNotLeader):
		return ErrNotLeader
	case errors.Is(err, cluster.ErrBusy):
		return &BusyError{RetryAfter: 500 * time.Millisecond}
	case errors.Is(err, cluster.ErrClosed) && !errors.Is(err, cluster.ErrUnknown):
		return ErrStopped
	case errors.Is(err, cluster.ErrTooLarge):
		return errors.Join(ErrTooLarge, err)
	default:
		return errors.Join(ErrUnknown, err)
	}
}
