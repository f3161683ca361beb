package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/catraca/catraca/storage"
)

// Node is this process's part of the cluster. Its methods may be called from any goroutine.
type Node struct {
	opt         Options
	id          string // server id
	incarnation int
	join        bool // found nothing: wait to be added
	store       *storage.Store
	book        *book
	mux         *mux
	pulse       *pulse
	groups      []*group
	links       *links
	reconciler  *reconciler
	hashes      *hashes
	m           *collectors
	address     string
	full        atomic.Bool // the disk has no room for proposals

	closing sync.RWMutex  // held for reading while proposing
	closed  atomic.Bool   // set under closing
	stop    chan struct{} // ends the watchers and the pumps' goroutines
	dead    chan struct{} // no Future will be settled any more
	workers sync.WaitGroup
}

// Start opens the data in o.Dir, restores every shard from its newest snapshot and joins the other nodes, or founds
// the cluster at the first start. It does not wait for anybody, but for a node with nothing yet that is to join: one of
// the others must answer within 15 seconds. pump is called once for each shard, in order, before anything is restored; the
// pumps then live until Close returns. When Start fails it leaves nothing running.
func Start(o Options, pump func(shard int) Pump) (*Node, error) {
	if err := o.complete(); err != nil {
		if o.Listener != nil {
			_ = o.Listener.Close()
		}
		return nil, err
	}
	ln, err := listen(&o)
	if err != nil {
		return nil, err
	}
	if o.Advertise == "" {
		o.Advertise = ln.Addr().String()
		for _, p := range o.Peers {
			if p.ID == o.NodeID {
				o.Advertise = p.Address
			}
		}
	}
	n := &Node{opt: o, address: o.Advertise, book: openBook(&o), stop: make(chan struct{}), dead: make(chan struct{})}
	if err := n.start(ln, pump); err != nil {
		_ = ln.Close()
		n.drain()
		return nil, errors.Join(err, n.shutdown())
	}
	o.Logger.Info("cluster node started", "node", o.NodeID, "server", n.id, "address", n.address, "shards", o.Shards,
		"cluster", n.store.Identity().ClusterID)
	return n, nil
}

func (n *Node) start(ln net.Listener, pump func(shard int) Pump) error {
	o := &n.opt
	if err := n.identify(); err != nil {
		return err
	}
	if err := n.open(); err != nil {
		return err
	}
	n.m = newCollectors(n)
	n.links, n.reconciler, n.hashes = newLinks(n), newReconciler(n), newHashes(n)
	n.mux = newMux(ln, o, n.id, n.ClusterID(), n.book)
	n.pulse = newPulse(n)
	n.mux.welcome, n.mux.link = n.welcome, n.links.accept
	for i := range o.Shards {
		n.groups = append(n.groups, newGroup(n, i, pump(i)))
	}
	errs := make([]error, len(n.groups))
	var wg sync.WaitGroup
	for i, g := range n.groups { // together, so that their writes share transactions
		wg.Go(func() { errs[i] = g.start() })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, g := range n.groups {
		n.workers.Go(func() { g.leadership.listen(g.notify, n.stop) })
		n.workers.Go(func() { g.lead(n.stop) })
		n.workers.Go(func() { g.tell(n.stop) })
	}
	n.pulse.start()
	n.mux.start()
	n.workers.Go(func() { n.links.run(n.stop) })
	n.workers.Go(func() { n.reconciler.run(n.stop) })
	n.workers.Go(n.watchDisk)
	n.workers.Go(n.watchSpace)
	n.workers.Go(n.watchSize)
	return n.m.register(o.Registerer)
}

// Shards returns the number of shards.
func (n *Node) Shards() int { return len(n.groups) }

// Address is where other nodes reach this one.
func (n *Node) Address() string { return n.address }

// ClusterID is the name the cluster got at its first start.
func (n *Node) ClusterID() string { return n.store.Identity().ClusterID }

// Snapshot takes a snapshot of one shard now and cuts its log. With nothing new since the last one it does nothing.
func (n *Node) Snapshot(shard int) error {
	if shard < 0 || shard >= len(n.groups) {
		return fmt.Errorf("cluster: shard %d does not exist, there are %d", shard, len(n.groups))
	}
	if n.closed.Load() {
		return ErrClosed
	}
	return n.groups[shard].snapshot()
}

// Close stops proposing, waits for what is on its way, hands leadership over where there is somebody, and stops the
// groups, the connections and the storage, in this order. The pumps must still be served: entries may be applied
// until it returns. It returns an error when a pump does not come back within the time allowed.
func (n *Node) Close() error {
	n.closing.Lock() // waits for proposals being enqueued
	first := n.closed.CompareAndSwap(false, true)
	n.closing.Unlock()
	if !first {
		<-n.dead
		return nil
	}
	n.drain()
	n.transfer()
	return n.shutdown()
}

// drain takes every slot, which means that no proposal is on its way. Raft forgets entries it has handed to the pump's
// queue when it stops, together with whoever waits for them.
func (n *Node) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), n.opt.CloseTimeout)
	defer cancel()
	for _, g := range n.groups {
		if g.drain(ctx) {
			close(g.flight)
			continue
		}
		n.opt.Logger.Warn("cluster stops with proposals on their way", "shard", g.id)
	}
}

func (g *group) drain(ctx context.Context) bool {
	for range cap(g.slots) {
		select {
		case g.slots <- struct{}{}:
			continue
		default:
		}
		select {
		case g.slots <- struct{}{}:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// transfer hands the leadership of every shard to somebody else, as far as that goes.
func (n *Node) transfer() {
	done := make(chan struct{}, len(n.groups))
	waiting := 0
	for _, g := range n.groups {
		if g.raft.State() == raft.Leader && g.otherVoters() > 0 {
			waiting++
			go func() {
				if err := g.giveAway().Error(); err != nil {
					n.opt.Logger.Debug("leadership not transferred", "shard", g.id, "error", err)
				}
				done <- struct{}{}
			}()
		}
	}
	limit := time.After(n.opt.CloseTimeout)
	for range waiting {
		select {
		case <-done:
		case <-limit:
			return
		}
	}
}

// shutdown stops whatever has been started.
func (n *Node) shutdown() error {
	var errs []error
	close(n.stop)
	if n.mux != nil {
		n.mux.cutLinks() // raft goes on until its turn
	}
	if err := within(n.opt.CloseTimeout, n.workers.Wait); err != nil {
		errs = append(errs, fmt.Errorf("cluster: wait for pumps and snapshots: %w", err))
	}
	var stopping []raft.Future
	for _, g := range n.groups {
		if g.raft != nil {
			stopping = append(stopping, g.raft.Shutdown())
		} else if g.trans != nil {
			_ = g.trans.Close()
		}
	}
	if n.mux != nil {
		n.mux.Close()
	}
	if n.pulse != nil {
		n.pulse.close()
	}
	err := within(n.opt.CloseTimeout, func() {
		for _, f := range stopping {
			_ = f.Error() // always nil; it waits and closes the transport
		}
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("cluster: wait for raft: %w", err))
	}
	close(n.dead)
	if n.m != nil {
		n.m.unregister()
	}
	if n.store != nil {
		if err := n.store.Close(); err != nil {
			errs = append(errs, fmt.Errorf("cluster: %w", err))
		}
	}
	return errors.Join(errs...)
}

var errSlow = errors.New("took too long")

func within(limit time.Duration, f func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
		return nil
	case <-time.After(limit):
		return errSlow
	}
}
