package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// onePut opens a file of bbolt as it comes, filled and emptied once so that it need not grow, and returns a function that puts one
// value of the size of a hold's entry under a new key and waits until it is on the disk.
func onePut(dir string) (put func() error, done func(), err error) {
	path := filepath.Join(dir, "one-put.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("open the file to compare with: %w", err)
	}
	done = func() {
		_ = db.Close()
		_ = os.Remove(path)
	}
	name := []byte("log")
	err = errors.Join(
		db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket(name)
			if err != nil {
				return err
			}
			return b.Put([]byte("room"), make([]byte, 16<<20))
		}),
		db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(name).Delete([]byte("room")) }),
	)
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("prepare the file to compare with: %w", err)
	}
	value, n := make([]byte, 128), uint64(0)
	return func() error {
		n++
		return db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket(name).Put(binary.BigEndian.AppendUint64(nil, n), value)
		})
	}, done, nil
}
