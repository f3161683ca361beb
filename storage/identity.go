package storage

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"go.etcd.io/bbolt"
)

// format is the layout of the file. A program that does not know it must not touch it. Since 2 large values have
// buckets of their own.
const format = 2

// Identity says whose file it is. It is written at creation and never changes.
type Identity struct {
	NodeID    string
	ClusterID string
	Shards    int
}

func identityBucket() []byte { return []byte("identity") }

func writeIdentity(tx *bbolt.Tx, o *Options) error {
	b, err := tx.CreateBucketIfNotExists(identityBucket())
	if err != nil {
		return fmt.Errorf("create identity: %w", err)
	}
	cluster := o.ClusterID
	if cluster == "" {
		var id [16]byte
		rand.Read(id[:])
		cluster = hex.EncodeToString(id[:])
	}
	for key, val := range map[string][]byte{
		"format":  binary.BigEndian.AppendUint32(nil, format),
		"node":    []byte(o.NodeID),
		"cluster": []byte(cluster),
		"shards":  binary.BigEndian.AppendUint32(nil, uint32(o.Shards)),
	} {
		if err := b.Put([]byte(key), sealValue(0, "identity/"+key, val)); err != nil {
			return fmt.Errorf("write identity: %w", err)
		}
	}
	return nil
}

// readIdentity compares the file with what the caller expects and says what differs.
func readIdentity(tx *bbolt.Tx, o *Options) (Identity, error) {
	b := tx.Bucket(identityBucket())
	if b == nil {
		return Identity{}, fmt.Errorf("%w: %s has no identity", ErrForeign, o.Dir)
	}
	get := func(key string) ([]byte, error) {
		v, err := openValue(0, "identity/"+key, b.Get([]byte(key)))
		if err != nil {
			return nil, &DamageError{Path: o.path(), Key: "identity " + key, What: err.Error()}
		}
		return v, nil
	}
	var val [4][]byte
	for i, key := range []string{"format", "node", "cluster", "shards"} {
		v, err := get(key)
		if err != nil {
			return Identity{}, err
		}
		val[i] = v
	}
	if len(val[0]) != 4 || binary.BigEndian.Uint32(val[0]) != format {
		return Identity{}, fmt.Errorf("%w: format %x, this program knows %d", ErrForeign, val[0], format)
	}
	if len(val[3]) != 4 {
		return Identity{}, &DamageError{Path: o.path(), Key: "identity shards", What: errShort.Error()}
	}
	id := Identity{NodeID: string(val[1]), ClusterID: string(val[2]), Shards: int(binary.BigEndian.Uint32(val[3]))}
	switch {
	case id.NodeID != o.NodeID:
		return id, fmt.Errorf("%w: %s is of node %q, not of %q", ErrForeign, o.Dir, id.NodeID, o.NodeID)
	case o.ClusterID != "" && id.ClusterID != o.ClusterID:
		return id, fmt.Errorf("%w: %s is of cluster %q, not of %q", ErrForeign, o.Dir, id.ClusterID, o.ClusterID)
	case id.Shards != o.Shards:
		return id, fmt.Errorf("%w: %s was created with %d shards, not with %d; the number is fixed at the first start",
			ErrForeign, o.Dir, id.Shards, o.Shards)
	}
	return id, nil
}
