package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/catraca/catraca/storage/durable"
)

const (
	fileName    = "raft.db"
	newFileName = "raft.db.new"
	lockTries   = 5
)

// openFile opens the node's file and creates it when missing. A file being created has another name until it is
// complete and on the disk: losing power during bbolt's first writes leaves a file that cannot be opened.
func openFile(o *Options) (*bbolt.DB, error) {
	path, fresh := o.path(), filepath.Join(o.Dir, newFileName)
	if exists(path) {
		return openBolt(path, o)
	}
	if names, _ := filepath.Glob(filepath.Join(globQuote(o.Dir), snapshotFolder, "*", snapshotFolder, "*")); len(names) > 0 {
		return nil, &DamageError{Path: path, Key: "file", What: "it is missing, though there are snapshots"}
	}
	db, err := openBolt(fresh, o)
	if err == nil && exists(path) { // somebody was quicker and has finished
		_ = db.Close()
		if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove unfinished file: %w", err)
		}
		return openBolt(path, o)
	}
	if err == nil && !isEmpty(db) {
		_ = db.Close() // left behind by a creation that did not finish; nobody else holds it, for we had the lock
		err = bolterrors.ErrInvalid
	}
	if err != nil {
		if errors.Is(err, ErrInUse) {
			return nil, err
		}
		if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove unfinished file: %w", err)
		}
		if db, err = openBolt(fresh, o); err != nil {
			return nil, err
		}
	}
	if err := fill(db, o); err != nil {
		_ = db.Close()
		return nil, err
	}
	if err := os.Rename(fresh, path); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("rename new file: %w", err)
	}
	if err := durable.SyncDir(o.Dir); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// openBolt turns a damaged file's panics and faults into an error: with an unsynced free list bbolt walks every page.
// Some of that walk happens on a goroutine of bbolt's, where nobody can catch a panic; for that there is Check.
func openBolt(path string, o *Options) (db *bbolt.DB, err error) {
	old := debug.SetPanicOnFault(true)
	var file *os.File
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			_ = file.Close() // and with it goes the lock
			db, err = nil, &DamageError{Path: path, Key: "file", What: fmt.Sprint(r)}
		}
	}()
	for range lockTries {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:         lockTimeout,
			NoFreelistSync:  true,
			FreelistType:    bbolt.FreelistMapType,
			InitialMmapSize: mmapBytes(),
			NoSync:          o.noSync,
			NoGrowSync:      o.noSync,
			ReadOnly:        o.readOnly,
			OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
				var err error
				file, err = o.OpenFile(name, flag, perm)
				return file, err
			},
		})
		if err != nil {
			return nil, openError(path, err)
		}
		db.AllocSize = db.Info().PageSize // bbolt is not to make the file larger than it needs; see grow.go
		if same, err := stillThere(path, file); err != nil || same {
			return db, err
		}
		_ = db.Close() // while we waited for the lock, its holder put another file in this one's place
	}
	return nil, fmt.Errorf("%w: %s", ErrInUse, path)
}

func openError(path string, err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("%w: %s", ErrInUse, path)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return &DamageError{Path: path, Key: "file", What: err.Error()}
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// stillThere says whether f is what has the name path.
func stillThere(path string, f *os.File) (bool, error) {
	ours, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", path, err)
	}
	named, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("look at %s: %w", path, err)
	}
	return err == nil && os.SameFile(ours, named), nil
}

// fill writes the identity, the empty buckets and their records.
func fill(db *bbolt.DB, o *Options) error {
	return db.Update(func(tx *bbolt.Tx) error {
		if err := writeIdentity(tx, o); err != nil {
			return err
		}
		names := [][]byte{metaBucket(), stableBucket()}
		for i := range o.Shards {
			names = append(names, logBucket(uint32(i)))
		}
		for _, name := range names {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return fmt.Errorf("create bucket: %w", err)
			}
		}
		return createMeta(tx, o.Shards)
	})
}

func isEmpty(db *bbolt.DB) bool {
	empty := true
	err := db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func([]byte, *bbolt.Bucket) error { empty = false; return nil })
	})
	return err == nil && empty
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// mmapBytes is address space, not memory; with 32-bit addresses there is little of it.
func mmapBytes() int {
	if ^uint(0)>>32 == 0 {
		return 256 << 20
	}
	big := int64(defaultMmapBytes)
	return int(big)
}
