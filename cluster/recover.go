package cluster

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/catraca/catraca/storage"
)

// Recover makes the node of o the only voter of every shard, after so many others were lost that no majority is left.
// It is for one survivor, the one with the most, whose folder has been copied: entries that were on their way become
// committed, and what only the others had is lost. voters is empty or names this node alone: survivors may differ, and
// two that both count would go on in two ways. They come back empty, see Options.Join and Rejoin; this node
// refuses them with their old data, but they must not be started with it, for together they may still be a majority. The node must not run;
// storage.ErrInUse says that it does.
//
// No state machine is needed: a new list of servers is put at the end of each log, in a term later than any before.
func Recover(o Options, voters []Peer) error {
	if err := o.complete(); err != nil {
		return err
	}
	if len(voters) > 1 || len(voters) == 1 && voters[0].ID != o.NodeID {
		return errors.New("cluster: recover: exactly one survivor is recovered; the others get everything from it")
	}
	if empty(o.Dir) {
		return fmt.Errorf("cluster: recover: there is no data in %s", o.Dir)
	}
	id, err := ownID(&o)
	if err != nil {
		return fmt.Errorf("cluster: recover: %w", err)
	}
	store, err := storage.Open(storage.Options{
		Dir: o.Dir, NodeID: o.NodeID, ClusterID: o.ClusterID, Shards: o.Shards, Preallocate: o.Preallocate,
		AllowLostCommit: o.AllowLostCommit, Reserve: o.Reserve, MaxBytes: o.MaxBytes, Logger: o.Logger, Fatal: o.Fatal,
	})
	if err != nil {
		return fmt.Errorf("cluster: recover: %w", err)
	}
	var errs []error
	for i := range o.Shards {
		if err := recoverShard(&o, store, i, id); err != nil {
			errs = append(errs, fmt.Errorf("cluster: recover shard %d: %w", i, err))
		}
	}
	if len(errs) == 0 {
		errs = append(errs, openBook(&o).outdate())
	}
	return errors.Join(append(errs, store.Close())...)
}

// outdate makes the incarnations of all other nodes old ones: what they have may not be what this node has.
func (b *book) outdate() error {
	return b.change(func() bool {
		for name, n := range b.nodes {
			n.ServerID = serverID(name, max(incarnationOf(n.ServerID), 1)+1)
			b.nodes[name] = n
		}
		return len(b.nodes) > 0
	})
}

// ownID is the server id of a node that does not run.
func ownID(o *Options) (string, error) {
	stored, err := storage.Incarnation(o.Dir)
	if err != nil {
		return "", err
	}
	return serverID(o.NodeID, max(stored, openBook(o).file.Incarnation)), nil
}

func recoverShard(o *Options, store *storage.Store, i int, id string) error {
	log := store.Shard(i)
	snaps, err := store.Snapshots(i, &raftLogger{out: o.Logger.With("shard", i), name: "raft"})
	if err != nil {
		return err
	}
	last, err := log.LastIndex()
	if err != nil {
		return err
	}
	var end raft.Log
	if last > 0 {
		if err := log.GetLog(last, &end); err != nil {
			return err
		}
	}
	metas, err := snaps.List()
	if err != nil {
		return err
	}
	term := end.Term
	if len(metas) > 0 {
		last, term = max(last, metas[0].Index), max(term, metas[0].Term)
	}
	if last == 0 {
		return errors.New("this replica has nothing; recover another node")
	}
	current, err := log.GetUint64([]byte(keyTerm))
	if err != nil {
		return err
	}
	term = max(term, current) + 1
	if err := log.SetUint64([]byte(keyTerm), term); err != nil {
		return err
	}
	return log.StoreLog(&raft.Log{Index: last + 1, Term: term, Type: raft.LogConfiguration,
		Data: raft.EncodeConfiguration(configurationOf(id))})
}
