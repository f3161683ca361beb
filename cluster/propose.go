package cluster

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/hashicorp/raft"

	"github.com/catraca/catraca/storage"
)

// Errors of Propose and Wait.
var (
	// ErrNotLeader: surely not in the log; ask the node that Leader names.
	ErrNotLeader = errors.New("cluster: not the leader of this shard")
	// ErrBusy: surely not in the log; too much is on its way already.
	ErrBusy = errors.New("cluster: busy")
	// ErrClosed: surely not in the log; this node is stopping.
	ErrClosed = errors.New("cluster: closed")
	// ErrTooLarge: surely not in the log; more than MaxProposalBytes.
	ErrTooLarge = errors.New("cluster: entry is too large")
	// ErrFull: surely not in the log; the disk of the leader is nearly full and it only answers reads.
	ErrFull = errors.New("cluster: read-only, the disk is full")
	// ErrUnknown: it may be in the log, or come into it. Only the entries to come can tell.
	ErrUnknown = errors.New("cluster: outcome is unknown")
)

const defaultProposeTimeout = 5 * time.Second

// Future is one proposal on its way.
type Future struct {
	raft    raft.ApplyFuture
	node    *Node
	started time.Time
	done    chan struct{}
	err     error // set before done is closed
}

// Propose appends data to a shard's log if this node leads it. It waits until the log takes it, at most timeout
// (5 s when not positive), and for no disk of this entry. After an error it is surely not in the log. Calls of one
// goroutine are enqueued in their order. data is kept and must not change.
func (n *Node) Propose(shard int, data []byte, timeout time.Duration) (*Future, error) {
	if shard < 0 || shard >= len(n.groups) {
		return nil, fmt.Errorf("cluster: shard %d does not exist, there are %d", shard, len(n.groups))
	}
	if len(data) > MaxProposalBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), MaxProposalBytes)
	}
	if timeout <= 0 {
		timeout = defaultProposeTimeout
	}
	n.closing.RLock() // Close waits for those who are in here
	defer n.closing.RUnlock()
	if n.closed.Load() {
		return nil, ErrClosed
	}
	return n.groups[shard].propose(data, timeout)
}

func (g *group) propose(data []byte, timeout time.Duration) (*Future, error) {
	if g.raft.State() != raft.Leader {
		return nil, ErrNotLeader
	}
	if g.node.full.Load() {
		return nil, ErrFull
	}
	started := time.Now()
	select {
	case g.slots <- struct{}{}:
	default:
		t := time.NewTimer(timeout)
		defer t.Stop()
		select {
		case g.slots <- struct{}{}:
		case <-t.C:
			return nil, ErrBusy
		}
	}
	rf := g.raft.ApplyLog(raft.Log{Data: data}, max(timeout-time.Since(started), time.Millisecond))
	if err, refused := refusal(rf); refused {
		<-g.slots
		return nil, err
	}
	f := &Future{raft: rf, node: g.node, started: started, done: make(chan struct{})}
	g.flight <- f // as large as slots: never blocks
	return f, nil
}

// refusal tells a proposal raft did not take from one it did. raft answers both with a future; that of a refusal is
// a plain value with its error in it, and the errors are not always different from those of a proposal it took.
func refusal(f raft.ApplyFuture) (err error, refused bool) {
	if reflect.TypeOf(f).Kind() == reflect.Pointer {
		return nil, false
	}
	switch err := f.Error(); {
	case errors.Is(err, raft.ErrEnqueueTimeout):
		return ErrBusy, true
	case errors.Is(err, raft.ErrRaftShutdown):
		return ErrClosed, true
	default:
		return fmt.Errorf("cluster: propose: %w", err), true
	}
}

// settle waits for the proposals of a shard one after the other; they are answered in the order of the log.
func (g *group) settle() {
	for f := range g.flight {
		err := f.raft.Error()
		f.err = outcome(err)
		if err == nil {
			g.commitSeconds.Observe(time.Since(f.started).Seconds())
			g.trans.news.committed()
		}
		close(f.done)
		<-g.slots
	}
}

// outcome sorts raft's answers by what they say about the log.
func outcome(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return ErrNotLeader
	case errors.Is(err, storage.ErrFull):
		return ErrFull
	default: // leadership lost, shut down after committing, or the disk failed: it may be on the disk
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
}

// Wait returns nil when the entry is committed and the pump has it, ErrNotLeader when it surely is not in the log, and
// ErrUnknown when nobody can say, also because ctx ended first. It may be called more than once.
func (f *Future) Wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	default:
	}
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
	case <-f.node.dead:
		select {
		case <-f.done:
			return f.err
		default:
			return fmt.Errorf("%w: %w", ErrUnknown, ErrClosed)
		}
	}
}
