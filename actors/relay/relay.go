package relay

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catraca/catraca/actors/sequencer"
)

// carrier takes frames to other nodes. It gives what comes to [Relay.receive] and tells [Relay.lost] when something may
// not have arrived.
type carrier interface {
	// send hands a frame over to a connection that connect has seen to. The peer's writer calls it.
	send(p *peer, b []byte) error
	// forget ends the connection to a node that is given up, so that the next frame takes a new one.
	forget(name string)
	address() string
	// close ends the connections; nothing is sent any more.
	close()
}

// Relay of one node. Its methods may be called from any goroutine.
type Relay struct {
	o      Options
	life   uint64
	local  []Local // by shard; fixed once started
	shards []shardState

	wire atomic.Pointer[carrier]
	c    atomic.Pointer[Cluster]

	nextID    atomic.Uint64
	creations chan struct{} // bounds the creations that run here for other nodes

	mu      sync.RWMutex
	peers   map[string]*peer
	closed  bool
	ctx     context.Context
	cancel  context.CancelFunc
	workers sync.WaitGroup
}

// shardState is what the relay knows of one shard.
type shardState struct {
	mu     sync.Mutex
	leader string // heard from another node
	term   uint64
	heard  time.Time

	seen   uint64   // term at the last look; the looker's goroutine
	ours   gatherer // strict reads of this node
	theirs gatherer // read indexes that other nodes ask for
}

// New returns a relay that forwards nothing until [Relay.Start].
func New(o Options) (*Relay, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	r := &Relay{o: o, local: make([]Local, o.Shards), shards: make([]shardState, o.Shards), peers: make(map[string]*peer), creations: make(chan struct{}, 8)}
	for r.life == 0 {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails
		r.life = binary.LittleEndian.Uint64(b[:])
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	for i := range r.shards {
		r.shards[i].ours.do = func(ctx context.Context) (uint64, error) { return 0, r.strict(ctx, i) }
		r.shards[i].theirs.do = func(ctx context.Context) (uint64, error) { return (*r.c.Load()).ReadIndex(ctx, i) }
	}
	return r, nil
}

// Serve gives the relay the machines of a shard, before Start.
func (r *Relay) Serve(shard int, l Local) { r.local[shard] = l }

// Start listens on loopback, for the cluster's port to be connected with, and begins to forward. An error leaves
// nothing running but what Close ends.
func (r *Relay) Start(c Cluster) error {
	open := r.o.carrier
	if open == nil {
		open = openRemote
	}
	r.c.Store(&c)
	wire, err := open(r)
	if err != nil {
		r.c.Store(nil)
		return err
	}
	r.wire.Store(&wire)
	r.workers.Go(r.look)
	return nil
}

// Address is where the cluster's port hands connections of other relays to.
func (r *Relay) Address() string {
	if w := r.wire.Load(); w != nil {
		return (*w).address()
	}
	return ""
}

// receive handles what comes from another node. Nothing in it waits, and no frame may end the process. One goroutine
// at a time.
func (r *Relay) receive(from string, b []byte) {
	defer func() {
		if p := recover(); p != nil {
			r.o.Metrics.bad.Inc()
			r.o.Logger.Error("relay panicked at a frame", slog.String("peer", from), slog.Any("panic", p))
		}
	}()
	r.o.Metrics.frames.WithLabelValues("in").Inc()
	r.o.Metrics.bytes.WithLabelValues("in").Add(float64(len(b)))
	if err := r.frame(from, b); err != nil {
		r.o.Metrics.bad.Inc()
		r.o.Logger.Warn("relay refused a frame", slog.String("peer", from), slog.Any("error", err))
	}
}

// frame takes one frame apart.
func (r *Relay) frame(from string, b []byte) error {
	f, err := decodeFrame(b)
	if err != nil {
		return err
	}
	p, err := r.peer(from)
	if err != nil {
		return err
	}
	p.heard(&f)
	for b := f.items; len(b) > 0; {
		var x item
		if x, b, err = nextItem(b); err != nil {
			return err
		}
		switch {
		case x.op != opAnswer:
			r.serve(p, f.from, &x)
		case f.to == r.life: // of an earlier run otherwise
			p.answered(&x)
		}
	}
	return nil
}

func (r *Relay) lost(name string, why error) {
	r.mu.RLock()
	p := r.peers[name]
	r.mu.RUnlock()
	if p != nil {
		p.lose(why)
	}
}

// peer returns what is known of a node, and begins to write to it when it is new.
func (r *Relay) peer(name string) (*peer, error) {
	r.mu.RLock()
	p, ok := r.peers[name]
	r.mu.RUnlock()
	if ok {
		return p, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return nil, sequencer.ErrStopped
	case r.peers[name] != nil:
		return r.peers[name], nil
	case len(r.peers) >= maxPeers:
		return nil, fmt.Errorf("relay: more than %d nodes", maxPeers)
	case name == r.o.Name:
		return nil, errors.New("relay: a frame of this node's own name")
	}
	p = newPeer(r, name)
	r.peers[name] = p
	r.workers.Go(p.write)
	return p, nil
}

func (r *Relay) all() []*peer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ps := make([]*peer, 0, len(r.peers))
	for _, p := range r.peers {
		ps = append(ps, p)
	}
	return ps
}

// Close ends everything that waits as unknown and lets the connections go.
func (r *Relay) Close() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	for _, p := range r.all() {
		p.lose(sequencer.ErrStopped)
	}
	r.workers.Wait()
	if w := r.wire.Load(); w != nil {
		(*w).close()
	}
}
