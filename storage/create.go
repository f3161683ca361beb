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
)

const (
	fileName    = "raft.db"
	newFileName = "raft.db.new"
)

// openFile opens the node's file and creates it when missing. A file being created has another name until it is
// complete and on the disk: losing power during bbolt's first writes leaves a file that cannot be opened.
func openFile(o *Options) (*bbolt.DB, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data folder: %w", err)
	}
	path, fresh := o.path(), filepath.Join(o.Dir, newFileName)
	if exists(path) {
		return openBolt(path, o)
	}
	db, err := openBolt(fresh, o)
	if err == nil && exists(path) { // somebody was quicker and has finished: what we hold is that very file
		_ = db.Close()
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
	if err := syncDir(o.Dir); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// openBolt turns a damaged file's panics and faults into an error: with an unsynced free list bbolt walks every page.
func openBolt(path string, o *Options) (db *bbolt.DB, err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("open %s: the file is damaged: %v", path, r)
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         lockTimeout,
		NoFreelistSync:  true,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: mmapBytes(),
		MaxSize:         int(o.MaxBytes),
		NoSync:          o.noSync,
		NoGrowSync:      o.noSync,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, path)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.AllocSize = defaultAllocBytes
	if o.MaxBytes > 0 && o.MaxBytes < 4*defaultAllocBytes {
		db.AllocSize = 1 << 20
	}
	return db, nil
}

// fill writes the identity and empty buckets, then touches the blocks the log will use: a commit into blocks the file
// already has is one flush without a change of the file's size, which takes about two thirds of the time.
func fill(db *bbolt.DB, o *Options) error {
	err := db.Update(func(tx *bbolt.Tx) error {
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
	if err != nil || o.Preallocate < 0 {
		return err
	}
	name, block := []byte("fill"), make([]byte, 1<<20)
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket(name)
		if err != nil {
			return fmt.Errorf("create bucket: %w", err)
		}
		for i := range (o.Preallocate + int64(len(block)) - 1) / int64(len(block)) {
			if err := b.Put([]byte(fmt.Sprintf("%08d", i)), block); err != nil {
				return fmt.Errorf("preallocate file: %w", err)
			}
		}
		return nil
	})
	if err == nil {
		err = db.Update(func(tx *bbolt.Tx) error {
			if err := tx.DeleteBucket(name); err != nil {
				return fmt.Errorf("free preallocated blocks: %w", err)
			}
			return seal(tx)
		})
	}
	return err
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

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// mmapBytes is address space, not memory; with 32-bit addresses there is little of it.
func mmapBytes() int {
	if ^uint(0)>>32 == 0 {
		return 256 << 20
	}
	big := int64(defaultMmapBytes)
	return int(big)
}
