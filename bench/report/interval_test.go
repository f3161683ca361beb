package report

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/catraca/catraca/bench/record"
)

// noisy is a run of one operation whose latencies and rate wander by noise (of the logarithm, each second), of which keep
// stays for the next second.
func noisy(rng *rand.Rand, seconds int, keep, noise, slow float64) *record.Run {
	run := &record.Run{Operations: []record.Operation{{Name: "hold"}}}
	var drift [3]float64
	for at := range seconds {
		for i := range drift {
			drift[i] = keep*drift[i] + math.Sqrt(1-keep*keep)*noise*rng.NormFloat64()
		}
		if at == 0 {
			for i := range drift {
				drift[i] = noise * rng.NormFloat64()
			}
		}
		run.Seconds = append(run.Seconds, record.Second{At: at, Operations: []record.SecondOfAKind{{Name: "hold", Done: 1 + int64(400*math.Exp(drift[2])),
			P50: slow * 0.01 * math.Exp(drift[0]), P99: slow * 0.04 * math.Exp(drift[1])}}})
	}
	return run
}

// found counts what is said of pairs of such runs.
func found(pairs, seconds int, keep, slow float64) map[string]int {
	rng := rand.New(rand.NewPCG(1, 2))
	all := map[string]int{}
	for range pairs {
		for _, l := range Compare(noisy(rng, seconds, keep, 0.05, 1), noisy(rng, seconds, keep, 0.05, slow)).Lines {
			all[l.Figure+" "+string(l.Finding)]++
		}
	}
	return all
}

// TestEqualRuns: of runs of two minutes that are equal but for noise hardly any figure is called different, whether the
// noise of each second stands alone or hangs on that of the one before. One in a hundred is what the interval admits.
func TestEqualRuns(t *testing.T) {
	t.Parallel()
	const pairs = 500
	for _, keep := range []float64{0, 0.4, 0.7} {
		all := found(pairs, 120, keep, 1)
		for _, figure := range []string{"p50", "p99", "rate"} {
			wrong := all[figure+" better"] + all[figure+" worse"]
			if wrong > pairs*2/100 || all[figure+" no difference"] < pairs*95/100 {
				t.Errorf("%s, keeping %v: %v", figure, keep, all)
			}
		}
	}
}

// TestTenPerCent: 10 % slower or faster is found in nearly all pairs of two minutes, never the wrong way round, and the
// rate, which did not change, is not blamed.
func TestTenPerCent(t *testing.T) {
	t.Parallel()
	const pairs = 300
	for _, keep := range []float64{0, 0.7} {
		for slow, way := range map[float64][2]string{1.1: {"worse", "better"}, 1 / 1.1: {"better", "worse"}} {
			all := found(pairs, 120, keep, slow)
			for _, figure := range []string{"p50", "p99"} {
				if all[figure+" "+way[0]] < pairs*95/100 || all[figure+" "+way[1]] > 0 {
					t.Errorf("× %.3f, keeping %v: %v", slow, keep, all)
				}
			}
			if all["rate no difference"] < pairs*95/100 {
				t.Errorf("× %.3f, keeping %v: %v", slow, keep, all)
			}
		}
	}
}

// TestTooShort: below 50 s nothing is claimed, whatever the ratio, nor of longer runs that wander slowly.
func TestTooShort(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		seconds int
		keep    float64
	}{{1, 0}, {49, 0}, {100, 0.99}} {
		for _, l := range Compare(noisy(rng, c.seconds, c.keep, 0.05, 1), noisy(rng, c.seconds, c.keep, 0.05, 3)).Lines {
			if l.Finding != TooFew || l.High != 0 {
				t.Errorf("%d s, keeping %v: %+v", c.seconds, c.keep, l)
			}
		}
	}
}

// TestOddSeconds: empty seconds, latencies that are no figures, and a run that has nothing.
func TestOddSeconds(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := noisy(rng, 120, 0, 0.05, 1), noisy(rng, 120, 0, 0.05, 1)
	for i, v := range []float64{math.NaN(), math.Inf(1), 0, -1} {
		b.Seconds[10+i].Operations[0].P50 = v
		b.Seconds[20+i].Operations = nil
	}
	for _, l := range Compare(a, b).Lines {
		if l.Figure == "p50" && l.Finding != Same || !usable(l.Ratio) || !usable(l.A) || !usable(l.B) {
			t.Errorf("%+v", l)
		}
	}
	steady := Compare(noisy(rng, 60, 0, 0, 1), noisy(rng, 60, 0, 0, 1.3)) // the same ratio in every second
	if l := steady.Lines[0]; l.Finding != Worse || l.High-l.Low > 1e-6 {
		t.Errorf("%+v", l)
	}
	for _, l := range Compare(a, &record.Run{}).Lines {
		if l.Finding != Missing || l.Ratio != 0 {
			t.Errorf("beside nothing: %+v", l)
		}
	}
	if c := Compare(&record.Run{}, &record.Run{}); len(c.Lines) > 0 || c.says() == "" {
		t.Errorf("nothing beside nothing: %+v", c)
	}
}
