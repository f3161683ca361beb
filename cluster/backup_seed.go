package cluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"

	"github.com/catraca/catraca/storage"
	"github.com/catraca/catraca/storage/durable"
)

// seedSuffix marks a folder that is not complete yet.
const seedSuffix = ".seed"

// keyTerm is the stable key under which raft keeps the term it is in.
const keyTerm = "CurrentTerm"

// Seed makes the data of a new cluster with this node as its only voter, each shard as a backup has it. shard opens the
// backup of one shard, and is asked once for each, in order. What first returns for a shard stands in its log as the
// entries after the backup: they are committed and handed to the pump before anything else can be; first may be nil.
// o.Dir must not exist; it appears complete or not at all, and what an interrupted Seed has left behind goes first. The
// node then starts like any other.
func Seed(o Options, shard func(i int) (io.ReadCloser, error), first func(i int) [][]byte) error {
	if err := o.complete(); err != nil {
		return err
	}
	if o.Listener != nil {
		return errors.New("cluster: seed: nothing listens while data is made")
	}
	if _, err := os.Lstat(o.Dir); err == nil {
		return fmt.Errorf("cluster: seed: %s exists already", o.Dir)
	}
	fresh := filepath.Clean(o.Dir) + seedSuffix
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("cluster: seed: remove what was begun: %w", err)
	}
	if err := seed(o, fresh, shard, first); err != nil {
		return errors.Join(fmt.Errorf("cluster: seed: %w", err), os.RemoveAll(fresh))
	}
	if err := os.Rename(fresh, o.Dir); err != nil {
		return fmt.Errorf("cluster: seed: %w", err)
	}
	return durable.SyncDir(filepath.Dir(filepath.Clean(o.Dir)))
}

func seed(o Options, dir string, shard func(i int) (io.ReadCloser, error), first func(i int) [][]byte) (err error) {
	store, err := storage.Open(storage.Options{
		Dir: dir, NodeID: o.NodeID, ClusterID: o.ClusterID, Shards: o.Shards, Preallocate: o.Preallocate,
		Logger: o.Logger, Fatal: o.Fatal,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	for i := range o.Shards {
		index, term, err := seedShard(&o, store, i, shard)
		if err == nil && first != nil {
			err = seedLog(store.Shard(i), index, term, first(i))
		}
		if err != nil {
			return fmt.Errorf("shard %d: %w", i, err)
		}
	}
	return syncTree(dir)
}

func seedShard(o *Options, store *storage.Store, i int, open func(i int) (io.ReadCloser, error)) (index, term uint64, err error) {
	from, err := open(i)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = from.Close() }() // only read
	b, err := OpenBackup(from)
	if err != nil {
		return 0, 0, err
	}
	if b.Shard != i {
		return 0, 0, fmt.Errorf("%w: it is of shard %d", ErrSnapshot, b.Shard)
	}
	if b.Index == 0 || b.Term == 0 {
		return 0, 0, fmt.Errorf("%w: it ends at entry %d of term %d", ErrSnapshot, b.Index, b.Term)
	}
	logger := &raftLogger{out: o.Logger.With("shard", i), name: "raft"}
	snaps, err := store.Snapshots(i, logger)
	if err != nil {
		return 0, 0, err
	}
	address := raft.ServerAddress(o.Advertise)
	if address == "" {
		address = raft.ServerAddress(o.Listen)
	}
	_, t := raft.NewInmemTransport(address) // only writes addresses in the form of old versions
	defer func() { _ = t.Close() }()        // it connects to nobody
	id, err := ownID(o)                     // a node that has rejoined stays what it is
	if err != nil {
		return 0, 0, err
	}
	sink, err := snaps.Create(raft.SnapshotVersionMax, b.Index, b.Term, configurationOf(id), b.Index, t)
	if err != nil {
		return 0, 0, err
	}
	if err := copyFramed(sink, b); err != nil {
		return 0, 0, errors.Join(err, sink.Cancel())
	}
	if err := sink.Close(); err != nil {
		return 0, 0, err
	}
	// A term is never used twice: the next election is of a later one.
	return b.Index, b.Term, store.Shard(i).SetUint64([]byte(keyTerm), b.Term)
}

// seedLog puts entries behind a snapshot.
func seedLog(log raft.LogStore, index, term uint64, entries [][]byte) error {
	var all []*raft.Log
	for i, data := range entries {
		all = append(all, &raft.Log{Index: index + 1 + uint64(i), Term: term, Type: raft.LogCommand, Data: data})
	}
	if len(all) == 0 {
		return nil
	}
	return log.StoreLogs(all)
}

// copyFramed writes a shard's backup as a snapshot, after a look at every checksum.
func copyFramed(w io.Writer, b *ShardBackup) error {
	fw, err := newFrameWriter(w, cut{shard: uint32(b.Shard), index: b.Index, term: b.Term})
	if err != nil {
		return err
	}
	if _, err := io.Copy(fw, b); err != nil {
		return err
	}
	return fw.Close()
}

// syncTree flushes every folder below dir: the files in them are flushed by whoever wrote them.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return durable.SyncDir(path)
	})
}
