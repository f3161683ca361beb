package record_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/catraca/catraca/bench/record"
)

// BenchmarkDone is what taking down one operation costs a fan, with all processors at it.
func BenchmarkDone(b *testing.B) {
	began := time.Now()
	r := record.NewRecorder(record.Options{Began: began})
	ops := []string{"join", "claim", "seats", "hold", "order", "pay", "ticket", "push"}
	classes := []string{"fibre", "mobile", "far", "slow"}
	for _, op := range ops { // what is met for the first time takes memory
		for _, c := range classes {
			for v := time.Microsecond; v < time.Minute; v *= 2 {
				r.Done(op, c, began, began, began.Add(v), "")
			}
		}
	}
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		rng := rand.New(rand.NewPCG(1, 2))
		for p.Next() {
			u := rng.Uint64()
			at := began.Add(time.Duration(u % uint64(20*time.Second)))
			r.Done(ops[u>>61], classes[u>>59&3], at, at.Add(time.Microsecond), at.Add(time.Duration(u>>32%uint64(time.Second))), "")
		}
	})
}
