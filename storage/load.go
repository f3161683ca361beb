package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

// tailEntries is how much of a log's end is read when the file is opened, unless the ring's bytes end it before.
const tailEntries = 512

// load reads the file into memory, as far as it is held there, and checks it on the way.
func (s *Store) load() (err error) {
	defer stumbled(debug.SetPanicOnFault(true), &err, s.damagedFile)
	if err := checkHeads(s.db, s.opt.path()); errors.Is(err, errLastCommit) {
		if !s.opt.AllowLostCommit {
			return &DamageError{Path: s.opt.path(), Key: "head", What: err.Error()}
		}
		s.opt.Logger.Warn("storage may have lost its last commit", "path", s.opt.path())
	} else if err != nil {
		return err
	}
	s.pageSize = s.db.Info().PageSize
	return s.db.View(func(tx *bbolt.Tx) error {
		s.used.Store(tx.Size())
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
	if getValue(b, sh.ext.first) == nil {
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
	log := tx.Bucket(sh.bucket)
	c := log.Cursor()
	k, v := c.Last()
	for want, bytes := sh.ext.last, 0; len(tail) < tailEntries; k, v = c.Prev() {
		if k == nil || len(k) != 8 || binary.BigEndian.Uint64(k) != want {
			return sh.damage(want, "it is missing")
		}
		var l raft.Log
		gap, err := decodeEntry(sh.id, want, valueAt(log, k, v), &l)
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
