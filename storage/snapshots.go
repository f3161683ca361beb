package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// snapshotsKept is how many snapshots of a shard stay on the disk: the newest, and one in case it is damaged.
const snapshotsKept = 2

// Snapshots returns the snapshot store of one shard. Its files are under snapshots/<shard> beside the log; each is
// written aside, flushed and renamed, and its checksum is looked at when it is opened. What an interrupted snapshot
// left behind is removed. Call it once per shard, before the shard's Raft group starts.
func (s *Store) Snapshots(shard int, logger hclog.Logger) (raft.SnapshotStore, error) {
	base := filepath.Join(s.opt.Dir, "snapshots", strconv.Itoa(shard))
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, fmt.Errorf("create snapshot folder: %w", err)
	}
	store, err := raft.NewFileSnapshotStoreWithLogger(base, snapshotsKept, logger)
	if err != nil {
		return nil, fmt.Errorf("open snapshots of shard %d: %w", shard, err)
	}
	inner := filepath.Join(base, "snapshots") // where raft's store keeps them
	entries, err := os.ReadDir(inner)
	if err != nil {
		return nil, fmt.Errorf("list snapshots of shard %d: %w", shard, err)
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasSuffix(e.Name(), ".tmp") {
			if err := os.RemoveAll(filepath.Join(inner, e.Name())); err != nil {
				return nil, fmt.Errorf("remove unfinished snapshot: %w", err)
			}
		}
	}
	return store, nil
}
