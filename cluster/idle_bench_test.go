//go:build unix

package cluster

import (
	"fmt"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// BenchmarkIdle is a second of three nodes in one process with 16 shards and nothing to do: what part of one core that
// takes, and how much memory each replica of a shard.
func BenchmarkIdle(b *testing.B) {
	var nodes []*Node
	for i := range 3 {
		o := Options{NodeID: fmt.Sprint("n", i), Dir: filepath.Join(b.TempDir(), "raft"), Join: i > 0}
		if i > 0 {
			o.Seeds = []Peer{{"n0", nodes[0].Address()}}
		}
		n, err := Start(o, func(int) Pump { return newTape() })
		if err != nil {
			b.Fatal(err)
		}
		defer n.Close()
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		for !n.Ready() {
			time.Sleep(10 * time.Millisecond)
		}
	}
	time.Sleep(10 * time.Second) // votes and leaderships
	before, began := processTime(b), time.Now()
	for b.Loop() {
		time.Sleep(time.Second)
	}
	b.ReportMetric(100*float64(processTime(b)-before)/float64(time.Since(began)), "%core")
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/3/16/1024, "KiB/replica")
	b.ReportMetric(float64(runtime.NumGoroutine()), "goroutines")
}

func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
