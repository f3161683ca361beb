package storage

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
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

	// MinMaxBytes is the smallest limit a file may be given.
	MinMaxBytes = 4 << 20

	defaultPreallocate = 16 << 20
	defaultRingBytes   = 4 << 20
	defaultMmapBytes   = 4 << 30
	defaultReserve     = 256 << 20
	defaultScrubBytes  = 4 << 20
	defaultScrubEvery  = time.Hour
	lockTimeout        = time.Second
)

// Options say where the file is and whose it is. The zero value of every field but Dir, NodeID, Shards and Fatal is
// a sane default.
type Options struct {
	Dir       string // folder of this node's file and snapshots; created with mode 0700 when missing
	NodeID    string // written at creation; another name at a later opening is refused
	ClusterID string // written at creation, random when empty; a different one at a later opening is refused, empty accepts
	Shards    int    // written at creation, 1 to MaxShards; another number at a later opening is refused

	// Preallocate is how many bytes of zeros the file has at least, written when it is opened, so that commits need not
	// make it grow; 0: 16 MiB, negative: none. A disk with less room gets less.
	Preallocate int64
	// MaxBytes is how large the file may become, at least MinMaxBytes; 0: no limit. Appends that would need more are
	// refused with ErrFull, the last MiB is left to votes and deletions.
	MaxBytes int64
	// Reserve is how much of the disk appends leave alone: it is there for votes, deletions and snapshots, which are
	// what makes room again. 0: 256 MiB, but no more than a twentieth of the disk; negative: none, and then a full disk
	// stops the node.
	Reserve   int64
	RingBytes int // bytes of recent entries kept in memory for each shard; 0: 4 MiB, negative: none

	// ScrubBytes is how many bytes a second are read to look for damage; 0: 4 MiB, negative: never. A pass over
	// everything begins every ScrubEvery (0: one hour), the first one minute after Open at the latest.
	ScrubBytes int64
	ScrubEvery time.Duration

	// AllowLostCommit opens a file although one of its heads is damaged, which may undo its last commit: an entry or a
	// vote this node has promised. It also overrides a mark, and takes it away when the file opens. Right only for a
	// node whose peers have been told, or that has none.
	AllowLostCommit bool

	Logger     *slog.Logger          // nil: silent
	Registerer prometheus.Registerer // nil: no metrics

	// Fatal is called at most once, with the first failed commit or the first damaged entry. It should stop the
	// process. It runs on the goroutine that found out, must not call Close, and may return.
	Fatal func(error)

	// Progress is called by Check now and then, on its goroutine, with how many of about how many bytes it has read.
	Progress func(done, total int64)

	// For tests of what bad disks do. OpenFile opens the file instead of os.OpenFile; it may be called again for the
	// same file. AroundCommit is called for every commit, never twice at once, and must call commit at
	// most once: it may wait before or after it, or return an error of its own, as a disk does of which nobody knows
	// what it has kept. See storagetest.Faults.
	OpenFile     func(name string, flag int, perm os.FileMode) (*os.File, error)
	AroundCommit func(commit func() error) error

	readOnly     bool  // Check
	noSync       bool  // this package's tests of logic need no disk
	compactAbove int64 // 0: 1 GiB
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
	case o.MaxBytes != 0 && o.MaxBytes < MinMaxBytes:
		return fmt.Errorf("storage: max bytes is %d, at least %d are needed", o.MaxBytes, MinMaxBytes)
	}
	if o.Preallocate == 0 {
		o.Preallocate = defaultPreallocate
	}
	if o.RingBytes == 0 {
		o.RingBytes = defaultRingBytes
	}
	if o.ScrubBytes == 0 {
		o.ScrubBytes = defaultScrubBytes
	}
	if o.ScrubEvery <= 0 {
		o.ScrubEvery = defaultScrubEvery
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OpenFile == nil {
		o.OpenFile = os.OpenFile
	}
	if o.AroundCommit == nil {
		o.AroundCommit = func(commit func() error) error { return commit() }
	}
	if o.compactAbove == 0 {
		o.compactAbove = defaultCompactAbove
	}
	return nil
}

func (o *Options) path() string { return filepath.Join(o.Dir, fileName) }
