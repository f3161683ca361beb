package bench

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/transport/wire"
)

// queued is a journal with one place that waited and was offered its turn, each at a moment in ms.
func queued(number uint32, told, heard, deadline, left int64) *Journal {
	j := NewJournal(fmt.Sprint(number))
	at := func(ms int64) time.Time { return time.UnixMilli(ms) }
	j.places = []PlaceNote{{
		Number: number, Asked: at(told), Told: at(told), State: "shopping", Offered: wire.Time(deadline), Heard: at(heard), Left: left,
		Shopped: true,
	}}
	return j
}

func TestFairnessOfAnHonestQueue(t *testing.T) {
	classes := map[string][]*Journal{}
	for i := range int64(100) {
		class, lag := "fibre", int64(10)
		if i%4 == 0 {
			class, lag = "far", 300
		}
		offered := 10_000 + i*100
		j := queued(uint32(i+1), 1000+i, offered+lag, offered+30_000, 30_000)
		j.places[0].Guesses = []Guess{{At: offered + lag - 2000, Wait: 3000}, {At: offered + lag - 10, Wait: 5000}}
		classes[class] = append(classes[class], j)
		classes[""] = append(classes[""], j)
	}
	idle := NewJournal("idle")
	classes["fibre"] = append(classes["fibre"], idle)
	got := Fairness(classes)
	if len(got) != 3 || got[0].Class != "" || got[1].Class != "far" || got[2].Class != "fibre" {
		t.Fatalf("classes are %+v", got)
	}
	for i, want := range []record.Fairness{{Fans: 101, Admitted: 100}, {Fans: 25, Admitted: 25}, {Fans: 76, Admitted: 75}} {
		g := got[i]
		if g.Fans != want.Fans || g.Admitted != want.Admitted || g.Rank != 1 || g.Overtaken != 0 || g.Lapsed != 0 || g.EtaError != 0.5 {
			t.Errorf("class %q: %+v", g.Class, g)
		}
	}
	if got[1].Lag.P50 != 0.3 || got[2].Lag.P50 != 0.01 || got[0].Lag.Max != 0.3 || got[0].Lag.Min != 0.01 {
		t.Errorf("lags are %+v, %+v, %+v", got[0].Lag, got[1].Lag, got[2].Lag)
	}
	if w := got[0].Wait; math.Abs(w.Min-9.109) > 1e-9 || math.Abs(w.Max-18.811) > 1e-9 {
		t.Errorf("waits are %+v", w)
	}
}

// A planted fault: one fan is let in first although nine hundred stand before it, and one class is held back.
func TestFairnessFindsWhoWasOvertaken(t *testing.T) {
	classes := map[string][]*Journal{}
	for i := range int64(1000) {
		offered, class := 100_000+i, "fibre"
		switch {
		case i == 900:
			offered = 1
		case i%10 == 5:
			class, offered = "far", offered+50
		}
		classes[class] = append(classes[class], queued(uint32(i+1), i, offered, offered, 10))
	}
	away := classes["fibre"][0]
	away.places[0].Apart, away.places[0].Offered = true, 500_000
	got := Fairness(classes)
	if got[0].Overtaken != 900-1+10 || got[1].Overtaken != 100 || got[2].Overtaken != got[0].Overtaken-100 {
		t.Errorf("overtaken were %d, of them far %d and fibre %d", got[0].Overtaken, got[1].Overtaken, got[2].Overtaken)
	}
	if r := got[0].Rank; r >= 0.999 || r < 0.9 {
		t.Errorf("rank is %f", r)
	}
}

func TestFairnessOfNobody(t *testing.T) {
	for _, in := range []map[string][]*Journal{nil, {"": nil}, {"": {NewJournal("1"), nil}}} {
		got := Fairness(in)
		if len(got) != 1 || got[0].Rank != 1 || got[0].EtaError != 0 || got[0].Wait != (record.Summary{}) {
			t.Errorf("of %v: %+v", in, got)
		}
	}
}

