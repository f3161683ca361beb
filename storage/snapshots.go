package storage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

const (
	// snapshotsKept is how many snapshots of a shard stay on the disk: the newest, and one in case it is damaged.
	snapshotsKept  = 2
	snapshotFolder = "snapshots" // ours and, one level deeper, that of raft's store
	maxSnapshots   = 64          // looked at, of the folders found
	maxMetaBytes   = 1 << 20
)

// Snapshots returns the snapshot store of one shard. Its files are under snapshots/<shard> beside the log; each is
// written aside, flushed and renamed, and its checksum is looked at when it is opened. What an interrupted snapshot
// left behind is removed. Call it once per shard, before the shard's Raft group starts.
func (s *Store) Snapshots(shard int, logger hclog.Logger) (raft.SnapshotStore, error) {
	base := filepath.Join(s.opt.Dir, snapshotFolder, strconv.Itoa(shard))
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, fmt.Errorf("create snapshot folder: %w", err)
	}
	store, err := raft.NewFileSnapshotStoreWithLogger(base, snapshotsKept, logger)
	if err != nil {
		return nil, fmt.Errorf("open snapshots of shard %d: %w", shard, err)
	}
	inner := filepath.Join(base, snapshotFolder)
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

// snapshot is one folder of raft's snapshot store.
type snapshot struct {
	name        string
	term, index uint64
}

// listSnapshots returns a shard's finished snapshots, newest first.
func listSnapshots(dir string, shard int) ([]snapshot, error) {
	entries, err := os.ReadDir(filepath.Join(dir, snapshotFolder, strconv.Itoa(shard), snapshotFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list snapshots of shard %d: %w", shard, err)
	}
	var all []snapshot
	for _, e := range entries {
		part := strings.Split(e.Name(), "-") // term-index-milliseconds
		if !e.IsDir() || len(part) != 3 || len(all) == maxSnapshots {
			continue
		}
		term, err1 := strconv.ParseUint(part[0], 10, 64)
		index, err2 := strconv.ParseUint(part[1], 10, 64)
		if _, err3 := strconv.ParseUint(part[2], 10, 64); errors.Join(err1, err2, err3) == nil {
			all = append(all, snapshot{e.Name(), term, index})
		}
	}
	slices.SortFunc(all, func(a, b snapshot) int {
		return cmp.Or(cmp.Compare(b.term, a.term), cmp.Compare(b.index, a.index), cmp.Compare(b.name, a.name))
	})
	return all, nil
}

// scrubSnapshots reads a shard's snapshots. Damage of the newest is damage of the node: what the older one lacks, the
// log may no longer have. The older one is only complained about.
func (s *Store) scrubSnapshots(ctx context.Context, shard int, pace func(context.Context, int)) error {
	all, err := listSnapshots(s.opt.Dir, shard)
	if err != nil {
		return err
	}
	for i, snap := range all {
		path := filepath.Join(s.opt.Dir, snapshotFolder, strconv.Itoa(shard), snapshotFolder, snap.name)
		err := checkSnapshot(ctx, path, snap, pace)
		if err == nil || ctx.Err() != nil {
			continue
		}
		now, errList := listSnapshots(s.opt.Dir, shard)
		switch {
		case errList != nil:
			return errList
		case !slices.Contains(now, snap) || i > 0 && i >= snapshotsKept: // raft has removed it, or is about to
		case now[0] == snap:
			return &DamageError{Path: path, Shard: shard, Key: "snapshot", What: err.Error()}
		default:
			s.opt.Logger.Warn("older snapshot is damaged", "path", path, "error", err)
		}
	}
	return nil
}

// checkSnapshot compares a snapshot with its checksum, as raft does before it restores it.
func checkSnapshot(ctx context.Context, path string, snap snapshot, pace func(context.Context, int)) error {
	f, err := os.Open(filepath.Join(path, "meta.json"))
	if err != nil {
		return fmt.Errorf("open description: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxMetaBytes))
	_ = f.Close() // read only
	if err != nil {
		return fmt.Errorf("read description: %w", err)
	}
	var meta struct {
		raft.SnapshotMeta

		CRC []byte
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return fmt.Errorf("read description: %w", err)
	}
	if meta.ID != snap.name || meta.Term != snap.term || meta.Index != snap.index {
		return fmt.Errorf("description is of %q, term %d, index %d", meta.ID, meta.Term, meta.Index)
	}
	if f, err = os.Open(filepath.Join(path, "state.bin")); err != nil {
		return fmt.Errorf("open state: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	for chunk := make([]byte, scrubChunk/4); ; {
		n, err := f.Read(chunk)
		sum.Write(chunk[:n])
		if pace(ctx, n); ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read state: %w", err)
		}
	}
	if !bytes.Equal(sum.Sum(nil), meta.CRC) {
		return errChecksum
	}
	return nil
}
