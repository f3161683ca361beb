package event_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/event/eventtest"
	"github.com/catraca/catraca/actors/sale"
)

// BenchmarkDurableHolds is the engine: each operation is a command that takes seats or gives them back, decided by a
// sale, replicated by Raft and flushed to the disk before it is answered. Every caller waits for its answer.
func BenchmarkDurableHolds(b *testing.B) {
	for _, callers := range []int{1, 100, 1000, 4000} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { durableHolds(b, callers) })
	}
}

func durableHolds(b *testing.B, callers int) {
	h := openHouse(b, b.TempDir(), func(o *event.Options) { o.Patience = time.Minute })
	defer h.stop()
	if err := h.Create(b.Context(), 1, eventtest.Config(1, 2*callers, 0, time.Now())); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	shoppers := make(chan sale.AccountID, callers)
	each(callers, func(i int) {
		who := sale.AccountID(i + 1)
		h.do(b, 1, sale.Command{Op: sale.OpJoin, Account: who})
		h.do(b, 1, sale.Command{Op: sale.OpClaim, Account: who})
		shoppers <- who
	})
	var left atomic.Int64
	left.Store(int64(b.N))
	took := make([][]time.Duration, callers) // by caller
	for i := range took {
		took[i] = make([]time.Duration, 0, 4+2*b.N/callers)
	}
	b.ResetTimer()
	each(callers, func(i int) {
		who := <-shoppers
		timed := func(f func()) {
			start := time.Now()
			f()
			took[i] = append(took[i], time.Since(start))
		}
		for left.Add(-1) >= 0 {
			var hold sale.HoldID
			timed(func() { hold = h.hold(b, who) })
			if left.Add(-1) >= 0 {
				timed(func() { h.do(b, 1, sale.Command{Op: sale.OpHoldRelease, Account: who, Hold: hold}) })
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
	all := slices.Concat(took...)
	slices.Sort(all)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(all[(len(all)-1)*p/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", p))
	}
}

// hold takes the two seats that are the account's own.
func (h *house) hold(b *testing.B, who sale.AccountID) sale.HoldID {
	first := sale.UnitID(2 * (who - 1))
	c := sale.Command{Op: sale.OpHold, Account: who, Lines: []sale.Line{{Unit: first, Count: 1}, {Unit: first + 1, Count: 1}}}
	res, err := h.Submit(context.Background(), 1, &c)
	if err != nil || res.Refusal != sale.Done && res.Refusal != sale.RefusedHoldExists {
		b.Errorf("hold: refusal %d, %v", res.Refusal, err)
	}
	return res.Hold
}

// each runs f on n goroutines and waits.
func each(n int, f func(i int)) {
	done := make(chan struct{})
	for i := range n {
		go func() { f(i); done <- struct{}{} }()
	}
	for range n {
		<-done
	}
}

// BenchmarkPicture is what a node pays, five times a second, for its readers of one sale: with 100,000 fans in the
// queue and 20,000 seats.
func BenchmarkPicture(b *testing.B) {
	h := eventtest.Open(b, new(eventtest.Log), nil)
	if err := h.Events.Create(b.Context(), 1, eventtest.Config(1, 20_000, 10, time.Now())); err != nil {
		b.Fatal(err)
	}
	each(1000, func(i int) {
		for a := range 100 {
			do(b, h, sale.Command{Op: sale.OpJoin, Account: sale.AccountID(1 + 100*i + a)})
		}
	})
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if _, cancel, err := h.Events.Subscribe(b.Context(), 1, &hear{}); err != nil {
			b.Fatal(err)
		} else {
			cancel()
		}
	}
}
