package storage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

// tailEntries is how much of a log's end is read when the file is opened, unless the ring's bytes end it before.
const tailEntries = 512

// scrubChunk bounds a read transaction: pages freed while it runs cannot be used again.
const scrubChunk = 256

// load reads the file into memory, as far as it is held there, and checks it on the way.
func (s *Store) load() (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			err = fmt.Errorf("read %s: the file is damaged: %v", s.opt.path(), r)
		}
	}()
	if err := checkHeads(s.db, s.opt.path()); errors.Is(err, errLastCommit) {
		if !s.opt.AllowLostCommit {
			return &DamageError{Path: s.opt.path(), Key: "head", What: err.Error()}
		}
		s.opt.Logger.Warn("storage may have lost its last commit", "path", s.opt.path())
	} else if err != nil {
		return err
	}
	return s.db.View(func(tx *bbolt.Tx) error {
		if s.id, err = readIdentity(tx, &s.opt); err != nil {
			return err
		}
		if err := checkSeal(tx); err != nil {
			return &DamageError{Path: s.opt.path(), Key: "meta", What: err.Error()}
		}
		for i := range s.opt.Shards {
			sh := &Shard{s: s, id: uint32(i), bucket: logBucket(uint32(i))}
			sh.ring.limit = max(s.opt.RingBytes, 0)
			s.shards = append(s.shards, sh)
			if err := sh.loadExtent(tx); err != nil {
				return err
			}
			if err := sh.loadTail(tx); err != nil {
				return err
			}
			if sh.stable, err = readStable(tx.Bucket(stableBucket()), sh.id, sh.ext.stable); err != nil {
				return sh.damagedKey("stable", err.Error())
			}
		}
		return nil
	})
}

// loadExtent reads which entries the log should have, and looks whether its ends are there.
func (sh *Shard) loadExtent(tx *bbolt.Tx) error {
	b := tx.Bucket(sh.bucket)
	if b == nil {
		return sh.damagedKey("log", "its bucket is missing")
	}
	var err error
	if sh.ext, err = readExtent(tx.Bucket(metaBucket()), sh.id); err != nil {
		return sh.damagedKey("extent", err.Error())
	}
	k, _ := b.Cursor().First()
	if k == nil {
		if sh.ext.first != 0 {
			return sh.damage(sh.ext.first, "it is missing")
		}
		return nil
	}
	end, _ := b.Cursor().Last()
	if len(k) != 8 || len(end) != 8 {
		return sh.damagedKey("log", "a key is not an index")
	}
	switch {
	case sh.ext.first == 0: // all of it was cut off
		sh.ext.garbage = binary.BigEndian.Uint64(end)
		return nil
	case binary.BigEndian.Uint64(k) < sh.ext.first:
		sh.ext.garbage = sh.ext.first - 1
	}
	if b.Get(indexKey(sh.ext.first)) == nil {
		return sh.damage(sh.ext.first, "it is missing")
	}
	if last := binary.BigEndian.Uint64(end); last != sh.ext.last {
		return sh.damage(sh.ext.last, fmt.Sprintf("the log should end here and ends at %d", last))
	}
	return nil
}

// loadTail checks the end of the log, newest first, and fills the ring with it.
func (sh *Shard) loadTail(tx *bbolt.Tx) error {
	if sh.ext.first == 0 {
		return nil
	}
	var tail []raft.Log
	c := tx.Bucket(sh.bucket).Cursor()
	k, v := c.Last()
	for want, bytes := sh.ext.last, 0; len(tail) < tailEntries; k, v = c.Prev() {
		if k == nil || len(k) != 8 || binary.BigEndian.Uint64(k) != want {
			return sh.damage(want, "it is missing")
		}
		var l raft.Log
		gap, err := decodeEntry(sh.id, want, v, &l)
		if err != nil {
			return sh.damage(want, err.Error())
		}
		tail = append(tail, l)
		bytes += entrySize(&l) + entryOverhead
		if gap || want == sh.ext.first || bytes > sh.ring.limit {
			break
		}
		want--
	}
	for i := len(tail) - 1; i >= 0; i-- {
		sh.ring.push(&tail[i])
	}
	return nil
}

// scrub walks the whole log in short transactions.
func (sh *Shard) scrub(ctx context.Context) (entries int, found []error) {
	sh.mu.RLock()
	next := sh.ext.first
	sh.mu.RUnlock()
	for ctx.Err() == nil {
		sh.mu.RLock()
		ext := sh.ext
		sh.mu.RUnlock()
		if ext.first == 0 || next > ext.last {
			break
		}
		var n int
		var errs []error
		n, next, errs = sh.scrubChunk(max(next, ext.first), ext)
		entries += n
		found = append(found, errs...)
	}
	return entries, found
}

// scrubChunk looks at up to scrubChunk entries from next on and returns where to go on.
func (sh *Shard) scrubChunk(next uint64, ext extent) (n int, after uint64, found []error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			after = ext.last + 1 // the tree itself is broken here: nothing behind it can be reached in order
			found = append(found, sh.damage(next, fmt.Sprint(r)))
		}
	}()
	err := sh.s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(sh.bucket).Cursor()
		for k, v := c.Seek(indexKey(next)); n < scrubChunk && next <= ext.last; k, v = c.Next() {
			if k == nil || len(k) != 8 {
				found = append(found, sh.damage(next, "it is missing"))
				next = ext.last + 1
				return nil
			}
			index := binary.BigEndian.Uint64(k)
			gap, err := decodeEntry(sh.id, index, v, new(raft.Log))
			n++
			switch {
			case err != nil:
				found = append(found, sh.damage(index, err.Error()))
			case index != next && !gap && sh.holds(next):
				found = append(found, sh.damage(next, "it is missing"))
			}
			next = index + 1
		}
		return nil
	})
	if err != nil {
		found = append(found, fmt.Errorf("scrub shard %d: %w", sh.id, err))
		next = ext.last + 1
	}
	return n, next, found
}

func (sh *Shard) holds(index uint64) bool {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.ext.first != 0 && index >= sh.ext.first && index <= sh.ext.last
}
