package sale

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// TestStories plays the transcripts of testdata/stories. Each line of "play" is one batch of one command; what it did is
// printed under it. After each line everything is recounted, and a snapshot must bring back the same state.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		st := &story{t: t}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			st.t = t
			switch d.Cmd {
			case "sale":
				return st.open(d)
			case "play":
				return st.play(d.Input)
			}
			t.Fatalf("%s: unknown directive %q; known are sale and play", d.Pos, d.Cmd)
			return ""
		})
	})
}

// story is a sale that opens at 10:00:00 and the people in it.
type story struct {
	t      *testing.T
	s      *State
	people []string // AccountID-1
	index  uint64
	now    int64
}

var storyDay = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

// storyPlan is one row A of seats, and an area "lawn".
func storyPlan(seats, lawn int, price, fee int64) *seatmap.Plan {
	p := &seatmap.Plan{
		Name: "Hall", Width: 100_000, Height: 10_000,
		Categories: []seatmap.Category{{Key: "std", Name: "Standard", Color: "#336699", Price: price, Fee: fee}},
		Sections:   []seatmap.Section{{Label: "Floor", FocalX: 50_000}},
		Rows:       []seatmap.Row{{Section: 0, Label: "A", First: 0, Count: uint16(seats), Rank: 1}},
	}
	for i := range seats {
		p.Seats = append(p.Seats, seatmap.Seat{
			Key: fmt.Sprintf("A%d", i+1), Label: fmt.Sprint(i + 1), X: int32(1000 * (i + 1)), Y: 1000,
		})
	}
	if lawn > 0 {
		p.Areas = append(p.Areas, seatmap.Area{Key: "lawn", Label: "Lawn", Capacity: uint32(lawn), X: 500, Y: 5000})
	}
	return p
}

func storyConfig(plan *seatmap.Plan) Config {
	at := storyDay.UnixMilli()
	return Config{
		Event: 1, Slug: "story", Name: "A story", Venue: "Hall", Currency: "BRL", TimeZone: "America/Sao_Paulo",
		StartsAt: at + 30*day, LobbyAt: at - hour, OpensAt: at, ClosesAt: at + day,
		Queue:  queue.Policy{RatePerMinute: 6000, ActiveCap: 100},
		Limits: Limits{PerHold: 4, PerAccount: 4},
		Orphan: seatmap.OrphanIgnore, Plan: plan,
	}.WithDefaults()
}

func (st *story) open(d *datadriven.TestData) string {
	seats, lawn, price, fee, limit := 7, 0, 10_000, 1_000, 4
	orphan := "ignore"
	d.MaybeScanArgs(st.t, "seats", &seats)
	d.MaybeScanArgs(st.t, "lawn", &lawn)
	d.MaybeScanArgs(st.t, "price", &price)
	d.MaybeScanArgs(st.t, "fee", &fee)
	d.MaybeScanArgs(st.t, "limit", &limit)
	d.MaybeScanArgs(st.t, "orphan", &orphan)
	cfg := storyConfig(storyPlan(seats, lawn, int64(price), int64(fee)))
	cfg.Limits = Limits{PerHold: uint32(limit), PerAccount: uint32(limit), Attempts: 3}
	cfg.Orphan = map[string]seatmap.OrphanPolicy{
		"ignore": seatmap.OrphanIgnore, "avoid": seatmap.OrphanAvoid, "strict": seatmap.OrphanStrict,
	}[orphan]
	s, err := New(cfg)
	if err != nil {
		st.t.Fatal(err)
	}
	st.s, st.people, st.index, st.now = s, nil, 0, storyDay.UnixMilli()
	return fmt.Sprintf("%d seats and %d places on the lawn at %s\n", seats, lawn, money(int64(price+fee)))
}

func (st *story) play(input string) string {
	var out strings.Builder
	for line := range strings.Lines(input) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		fmt.Fprintf(&out, "> %s\n", line)
		for said := range strings.Lines(st.step(line)) {
			out.WriteString("  " + said)
		}
	}
	return out.String()
}

// step plays one line: time passes, or one command is one batch.
func (st *story) step(line string) string {
	words := strings.Fields(line)
	switch {
	case words[0] == "wait":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			st.t.Fatal(err)
		}
		st.now += d.Milliseconds()
		_, said := st.batch(&Command{Op: OpTick})
		return said
	case words[0] == "show":
		return st.show()
	case words[len(words)-1] == "in" && words[len(words)-2] == "comes":
		for _, op := range []Op{OpJoin, OpClaim} {
			if r, _ := st.batch(&Command{Op: op, Account: st.who(words[0])}); r.Refusal != Done {
				return st.refusal(r)
			}
		}
		return ""
	}
	c := st.parse(words)
	r, said := st.batch(c)
	return st.answer(c, r) + said
}

// batch applies one command and says what changed.
func (st *story) batch(c *Command) (Result, string) {
	st.index++
	st.s.Begin(st.index, st.now)
	r := st.s.Do(c)
	r.Units, r.Lines = append([]UnitID(nil), r.Units...), append([]Line(nil), r.Lines...)
	if err := st.s.End(); err != nil {
		st.t.Fatal(err)
	}
	if err := st.s.Verify(); err != nil {
		st.t.Fatal(err)
	}
	said := st.changes()
	again, err := Restore(st.s.AppendSnapshot(nil))
	if err != nil {
		st.t.Fatal(err)
	}
	if again.Hash() != st.s.Hash() {
		st.t.Fatal("the snapshot brought back another state")
	}
	st.s = again
	return r, said
}
