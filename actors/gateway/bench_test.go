package gateway

import (
	"context"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/event/eventtest"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
)

// count is a fan that only counts.
type count struct{ frames *atomic.Int64 }

func (c *count) Push(Frame)   { c.frames.Add(1) }
func (c *count) Close(Reason) {}

const herd = 100_000

// BenchmarkHundredThousandFans is one second of a node with that many connected fans in one line: four beats of every
// worker. ns/op is the CPU the gateway takes of each second, frames/op what it hands to the transport,
// and B/fan what a connection costs it.
func BenchmarkHundredThousandFans(b *testing.B) {
	h := eventtest.Open(b, new(eventtest.Log), nil)
	cfg := eventtest.Config(1, 2000, 0, time.Now())
	cfg.Queue = queue.Policy{RatePerMinute: 6000, Burst: 100, ActiveCap: 2000}.WithDefaults()
	if err := h.Events.Create(context.Background(), 1, cfg); err != nil {
		b.Fatal(err)
	}
	fill(b, h)
	o := Options{System: h.System, Sales: h.Events, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	g, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	g.Close() // the benchmark beats by itself
	before := heap()
	frames := new(atomic.Int64)
	r, workers := populate(b, h, g, frames)
	each := float64(heap()-before) / herd

	now := time.Now()
	for range 4 * wheelSlots { // the herd is spread
		now = beatAll(r, workers, now)
	}
	frames.Store(0)
	b.ResetTimer()
	for b.Loop() {
		for range int(time.Second / beatEvery) {
			now = beatAll(r, workers, now)
		}
	}
	b.ReportMetric(float64(frames.Load())/float64(b.N), "frames/op")
	b.ReportMetric(each, "B/fan")
	runtime.KeepAlive(workers)
}

func fill(b *testing.B, h *eventtest.House) {
	done := make(chan error, 100)
	for i := range cap(done) {
		go func() {
			var err error
			for a := sale.AccountID(i + 1); a <= herd && err == nil; a += 100 {
				_, err = h.Events.Submit(context.Background(), 1, &sale.Command{Op: sale.OpJoin, Account: a})
			}
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

// populate gives the whole herd to workers that nobody else drives.
func populate(b *testing.B, h *eventtest.House, g *Gateway, frames *atomic.Int64) (*room, []*worker) {
	fresh, err := New(Options{System: h.System, Sales: h.Events, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(fresh.Close)
	r, err := fresh.room(context.Background(), 1)
	if err != nil {
		b.Fatal(err)
	}
	workers := make([]*worker, len(g.workers))
	for i := range workers {
		workers[i] = newWorker(fresh, i)
	}
	err = h.Events.Read(context.Background(), 1, func(s *sale.State) {
		for a := sale.AccountID(1); a <= herd; a++ {
			info, _ := s.Place(a)
			w := workers[spread(a)%uint64(len(workers))]
			w.attach(&entry{room: r, account: a, fan: &count{frames}, info: info})
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	return r, workers
}

// beatAll is one beat of the room and all workers.
func beatAll(r *room, workers []*worker, now time.Time) time.Time {
	now = now.Add(beatEvery)
	r.beat(now)
	for _, w := range workers {
		w.beat(now)
	}
	return now
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkDelta is what one batch of 200 changes costs a worker with 25,000 connections.
func BenchmarkDelta(b *testing.B) {
	h := eventtest.Open(b, new(eventtest.Log), nil)
	if err := h.Events.Create(context.Background(), 1, eventtest.Config(1, 2000, 0, time.Now())); err != nil {
		b.Fatal(err)
	}
	g, err := New(Options{System: h.System, Sales: h.Events, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	r, err := g.room(context.Background(), 1)
	if err != nil {
		b.Fatal(err)
	}
	w := newWorker(g, 0)
	frames := new(atomic.Int64)
	for a := range sale.AccountID(herd / 4) {
		w.attach(&entry{room: r, account: a + 1, fan: &count{frames}})
	}
	d := &event.Delta{Event: 1}
	for i := range 200 {
		d.Changes = append(d.Changes, sale.Change{Kind: sale.ChangeOrder, Account: sale.AccountID(1 + 400*i), Order: 1})
	}
	b.ReportAllocs()
	for b.Loop() {
		w.delta(d)
	}
}
