package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/raft"
)

const (
	operateTimeout = 10 * time.Second // of an operator's wish whose context has no deadline
	operatePoll    = 20 * time.Millisecond
	reachWait      = 5 * time.Second // for a connection to a node that is to be asked: links come back by themselves
)

// Kinds of asks.
const (
	askTransfer  = "transfer"
	askDrain     = "drain"
	askLeave     = "leave"
	askRebalance = "rebalance"
)

// pending is an ask on its way.
type pending struct {
	ask  ask
	done chan error // room for one
}

func (a *answer) err() error {
	switch {
	case a.NotLeader:
		return ErrNotLeader
	case a.Error != "":
		return errors.New("cluster: " + a.Error)
	}
	return nil
}

// unreachableError says that a node was surely not asked.
type unreachableError struct {
	node  string
	cause error
}

func (e *unreachableError) Error() string {
	return fmt.Sprintf("cluster: node %s cannot be reached: %v", e.node, e.cause)
}

func (e *unreachableError) Unwrap() error { return e.cause }

// ask sends a wish to another node and waits for what it says. While there is no connection it tries again for a while:
// after a partition has healed, the connections take a moment to be new.
func (n *Node) ask(ctx context.Context, name string, q ask) error {
	for until := time.Now().Add(reachWait); ; {
		err := n.askOnce(ctx, name, q)
		if cut := (*unreachableError)(nil); !errors.As(err, &cut) || time.Now().After(until) {
			return err
		}
		select {
		case <-time.After(operatePoll):
		case <-ctx.Done():
			return err
		case <-n.stop:
			return ErrClosed
		}
	}
}

func (n *Node) askOnce(ctx context.Context, name string, q ask) error {
	deadline, _ := ctx.Deadline()
	q.Millis = max(time.Until(deadline).Milliseconds(), 1)
	n.links.mu.Lock()
	p := n.links.peers[name]
	n.links.mu.Unlock()
	if p == nil {
		return fmt.Errorf("cluster: node %s is not known", name)
	}
	a := &pending{ask: q, done: make(chan error, 1)}
	select {
	case p.asks <- a:
	default:
		return fmt.Errorf("cluster: node %s has been asked too much already", name)
	}
	select {
	case err := <-a.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("cluster: ask node %s: %w", name, ctx.Err())
	case <-n.stop:
		return ErrClosed
	}
}

// answer carries out the wish of another node's operator.
func (n *Node) answer(q *ask) *answer {
	wait := min(time.Duration(q.Millis)*time.Millisecond, time.Minute)
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	var err error
	switch q.Kind {
	case askTransfer:
		err = n.handOver(ctx, q.Shard, q.Node)
	case askDrain:
		err = n.drainSelf(ctx, q.On)
	case askLeave:
		err = n.expel(ctx, q.Node)
	case askRebalance:
		n.reconciler.hurry()
	default:
		err = fmt.Errorf("cluster: this version does not know how to %q", q.Kind)
	}
	a := &answer{ID: q.ID, NotLeader: errors.Is(err, ErrNotLeader)}
	if err != nil {
		a.Error = strings.TrimPrefix(err.Error(), "cluster: ")
	}
	return a
}

// patience gives ctx a deadline when it has none.
func patience(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, operateTimeout)
}

// poll looks again and again until done says so.
func (n *Node) poll(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(operatePoll)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-n.stop:
			return ErrClosed
		}
	}
	return nil
}

// Transfer hands the leadership of a shard to the node named to, or to anybody when to is empty. Any node may be
// asked. Without a deadline in ctx it takes 10 seconds at most.
func (n *Node) Transfer(ctx context.Context, shard int, to string) error {
	if shard < 0 || shard >= len(n.groups) {
		return fmt.Errorf("cluster: shard %d does not exist, there are %d", shard, len(n.groups))
	}
	ctx, cancel := patience(ctx)
	defer cancel()
	for {
		var leader string
		var self bool
		err := n.poll(ctx, func() bool {
			leader, _, self = n.Leader(shard)
			return leader != ""
		})
		if err != nil {
			return fmt.Errorf("cluster: nobody leads shard %d: %w", shard, err)
		}
		if self {
			err = n.handOver(ctx, shard, to)
		} else {
			err = n.ask(ctx, leader, ask{Kind: askTransfer, Shard: shard, Node: to})
		}
		if !errors.Is(err, ErrNotLeader) {
			return err
		}
		select { // the leader has just changed
		case <-time.After(operatePoll):
		case <-ctx.Done():
			return err
		}
	}
}

// handOver is Transfer on the leader.
func (n *Node) handOver(ctx context.Context, shard int, to string) error {
	if shard < 0 || shard >= len(n.groups) {
		return fmt.Errorf("cluster: shard %d does not exist, there are %d", shard, len(n.groups))
	}
	g := n.groups[shard]
	if g.raft.State() != raft.Leader {
		return ErrNotLeader
	}
	if to == n.opt.NodeID {
		return nil
	}
	id, err := g.heir(to)
	if err != nil {
		return err
	}
	return g.handTo(ctx, id)
}

