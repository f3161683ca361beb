package storage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"

	"go.etcd.io/bbolt"
)

// Check reads the whole file and the snapshots of o.Dir without changing them, and returns nil, a *DamageError for the
// first damage it meets, ErrInUse, ErrForeign, or another error that kept it from looking. A file that does not exist is
// an error, too. It needs about 100 bytes of memory for each page of 4 KiB. o.Progress is told how far it has come.
//
// It is made for a process of its own: a damaged page can send bbolt into a fault that no program survives, or round in
// circles, and then it is the child that dies or is killed; see CheckInChild. Cancelling ctx ends the reading of
// entries and snapshots, but not bbolt's own check, which comes last.
func Check(ctx context.Context, o Options) (err error) {
	if o.Fatal == nil {
		o.Fatal = func(error) {} // nobody writes here
	}
	if err := o.complete(); err != nil {
		return err
	}
	o.readOnly, o.RingBytes, o.Registerer = true, -1, nil
	s := &Store{opt: o}
	if s.db, err = openBolt(o.path(), &o); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	if err := s.load(); err != nil {
		return err
	}
	if s.m, err = newCollectors(s); err != nil {
		return err
	}
	done, total := int64(0), s.used.Load()+s.snapshotBytes()
	progress := func(_ context.Context, n int) {
		done += int64(n)
		if o.Progress != nil {
			o.Progress(min(done, total), total)
		}
	}
	if _, err = s.scrub(ctx, progress); err != nil {
		return firstDamage(err)
	}
	if err := s.checkTree(); err != nil {
		return err
	}
	progress(ctx, int(total-done))
	return ctx.Err()
}

// snapshotBytes is how much scrubbing the snapshots will read, as far as one can know.
func (s *Store) snapshotBytes() (bytes int64) {
	for i := range s.opt.Shards {
		all, err := listSnapshots(s.opt.Dir, i)
		if err != nil {
			continue // scrubbing will say so
		}
		for _, snap := range all {
			if info, err := os.Stat(filepath.Join(s.opt.Dir, snapshotFolder, strconv.Itoa(i), snapshotFolder, snap.name, "state.bin")); err == nil {
				bytes += info.Size()
			}
		}
	}
	return bytes
}

// firstDamage picks one of several errors.
func firstDamage(err error) error {
	if bad, ok := errors.AsType[*DamageError](err); ok {
		return bad
	}
	return err
}

// checkTree is bbolt's own check of its pages. It sees little of what bits can do, but it sees pages that are used
// twice, which the next write would destroy.
func (s *Store) checkTree() (err error) {
	defer stumbled(debug.SetPanicOnFault(true), &err, s.damagedFile)
	return s.view(func(tx *bbolt.Tx) error {
		var first error
		for err := range tx.Check() { // to the end, or its goroutine stays
			if first == nil {
				first = s.damagedFile(err.Error())
			}
		}
		return first
	})
}
