// Package eventtest is a small hall, its sale, and a log in memory that commits at once, for tests of what stands on
// package event. Deliberately absent: anything durable; tests of that start a cluster node.
package eventtest

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/actors/sequencer"
)

// Price and Fee of every place, in minor units.
const (
	Price = 100_00
	Fee   = 10_00
)

// Config is the sale of a hall with one row of seats for each hundred of them and a lawn, open for a day from now on.
func Config(id sale.EventID, seats, lawn int, now time.Time) *sale.Config {
	p := &seatmap.Plan{
		Name: "Hall", Width: 200_000, Height: 2_000_000,
		Categories: []seatmap.Category{{Key: "std", Name: "Standard", Color: "#336699", Price: Price, Fee: Fee}},
		Sections:   []seatmap.Section{{Label: "Floor", FocalX: 50_000}},
	}
	for i := range seats {
		row, col := i/100, i%100
		if col == 0 {
			p.Rows = append(p.Rows, seatmap.Row{Label: fmt.Sprint(row + 1), First: seatmap.UnitID(i), Rank: uint16(row + 1)})
		}
		p.Rows[row].Count++
		p.Seats = append(p.Seats, seatmap.Seat{
			Key: fmt.Sprintf("%d-%d", row+1, col+1), Label: fmt.Sprint(col + 1), Row: uint32(row), X: int32(1000 * (col + 1)), Y: int32(1000 * (row + 1)),
		})
	}
	if lawn > 0 {
		p.Areas = append(p.Areas, seatmap.Area{Key: "lawn", Label: "Lawn", Capacity: uint32(lawn), X: 500, Y: 5000})
	}
	at := now.UnixMilli()
	const hour = int64(3_600_000)
	cfg := sale.Config{
		Event: id, Slug: fmt.Sprintf("event-%d", id), Name: fmt.Sprintf("Event %d", id), Venue: "Hall", Currency: "BRL", TimeZone: "America/Sao_Paulo",
		StartsAt: at + 30*24*hour, LobbyAt: at - hour, OpensAt: at - hour/2, ClosesAt: at + 24*hour,
		Queue:  queue.Policy{RatePerMinute: queue.MaxRate, Burst: queue.MaxBurst, ActiveCap: queue.MaxActive},
		Limits: sale.Limits{PerHold: 4, PerAccount: 4, Attempts: 5},
		Orphan: seatmap.OrphanIgnore, Plan: p,
	}.WithDefaults()
	return &cfg
}

// System is an actor system that logs nothing.
func System() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
}

// Options of a service with two shards: 0, which is the directory's, and 1. An error that would stop the process fails
// the test.
func Options(t testing.TB, system *actor.ActorSystem) event.Options {
	return event.Options{
		System: system, Shards: 2, Now: func() int64 { return time.Now().UnixMilli() },
		Logger: slog.New(slog.DiscardHandler), Metrics: sequencer.NewMetrics(prometheus.NewRegistry(), "event"),
		Fatal: func(err error) { t.Errorf("the process must stop: %v", err) },
	}
}

// House is a service over a log in memory.
type House struct {
	Events *event.Service
	Log    *Log
	System *actor.ActorSystem
}

// Open starts a service that leads shard 1 over a log, which may have entries already. change may be nil; Close ends
// it, at the end of the test if not before.
func Open(t testing.TB, log *Log, change func(*event.Options)) *House {
	h := &House{Log: log, System: System()}
	o := Options(t, h.System)
	if change != nil {
		change(&o)
	}
	h.Events = event.New(o)
	h.Events.Use(log)
	log.serve(h.Events.Pump(1))
	t.Cleanup(h.Close)
	return h
}

// Close stops the service. The log stays.
func (h *House) Close() {
	if h.Log == nil {
		return
	}
	h.Log.serve(nil)
	h.Events.Close()
	h.System.Shutdown()
	h.Log = nil
}
