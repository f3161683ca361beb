package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"

	"go.etcd.io/bbolt"
)

// Beside the entries the file holds two small records for each shard, from its creation on, so that one that is missing
// has been lost: the extent of its log in the meta bucket, and all its stable values in one record of the stable
// bucket. Another record of the meta bucket repeats the number of the transaction that wrote it, which bbolt keeps in a
// page with a checksum: a damaged pointer to an older copy of the page does not go unnoticed. The extent in turn says
// how often the stable values have changed. The meta bucket is small enough, with up to some twenty shards, to be part
// of the root page, which every commit writes anyway.
func metaBucket() []byte { return []byte("meta") }

func stableBucket() []byte { return []byte("stable") }

func sealKey() []byte { return []byte("commit") }

var (
	errMissing = errors.New("it is missing")
	errStale   = errors.New("it is an older copy")
)

func shardKey(shard uint32) []byte { return binary.BigEndian.AppendUint32(nil, shard) }

// writeMeta ends a transaction.
func (s *Store) writeMeta(tx *bbolt.Tx) error {
	for _, sh := range s.shards {
		if !sh.touched || sh.next == sh.ext {
			continue
		}
		if err := putExtent(tx, sh.id, sh.next); err != nil {
			return err
		}
		if sh.nextStable == nil {
			continue
		}
		if err := putStable(tx, sh.id, sh.next.stable, sh.nextStable); err != nil {
			return err
		}
	}
	return seal(tx)
}

// createMeta writes the records of a new file.
func createMeta(tx *bbolt.Tx, shards int) error {
	for i := range uint32(shards) {
		if err := putExtent(tx, i, extent{}); err != nil {
			return err
		}
		if err := putStable(tx, i, 0, nil); err != nil {
			return err
		}
	}
	return seal(tx)
}

func seal(tx *bbolt.Tx) error {
	v := binary.BigEndian.AppendUint64(nil, uint64(tx.ID()))
	if err := tx.Bucket(metaBucket()).Put(sealKey(), sealValue(0, string(sealKey()), v)); err != nil {
		return fmt.Errorf("put seal: %w", err)
	}
	return nil
}

// checkSeal compares the seal with the transaction bbolt says is the last one.
func checkSeal(tx *bbolt.Tx) error {
	b := tx.Bucket(metaBucket())
	if b == nil {
		return errMissing
	}
	v, err := openValue(0, string(sealKey()), b.Get(sealKey()))
	switch {
	case err != nil:
		return err
	case len(v) != 8:
		return errShort
	case binary.BigEndian.Uint64(v) != uint64(tx.ID()):
		return errStale
	}
	return nil
}

func putExtent(tx *bbolt.Tx, shard uint32, e extent) error {
	v := binary.BigEndian.AppendUint64(make([]byte, 0, 24), e.first)
	v = binary.BigEndian.AppendUint64(v, e.last)
	v = binary.BigEndian.AppendUint64(v, e.stable)
	if err := tx.Bucket(metaBucket()).Put(shardKey(shard), sealValue(shard, "extent", v)); err != nil {
		return fmt.Errorf("put extent: %w", err)
	}
	return nil
}

func readExtent(b *bbolt.Bucket, shard uint32) (extent, error) {
	v, err := openValue(shard, "extent", b.Get(shardKey(shard)))
	if err == nil && len(v) != 24 {
		err = errShort
	}
	if err != nil {
		return extent{}, err
	}
	e := extent{first: binary.BigEndian.Uint64(v), last: binary.BigEndian.Uint64(v[8:]), stable: binary.BigEndian.Uint64(v[16:])}
	if e.first > e.last {
		return extent{}, errFields
	}
	return e, nil
}

func putStable(tx *bbolt.Tx, shard uint32, version uint64, values map[string][]byte) error {
	v := sealValue(shard, "stable", encodeStable(version, values))
	if err := tx.Bucket(stableBucket()).Put(shardKey(shard), v); err != nil {
		return fmt.Errorf("put stable values: %w", err)
	}
	return nil
}

func readStable(b *bbolt.Bucket, shard uint32, version uint64) (map[string][]byte, error) {
	if b == nil {
		return nil, errMissing
	}
	v, err := openValue(shard, "stable", b.Get(shardKey(shard)))
	if err != nil {
		return nil, err
	}
	got, values, err := decodeStable(v)
	if err == nil && got != version {
		err = errStale
	}
	return values, err
}

// encodeStable: version 8, then for each key in order its length 4, key, length 4, value.
func encodeStable(version uint64, values map[string][]byte) []byte {
	b := binary.BigEndian.AppendUint64(nil, version)
	for _, k := range slices.Sorted(maps.Keys(values)) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(k)))
		b = append(b, k...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(values[k])))
		b = append(b, values[k]...)
	}
	return b
}

func decodeStable(b []byte) (version uint64, values map[string][]byte, err error) {
	if len(b) < 8 {
		return 0, nil, errShort
	}
	version, b = binary.BigEndian.Uint64(b), b[8:]
	values = make(map[string][]byte)
	for len(b) > 0 {
		var key, val []byte
		if key, b, err = cutField(b); err != nil {
			return 0, nil, err
		}
		if val, b, err = cutField(b); err != nil {
			return 0, nil, err
		}
		values[string(key)] = val
	}
	return version, values, nil
}

func cutField(b []byte) (field, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errShort
	}
	n := uint64(binary.BigEndian.Uint32(b))
	if n > uint64(len(b)-4) {
		return nil, nil, errFields
	}
	return b[4 : 4+n : 4+n], b[4+n:], nil
}

// sealValue puts a checksum over shard, name and payload in front of the payload; openValue returns a copy of it.
func sealValue(shard uint32, name string, payload []byte) []byte {
	v := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(payload)), valueSum(shard, name, payload))
	return append(v, payload...)
}

func openValue(shard uint32, name string, v []byte) ([]byte, error) {
	switch {
	case v == nil:
		return nil, errMissing
	case len(v) < 4:
		return nil, errShort
	case binary.BigEndian.Uint32(v) != valueSum(shard, name, v[4:]):
		return nil, errChecksum
	}
	return append([]byte(nil), v[4:]...), nil
}

func valueSum(shard uint32, name string, payload []byte) uint32 {
	id := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(name)), shard)
	id = append(id, name...)
	return crc32.Update(crc32.Checksum(id, castagnoli()), castagnoli(), payload)
}
