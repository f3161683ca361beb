package storage

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Limits that are part of the format or guard memory.
const (
	// MaxShards is the most shards one file may hold.
	MaxShards = 1024
	// MaxEntryBytes is the largest data plus extensions of one log entry.
	MaxEntryBytes = 32 << 20

	defaultPreallocate = 16 << 20
	defaultRingBytes   = 4 << 20
	defaultMmapBytes   = 4 << 30
	defaultAllocBytes  = 64 << 20
	lockTimeout        = time.Second
)

// Options say where the file is and whose it is. The zero value of every field but Dir, NodeID, Shards and Fatal is
// a sane default.
type Options struct {
	Dir       string // folder of this node's file and snapshots; created with mode 0700 when missing
	NodeID    string // written at creation; another name at a later opening is refused
	ClusterID string // written at creation, random when empty; a different one at a later opening is refused, empty accepts
	Shards    int    // written at creation, 1 to MaxShards; another number at a later opening is refused

	Preallocate int64 // bytes written and freed again at creation, so that commits need not grow the file; 0: 16 MiB, negative: none
	MaxBytes    int64 // largest size of the file, a commit beyond it fails and so stops the node; 0: no limit
	// Reserve is how much of the disk the file never takes, so that votes, snapshots and deletions go on when appends are
	// refused with ErrFull. 0: 256 MiB, but no more than a twentieth of the disk; negative: none.
	Reserve   int64
	RingBytes int // bytes of recent entries kept in memory for each shard; 0: 4 MiB, negative: none

	// AllowLostCommit opens a file although one of its heads is damaged, which may undo its last commit: an entry or a
	// vote this node has promised. Right only for a node whose peers have been told, or that has none.
	AllowLostCommit bool

	Logger     *slog.Logger          // nil: silent
	Registerer prometheus.Registerer // nil: no metrics

	// Fatal is called at most once, with the first failed commit or the first damaged entry. It should stop the
	// process. It runs on the goroutine that found out, must not call Close, and may return.
	Fatal func(error)

	noSync bool // this package's tests of logic need no disk
}

func (o *Options) complete() error {
	switch {
	case o.Dir == "":
		return errors.New("storage: dir is empty")
	case o.NodeID == "":
		return errors.New("storage: node id is empty")
	case len(o.NodeID) > 255 || len(o.ClusterID) > 255:
		return errors.New("storage: node id and cluster id may have at most 255 bytes")
	case o.Shards < 1 || o.Shards > MaxShards:
		return fmt.Errorf("storage: shards is %d, allowed are 1 to %d", o.Shards, MaxShards)
	case o.Fatal == nil:
		return errors.New("storage: fatal is nil")
	}
	if o.Preallocate == 0 {
		o.Preallocate = defaultPreallocate
	}
	if o.RingBytes == 0 {
		o.RingBytes = defaultRingBytes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

func (o *Options) path() string { return filepath.Join(o.Dir, fileName) }
