package storage

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

// BenchmarkRawPut is what a commit of one value costs in bbolt with its own defaults: the floor to compare with.
func BenchmarkRawPut(b *testing.B) {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "raw.db"), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	name, val := []byte("log"), make([]byte, 512)
	if err := db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket(name); return err }); err != nil {
		b.Fatal(err)
	}
	for i := uint64(1); b.Loop(); i++ {
		if err := db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket(name).Put(binary.BigEndian.AppendUint64(nil, i), val)
		}); err != nil {
			b.Fatal(err)
		}
	}
}

func benchStore(b *testing.B, shards int) *Store {
	b.Helper()
	s, err := Open(Options{Dir: b.TempDir(), NodeID: "n1", Shards: shards, Preallocate: 128 << 20,
		Fatal: func(err error) { b.Error(err) }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// BenchmarkAppend is one entry per call, from one writer for each shard.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ shards, bytes int }{{1, 512}, {8, 512}, {1, 64 << 10}, {8, 64 << 10}} {
		b.Run(fmt.Sprintf("shards=%d/bytes=%d", c.shards, c.bytes), func(b *testing.B) {
			s := benchStore(b, c.shards)
			data := make([]byte, c.bytes)
			b.SetBytes(int64(c.bytes))
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var wg sync.WaitGroup
			for i := range c.shards {
				wg.Go(func() {
					sh := s.Shard(i)
					for index := uint64(1); left.Add(-1) >= 0; index++ {
						if err := sh.StoreLog(&raft.Log{Index: index, Data: data}); err != nil {
							b.Error(err)
							return
						}
						if index%512 == 0 { // as raft does after a snapshot
							if err := sh.DeleteRange(1, index-256); err != nil {
								b.Error(err)
								return
							}
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkGetLog reads from memory and from the file.
func BenchmarkGetLog(b *testing.B) {
	for name, ring := range map[string]int{"memory": 0, "file": -1} {
		b.Run(name, func(b *testing.B) {
			s, err := Open(Options{Dir: b.TempDir(), NodeID: "n1", Shards: 1, RingBytes: ring,
				Fatal: func(err error) { b.Error(err) }})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			const n = 1000
			logs := make([]*raft.Log, n)
			for i := range logs {
				logs[i] = &raft.Log{Index: uint64(i + 1), Data: make([]byte, 512)}
			}
			if err := s.Shard(0).StoreLogs(logs); err != nil {
				b.Fatal(err)
			}
			for i := uint64(0); b.Loop(); i++ {
				var l raft.Log
				if err := s.Shard(0).GetLog(i%n+1, &l); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEntry(b *testing.B) {
	l := raft.Log{Index: 1, Term: 2, Data: make([]byte, 4096)}
	v := appendEntry(nil, 0, &l, false)
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(len(v)))
		for b.Loop() {
			v = appendEntry(v[:0], 0, &l, false)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(v)))
		for b.Loop() {
			if _, err := decodeEntry(0, 1, v, &l); err != nil {
				b.Fatal(err)
			}
		}
	})
}