func TestJournalNotesTurns(t *testing.T) {
	j := NewJournal("1")
	say := func(state string, deadline, now wire.Time) {
		j.place(wire.Place{Number: 4, State: state, Deadline: deadline, Now: now})
	}
	j.joining()
	say("waiting", 0, 100)
	say("offered", 60_000, 30_000)
	say("offered", 60_000, 40_000) // shown again
	say("parked", 90_000, 60_001)
	say("offered", 120_000, 90_000)
	say("shopping", 0, 100_000)
	p := j.Places()[0]
	if p.Offered != 60_000 || p.Left != 30_000 || p.Lapsed != 1 || !p.Shopped || !p.Apart || p.Heard.Before(p.Told) {
		t.Errorf("the place is %+v", p)
	}
	j = NewJournal("2")
	say("offered", 60_000, 30_000)
	j.leaving()
	say("left", 0, 31_000)
	if p := j.Places()[0]; p.Lapsed != 0 || p.Shopped {
		t.Errorf("the place is %+v", p)
	}
}

func TestJournalThinsGuessesOut(t *testing.T) {
	for _, n := range []int{0, 1, 16, 17, 33, 5000} {
		j := NewJournal("1")
		j.joining()
		for i := range n {
			j.place(wire.Place{Number: 1, State: "waiting", ETA: &wire.ETA{LoMS: int64(i), HiMS: int64(i) + 2}})
		}
		j.place(wire.Place{Number: 1, State: "waiting", ETA: &wire.ETA{OverHour: true}})
		kept := j.Places()[0].Guesses
		if len(kept) > maxGuesses || len(kept) < min(n, maxGuesses/2) || n > 0 && kept[0].Wait != 1 {
			t.Errorf("%d of %d are kept: %v", len(kept), n, kept)
		}
		for i := 2; i < len(kept); i++ {
			if kept[i].Wait-kept[i-1].Wait != kept[1].Wait-kept[0].Wait {
				t.Errorf("of %d the kept ones are not even: %v", n, kept)
			}
		}
		before := j.Copy()
		for range 100 {
			j.place(wire.Place{Number: 1, State: "waiting", ETA: &wire.ETA{LoMS: 9, HiMS: 9}})
		}
		if !slices.Equal(before.Places()[0].Guesses, kept) {
			t.Error("a copy changed with its original")
		}
	}
}

func TestKendallIsThatOfAllPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Int64Range(0, 40), 0, 60).Draw(t, "list")
		right, wrong := 0, 0
		for i := range list {
			for k := i + 1; k < len(list); k++ {
				switch {
				case list[i] < list[k]:
					right++
				case list[i] > list[k]:
					wrong++
				}
			}
		}
		want := 1.0
		if right+wrong > 0 {
			want = float64(right-wrong) / float64(right+wrong)
		}
		before := slices.Clone(list)
		if got := kendall(list); math.Abs(got-want) > 1e-12 || !slices.Equal(list, before) {
			t.Fatalf("of %v it is %f, want %f", before, got, want)
		}
	})
}

func TestOvertakenIsThatOfAllPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		offers := rapid.SliceOfN(rapid.Int64Range(0, 30), 0, 40).Draw(t, "offers") // 0: none
		apart := rapid.SliceOfN(rapid.Bool(), len(offers), len(offers)).Draw(t, "apart")
		var all []*Journal
		for i, o := range offers {
			j := queued(uint32(i+1), 0, 0, o, 1)
			j.places[0].Apart = apart[i]
			all = append(all, j)
		}
		want := int64(0)
		for i := range offers {
			for k := i + 1; k < len(offers); k++ {
				if offers[i] != 0 && offers[k] != 0 && !apart[i] && !apart[k] && offers[k] < offers[i] {
					want++
					break
				}
			}
		}
		if got := Fairness(map[string][]*Journal{"": all})[0].Overtaken; got != want {
			t.Fatalf("%d were overtaken, want %d", got, want)
		}
	})
}
