package apitest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// The plan of every test sale: three rows of ten numbered seats, the first of them dearer, with a wheelchair place and
// its companion at the end of the last, and an area of 50.
const (
	Seats    = 30
	Area     = 30 // the unit of the area
	AreaSize = 50

	FrontPrice, FrontFee = 20_000, 2_000
	BackPrice, BackFee   = 10_000, 1_000
	AreaPrice, AreaFee   = 6_000, 600
)

// Plan makes it.
func Plan() *seatmap.Plan {
	p := &seatmap.Plan{
		Name: "House", Width: 2000, Height: 2000,
		Categories: []seatmap.Category{
			{Key: "front", Name: "Frente", Color: "#aa3311", Price: FrontPrice, Fee: FrontFee},
			{Key: "back", Name: "Fundo", Color: "#1133aa", Price: BackPrice, Fee: BackFee},
			{Key: "floor", Name: "Pista", Color: "#11aa33", Price: AreaPrice, Fee: AreaFee},
		},
		Sections: []seatmap.Section{{Label: "Plateia", Zone: "A", FocalX: 1000}, {Label: "Pista", Zone: "B", FocalX: 1000}},
	}
	for row := range 3 {
		p.Rows = append(p.Rows, seatmap.Row{Label: string(rune('A' + row)), First: seatmap.UnitID(10 * row), Count: 10, Rank: uint16(row)})
		for n := range 10 {
			seat := seatmap.Seat{
				Key: fmt.Sprintf("%c%d", 'A'+row, n+1), Label: fmt.Sprint(n + 1), X: int32(100 + 180*n), Y: int32(400 + 400*row),
				Row: uint32(row), Category: uint16(min(row, 1)),
			}
			switch {
			case row == 2 && n == 8:
				seat.Flags = seatmap.Companion
			case row == 2 && n == 9:
				seat.Flags = seatmap.Accessible
			}
			p.Seats = append(p.Seats, seat)
		}
	}
	p.Areas = []seatmap.Area{{
		Key: "floor", Label: "Pista", Section: 1, Category: 2, Capacity: AreaSize, X: 1000, Y: 1700,
		Outline: []seatmap.Point{{X: 100, Y: 1500}, {X: 1900, Y: 1500}, {X: 1900, Y: 1900}},
	}}
	return p
}

// Config is a sale that is open and lets everybody in at once. It is a rehearsal, so virtual fans may come.
func Config(slug string) *sale.Config {
	now := time.Now().UnixMilli()
	c := sale.Config{
		Slug: slug, Name: "Aurora", Venue: "Arena", Currency: "BRL", TimeZone: "America/Sao_Paulo", Rehearsal: true,
		StartsAt: now + 30*24*3600_000, LobbyAt: now - 20_000, OpensAt: now - 10_000, ClosesAt: now + 3600_000,
		Queue:  queue.Policy{RatePerMinute: 60_000, Burst: 1000, ActiveCap: 1000},
		Limits: sale.Limits{PerHold: 4, PerAccount: 6}, Plan: Plan(),
	}.WithDefaults()
	return &c
}

// Event puts a sale on; change may be nil.
func (h *House) Event(t testing.TB, change func(*sale.Config)) *sale.Config {
	t.Helper()
	cfg := Config(h.Name("event"))
	if change != nil {
		change(cfg)
	}
	if _, err := h.API.ApplyEvent(t.Context(), 0, cfg); err != nil {
		t.Fatal(err)
	}
	Eventually(t, "the first picture", func() bool { v, err := h.Events.View(cfg.Event); return err == nil && v.Index > 0 })
	return cfg
}

// File is the event file of these tests: the plan is always the same.
type File struct {
	Slug      string `json:"slug"`
	Name      string `json:"name"`
	Rehearsal bool   `json:"rehearsal"`
}

// ImportEvent reads a [File]. Its errors are as the real importer's are.
func ImportEvent(body []byte, _ string) (*sale.Config, any, error) {
	var f File
	if err := json.Unmarshal(body, &f); err != nil {
		return nil, nil, fmt.Errorf("read event file: %w", err)
	}
	if f.Slug == "" {
		return nil, nil, errors.New("read event file: slug: is missing")
	}
	c := Config(f.Slug)
	c.Rehearsal = f.Rehearsal
	if f.Name != "" {
		c.Name = f.Name
	}
	return c, map[string]any{"seats": len(c.Plan.Seats)}, nil
}

// EventID of a sale.
func EventID(c *sale.Config) account.EventID { return account.EventID(c.Event) }
