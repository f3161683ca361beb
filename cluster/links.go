package cluster

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// pace is how often things happen; tests are in more of a hurry.
type pace struct {
	beat      time.Duration // between two status frames
	suspect   time.Duration // without a frame until a node counts as silent
	reconcile time.Duration // between two looks at the membership
	balance   time.Duration // between two hand-overs that only spread leaderships
	retry     time.Duration // the longest pause between two attempts to connect
	probe     time.Duration // how long a newcomer asks around who it is
}

func (p *pace) complete() {
	def(&p.beat, 500*time.Millisecond)
	def(&p.suspect, 2*time.Second)
	def(&p.reconcile, time.Second)
	def(&p.balance, 10*time.Second)
	def(&p.retry, 5*time.Second)
	def(&p.probe, 15*time.Second)
}

// links are the connections to the other nodes that tell how everybody is. Each node connects to every other and sends
// its own frames and asks; what it gets on those connections are answers.
type links struct {
	n       *Node
	stamp   int64
	started time.Time
	kick    chan struct{} // something has changed
	current atomic.Pointer[[]byte]

	mu    sync.Mutex
	peers map[string]*peer
	// best is what the others say about who leads, for each shard the newest term.
	best []atomic.Pointer[rumour]
}

// rumour is who leads a shard, as another node says.
type rumour struct {
	term   uint64
	leader string // server id
}

// peer is another node. Its fields but the channels are guarded by links.mu.
type peer struct {
	name string
	beat chan struct{}
	asks chan *pending
	stop chan struct{} // closed when the node has left

	frame   *statusFrame // the newest, nil: none yet
	seen    time.Time    // when it came
	refused string       // why it does not want to talk to us
}

func newLinks(n *Node) *links {
	return &links{n: n, stamp: time.Now().UnixMilli(), started: time.Now(), kick: make(chan struct{}, 1),
		peers: make(map[string]*peer), best: make([]atomic.Pointer[rumour], n.opt.Shards)}
}

// touch sends the next frame at once.
func (l *links) touch() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// run makes the frames and keeps one goroutine for each node in the book.
func (l *links) run(stop <-chan struct{}) {
	tick := time.NewTicker(l.n.opt.pace.beat)
	defer tick.Stop()
	said := make(saidStates)
	for {
		changed := l.n.book.wait()
		l.follow(stop)
		l.publish()
		said.changes(l.n)
		select {
		case <-tick.C:
		case <-l.kick:
			select { // many changes at once make one frame
			case <-time.After(l.n.opt.pace.beat / 20):
			case <-stop:
				return
			}
		case <-changed:
		case <-stop:
			return
		}
	}
}

// follow starts links to nodes that are new in the book, and ends those to nodes that have left.
func (l *links) follow(stop <-chan struct{}) {
	nodes, _, _ := l.n.book.all()
	var left []string
	defer func() { l.n.book.forget(left...) }()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range nodes {
		p := l.peers[b.Name]
		out := l.n.out(b.Name)
		if out {
			left = append(left, b.Name)
		}
		switch {
		case out && p != nil:
			close(p.stop)
			delete(l.peers, b.Name)
		case !out && p == nil:
			p = &peer{name: b.Name, beat: make(chan struct{}, 1), asks: make(chan *pending, 16), stop: make(chan struct{})}
			l.peers[b.Name] = p
			l.n.workers.Go(func() { l.keep(p, stop) })
		}
	}
}

// publish makes this node's frame and wakes everybody who sends it.
func (l *links) publish() {
	f := l.own()
	b, err := encodeMessage(&message{Frame: f})
	if err != nil {
		l.n.opt.Logger.Error("status frame not sent", "error", err)
		return
	}
	l.current.Store(&b)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.peers {
		select {
		case p.beat <- struct{}{}:
		default:
		}
	}
	l.weigh()
}

func (l *links) own() *statusFrame {
	n := l.n
	f := &statusFrame{ServerID: n.id, Role: n.opt.Role, Address: n.address, Version: n.opt.Version, Stamp: l.stamp,
		Draining: n.book.draining(), Full: n.full.Load(), Shards: make([]shardFrame, len(n.groups)), Hashes: n.hashes.fresh()}
	for i, g := range n.groups {
		_, leader := g.raft.LeaderWithID()
		f.Shards[i] = shardFrame{State: uint8(g.raft.State()), Term: g.raft.CurrentTerm(), Leader: string(leader),
			Last: g.raft.LastIndex(), Commit: g.raft.CommitIndex(), Applied: g.fsm.index.Load()}
	}
	return f
}

// heard takes in a frame. name is proven.
func (l *links) heard(name string, f *statusFrame) error {
	if nameOf(f.ServerID) != name || len(f.Shards) != len(l.n.groups) {
		return fmt.Errorf("%w: a frame of %s names %q and %d shards", errMessage, name, f.ServerID, len(f.Shards))
	}
	l.n.book.learn(true, bookNode{Name: name, ServerID: f.ServerID, Address: f.Address, Role: f.Role, Stamp: f.Stamp})
	l.mu.Lock()
	p := l.peers[name]
	if p == nil {
		l.mu.Unlock()
		return nil // the book has just got it; its next frame counts
	}
	news := p.frame == nil || p.frame.Draining != f.Draining || p.frame.Full != f.Full || p.frame.ServerID != f.ServerID ||
		time.Since(p.seen) > l.n.opt.pace.suspect
	p.frame, p.seen = f, time.Now()
	l.weigh()
	l.mu.Unlock()
	for i, g := range l.n.groups {
		if s := &f.Shards[i]; s.Leader == f.ServerID {
			g.heardCommit(s.Term, s.Commit)
		}
	}
	l.n.hashes.hear(name, f.Hashes)
	if news {
		l.n.reconciler.touch()
	}
	return nil
}

// weigh finds out what the others say about who leads. The caller holds mu.
func (l *links) weigh() {
	now := time.Now()
	for i := range l.best {
		var best rumour
		for _, p := range l.peers {
			if p.frame == nil || now.Sub(p.seen) > l.n.opt.pace.suspect {
				continue
			}
			if s := &p.frame.Shards[i]; s.Leader != "" && s.Term > best.term {
				best = rumour{s.Term, s.Leader}
			}
		}
		if old := l.best[i].Load(); old == nil || *old != best {
			l.best[i].Store(&best)
		}
	}
}

// state is what is known of one node.
type peerState struct {
	frame *statusFrame
	seen  time.Time
	live  bool // heard of lately
	dead  bool // silent for too long
}

// look returns what is known of a node now. Silence counts from this node's own start.
func (l *links) look(name string) peerState {
	l.mu.Lock()
	defer l.mu.Unlock()
	var s peerState
	since := l.started
	if p := l.peers[name]; p != nil && p.frame != nil {
		s.frame, s.seen, since = p.frame, p.seen, p.seen
	}
	silent := time.Since(since)
	s.live = s.frame != nil && silent <= l.n.opt.pace.suspect
	s.dead = silent > l.n.opt.DeadAfter
	return s
}
