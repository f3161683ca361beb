package bench

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/transport/wire"
)

// Fairness says how the queue treated the fans of each network class, given their journals by class: first all of
// them together, as class "", then each class by name. Journals under the class "" count for all of them alone, and
// one that is there twice counts once. The fans must be of one event, and be read after they have ended.
//
// Rank compares all first offers within the class; it is 1 when there are no two to compare. A fan that was away when
// its turn came lowers it, rightly treated as it was. Overtaken leaves such fans out and looks at the offers of all
// classes: it counts a fan whose offer ran out later than that of a larger number, as all offers last equally long.
func Fairness(journals map[string][]*Journal) []record.Fairness {
	classes := []string{""}
	all := make(map[*Journal]bool)
	var first []*Journal
	for _, c := range slices.Sorted(maps.Keys(journals)) {
		if c != "" {
			classes = append(classes, c)
		}
		for _, j := range journals[c] {
			if !all[j] {
				all[j] = true
				first = append(first, j)
			}
		}
	}
	turns := turnsOf(first)
	overtakenAmong(turns)
	out := make([]record.Fairness, 0, len(classes))
	for _, c := range classes {
		of := all
		if c != "" {
			of = make(map[*Journal]bool)
			for _, j := range journals[c] {
				of[j] = true
			}
		}
		out = append(out, fairness(c, of, turns))
	}
	return out
}

// turn is a place and what came of it.
type turn struct {
	PlaceNote

	of        *Journal
	lag       float64 // seconds; below 0: not known
	overtaken bool
}

// turnsOf are all places by number. How long an offer lasts is not told, but most fans hear of theirs at once: the
// longest time that one had left when it was told is how long all of them last.
func turnsOf(journals []*Journal) []turn {
	var out []turn
	lasts := int64(0)
	for _, j := range journals {
		for _, p := range j.Places() {
			out = append(out, turn{PlaceNote: p, of: j, lag: -1})
			lasts = max(lasts, p.Left)
		}
	}
	for i := range out {
		if t := &out[i]; t.Offered != 0 && lasts > 0 {
			t.lag = max(t.Heard.Sub(time.UnixMilli(int64(t.Offered)-lasts)).Seconds(), 0)
		}
	}
	slices.SortStableFunc(out, func(a, b turn) int { return cmp.Compare(a.Number, b.Number) })
	return out
}

// overtakenAmong marks the turns, by number, whose first offer came after that of a larger number.
func overtakenAmong(turns []turn) {
	earliest := wire.Time(math.MaxInt64) // among larger numbers
	for i := len(turns) - 1; i >= 0; i-- {
		t := &turns[i]
		if t.Offered == 0 || t.Apart {
			continue
		}
		t.overtaken = earliest < t.Offered
		earliest = min(earliest, t.Offered)
	}
}

// fairness is that towards some fans.
func fairness(class string, of map[*Journal]bool, turns []turn) record.Fairness {
	out := record.Fairness{Class: class, Fans: int64(len(of))}
	var offers []int64
	var waits, lags, errs []float64
	admitted := make(map[*Journal]bool)
	for i := range turns {
		t := &turns[i]
		if !of[t.of] {
			continue
		}
		out.Lapsed += int64(t.Lapsed)
		if t.Shopped {
			admitted[t.of] = true
		}
		if t.Offered == 0 {
			continue
		}
		offers = append(offers, int64(t.Offered))
		waits = append(waits, t.Heard.Sub(t.Told).Seconds())
		if t.lag >= 0 {
			lags = append(lags, t.lag)
		}
		if t.overtaken {
			out.Overtaken++
		}
		if !t.Apart {
			errs = append(errs, t.missed()...)
		}
	}
	out.Admitted = int64(len(admitted))
	out.Rank = kendall(offers)
	out.Wait, out.Lag, out.EtaError = summary(waits), summary(lags), summary(errs).P50
	return out
}

// missed is by how much each guess missed, as a share of the wait that was left. The last second is left out: there a
// guess cannot be of use any more, and dividing by it says nothing.
func (n *PlaceNote) missed() []float64 {
	var out []float64
	for _, g := range n.Guesses {
		if truth := n.Heard.UnixMilli() - g.At; truth >= 1000 {
			out = append(out, math.Abs(float64(g.Wait-truth))/float64(truth))
		}
	}
	return out
}

// summary of samples, which it sorts; all zero when there are none. Quantiles are of the nearest rank.
func summary(list []float64) record.Summary {
	if len(list) == 0 {
		return record.Summary{}
	}
	slices.Sort(list)
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	at := func(q float64) float64 {
		i := int(math.Ceil(q*float64(len(list)))) - 1
		return list[min(max(i, 0), len(list)-1)]
	}
	return record.Summary{
		Min: list[0], Mean: sum / float64(len(list)), P50: at(0.5), P90: at(0.9), P99: at(0.99), P999: at(0.999),
		Max: list[len(list)-1],
	}
}
