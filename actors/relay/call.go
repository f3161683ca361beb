package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/catraca/catraca/actors/sequencer"
)

// errAbandoned marks a request whose caller gave up waiting.
var errAbandoned = errors.New("nobody waited for the answer")

// Leader says who leads a shard, as far as this node knows from its cluster and from refusals: the highest term wins.
func (r *Relay) Leader(shard int) (name string, term uint64, self bool) {
	c := r.c.Load()
	if c == nil {
		return "", 0, false
	}
	name, term, self = (*c).Leader(shard)
	s := &r.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.term > term && time.Since(s.heard) < hintLife {
		return s.leader, s.term, s.leader == r.o.Name
	}
	return name, term, self
}

// hint takes note of who another node says leads a shard.
func (r *Relay) hint(shard int, leader string, term uint64) {
	s := &r.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if leader != "" && len(leader) <= 63 && (term > s.term || time.Since(s.heard) >= hintLife) {
		s.leader, s.term, s.heard = leader, term, time.Now()
	}
}

// Forward hands a command to the leader of its shard and waits. [sequencer.ErrNotLeader]: surely not done, nobody else
// is known to lead. [sequencer.ErrUnknown]: it may be done. [*sequencer.BusyError], [sequencer.ErrNoMachine],
// [sequencer.ErrTooLarge]: surely not done. cmd must not change any more.
func (r *Relay) Forward(ctx context.Context, shard int, machine uint32, cmd []byte) (result []byte, index uint64, err error) {
	return r.request(ctx, &item{op: opCommand, shard: shard, machine: machine, body: cmd})
}

// Found has the leader of a shard make a machine. Errors are those of Forward.
func (r *Relay) Found(ctx context.Context, shard int, machine uint32, blob []byte) error {
	_, _, err := r.request(ctx, &item{op: opCreate, shard: shard, machine: machine, body: blob})
	return err
}

func (r *Relay) request(ctx context.Context, x *item) ([]byte, uint64, error) {
	result, index, err := r.carry(ctx, x)
	r.o.Metrics.commands.WithLabelValues(outcome(err)).Inc()
	return result, index, err
}

// carry sends one request and waits for the answer.
func (r *Relay) carry(ctx context.Context, x *item) ([]byte, uint64, error) {
	if x.shard < 0 || x.shard >= len(r.shards) {
		return nil, 0, fmt.Errorf("relay: no shard %d", x.shard)
	}
	if len(x.body) > sequencer.MaxCommandBytes {
		return nil, 0, fmt.Errorf("relay: %d bytes, at most %d: %w", len(x.body), sequencer.MaxCommandBytes, sequencer.ErrTooLarge)
	}
	leader, term, self := r.Leader(x.shard)
	if r.wire.Load() == nil || leader == "" || self || leader == r.o.Name {
		return nil, 0, sequencer.ErrNotLeader
	}
	p, err := r.peer(leader)
	if err != nil {
		return nil, 0, err
	}
	x.id = r.nextID.Add(1)
	x.ms = 10_000
	if end, ok := ctx.Deadline(); ok {
		x.ms = uint64(max(time.Until(end).Milliseconds(), 1))
	}
	c := &call{shard: x.shard, term: term, size: len(x.body), at: time.Now(), done: make(chan answer, 1)}
	if err := p.ask(x, c); err != nil {
		return nil, 0, err
	}
	select {
	case a := <-c.done:
		return a.result, a.index, a.err
	case <-ctx.Done():
		p.abandon(x.id)
		return nil, 0, fmt.Errorf("%w: %w: %w", sequencer.ErrUnknown, errAbandoned, ctx.Err())
	}
}

// look notices silence and changes of leadership until the relay closes.
func (r *Relay) look() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case now := <-tick.C:
			peers := r.all()
			for _, p := range peers {
				p.silent(now)
			}
			for i := range r.shards {
				leader, term, _ := r.Leader(i)
				if leader == "" || term == r.shards[i].seen {
					continue
				}
				r.shards[i].seen = term
				for _, p := range peers {
					p.deposed(i, leader, term)
				}
			}
		}
	}
}
