package storage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
)

// A chunk bounds a read transaction: pages freed while it runs cannot be used again.
const (
	scrubEntries = 256
	scrubChunk   = 1 << 20
	scrubSoon    = time.Minute // the first pass begins this long after Open, or earlier
)

// scrubLoop reads everything again and again, slowly: at ScrubBytes a second it pushes little out of the kernel's
// cache. What the cache holds it sees as it is there, which is also what would be served; a page that has gone bad on
// the disk meanwhile is seen once the cache has let go of it. Damage stops the store.
func (s *Store) scrubLoop(ctx context.Context) {
	wait := time.NewTimer(min(scrubSoon, s.opt.ScrubEvery))
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		start := time.Now()
		_, err := s.scrub(ctx, s.pace)
		if ctx.Err() != nil {
			return
		}
		if bad, ok := errors.AsType[*DamageError](err); ok {
			s.m.scrubDamage.Inc()
			s.breakDown(bad)
			return
		}
		if err != nil {
			s.opt.Logger.Warn("scrub failed", "path", s.opt.path(), "error", err)
		} else {
			s.m.scrubPasses.Inc()
			s.m.scrubSeconds.Set(time.Since(start).Seconds())
			s.m.scrubLast.SetToCurrentTime()
		}
		wait.Reset(max(s.opt.ScrubEvery-time.Since(start), 0))
	}
}

// pace waits as long as reading so many bytes should take.
func (s *Store) pace(ctx context.Context, bytes int) {
	s.m.scrubBytes.Add(float64(bytes))
	t := time.NewTimer(time.Duration(float64(bytes) / float64(s.opt.ScrubBytes) * float64(time.Second)))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Scrub reads everything that is stored, the newest snapshots included, and compares the checksums, as fast as it can.
// It returns how many entries it read, and all damage it found, joined. It may run beside everything else; it does not
// call Fatal.
func (s *Store) Scrub(ctx context.Context) (entries int, err error) {
	return s.scrub(ctx, func(context.Context, int) {})
}

func (s *Store) scrub(ctx context.Context, pace func(context.Context, int)) (entries int, err error) {
	found := []error{s.scrubRecords()}
	for _, sh := range s.shards {
		n, errs := sh.scrub(ctx, pace)
		entries += n
		found = append(found, errs...)
		if ctx.Err() == nil {
			found = append(found, s.scrubSnapshots(ctx, int(sh.id), pace))
		}
		if ctx.Err() != nil {
			return entries, errors.Join(append(found, fmt.Errorf("scrub: %w", ctx.Err()))...)
		}
	}
	return entries, errors.Join(found...)
}

// scrubRecords looks at everything in the file that is not an entry.
func (s *Store) scrubRecords() (err error) {
	defer stumbled(debug.SetPanicOnFault(true), &err, s.damagedFile)
	return s.view(func(tx *bbolt.Tx) error {
		if _, err := readIdentity(tx, &s.opt); err != nil {
			return err
		}
		if err := checkSeal(tx); err != nil {
			return &DamageError{Path: s.opt.path(), Key: "meta", What: err.Error()}
		}
		for _, sh := range s.shards {
			ext, err := readExtent(tx.Bucket(metaBucket()), sh.id)
			if err != nil {
				return sh.damagedKey("extent", err.Error())
			}
			if _, err := readStable(tx.Bucket(stableBucket()), sh.id, ext.stable); err != nil {
				return sh.damagedKey("stable", err.Error())
			}
		}
		return nil
	})
}

func (s *Store) view(look func(*bbolt.Tx) error) error {
	if err := s.db.View(look); err != nil {
		if _, ok := errors.AsType[*DamageError](err); ok {
			return err
		}
		return fmt.Errorf("scrub: %w", err)
	}
	return nil
}

// scrub walks the whole log in short transactions.
func (sh *Shard) scrub(ctx context.Context, pace func(context.Context, int)) (entries int, found []error) {
	for next := uint64(1); next != 0 && ctx.Err() == nil; {
		var n, bytes int
		var errs []error
		n, bytes, next, errs = sh.scrubChunk(next)
		entries += n
		found = append(found, errs...)
		sh.s.m.scrubEntries.Add(float64(n))
		pace(ctx, bytes)
	}
	return entries, found
}

// scrubChunk looks at some entries from next on and returns where to go on, 0 at the end. Which entries there should
// be, the same transaction says.
func (sh *Shard) scrubChunk(next uint64) (n, bytes int, after uint64, found []error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			after = 0 // the tree itself is broken here: nothing behind it can be reached in order
			found = append(found, sh.damage(next, fmt.Sprint(r)))
		}
	}()
	err := sh.s.view(func(tx *bbolt.Tx) error {
		ext, err := readExtent(tx.Bucket(metaBucket()), sh.id)
		if err != nil {
			return sh.damagedKey("extent", err.Error())
		}
		b := tx.Bucket(sh.bucket)
		if b == nil {
			return sh.damagedKey("log", "its bucket is missing")
		}
		if next = max(next, ext.first); ext.first == 0 {
			return nil
		}
		c := b.Cursor()
		for k, v := c.Seek(indexKey(next)); next <= ext.last; k, v = c.Next() {
			if n >= scrubEntries || bytes >= scrubChunk {
				after = next
				return nil
			}
			if k == nil || len(k) != 8 {
				return sh.damage(next, "it is missing")
			}
			index := binary.BigEndian.Uint64(k)
			v := valueAt(b, k, v)
			gap, err := checkEntry(sh.id, index, v)
			n++
			bytes += len(v)
			switch {
			case err != nil:
				found = append(found, sh.damage(index, err.Error()))
			case index != next && !gap:
				found = append(found, sh.damage(next, "it is missing"))
			}
			next = index + 1
		}
		return nil
	})
	if err != nil {
		found, after = append(found, err), 0
	}
	return n, bytes, after, found
}