// heir chooses whom to hand a shard to. With a name it is that node, whatever its state; but never data of it that is
// lost and has not been struck from the list yet.
func (g *group) heir(name string) (raft.ServerID, error) {
	var best raft.ServerID
	var most uint64
	for _, s := range g.voters() {
		id := nameOf(string(s.ID))
		if id == g.node.opt.NodeID || g.node.present(id) != string(s.ID) {
			continue
		}
		if id == name {
			return s.ID, nil
		}
		st := g.node.links.look(id)
		if name != "" || !st.live || st.frame.ServerID != string(s.ID) || st.frame.Draining || st.frame.Full || g.node.book.isGone(id) {
			continue
		}
		if last := st.frame.Shards[g.id].Last; best == "" || last > most {
			best, most = s.ID, last
		}
	}
	if best == "" && name != "" {
		return "", fmt.Errorf("cluster: node %s has no vote in shard %d", name, g.id)
	}
	if best == "" {
		return "", fmt.Errorf("cluster: nobody else could lead shard %d", g.id)
	}
	return best, nil
}

// handTo hands the shard over and waits until that is done.
func (g *group) handTo(ctx context.Context, id raft.ServerID) error {
	g.node.m.transfers.Inc()
	f := g.raft.LeadershipTransferToServer(id, raft.ServerAddress(id))
	done := make(chan error, 1)
	go func() { done <- f.Error() }() // raft bounds it by the election timeout
	select {
	case err := <-done:
		if errors.Is(err, raft.ErrNotLeader) || errors.Is(err, raft.ErrLeadershipTransferInProgress) {
			return ErrNotLeader // in a moment
		}
		if err != nil {
			return fmt.Errorf("cluster: hand shard %d to %s: %w", g.id, nameOf(string(id)), err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cluster: hand shard %d to %s: %w", g.id, nameOf(string(id)), ctx.Err())
	case <-g.node.stop:
		return ErrClosed
	}
}

// Drain moves every leadership away from a node and keeps it away, over restarts, until on is false. Any node may be
// asked; the one that drains must be running. It returns when the node leads nothing any more, and with an error when
// it still leads something at the end of ctx (10 seconds without a deadline), though the wish stands then too.
func (n *Node) Drain(ctx context.Context, name string, on bool) error {
	ctx, cancel := patience(ctx)
	defer cancel()
	if name == n.opt.NodeID {
		return n.drainSelf(ctx, on)
	}
	return n.ask(ctx, name, ask{Kind: askDrain, Node: name, On: on})
}

func (n *Node) drainSelf(ctx context.Context, on bool) error {
	if err := n.book.drain(on); err != nil {
		return err
	}
	n.opt.Logger.Info("node drains", "on", on)
	n.links.touch()
	n.reconciler.touch()
	if !on {
		return nil
	}
	leads := 0
	err := n.poll(ctx, func() bool {
		leads = 0
		for _, g := range n.groups {
			if g.raft.State() == raft.Leader {
				leads++
			}
		}
		return leads == 0
	})
	if err != nil {
		return fmt.Errorf("cluster: the node still leads %d shards, which nobody else can lead now: %w", leads, err)
	}
	return nil
}

// Leave takes a node out of the cluster for good: its name is refused from then on. Any node may be asked. It returns
// when no shard has a replica there any more; at the end of ctx (10 seconds without a deadline) with an error, though
// it goes on then too.
func (n *Node) Leave(ctx context.Context, name string) error {
	ctx, cancel := patience(ctx)
	defer cancel()
	if name != n.opt.NodeID {
		return n.expel(ctx, name)
	}
	for _, m := range n.Members() { // somebody who stays must see to it
		if !m.Self && (m.State == StateAlive || m.State == StateDraining) {
			return n.ask(ctx, m.Name, ask{Kind: askLeave, Node: name})
		}
	}
	return errors.New("cluster: the only node cannot leave")
}

func (n *Node) expel(ctx context.Context, name string) error {
	if name == n.opt.NodeID {
		return errors.New("cluster: a node is expelled by another one")
	}
	if _, ok := n.book.get(name); !ok && n.newestReplica(name) == 0 {
		return fmt.Errorf("cluster: node %s is not known", name)
	}
	if err := n.book.bury(name); err != nil {
		return err
	}
	n.opt.Logger.Info("node leaves for good", "name", name)
	n.links.touch()
	n.reconciler.touch()
	err := n.poll(ctx, func() bool { return n.out(name) })
	if err != nil {
		return fmt.Errorf("cluster: node %s still has replicas: %w", name, err)
	}
	return nil
}

// Rebalance lets every node spread the leaderships now, without the pause between two hand-overs. It returns when all
// that can be reached have been told.
func (n *Node) Rebalance(ctx context.Context) error {
	ctx, cancel := patience(ctx)
	defer cancel()
	n.reconciler.hurry()
	var errs []error
	for _, m := range n.Members() {
		if !m.Self && (m.State == StateAlive || m.State == StateDraining) {
			errs = append(errs, n.ask(ctx, m.Name, ask{Kind: askRebalance}))
		}
	}
	return errors.Join(errs...)
}
