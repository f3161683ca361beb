package boltcompat

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"

	"github.com/catraca/catraca/storage"
	"github.com/catraca/catraca/storage/storagetest"
)

// ours is the store of this project, one file for all shards.
func ours() storagetest.Factory {
	return storagetest.Factory{Open: func(dir string) ([]storagetest.Store, func() error, error) {
		s, err := storage.Open(storage.Options{Dir: dir, NodeID: "n1", Shards: 8, Preallocate: 128 << 20,
			Fatal: func(err error) { panic(err) }})
		if err != nil {
			return nil, nil, err
		}
		var all []storagetest.Store
		for i := range 8 {
			all = append(all, s.Shard(i))
		}
		return all, s.Close, nil
	}}
}

// theirs is raft-boltdb, which knows no shards: a file for each.
func theirs() storagetest.Factory {
	return storagetest.Factory{
		Open: func(dir string) (all []storagetest.Store, closeAll func() error, err error) {
			var opened []*raftboltdb.BoltStore
			closeAll = func() error {
				var errs []error
				for _, s := range opened {
					errs = append(errs, s.Close())
				}
				return errors.Join(errs...)
			}
			for i := range 8 {
				s, err := raftboltdb.New(raftboltdb.Options{Path: filepath.Join(dir, fmt.Sprint(i, ".db")), MsgpackUseNewTimeFormat: true})
				if err != nil {
					return nil, nil, errors.Join(err, closeAll())
				}
				opened = append(opened, s)
				all = append(all, s)
			}
			return all, closeAll, nil
		},
		Skip: map[string]string{
			"refuses disorder": "raft-boltdb takes entries in any order",
			"vote in one step": "raft-boltdb writes a vote in two transactions",
			"killed":           "the vote is written in two transactions, and the test looks at it",
		},
	}
}

func TestMain(m *testing.M) {
	if !storagetest.Child("TestOurs", ours()) {
		m.Run()
	}
}

func TestOurs(t *testing.T)   { storagetest.Run(t, ours()) }
func TestTheirs(t *testing.T) { storagetest.Run(t, theirs()) }

func BenchmarkOurs(b *testing.B)   { storagetest.Bench(b, ours()) }
func BenchmarkTheirs(b *testing.B) { storagetest.Bench(b, theirs()) }

// BenchmarkRatio appends to both in turns, so that both meet the same disk, and reports how many times as long
// raft-boltdb takes.
func BenchmarkRatio(b *testing.B) {
	for _, c := range []struct{ shards, bytes int }{{1, 512}, {8, 512}, {1, 64 << 10}, {8, 64 << 10}} {
		b.Run(fmt.Sprintf("shards=%d/bytes=%d", c.shards, c.bytes), func(b *testing.B) {
			var took [2]time.Duration
			var stores [2][]storagetest.Store
			for i, f := range []storagetest.Factory{ours(), theirs()} {
				all, closeAll, err := f.Open(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				defer closeAll()
				stores[i] = all[:c.shards]
			}
			const round = 64
			next := uint64(1)
			for b.Loop() {
				for i, shards := range stores {
					start := time.Now()
					if err := appendAll(shards, next, round, c.bytes); err != nil {
						b.Fatal(err)
					}
					took[i] += time.Since(start)
				}
				next += round
			}
			n := float64(b.N * round * c.shards)
			b.ReportMetric(float64(took[0].Microseconds())/n, "ours-us/entry")
			b.ReportMetric(float64(took[1].Microseconds())/n, "theirs-us/entry")
			b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// appendAll appends n entries to every shard at once, and cuts off what is older than one round.
func appendAll(shards []storagetest.Store, next, n uint64, size int) error {
	data := make([]byte, size)
	errs := make(chan error, len(shards))
	var failed atomic.Bool
	for _, s := range shards {
		go func() {
			var err error
			for i := next; i < next+n && err == nil && !failed.Load(); i++ {
				err = s.StoreLog(&raft.Log{Index: i, Term: 1, Data: data})
			}
			if err == nil && next > n {
				err = s.DeleteRange(next-n, next-1)
			}
			failed.CompareAndSwap(false, err != nil)
			errs <- err
		}()
	}
	var all []error
	for range shards {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}
