package arrival_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/bench/arrival"
)

func perSecond(times []time.Duration) []int {
	var counts []int
	for _, t := range times {
		for len(counts) <= int(t/time.Second) {
			counts = append(counts, 0)
		}
		counts[t/time.Second]++
	}
	return counts
}

// curve draws any curve that ends within length.
func curve(t *rapid.T, length time.Duration) arrival.Curve {
	rate := rapid.Float64Range(0, 500)
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		return arrival.Spike(rapid.IntRange(-1, 500).Draw(t, "n"), length)
	case 1:
		return arrival.Constant(rate.Draw(t, "rate")).Until(length)
	case 2:
		return arrival.Poisson(rate.Draw(t, "rate")).Until(length)
	case 3:
		return arrival.Ramp(rate.Draw(t, "from"), rate.Draw(t, "to"), length)
	case 4:
		return arrival.PerSecond(rapid.SliceOfN(rapid.IntRange(-1, 50), 0, 5).Draw(t, "counts")).Until(length)
	case 5:
		return arrival.Poisson(rate.Draw(t, "rate")).First(rapid.IntRange(-1, 300).Draw(t, "n")).Until(length)
	}
	half := length / 2
	if half < time.Millisecond {
		return nil
	}
	return arrival.Join(curve(t, half), curve(t, half).After(half))
}

func TestTimesAreInOrderAndTheSeedsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(4*time.Second)).Draw(t, "length"))
		c := curve(t, length)
		seed := rapid.Uint64().Draw(t, "seed")
		times := slices.Collect(c.Times(seed))
		if !slices.IsSorted(times) {
			t.Fatal("times decrease")
		}
		if n := len(times); n > 0 && (times[0] < 0 || times[n-1] >= length) {
			t.Fatalf("arrivals from %v to %v, within %v", times[0], times[n-1], length)
		}
		if !slices.Equal(times, slices.Collect(c.Times(seed))) {
			t.Fatal("the same seed gave other arrivals")
		}
		for at := range c.Times(seed) { // whoever stops listening gets no more
			if at != times[0] {
				t.Fatalf("began with %v, then with %v", times[0], at)
			}
			break
		}
	})
}

func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		n := rapid.IntRange(0, 3_000).Draw(t, "n")
		for name, c := range map[string]arrival.Curve{
			"spike": arrival.Spike(n, 30*time.Second), "at once": arrival.Spike(n, 0), "on-sale": arrival.OnSale(n),
			"first": arrival.Constant(7).First(n), "join": arrival.Join(arrival.Spike(n/2, 1), arrival.Poisson(9).First(n-n/2)),
		} {
			if got := len(slices.Collect(c.Times(seed))); got != n {
				t.Fatalf("%s has %d arrivals, want %d", name, got, n)
			}
		}
		rate := rapid.Float64Range(1, 1_000).Draw(t, "rate")
		within := func(name string, c arrival.Curve, want, tolerance float64) {
			if got := float64(len(slices.Collect(c.Times(seed)))); math.Abs(got-want) > tolerance {
				t.Fatalf("%s has %v arrivals, want %v within %v", name, got, want, tolerance)
			}
		}
		// Poisson numbers stay within 7 standard deviations of their mean, far beyond what any check here meets.
		within("constant", arrival.Constant(rate).Until(10*time.Second), rate*10, 1)
		within("poisson", arrival.Poisson(rate).Until(10*time.Second), rate*10, 7*math.Sqrt(rate*10)+7)
		within("ramp", arrival.Ramp(0, rate, 10*time.Second), rate*5, 7*math.Sqrt(rate*5)+7)
		// Three quarters of a ramp from nothing come in its second half.
		within("half a ramp", arrival.Ramp(0, rate, 10*time.Second).Until(5*time.Second), rate*5/4, 7*math.Sqrt(rate*5/4)+7)
		within("ramp down", arrival.Ramp(rate, 0, 10*time.Second).Until(5*time.Second), rate*15/4, 7*math.Sqrt(rate*15/4)+7)
	})
}

func TestOnSaleIsTheRealCurve(t *testing.T) {
	want := arrival.OnSaleCounts()
	if !slices.Equal(want, []int{7, 18, 52, 72, 131, 134, 108, 120, 125, 100, 39, 8, 14, 10, 17, 4, 8}) {
		t.Fatalf("the curve is %v", want)
	}
	for seed := range uint64(20) {
		if got := perSecond(slices.Collect(arrival.OnSale(967).Times(seed))); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %v a second, want %v", seed, got, want)
		}
	}
	got := perSecond(slices.Collect(arrival.OnSale(96_700).Times(1)))
	for i := range want {
		if got[i] != 100*want[i] {
			t.Errorf("second %d has %d of 96,700, want %d", i, got[i], 100*want[i])
		}
	}
}

func TestScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.IntRange(-5, 1_000_000), 0, 50).Draw(t, "counts")
		n := rapid.IntRange(-1, 1_000_000_000).Draw(t, "n")
		sum, all := 0, 0
		for _, c := range counts {
			all += max(c, 0)
		}
		for i, k := range arrival.Scale(counts, n) {
			sum += k
			if exact := float64(max(counts[i], 0)) * float64(max(n, 0)) / float64(max(all, 1)); math.Abs(float64(k)-exact) >= 1.001 {
				t.Fatalf("%d of %v became %d, exactly it is %v", counts[i], counts, k, exact)
			}
		}
		if want := max(n, 0); all > 0 && sum != want || all == 0 && sum != 0 {
			t.Fatalf("the sum is %d, want %d", sum, want)
		}
	})
}

// TestSeedIsFrozen keeps a run that is kept in a file repeatable.
func TestSeedIsFrozen(t *testing.T) {
	for name, c := range map[string]struct {
		curve arrival.Curve
		want  []time.Duration
	}{
		"poisson": {arrival.Poisson(10), []time.Duration{131607283, 140174470, 194198941}},
		"spike":   {arrival.Spike(3, time.Second), []time.Duration{106603087, 521324658, 680416235}},
	} {
		if got := slices.Collect(c.curve.First(3).Times(42)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %#v, want %#v", name, got, c.want)
		}
	}
}

func TestNobodyComes(t *testing.T) {
	for name, c := range map[string]arrival.Curve{
		"nil": nil, "no rate": arrival.Constant(0), "not a number": arrival.Poisson(math.NaN()), "negative": arrival.Poisson(-1),
		"infinite ramp": arrival.Ramp(0, math.Inf(1), time.Second), "no time": arrival.Ramp(1, 1, 0),
		"none": arrival.OnSale(0), "after for ever": arrival.Spike(1, time.Second).After(time.Hour).Until(time.Minute),
		"slower than time": arrival.Poisson(1e-300),
	} {
		if got := slices.Collect(c.Times(1)); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func BenchmarkSpike(b *testing.B) {
	for b.Loop() {
		for range arrival.Spike(50_000, 30*time.Second).Times(1) {
		}
	}
}
