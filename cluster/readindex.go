package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// reads bundles the callers of ReadIndex of one shard: those who come while a round is under way share the next one.
type reads struct {
	mu      sync.Mutex
	next    *readRound // nobody has begun it
	running bool
}

type readRound struct {
	done  chan struct{}
	index uint64
	err   error
}

// ReadIndex returns an index such that a replica whose Applied has reached it has everything that was acknowledged
// before the call. Only the leader can tell; elsewhere the error is ErrNotLeader. It asks a majority of the voters
// whether they know of a newer leader, once for all who call meanwhile (Ongaro, "Consensus: Bridging Theory and
// Practice", 2014, section 6.4), and writes nothing.
func (n *Node) ReadIndex(ctx context.Context, shard int) (uint64, error) {
	if shard < 0 || shard >= len(n.groups) {
		return 0, fmt.Errorf("cluster: shard %d does not exist, there are %d", shard, len(n.groups))
	}
	n.closing.RLock() // rounds are begun only while Close has not
	if n.closed.Load() {
		n.closing.RUnlock()
		return 0, ErrClosed
	}
	g := n.groups[shard]
	if g.leadership.ready.Load() == 0 {
		n.closing.RUnlock()
		return 0, ErrNotLeader
	}
	r := g.joinRound()
	n.closing.RUnlock()
	select {
	case <-r.done:
		return r.index, r.err
	case <-ctx.Done():
		return 0, fmt.Errorf("cluster: read index of shard %d: %w", shard, ctx.Err())
	}
}

func (g *group) joinRound() *readRound {
	rs := &g.reads
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.next == nil {
		rs.next = &readRound{done: make(chan struct{})}
	}
	r := rs.next
	if !rs.running {
		rs.running = true
		g.node.workers.Go(g.readRounds)
	}
	return r
}

// readRounds runs while somebody wants to know.
func (g *group) readRounds() {
	for {
		g.reads.mu.Lock()
		r := g.reads.next
		g.reads.next = nil
		if r == nil {
			g.reads.running = false
			g.reads.mu.Unlock()
			return
		}
		g.reads.mu.Unlock()
		r.index, r.err = g.readIndex()
		close(r.done)
	}
}

// readIndex is one round.
func (g *group) readIndex() (uint64, error) {
	term := g.leadership.ready.Load() // an entry of this term is committed and applied
	if term == 0 {
		return 0, ErrNotLeader
	}
	began := time.Now()
	commit := g.raft.CommitIndex()
	if err := g.confirm(term, began); err != nil {
		return 0, err
	}
	if g.leadership.ready.Load() != term || g.raft.CurrentTerm() != term || g.raft.State() != raft.Leader {
		return 0, fmt.Errorf("%w: not any more", ErrNotLeader)
	}
	return g.command(commit), nil
}

// confirm waits until a majority of the voters has answered, to requests begun after at, that this node leads in term.
func (g *group) confirm(term uint64, at time.Time) error {
	g.trans.reading.Add(1)
	defer g.trans.reading.Add(-1)
	g.node.pulse.hurry(uint32(g.id))
	self := raft.ServerID(g.node.id)
	limit := time.NewTimer(rpcTimeout)
	defer limit.Stop()
	for {
		voters := g.voters()
		need := len(voters)/2 + 1
		for _, v := range voters {
			if v.ID == self {
				need--
			}
		}
		if need <= 0 {
			return nil
		}
		done := make(chan error, 1)
		f := g.raft.VerifyLeader() // sends heartbeats at once; what it finds out itself is not enough, see confirmations
		go func() { done <- f.Error() }()
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%w: %w", ErrNotLeader, err)
			}
		case <-limit.C:
			return ErrNotLeader
		case <-g.node.stop:
			return ErrClosed
		}
		got, news := g.trans.confirmed.since(voters, self, term, at)
		if got >= need {
			return nil
		}
		select {
		case <-news:
		case <-time.After(g.node.opt.HeartbeatTimeout / 10):
		case <-limit.C:
			return ErrNotLeader
		case <-g.node.stop:
			return ErrClosed
		}
	}
}

// command is the last entry up to index that pumps get: what raft writes for itself does not count as applied.
func (g *group) command(index uint64) uint64 {
	for ; index > g.fsm.command.Load(); index-- {
		var l raft.Log
		if err := g.log.GetLog(index, &l); err != nil { // cut off: a snapshot has it, so it has been applied here
			return min(index, g.fsm.index.Load())
		}
		if l.Type == raft.LogCommand {
			break
		}
	}
	return index
}
