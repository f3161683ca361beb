package cluster

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/catraca/catraca/storage"
)

const (
	stallCheck    = 250 * time.Millisecond
	snapshotCheck = time.Second
	spaceCheck    = time.Second
)

// logs is what a group needs of the storage.
type logs interface {
	raft.LogStore
	raft.StableStore
}

// watchedLog notes since when raft's main loop has been waiting for the disk, and how much has been appended.
// Raft itself waits for ever, with heartbeats still going out, so nobody else would take over.
type watchedLog struct {
	logs

	busy        atomic.Int64  // unix nanoseconds since when, 0: not waiting
	appended    atomic.Uint64 // bytes since the start
	snapshotted atomic.Uint64 // of these, what the last snapshot covers
	full        *atomic.Bool  // told when there is no room; may be nil
	handed      atomic.Int64  // the stall for which leadership was handed over
}

// IsMonotonic implements raft.MonotonicLogStore; see storage.Shard.
func (w *watchedLog) IsMonotonic() bool {
	m, ok := w.logs.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// StoreLog implements raft.LogStore.
func (w *watchedLog) StoreLog(l *raft.Log) error { return w.StoreLogs([]*raft.Log{l}) }

// StoreLogs implements raft.LogStore.
func (w *watchedLog) StoreLogs(ls []*raft.Log) error {
	w.busy.Store(time.Now().UnixNano())
	defer w.busy.Store(0)
	if err := w.logs.StoreLogs(ls); err != nil {
		if w.full != nil && errors.Is(err, storage.ErrFull) {
			w.full.Store(true) // until watchSpace finds that there is room again
		}
		return err
	}
	size := 0
	for _, l := range ls {
		size += len(l.Data) + len(l.Extensions)
	}
	w.appended.Add(uint64(size))
	return nil
}

// Set implements raft.StableStore.
func (w *watchedLog) Set(key, val []byte) error {
	w.busy.Store(time.Now().UnixNano())
	defer w.busy.Store(0)
	return w.logs.Set(key, val)
}

// SetUint64 implements raft.StableStore.
func (w *watchedLog) SetUint64(key []byte, val uint64) error {
	w.busy.Store(time.Now().UnixNano())
	defer w.busy.Store(0)
	return w.logs.SetUint64(key, val)
}

// due says whether so many bytes have been appended since the last snapshot.
func (w *watchedLog) due(bytes uint64) bool {
	return w.appended.Load()-w.snapshotted.Load() >= bytes
}

// watchDisk hands leadership over when the disk hangs, and gives up when it goes on hanging.
func (n *Node) watchDisk() {
	tick := time.NewTicker(stallCheck)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			for _, g := range n.groups {
				g.checkStall(now)
			}
		case <-n.stop:
			return
		}
	}
}

func (g *group) checkStall(now time.Time) {
	busy := g.log.busy.Load()
	if busy == 0 {
		return
	}
	stall := now.Sub(time.Unix(0, busy))
	if stall > g.node.opt.StallFatal {
		g.node.opt.Fatal(fmt.Errorf("cluster: the disk has not answered shard %d for %s", g.id, stall.Round(time.Millisecond)))
	}
	if stall > g.node.opt.StallTransfer && g.log.handed.Swap(busy) != busy {
		g.node.opt.Logger.Warn("disk stalled", "shard", g.id, "seconds", stall.Seconds())
		if g.otherVoters() > 0 {
			g.giveAway() // done as soon as the main loop comes back; nobody waits for it here
		}
	}
}

// giveAway hands the shard to the best replica there is.
func (g *group) giveAway() raft.Future {
	if id, err := g.heir(""); err == nil {
		return g.raft.LeadershipTransferToServer(id, raft.ServerAddress(id))
	}
	return g.raft.LeadershipTransfer()
}

// watchSpace stops taking proposals while there is little room on the disk, before the storage refuses them.
func (n *Node) watchSpace() {
	tick := time.NewTicker(spaceCheck)
	defer tick.Stop()
	for {
		sp := n.store.Space()
		if low := sp.Low || sp.ReadOnly; n.full.Swap(low) != low {
			if low {
				n.opt.Logger.Error("the disk is nearly full, this node only answers reads", "room_bytes", sp.Room)
			} else {
				n.opt.Logger.Info("there is room on the disk again")
			}
			n.links.touch()
			n.reconciler.touch()
		}
		select {
		case <-tick.C:
		case <-n.stop:
			return
		}
	}
}

// watchSize takes snapshots of logs that have grown large; raft itself counts only entries. One at a time is enough.
func (n *Node) watchSize() {
	tick := time.NewTicker(snapshotCheck)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-n.stop:
			return
		}
		for i, g := range n.groups {
			select {
			case <-n.stop:
				return
			default:
			}
			if !g.log.due(n.opt.SnapshotBytes) {
				continue
			}
			if err := g.snapshot(); err != nil {
				n.opt.Logger.Warn("snapshot failed", "shard", i, "error", err)
			}
		}
	}
}
