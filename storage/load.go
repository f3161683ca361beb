package storage

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime/debug"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

// The extents of all shards stay small enough to be part of the root page, which every commit writes anyway.
var metaBucket = []byte("meta")

const extentKey = "extent"

// tailEntries is how much of a log's end is read when the file is opened, unless the ring's bytes end it before.
const tailEntries = 512

// scrubChunk bounds a read transaction: pages freed while it runs cannot be used again.
const scrubChunk = 256

func (s *Store) writeExtents(tx *bbolt.Tx) error {
	var b *bbolt.Bucket
	for _, sh := range s.shards {
		if !sh.touched || sh.next == sh.ext {
			continue
		}
		if b == nil {
			b = tx.Bucket(metaBucket)
		}
		v := binary.BigEndian.AppendUint64(make([]byte, 0, 16), sh.next.first)
		v = binary.BigEndian.AppendUint64(v, sh.next.last)
		if err := b.Put(binary.BigEndian.AppendUint32(nil, sh.id), sealValue(sh.id, extentKey, v)); err != nil {
			return fmt.Errorf("put extent: %w", err)
		}
	}
	return nil
}

// load reads the file into memory, as far as it is held there, and checks it on the way.
func (s *Store) load() (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			err = fmt.Errorf("read %s: the file is damaged: %v", s.opt.path(), r)
		}
	}()
	return s.db.View(func(tx *bbolt.Tx) error {
		var err error
		if s.id, err = readIdentity(tx, &s.opt); err != nil {
			return err
		}
		for i := range s.opt.Shards {
			sh := &Shard{s: s, id: uint32(i), bucket: logBucket(uint32(i)), stable: make(map[string][]byte)}
			sh.ring.limit = max(s.opt.RingBytes, 0)
			s.shards = append(s.shards, sh)
			if err := sh.loadExtent(tx); err != nil {
				return err
			}
			if err := sh.loadTail(tx); err != nil {
				return err
			}
		}
		return s.loadStable(tx)
	})
}

func (sh *Shard) loadExtent(tx *bbolt.Tx) error {
	b, meta := tx.Bucket(sh.bucket), tx.Bucket(metaBucket)
	if b == nil || meta == nil {
		return &DamageError{Path: sh.s.opt.path(), Shard: int(sh.id), Key: "log", What: "its bucket is missing"}
	}
	if v := meta.Get(binary.BigEndian.AppendUint32(nil, sh.id)); v != nil {
		ext, err := openValue(sh.id, extentKey, v)
		if err == nil && len(ext) != 16 {
			err = errShort
		}
		if err != nil {
			return &DamageError{Path: sh.s.opt.path(), Shard: int(sh.id), Key: "extent", What: err.Error()}
		}
		sh.ext.first, sh.ext.last = binary.BigEndian.Uint64(ext), binary.BigEndian.Uint64(ext[8:])
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
		return &DamageError{Path: sh.s.opt.path(), Shard: int(sh.id), Key: "log", What: "a key is not an index"}
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

func (s *Store) loadStable(tx *bbolt.Tx) error {
	b := tx.Bucket(stableBucket)
	if b == nil {
		return &DamageError{Path: s.opt.path(), Key: "stable", What: "its bucket is missing"}
	}
	return b.ForEach(func(k, v []byte) error {
		if len(k) < 4 || int(binary.BigEndian.Uint32(k)) >= len(s.shards) {
			return &DamageError{Path: s.opt.path(), Key: fmt.Sprintf("stable key %x", k), What: errFields.Error()}
		}
		sh, key := s.shards[binary.BigEndian.Uint32(k)], string(k[4:])
		val, err := openValue(sh.id, key, v)
		if err != nil {
			return &DamageError{Path: s.opt.path(), Shard: int(sh.id), Key: key, What: err.Error()}
		}
		sh.stable[key] = val
		return nil
	})
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
