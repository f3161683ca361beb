package bench

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// choosing gives a fan the stub's plan and a story in which it chooses two seats near a unit.
func choosing(t *testing.T, s *stub, n int, near uint32, live bool) (*Fan, Story) {
	t.Helper()
	f := s.fan(n)
	var err error
	if f.Map, err = LoadMap(t.Context(), f.Client, f.Base, "/plan.json"); err != nil {
		t.Fatal(err)
	}
	return f, Story{
		Quantity: 2, Fewer: true, Named: true, Near: near, Live: live, Linger: 2 * time.Millisecond, Method: "pix", PollOrder: time.Millisecond,
	}
}

func unitsOf(h *wire.Hold) (out []uint32) {
	for _, l := range h.Lines {
		out = append(out, l.Unit)
	}
	return out
}

func TestFanChoosesSeats(t *testing.T) {
	for name, c := range map[string]struct {
		taken     []uint32
		silent    bool // they are taken in the moment in which the fan presses
		told      []uint32
		live      bool
		want      []uint32
		conflicts int
		soldOut   bool
	}{
		"free":                     {want: []uint32{3, 4}},
		"free, over the socket":    {live: true, want: []uint32{3, 4}},
		"taken before it came":     {taken: []uint32{4, 5}, want: []uint32{2, 3}},
		"taken while it looks":     {live: true, silent: true, taken: []uint32{4, 5}, told: []uint32{4, 5}, want: []uint32{2, 3}},
		"taken as it presses":      {live: true, silent: true, taken: []uint32{4, 5}, want: []uint32{2, 3}, conflicts: 1},
		"taken again and again":    {live: true, silent: true, taken: []uint32{4, 5, 6, 7, 2, 3}, want: []uint32{0, 1}, conflicts: 4},
		"no two are left together": {taken: []uint32{1, 3, 5, 7, 8, 9}, want: []uint32{4}},
		"nothing":                  {taken: []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, soldOut: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStub(t, 10)
			s.silent = c.silent
			for _, u := range c.taken {
				s.taken[u] = true
			}
			s.stock = wire.StockDown{T: "stock", Version: 1 << 40, Changes: []wire.UnitState{}, Areas: []wire.AreaState{}}
			for _, u := range c.told {
				s.stock.Changes = append(s.stock.Changes, wire.UnitState{Unit: u, Letter: 's'})
			}
			f, story := choosing(t, s, 1, 4, c.live)
			seen := &notes{}
			f.Observer = seen
			if len(c.told) > 0 {
				story.Linger = 200 * time.Millisecond
			}
			out, err := f.Run(t.Context(), story)
			if err != nil {
				t.Fatal(err)
			}
			if out.SoldOut != c.soldOut || out.Conflicts < min(c.conflicts, 1) || c.conflicts == 0 && out.Conflicts != 0 {
				t.Fatalf("the story ended with %+v", out)
			}
			if c.soldOut {
				return
			}
			if got := unitsOf(out.Hold); !slices.Equal(got, c.want) || len(out.Tickets) != len(c.want) {
				t.Errorf("got seats %v and %d tickets, want %v", got, len(out.Tickets), c.want)
			}
			if n := seen.count("hold", string(wire.Conflict)); n != out.Conflicts {
				t.Errorf("%d conflicts were observed, the fan had %d", n, out.Conflicts)
			}
			if seen.count("map", "") == 0 || s.plans != 2 { // one of them the test's own
				t.Errorf("the map was not loaded as a page does: plan asked for %d times", s.plans)
			}
			if s.stocks["Bearer fan-1"] {
				t.Error("the fan has left the map and is still told of it")
			}
			if err := Audit([]*Journal{f.Journal}); err != nil {
				t.Error(err)
			}
		})
	}
}

// notes are what an observer was told.
type notes struct {
	mu   sync.Mutex
	list []string
}

func (n *notes) Done(op string, _, _, _ time.Time, code string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, op+" "+code)
}

func (n *notes) Sockets(int) {}

func (n *notes) count(op, code string) (sum int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.list {
		if s == op+" "+code {
			sum++
		}
	}
	return sum
}

// A herd wants the same two seats. Each seat goes once, all of them go, and nobody takes a conflict for an error.
func TestHerdForTheSameSeats(t *testing.T) {
	const fans, seats = 40, 60
	s := newStub(t, seats)
	s.stock = wire.StockDown{T: "stock", Changes: []wire.UnitState{}, Areas: []wire.AreaState{}}
	var all sync.WaitGroup
	var journals []*Journal
	conflicts, soldOut := 0, 0
	var mu sync.Mutex
	for i := range fans {
		f, story := choosing(t, s, i, 0, i%2 == 0)
		journals = append(journals, f.Journal)
		all.Go(func() {
			out, err := f.Run(t.Context(), story)
			if err != nil {
				t.Errorf("fan %d: %v", i, err)
			}
			mu.Lock()
			defer mu.Unlock()
			conflicts += out.Conflicts
			if out.SoldOut {
				soldOut++
			}
		})
	}
	all.Wait()
	if err := Audit(journals); err != nil {
		t.Error(err)
	}
	if conflicts == 0 || soldOut == 0 {
		t.Errorf("%d conflicts and %d fans without a seat among %d for %d seats: this was no herd", conflicts, soldOut, fans, seats)
	}
}

// A server that gives other seats than those named has broken a promise.
func TestHoldOfOtherSeats(t *testing.T) {
	s := newStub(t, 10)
	inner := s.server.Handler
	s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/holds") {
			h := wire.Hold{ID: "h1-1", Expires: wire.Time(time.Now().Add(time.Minute).UnixMilli()), Lines: []wire.Line{{Unit: 8, Count: 1}, {Unit: 9, Count: 1}}}
			w.WriteHeader(http.StatusCreated)
			_ = json.NewEncoder(w).Encode(h)
			return
		}
		inner.ServeHTTP(w, r)
	})
	f, story := choosing(t, s, 1, 0, false)
	story.Vanish = true
	if _, err := f.Run(t.Context(), story); err != nil {
		t.Fatal(err)
	}
	if b := strings.Join(f.Journal.Breaches(), " "); !strings.Contains(b, "asked for were") {
		t.Errorf("the journal has nothing of it: %q", b)
	}
}

func TestFanWithoutPlan(t *testing.T) {
	s := newStub(t, 4)
	_, err := s.fan(1).Run(t.Context(), Story{Quantity: 1, Named: true, Method: "pix"})
	if err == nil || !strings.Contains(err.Error(), "no plan") {
		t.Errorf("got %v", err)
	}
}
