package cluster

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/catraca/catraca/cluster/placement"
)

const changeTimeout = 5 * time.Second // until the leader's main loop has taken a change

// reconciler makes the shards that this node leads what placement says they should be. It is one goroutine; each step
// runs beside it, at most one for each shard.
type reconciler struct {
	n    *Node
	wake chan struct{}
	now  atomic.Bool // spread leaderships without the pause

	moved time.Time // the last hand-over that only spread leaderships, or the start
}

func newReconciler(n *Node) *reconciler {
	return &reconciler{n: n, wake: make(chan struct{}, 1), moved: time.Now()}
}

// touch looks at the membership soon.
func (r *reconciler) touch() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// hurry spreads the leaderships now.
func (r *reconciler) hurry() {
	r.now.Store(true)
	r.touch()
}

func (r *reconciler) run(stop <-chan struct{}) {
	tick := time.NewTicker(r.n.opt.pace.reconcile)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, g := range r.n.groups {
				g.progress.sample(g)
			}
		case <-r.wake:
		case <-stop:
			return
		}
		ms := r.n.view()
		shards := make([]placement.Shard, len(r.n.groups))
		for i, g := range r.n.groups {
			shards[i] = g.shard()
		}
		for i, g := range r.n.groups {
			if g.leadership.ready.Load() == 0 || !g.changing.CompareAndSwap(false, true) {
				continue
			}
			c, ok := placement.Next(shards[i], ms, r.n.opt.Replicas)
			if !ok {
				g.changing.Store(false)
				continue
			}
			r.n.workers.Go(func() {
				defer g.changing.Store(false)
				g.change(c, stop)
			})
		}
		r.balance(shards, ms, stop)
	}
}

// balance hands over what this node should not lead, and now and then one shard more.
func (r *reconciler) balance(shards []placement.Shard, ms []placement.Member, stop <-chan struct{}) {
	hurry := r.now.Swap(false)
	due := hurry || time.Since(r.moved) >= r.n.opt.pace.balance
	for range shards {
		m, ok := placement.Balance(shards, ms)
		if !ok {
			return
		}
		s := &shards[slices.IndexFunc(shards, func(s placement.Shard) bool { return s.ID == m.Shard })]
		evict := slices.ContainsFunc(ms, func(o placement.Member) bool {
			return o.ServerID == s.Leader && (o.Draining || o.Leaving || o.Gateway)
		})
		if !evict && !due {
			return
		}
		if s.Leader == r.n.id {
			r.hand(m, stop)
			if !evict && !hurry {
				r.moved = time.Now()
				due = false
			}
		}
		s.Leader = m.To // as if it were done, to see what comes next
	}
}

func (r *reconciler) hand(m placement.Move, stop <-chan struct{}) {
	g := r.n.groups[m.Shard]
	if g.leadership.ready.Load() == 0 || !g.changing.CompareAndSwap(false, true) {
		return
	}
	r.n.workers.Go(func() {
		defer g.changing.Store(false)
		g.change(placement.Change{Kind: placement.Transfer, ServerID: m.To}, stop)
	})
}

// progress says which replicas keep up. It looks at what they had against what was committed one look earlier, so it
// does not depend on how fast entries come.
type progress struct {
	mu     sync.Mutex
	before uint64          // commit index at the last look
	good   map[string]bool // server ids that kept up at the last look
	steady map[string]bool // and at the one before
}

func (p *progress) sample(g *group) {
	p.mu.Lock()
	defer p.mu.Unlock()
	good := make(map[string]bool)
	for _, s := range g.servers() {
		id := string(s.ID)
		if id == g.node.id {
			good[id] = g.fsm.index.Load() >= p.before || g.raft.AppliedIndex() >= p.before
			continue
		}
		st := g.node.links.look(nameOf(id))
		good[id] = st.live && st.frame.ServerID == id && st.frame.Shards[g.id].Last >= p.before
	}
	p.steady = make(map[string]bool)
	for id, now := range good {
		p.steady[id] = now && p.good[id]
	}
	p.good = good
	p.before = g.raft.CommitIndex()
}

func (p *progress) keepsUp(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.steady[id]
}

// shard is the group as placement sees it.
func (g *group) shard() placement.Shard {
	s := placement.Shard{ID: g.id}
	for _, v := range g.servers() {
		id := string(v.ID)
		s.Servers = append(s.Servers, placement.Server{ID: id, Name: nameOf(id), Vote: v.Suffrage == raft.Voter,
			CaughtUp: g.progress.keepsUp(id)})
	}
	_, leader := g.raft.LeaderWithID()
	s.Leader = string(leader)
	return s
}

// stable returns the index of the configuration when the newest one is committed. Raft hands out only the
// configuration, so the index comes from the entry the pump's side saw last, or from the newest snapshot.
func (g *group) stable() (index uint64, ok bool) {
	now := g.servers()
	if c := g.fsm.config.Load(); c != nil && slices.Equal(c.servers, now) {
		return c.index, true
	}
	metas, err := g.snaps.List()
	if err != nil || len(metas) == 0 || !slices.Equal(metas[0].Configuration.Servers, now) {
		return 0, false
	}
	return metas[0].ConfigurationIndex, true
}

// change carries out one step.
func (g *group) change(c placement.Change, stop <-chan struct{}) {
	id, addr := raft.ServerID(c.ServerID), raft.ServerAddress(c.ServerID)
	log := g.node.opt.Logger.With("shard", g.id, "step", c.Kind.String(), "server", c.ServerID)
	if c.Kind == placement.Transfer {
		ctx, cancel := context.WithTimeout(context.Background(), changeTimeout)
		defer cancel()
		if err := g.handTo(ctx, id); err != nil {
			log.Debug("shard not handed over", "error", err)
		}
		return
	}
	index, ok := g.stable()
	if !ok {
		return
	}
	var f raft.IndexFuture
	switch c.Kind {
	case placement.AddLearner:
		f = g.raft.AddNonvoter(id, addr, index, changeTimeout)
	case placement.Promote:
		f = g.raft.AddVoter(id, addr, index, changeTimeout)
	case placement.Demote:
		f = g.raft.DemoteVoter(id, index, changeTimeout)
	default:
		f = g.raft.RemoveServer(id, index, changeTimeout)
	}
	done := make(chan error, 1)
	go func() { done <- f.Error() }() // ends with the commit, the leadership or raft
	select {
	case err := <-done:
		if err != nil {
			log.Warn("membership not changed", "error", err)
			return
		}
		log.Info("membership changed")
		g.node.reconciler.touch() // the next step
	case <-stop:
	}
}
