package cluster

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/storage"
)

// group is one shard's Raft group on this node.
type group struct {
	node  *Node
	id    int
	pump  Pump
	log   *watchedLog
	fsm   *fsm
	snaps raft.SnapshotStore
	trans *transport
	raft  *raft.Raft // nil until started

	leadership leadership
	notify     chan bool
	reads      reads
	progress   progress
	changing   atomic.Bool // a step of the membership or a hand-over is under way

	learnt atomic.Uint64 // what a leader had committed when this node first heard of it
	synced atomic.Bool   // and this node has applied that much

	slots  chan struct{} // one for each proposal on its way
	flight chan *Future

	commitSeconds prometheus.Observer
	changes       prometheus.Counter
}

func newGroup(n *Node, id int, pump Pump) *group {
	label := fmt.Sprint(id)
	g := &group{
		node: n, id: id, pump: pump,
		log:        &watchedLog{logs: n.store.Shard(id), full: &n.full},
		leadership: leadership{wake: make(chan struct{}, 1)},
		notify:     make(chan bool, 16),
		slots:      make(chan struct{}, maxOutstanding),
		flight:     make(chan *Future, maxOutstanding),

		commitSeconds: n.m.commitSeconds.WithLabelValues(label),
		changes:       n.m.leaderChanges.WithLabelValues(label),
	}
	took := n.m.snapshotSeconds.WithLabelValues(label)
	g.fsm = &fsm{shard: uint32(id), pump: pump, log: g.log, took: func(d time.Duration) { took.Observe(d.Seconds()) }}
	return g
}

// start restores the newest snapshot and joins the group, founding it when there is nothing yet.
func (g *group) start() error {
	o := &g.node.opt
	logger := &raftLogger{out: o.Logger.With("shard", g.id), name: "raft"}
	files, err := g.node.store.Snapshots(g.id, logger)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	g.snaps = &joinedSnapshots{files, g.log}
	if err := g.checkJoin(); err != nil {
		return err
	}
	g.trans = newTransport(g.node.mux.layers[g.id], g.node.pulse, logger)
	conf := o.raftConfig(g.node.id, g.notify, logger)
	if !g.node.join {
		err = g.found(conf, o.voters())
		if err != nil && !errors.Is(err, raft.ErrCantBootstrap) {
			return fmt.Errorf("cluster: found shard %d: %w", g.id, err)
		}
	}
	if g.raft, err = raft.NewRaft(conf, g.fsm, g.log, g.log, g.snaps, g.trans); err != nil {
		err = fmt.Errorf("cluster: start shard %d: %w", g.id, err)
		if g.restoreFailed() && g.node.mayRejoin() {
			err = errors.Join(err, storage.Mark(o.Dir, err.Error())) // the next start sets it aside
		}
		return err
	}
	go g.settle()
	if voters := g.voters(); len(voters) == 1 && voters[0].ID == conf.LocalID {
		g.trans.elect()
	}
	return nil
}

// checkJoin makes sure that no entry is missing between the newest snapshot and the log.
func (g *group) checkJoin() error {
	first, err := g.log.FirstIndex()
	if err != nil {
		return fmt.Errorf("cluster: shard %d: %w", g.id, err)
	}
	metas, err := g.snaps.List()
	if err != nil {
		return fmt.Errorf("cluster: list snapshots of shard %d: %w", g.id, err)
	}
	if first > 1 && len(metas) == 0 {
		return fmt.Errorf("cluster: shard %d: the log begins at entry %d and no snapshot reaches up to it", g.id, first)
	}
	return nil
}

func (g *group) voters() []raft.Server {
	var out []raft.Server
	for _, s := range g.servers() {
		if s.Suffrage == raft.Voter {
			out = append(out, s)
		}
	}
	return out
}

func (g *group) otherVoters() int {
	n := 0
	for _, s := range g.voters() {
		if s.ID != raft.ServerID(g.node.id) {
			n++
		}
	}
	return n
}

func (g *group) snapshot() error {
	err := g.raft.Snapshot().Error()
	if err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return fmt.Errorf("cluster: snapshot shard %d: %w", g.id, err)
	}
	return nil
}

// joinedSnapshots leaves out snapshots that do not reach the log any more: when the newest one is damaged, raft falls
// back to an older one and would then go on with a hole.
type joinedSnapshots struct {
	raft.SnapshotStore

	log raft.LogStore
}

// List implements raft.SnapshotStore.
func (s *joinedSnapshots) List() ([]*raft.SnapshotMeta, error) {
	metas, err := s.SnapshotStore.List()
	if err != nil || len(metas) == 0 {
		return metas, err
	}
	first, err := s.log.FirstIndex()
	if err != nil {
		return nil, err
	}
	if first == 0 {
		return metas[:1], nil
	}
	for i, m := range metas { // newest first
		if m.Index+1 < first {
			return metas[:i], nil
		}
	}
	return metas, nil
}
