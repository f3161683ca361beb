package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

// Interface guards.
var (
	_ raft.LogStore          = (*Shard)(nil)
	_ raft.StableStore       = (*Shard)(nil)
	_ raft.MonotonicLogStore = (*Shard)(nil)
)

// extent is which entries a log has. first is 0 when it is empty. Keys up to garbage are in the file but belong to no
// log any more; they are deleted bit by bit, so that cutting off a long prefix does not hold up other shards.
type extent struct {
	first, last, garbage uint64
	stable               uint64 // how often the stable values have changed
}

func (e extent) holds(index uint64) bool { return e.first != 0 && index >= e.first && index <= e.last }

// Shard is the log and the stable store of one Raft group.
type Shard struct {
	s      *Store
	id     uint32
	bucket []byte

	mu     sync.RWMutex
	ext    extent // written under mu by who commits, who may so read it without
	ring   ring
	stable map[string][]byte // what is on the disk
	held   []byte            // LastVoteTerm until LastVoteCand comes, nil when none

	// The committer's, inside a transaction.
	touched    bool
	next       extent
	nextStable map[string][]byte // nil: unchanged
}

func logBucket(shard uint32) []byte { return strconv.AppendUint([]byte("log/"), uint64(shard), 10) }

func indexKey(index uint64) []byte { return binary.BigEndian.AppendUint64(nil, index) }

// FirstIndex returns the index of the oldest entry, 0 when there is none.
func (sh *Shard) FirstIndex() (uint64, error) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.ext.first, nil
}

// LastIndex returns the index of the newest entry, 0 when there is none.
func (sh *Shard) LastIndex() (uint64, error) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.ext.last, nil
}

// IsMonotonic is false: after a snapshot was installed the log may have a gap, which the entry behind it records.
func (sh *Shard) IsMonotonic() bool { return false }

// GetLog fills l with the entry at index. It returns raft.ErrLogNotFound when the log has no such entry and a
// *DamageError, after telling Fatal, when it ought to have it. The entry's Data may be shared: read it only.
func (sh *Shard) GetLog(index uint64, l *raft.Log) error {
	sh.mu.RLock()
	known := sh.ext.holds(index)
	hit := known && sh.ring.get(index, l)
	sh.mu.RUnlock()
	if hit {
		return nil
	}
	if !known {
		return raft.ErrLogNotFound
	}
	err := sh.read(index, l)
	if bad, ok := errors.AsType[*DamageError](err); ok {
		sh.s.breakDown(bad)
	}
	return err
}

func (sh *Shard) read(index uint64, l *raft.Log) (err error) {
	defer stumbled(debug.SetPanicOnFault(true), &err, func(what string) error { return sh.damage(index, what) })
	return sh.s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(sh.bucket)
		if b == nil {
			return sh.damage(index, "its bucket is missing")
		}
		// A commit may have cut the log off and not published it yet: what the log is, this transaction says.
		if ext, err := readExtent(tx.Bucket(metaBucket()), sh.id); err != nil {
			return sh.damagedKey("extent", err.Error())
		} else if !ext.holds(index) {
			return raft.ErrLogNotFound
		}
		if v := getValue(b, index); v != nil {
			if _, err := decodeEntry(sh.id, index, v, l); err != nil {
				return sh.damage(index, err.Error())
			}
			return nil
		}
		k, v := b.Cursor().Seek(indexKey(index))
		if k == nil || len(k) != 8 {
			return sh.damage(index, "it is missing")
		}
		after := binary.BigEndian.Uint64(k)
		gap, err := checkEntry(sh.id, after, valueAt(b, k, v))
		if err != nil {
			return sh.damage(after, err.Error())
		}
		if !gap {
			return sh.damage(index, "it is missing")
		}
		return raft.ErrLogNotFound
	})
}

// StoreLog appends one entry; see StoreLogs.
func (sh *Shard) StoreLog(l *raft.Log) error { return sh.StoreLogs([]*raft.Log{l}) }

// StoreLogs appends entries and returns when they are on the disk, or with the error that stopped the store. Indexes
// must rise and lie behind the last one; a gap is recorded. The entries' bytes are kept and must not change.
// Raft calls it from one goroutine per shard.
func (sh *Shard) StoreLogs(logs []*raft.Log) error {
	if len(logs) == 0 {
		return nil
	}
	sh.mu.RLock()
	last := sh.ext.last
	sh.mu.RUnlock()
	size := 0
	for _, l := range logs {
		if n := entrySize(l); n > entryHeader+MaxEntryBytes {
			return fmt.Errorf("storage: shard %d: entry %d has %d bytes, at most %d are allowed", sh.id, l.Index, n, MaxEntryBytes)
		}
		size += entrySize(l)
	}
	o := newOp(opAppend, sh)
	o.logs, o.bytes = logs, size
	if cap(o.buf) < size {
		o.buf = make([]byte, 0, size)
	}
	for _, l := range logs {
		if l.Index == 0 || l.Index <= last {
			o.free()
			return fmt.Errorf("storage: shard %d: entry %d does not come after %d", sh.id, l.Index, last)
		}
		o.buf = appendEntry(o.buf, sh.id, l, last != 0 && l.Index != last+1)
		o.ends = append(o.ends, len(o.buf))
		last = l.Index
	}
	return sh.s.do(o)
}

// DeleteRange deletes the entries from min to max, which must reach one end of the log. A prefix is given up at once
// and erased over later commits; a suffix is erased before it returns.
func (sh *Shard) DeleteRange(min, max uint64) error {
	if min > max {
		return nil
	}
	o := newOp(opDelete, sh)
	o.min, o.max = min, max
	return sh.s.do(o)
}

func (sh *Shard) damage(index uint64, what string) *DamageError {
	return &DamageError{Path: sh.s.opt.path(), Shard: int(sh.id), Index: index, What: what}
}

func (sh *Shard) damagedKey(key, what string) *DamageError {
	return &DamageError{Path: sh.s.opt.path(), Shard: int(sh.id), Key: key, What: what}
}
