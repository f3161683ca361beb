package cluster

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// drop is a pump without a memory.
type drop struct{ ready chan struct{} }

func (drop) Apply(uint64, uint64, []byte) {}
func (drop) Snapshot() (Snapshot, error)  { return tapeSnapshot{}, nil }
func (d drop) LeaderReady(uint64)         { close(d.ready) }
func (drop) LeaderLost()                  {}

func (drop) Restore(io.Reader) error { return nil }

// BenchmarkPropose is one entry after the other for each caller, on one node with one and with 16 shards.
func BenchmarkPropose(b *testing.B) {
	for _, c := range []struct{ shards, callers, bytes int }{
		{1, 1, 256}, {1, 64, 256}, {1, 4, 32 << 10}, {16, 64, 256},
	} {
		b.Run(fmt.Sprintf("shards=%d/callers=%d/bytes=%d", c.shards, c.callers, c.bytes), func(b *testing.B) {
			var pumps []drop
			for range c.shards {
				pumps = append(pumps, drop{make(chan struct{})})
			}
			n, err := Start(Options{NodeID: "n1", Dir: b.TempDir(), Shards: c.shards, Preallocate: 64 << 20},
				func(i int) Pump { return pumps[i] })
			if err != nil {
				b.Fatal(err)
			}
			defer n.Close()
			for _, p := range pumps {
				<-p.ready
			}
			b.SetBytes(int64(c.bytes))
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			for i := range c.callers {
				wg.Go(func() {
					data := make([]byte, c.bytes)
					for left.Add(-1) >= 0 {
						f, err := n.Propose(i%c.shards, data, 10*time.Second)
						if err == nil {
							err = f.Wait(context.Background())
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkStart is a start, sixteen elections and a stop.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		var pumps []drop
		for range 16 {
			pumps = append(pumps, drop{make(chan struct{})})
		}
		n, err := Start(Options{NodeID: "n1", Dir: dir}, func(i int) Pump { return pumps[i] })
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range pumps {
			<-p.ready
		}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
