package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/catraca/catraca/storage"
)

// DivergedError says that this node's state is not what the majority has.
type DivergedError struct {
	Shard   int
	Machine uint32
	Index   uint64
}

// Error implements error.
func (e *DivergedError) Error() string {
	return fmt.Sprintf("cluster: shard %d: the state of machine %d after entry %d is not what most others have", e.Shard, e.Machine, e.Index)
}

// damaged says whether an error means that this node's data must not be used any more.
func damaged(err error) bool {
	_, diverged := errors.AsType[*DivergedError](err)
	_, damage := errors.AsType[*storage.DamageError](err)
	return diverged || damage || errors.Is(err, storage.ErrMarked)
}

// fatal marks the data when it is to blame, before it says that this node must stop.
func (n *Node) fatal(err error) {
	if damaged(err) {
		if e := storage.Mark(n.opt.Dir, err.Error()); e != nil {
			n.opt.Logger.Error("damaged data not marked", "error", e)
		}
	}
	n.opt.Fatal(err)
}

// identify finds out under which server id this node starts. Data that is marked goes aside first, when that is
// allowed and there are others to get everything from. What it decides is on the disk when it returns.
func (n *Node) identify() error {
	o := &n.opt
	stored, err := storage.Incarnation(o.Dir)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	n.incarnation = max(stored, n.book.file.Incarnation, 1)
	if reason, marked := storage.Marked(o.Dir); marked && !o.AllowLostCommit && n.mayRejoin() {
		if err := n.setAside(reason); err != nil {
			return err
		}
	}
	fresh := empty(o.Dir)
	// A node that has met others and has lost its data must not found a second cluster.
	n.join = o.Join || n.incarnation > 1 || fresh && n.book.met()
	if n.join && fresh && o.ClusterID == "" {
		o.ClusterID = n.book.file.Cluster
	}
	if n.join && fresh && (n.incarnation == 1 || o.ClusterID == "") {
		if err := n.probe(); err != nil {
			return err
		}
	}
	n.id = serverID(o.NodeID, n.incarnation)
	return n.book.keep(cmp.Or(o.ClusterID, n.book.file.Cluster), n.incarnation)
}

// mayRejoin says whether this node may throw its data away.
func (n *Node) mayRejoin() bool {
	nodes, _, _ := n.book.all()
	return n.opt.Rejoin && len(nodes) > 0
}

// setAside moves the data away and counts up the incarnation. The book has the number before anything moves.
func (n *Node) setAside(reason string) error {
	next := n.incarnation + 1
	n.opt.ClusterID = cmp.Or(n.opt.ClusterID, n.book.file.Cluster)
	if err := n.book.keep(n.opt.ClusterID, next); err != nil {
		return err
	}
	to, err := storage.SetAside(n.opt.Dir, reason)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	stored, err := storage.Incarnation(n.opt.Dir)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	n.incarnation, n.join = max(next, stored), true
	n.id = serverID(n.opt.NodeID, n.incarnation)
	n.opt.Logger.Error("damaged data set aside, this node gets everything from the others", "reason", reason, "moved_to", to,
		"server", n.id)
	return n.book.keep(n.opt.ClusterID, n.incarnation)
}

// open opens the storage, a new one when the data turns out to be damaged and may be thrown away.
func (n *Node) open() error {
	err := n.openStore()
	if err == nil || !damaged(err) || n.opt.AllowLostCommit || !n.mayRejoin() {
		return err
	}
	if err := n.setAside(err.Error()); err != nil {
		return err
	}
	return n.openStore()
}

func (n *Node) openStore() (err error) {
	o := &n.opt
	n.store, err = storage.Open(storage.Options{
		Dir: o.Dir, NodeID: o.NodeID, ClusterID: o.ClusterID, Shards: o.Shards, Preallocate: o.Preallocate, AllowLostCommit: o.AllowLostCommit,
		Reserve: o.Reserve, MaxBytes: o.MaxBytes, Logger: o.Logger, Registerer: o.Registerer, Fatal: n.fatal,
	})
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	return n.book.keep(n.store.Identity().ClusterID, n.incarnation)
}

// probe asks the others, before an empty node takes its first step, which cluster this is and which incarnation of this
// node they know: a disk that was wiped by hand must not come back under its old id.
func (n *Node) probe() error {
	nodes, _, _ := n.book.all()
	if len(nodes) == 0 {
		return errors.New("cluster: to join, at least one node of the cluster must be named")
	}
	m := newMux(nil, &n.opt, "", "", n.book)
	defer m.Close()
	limit := time.Now().Add(n.opt.pace.probe)
	for {
		var errs []error
		for _, b := range nodes {
			w, err := probeOne(m, serverID(n.opt.NodeID, n.incarnation), b.Name)
			if err == nil && w.Refused != "" {
				return fmt.Errorf("cluster: node %s refuses this one: %s", b.Name, w.Refused)
			}
			if err == nil && n.opt.ClusterID != "" && w.Cluster != n.opt.ClusterID {
				return fmt.Errorf("cluster: node %s is of cluster %q, not of %q", b.Name, w.Cluster, n.opt.ClusterID)
			}
			if err == nil {
				n.opt.ClusterID = w.Cluster
				if w.Incarnation >= n.incarnation {
					n.incarnation = w.Incarnation + 1
				}
				return nil
			}
			errs = append(errs, err)
		}
		if time.Now().After(limit) {
			return fmt.Errorf("cluster: no node of the cluster answers: %w", errors.Join(errs...))
		}
		time.Sleep(n.opt.pace.beat / 2)
	}
}

func probeOne(m *mux, id, name string) (*linkWelcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), linkTimeout)
	defer cancel()
	c, err := m.dial(ctx, name, prefaceLink)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	return introduce(c, &linkHello{From: id, To: name, Probe: true})
}

// restoreFailed says whether a shard did not start because of what its snapshots or its log are like, and not because
// the pump refused a good one.
func (g *group) restoreFailed() bool {
	metas, err := g.snaps.List()
	return err == nil && len(metas) > 0 && !g.fsm.restored.Load() && !g.fsm.refused.Load()
}

// empty says whether there is no data in dir yet.
func empty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0
}
