package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/catraca/catraca/storage/durable"
)

const (
	defaultCompactAbove = 1 << 30 // bytes of a file that may be worth the work
	compactName         = "raft.db.compact"
	compactTx           = 32 << 20
)

// compact writes the file anew when it is large and more than 70 % of it is free, before anybody uses it: bbolt never
// makes a file smaller. The new file has another name until it is complete and on the disk. Checksums are copied with
// the values, so that damage stays damage. On a disk without room for the copy, the old file goes on.
func (s *Store) compact() error {
	fresh := filepath.Join(s.opt.Dir, compactName)
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove unfinished file: %w", err) // nobody else holds it: we have the lock of the other one
	}
	info, err := os.Stat(s.opt.path())
	if err != nil {
		return fmt.Errorf("look at %s: %w", s.opt.path(), err)
	}
	size := info.Size()
	live := s.used.Load() - int64(s.db.Stats().FreePageN)*s.page()
	if size <= s.opt.compactAbove || live > size/10*3 {
		return nil
	}
	if left, total, err := diskSpace(s.opt.Dir); err == nil && left-s.opt.reserve(total) < live+live/4 {
		s.opt.Logger.Warn("no room to make the storage file smaller", "path", s.opt.path(), "bytes", size, "live_bytes", live)
		return nil
	}
	db, err := s.copyTo(fresh)
	if err != nil {
		return errors.Join(fmt.Errorf("make %s smaller: %w", s.opt.path(), err), os.Remove(fresh))
	}
	old := s.db
	s.db, s.shards = db, nil
	if err := old.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.opt.path(), err)
	}
	if err := s.load(); err != nil { // once more, from what will be used
		return err
	}
	s.opt.Logger.Info("made the storage file smaller", "path", s.opt.path(), "bytes_before", size, "bytes", s.used.Load())
	return nil
}

// copyTo copies the file to another and puts that in its place, opened and locked, while the lock of the first is
// still held.
func (s *Store) copyTo(fresh string) (*bbolt.DB, error) {
	db, err := openBolt(fresh, &s.opt)
	if err != nil {
		return nil, err
	}
	err = bbolt.Compact(db, s.db, compactTx)
	if err == nil {
		err = db.Update(seal) // the number of the last transaction is another one here
	}
	if err == nil {
		err = db.Sync()
	}
	if err == nil {
		err = os.Rename(fresh, s.opt.path())
	}
	if err == nil {
		err = durable.SyncDir(s.opt.Dir)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
