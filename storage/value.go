package storage

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
)

// A value of more than largeValue bytes lies in a bucket of its own under the entry's key. bbolt puts up to four values
// into a leaf however large they are and writes a leaf as a whole, so that appending one entry of 64 KiB would write
// those before it once more, three on average; with a bucket the leaf holds 40 bytes for it.
const largeValue = 2 << 10

func largeKey() []byte { return []byte("v") }

func putValue(log *bbolt.Bucket, index uint64, v []byte) error {
	key := indexKey(index)
	if len(v) <= largeValue {
		if err := log.Put(key, v); err != nil {
			return fmt.Errorf("put entry %d: %w", index, err)
		}
		return nil
	}
	b, err := log.CreateBucket(key)
	if err == nil {
		err = b.Put(largeKey(), v)
	}
	if err != nil {
		return fmt.Errorf("put entry %d: %w", index, err)
	}
	return nil
}

// valueAt is what a cursor over log found as k and v; nil when it is missing.
func valueAt(log *bbolt.Bucket, k, v []byte) []byte {
	if v != nil || k == nil {
		return v
	}
	if b := log.Bucket(k); b != nil {
		return b.Get(largeKey())
	}
	return nil
}

// getValue returns the value of an entry, nil when it is missing.
func getValue(log *bbolt.Bucket, index uint64) []byte {
	key := indexKey(index)
	if v := log.Get(key); v != nil {
		return v
	}
	return valueAt(log, key, nil)
}

// doomed are entries to be deleted. They are gathered before any is: within one transaction bbolt's cursor does not find
// its way back over pages that have become empty, and may look for ever.
type doomed struct {
	keys  [][]byte
	large []bool // it has a bucket
}

func (d *doomed) add(k, v []byte) {
	d.keys, d.large = append(d.keys, append([]byte(nil), k...)), append(d.large, v == nil)
}

func (d *doomed) erase(log *bbolt.Bucket) error {
	for i, k := range d.keys {
		del := log.Delete
		if d.large[i] {
			del = log.DeleteBucket
		}
		if err := del(k); err != nil {
			return fmt.Errorf("delete entry %d: %w", binary.BigEndian.Uint64(k), err)
		}
	}
	return nil
}
