package main

import (
	"fmt"
	"time"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// hall is a sale of so many seats in rows of a hundred, open for a day, that lets everybody in at once: what is
// measured is the engine, and a queue that makes people wait would only hide it.
func hall(id sale.EventID, seats int) *sale.Config {
	rows := (seats + 99) / 100
	p := &seatmap.Plan{
		Name: "Hall", Width: 200_000, Height: int32(1000 * (rows + 2)),
		Categories: []seatmap.Category{{Key: "std", Name: "Standard", Color: "#336699", Price: 100_00, Fee: 10_00}},
		Sections:   []seatmap.Section{{Label: "Floor", FocalX: 50_000}},
	}
	for i := range seats {
		row, col := i/100, i%100
		if col == 0 {
			p.Rows = append(p.Rows, seatmap.Row{Label: fmt.Sprint(row + 1), First: seatmap.UnitID(i), Rank: uint16(row + 1)})
		}
		p.Rows[row].Count++
		p.Seats = append(p.Seats, seatmap.Seat{
			Key: fmt.Sprintf("%d-%d", row+1, col+1), Label: fmt.Sprint(col + 1), Row: uint32(row),
			X: int32(1000 * (col + 1)), Y: int32(1000 * (row + 1)),
		})
	}
	const hour = int64(3_600_000)
	at := time.Now().UnixMilli()
	cfg := sale.Config{
		Event: id, Slug: fmt.Sprintf("event-%d", id), Name: fmt.Sprintf("Event %d", id), Venue: "Hall", Currency: "BRL",
		TimeZone: "America/Sao_Paulo", StartsAt: at + 30*24*hour, LobbyAt: at - hour, OpensAt: at - hour/2, ClosesAt: at + 24*hour,
		Queue:  queue.Policy{RatePerMinute: queue.MaxRate, Burst: queue.MaxBurst, ActiveCap: queue.MaxActive},
		Limits: sale.Limits{PerHold: 4, PerAccount: 4, Attempts: 5}, Orphan: seatmap.OrphanIgnore, Plan: p,
	}.WithDefaults()
	return &cfg
}
