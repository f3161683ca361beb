package storagetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/raft"
)

const (
	benchTrail = 512 // entries kept, as raft does after a snapshot
	benchBytes = 64 << 20
)

// Bench measures appending, one entry per call, from one writer for each of one and eight shards, and reading back.
// Open must give eight shards.
func Bench(b *testing.B, f Factory) {
	for _, c := range []struct{ shards, bytes int }{{1, 512}, {8, 512}, {1, 64 << 10}, {8, 64 << 10}} {
		b.Run(fmt.Sprintf("append/shards=%d/bytes=%d", c.shards, c.bytes), func(b *testing.B) {
			benchAppend(b, openBench(b, f)[:c.shards], c.bytes)
		})
	}
	for _, c := range []struct {
		name string
		back uint64
	}{{"newest", 1}, {"oldest", benchTrail}} {
		b.Run("read/"+c.name, func(b *testing.B) {
			s := openBench(b, f)[0]
			const n = 20 * benchTrail
			for i := uint64(1); i <= n; i += benchTrail {
				must(b, s.StoreLogs(Entries(i, i+benchTrail-1, 1)))
			}
			at := uint64(n) - c.back
			if c.name == "oldest" {
				at = 1
			}
			b.ReportAllocs()
			for b.Loop() {
				must(b, s.GetLog(at, new(raft.Log)))
			}
		})
	}
}

func openBench(b *testing.B, f Factory) []Store {
	b.Helper()
	shards, closeStore, err := f.Open(b.TempDir())
	must(b, err)
	b.Cleanup(func() { must(b, closeStore()) })
	if len(shards) < 8 {
		b.Fatalf("%d shards, want 8", len(shards))
	}
	return shards
}

func benchAppend(b *testing.B, shards []Store, bytes int) {
	data := make([]byte, bytes)
	b.SetBytes(int64(bytes))
	trail := min(uint64(benchTrail), uint64(benchBytes/bytes/len(shards)))
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for _, s := range shards {
		wg.Go(func() {
			for index := uint64(1); left.Add(-1) >= 0; index++ {
				if err := s.StoreLog(&raft.Log{Index: index, Data: data}); err != nil {
					b.Error(err)
					return
				}
				if index%trail == 0 && index > trail/2 {
					if err := s.DeleteRange(1, index-trail/2); err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}
