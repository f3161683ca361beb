package directory

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/relay"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
)

// Shard the directory lives on.
const Shard = 0

// machineID of the directory on its shard.
const machineID = 0

// Options of the directory.
type Options struct {
	System  *actor.ActorSystem
	Shards  int // of the cluster
	Now     func() int64
	Logger  *slog.Logger
	Metrics *sequencer.Metrics
	Fatal   func(error)
	// Patience bounds how long a command waits for a leader; 0 means 5 s.
	Patience time.Duration
	// Forward carries commands to the node that leads; nil when this node is the only one.
	Forward *relay.Relay
	// Hashed is told the hash of the state at an index, which is the same on every replica. May be nil.
	Hashed func(shard int, machine uint32, index uint64, hash [32]byte)
}

// Service is the door to accounts and catalogue, for any goroutine.
type Service struct {
	o     Options
	late  sequencer.Late
	shard *sequencer.Shard[machine, account.Result]
	index index
}

// New returns a service; hand [Service.Pump] to the cluster and the cluster to [Service.Use].
func New(o Options) *Service {
	if o.Patience == 0 {
		o.Patience = 5 * time.Second
	}
	s := &Service{o: o}
	so := sequencer.Options[machine, account.Result]{
		System: o.System, Name: "directory", Shard: Shard, Proposer: &s.late,
		Create: func(uint32, []byte) (machine, error) {
			return machine{account.New(o.Shards)}, nil
		},
		Restore: func(_ uint32, blob []byte) (machine, error) {
			st, err := account.Restore(blob)
			if err != nil {
				return machine{}, fmt.Errorf("restore directory: %w", err)
			}
			return machine{st}, nil
		},
		Added: func(h *sequencer.Handle[machine, account.Result]) {
			h.Post(func(m machine) { s.index.start(m.State) })
		},
		Applied:   func(_ uint32, m machine, _ bool) { s.index.update(m.State) },
		Installed: func(_ uint32, m machine) { s.index.start(m.State) },
		Now:       o.Now, Logger: o.Logger, Metrics: o.Metrics, Fatal: o.Fatal,
	}
	if o.Hashed != nil {
		so.Hashed = func(machine uint32, index uint64, hash [32]byte) { o.Hashed(Shard, machine, index, hash) }
	}
	s.shard = sequencer.NewShard(so)
	if o.Forward != nil {
		o.Forward.Serve(Shard, relay.Machines(s.shard, account.AppendResult))
	}
	return s
}

// Use gives the service its proposer, once, before anything is submitted.
func (s *Service) Use(p sequencer.Proposer) { s.late.Set(p) }

// Pump returns the consumer of shard 0's committed entries.
func (s *Service) Pump() cluster.Pump { return s.shard }

// Close stops the machine. The cluster node is closed first.
func (s *Service) Close() { s.shard.Close() }

// Ensure creates the machine at the very first start, wherever shard 0 is led, and returns once it is on this node and
// answers. Calling it again, on any node, changes nothing.
func (s *Service) Ensure(ctx context.Context) error {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		h, ok := s.shard.Get(machineID)
		switch {
		case ok && (h.Leading() || !s.shard.Leading()):
			// Behind a leader elsewhere the replica follows as fast as it can; cluster.Node.Ready tells more.
			if err := s.Read(ctx, func(*account.State) {}); err != nil {
				return fmt.Errorf("ensure directory: %w", err)
			}
			return nil
		case !ok && s.shard.Leading():
			// Whatever the error, the machine is there or the next round tries again.
			if err := s.shard.Create(ctx, machineID, []byte{1}); err != nil && ctx.Err() != nil {
				return fmt.Errorf("ensure directory: %w", err)
			}
		case !ok && s.o.Forward != nil: // the leader may have been asked by nobody yet
			asked, cancel := context.WithTimeout(ctx, time.Second)
			_ = s.o.Forward.Found(asked, Shard, machineID, []byte{1})
			cancel()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("ensure directory: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
}

// Submit does one command and waits for its outcome: the machine's result, which may be a refusal, or an error
// when the machine was not asked or the outcome is not known.
func (s *Service) Submit(ctx context.Context, c *account.Command) (account.Result, error) {
	h, ok := s.shard.Get(machineID)
	if !ok {
		return account.Result{}, fmt.Errorf("submit to directory: %w", sequencer.ErrUnavailable)
	}
	began := time.Now()
	q := &relay.Question[machine, account.Result]{
		Shard: Shard, Machine: machineID, Command: account.AppendCommand(nil, c), Repeatable: repeatable(c),
		Handle: h, Keep: func(r account.Result) account.Result { return r }, Decode: account.DecodeResult,
	}
	res, index, elsewhere, err := relay.Ask(ctx, s.o.Forward, s.o.Patience, q)
	if err != nil {
		return account.Result{}, fmt.Errorf("submit to directory: %w", err)
	}
	if elsewhere {
		if err := relay.Follow(ctx, s.o.Patience-time.Since(began), q, index); err != nil {
			return account.Result{}, fmt.Errorf("submit to directory: %w", err)
		}
	}
	return res, nil
}

// repeatable says whether doing the command twice is the same as doing it once.
func repeatable(c *account.Command) bool { return c.Key != account.Key{} }

// Read runs fn with the committed state on its own goroutine and waits. fn copies what it keeps. Once Read has
// returned an error, fn is not run any more.
func (s *Service) Read(ctx context.Context, fn func(*account.State)) error {
	h, ok := s.shard.Get(machineID)
	if !ok {
		return fmt.Errorf("read directory: %w", sequencer.ErrUnavailable)
	}
	if err := sequencer.Look(ctx, h, func(m machine) { fn(m.State) }); err != nil {
		return fmt.Errorf("read directory: %w", err)
	}
	return nil
}

// ReadStrict is [Service.Read] of a state that has everything which was acknowledged before the call, by any node.
// [sequencer.ErrUnavailable]: no leader answered within a second.
func (s *Service) ReadStrict(ctx context.Context, fn func(*account.State)) error {
	if err := s.catchUp(ctx); err != nil {
		return fmt.Errorf("read directory: %w", err)
	}
	return s.Read(ctx, fn)
}

// catchUp waits until this node's entries are as many as those of the leader.
func (s *Service) catchUp(ctx context.Context) error {
	if s.o.Forward == nil {
		return nil
	}
	return s.o.Forward.Strict(ctx, Shard)
}
