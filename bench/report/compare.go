package report

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/catraca/catraca/bench/record"
)

// How a comparison is made, see [Compare].
const (
	resamples = 2000
	block     = 5    // seconds
	fewest    = 20   // seconds, below which nothing is said
	tail      = 0.01 // of the resamples lie outside the interval, half on each side
	least     = 0.01 // ratios nearer to 1 than this are never called a difference
)

// Comparison is what run B is beside run A.
type Comparison struct {
	A, B *record.Run
	// Warnings say why the two may not be compared.
	Warnings []string
	Lines    []Ratio
}

// Ratio is one figure of B divided by that of A.
type Ratio struct {
	Operation string
	Figure    string  // p50, p99, rate
	A, B      float64 // seconds for a latency, per second for a rate: the typical second's
	// Ratio is B / A; 99 % of the resamples lie from Low to High.
	Ratio, Low, High float64
	Finding          Finding
}

// Finding is what a ratio says.
type Finding string

// Findings.
const (
	Same    Finding = "no difference"
	Better  Finding = "better"
	Worse   Finding = "worse"
	TooFew  Finding = "too few seconds to tell"
	Missing Finding = "only in one of the runs"
)

// Compare holds b against a: for each operation the ratio of p50, of p99 and of the rate, with an interval.
//
// What is compared is the typical second: the geometric mean of the seconds' p50 and p99, each weighted by how many of
// the operation were done in it, and the mean number done a second, over the seconds that both runs have after their
// warm-up, counted from the operation's first. The interval is that of the moving block bootstrap (Künsch, "The
// jackknife and the bootstrap for general stationary observations", Annals of Statistics 17, 1989; Liu and Singh, 1992),
// because one second's figures hang on those of the second before: blocks of 5 s are drawn with replacement, 2,000 times,
// and the interval holds the middle 99 % of the ratios (Efron's percentile interval). A block takes the same seconds from
// both runs, so that the shape of the load, which both share, cancels out. It is 99 % and not 95 % because a comparison
// asks two dozen such questions at once. A ratio is called a difference when 1 lies outside the interval and it is off by
// 1 % or more.
//
// What the interval cannot know is how much whole runs differ from one another on this machine: for a claim, compare
// several pairs. The same runs and seed give the same comparison.
func Compare(a, b *record.Run, seed uint64) Comparison {
	c := Comparison{A: a, B: b, Warnings: warnings(a, b)}
	for _, name := range names(a, b) {
		c.Lines = append(c.Lines, compareOperation(name, secondsOf(a, name), secondsOf(b, name), seed)...)
	}
	return c
}

// Differs says whether anything was found better or worse.
func (c Comparison) Differs() bool {
	return slices.ContainsFunc(c.Lines, func(r Ratio) bool { return r.Finding == Better || r.Finding == Worse })
}

func names(runs ...*record.Run) []string {
	var list []string
	for _, run := range runs {
		for _, o := range whole(run) {
			if !slices.Contains(list, o.Name) {
				list = append(list, o.Name)
			}
		}
	}
	return list
}

// secondsOf is one operation second by second, from its first after the warm-up to its last, empty seconds between them
// included.
func secondsOf(run *record.Run, name string) []record.SecondOfAKind {
	var out []record.SecondOfAKind
	first := 0
	for _, s := range run.Seconds {
		if float64(s.At) < run.WarmUp {
			continue
		}
		for _, o := range s.Operations {
			if o.Name != name || o.Done <= 0 {
				continue
			}
			if len(out) == 0 {
				first = s.At
			}
			for len(out) < min(s.At-first, 1<<20) {
				out = append(out, record.SecondOfAKind{Name: name})
			}
			out = append(out, o)
		}
	}
	return out
}

func compareOperation(name string, a, b []record.SecondOfAKind, seed uint64) []Ratio {
	lines := []Ratio{{Operation: name, Figure: "p50"}, {Operation: name, Figure: "p99"}, {Operation: name, Figure: "rate"}}
	n := min(len(a), len(b))
	figures := []func([]pair) (float64, float64){typical(p50), typical(p99), rates}
	pairs := make([]pair, n)
	for i := range pairs {
		pairs[i] = pair{a[i], b[i]}
	}
	for i := range lines {
		l := &lines[i]
		l.A, l.B = figures[i](pairs)
		l.Ratio = l.B / l.A
		switch {
		case len(a) == 0 || len(b) == 0:
			l.Finding, l.A, l.B, l.Ratio = Missing, 0, 0, 0
		case n < fewest || !usable(l.Ratio):
			l.Finding, l.Ratio = TooFew, finite(l.Ratio)
		default:
			l.Low, l.High = bootstrap(pairs, figures[i], seed)
			l.Finding = finding(*l)
		}
	}
	return lines
}

// pair is the same second of both runs.
type pair struct{ a, b record.SecondOfAKind }

func p50(s record.SecondOfAKind) float64 { return s.P50 }
func p99(s record.SecondOfAKind) float64 { return s.P99 }

// typical is the weighted geometric mean of a latency over the seconds in which both runs have it.
func typical(of func(record.SecondOfAKind) float64) func([]pair) (float64, float64) {
	return func(pairs []pair) (float64, float64) {
		var weight, a, b float64
		for _, p := range pairs {
			x, y := of(p.a), of(p.b)
			if p.a.Done <= 0 || p.b.Done <= 0 || !usable(x) || !usable(y) {
				continue
			}
			w := float64(p.a.Done) + float64(p.b.Done)
			weight, a, b = weight+w, a+w*math.Log(x), b+w*math.Log(y)
		}
		return math.Exp(a / weight), math.Exp(b / weight)
	}
}

// rates is how many were done a second.
func rates(pairs []pair) (float64, float64) {
	var a, b float64
	for _, p := range pairs {
		a, b = a+float64(p.a.Done), b+float64(p.b.Done)
	}
	n := float64(len(pairs))
	return a / n, b / n
}

func usable(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

// bootstrap is the interval of the ratio of a figure, see [Compare].
func bootstrap(pairs []pair, figure func([]pair) (float64, float64), seed uint64) (low, high float64) {
	rng := rand.New(rand.NewPCG(seed, 0x636f6d70617265)) //nolint:gosec // a draw of samples, not of secrets
	ratios := make([]float64, 0, resamples)
	drawn := make([]pair, 0, len(pairs)+block)
	for range resamples {
		drawn = drawn[:0]
		for len(drawn) < len(pairs) {
			at := rng.IntN(len(pairs) - block + 1)
			drawn = append(drawn, pairs[at:at+block]...)
		}
		a, b := figure(drawn[:len(pairs)])
		if r := b / a; usable(r) {
			ratios = append(ratios, r)
		}
	}
	if len(ratios) == 0 {
		return 0, 0
	}
	slices.Sort(ratios)
	cut := int(tail / 2 * float64(len(ratios)))
	return ratios[cut], ratios[len(ratios)-1-cut]
}

func finding(l Ratio) Finding {
	const rounding = 1e-9 // of sums of logarithms
	if l.Low <= 1+rounding && l.High >= 1-rounding || math.Abs(l.Ratio-1) < least {
		return Same
	}
	if (l.Ratio > 1) == (l.Figure == "rate") {
		return Better
	}
	return Worse
}

func warnings(a, b *record.Run) []string {
	var w []string
	for i, run := range []*record.Run{a, b} {
		if v := judge(run); len(run.Verdict.Invalid) > 0 || run.Verdict.Aborted || len(broken(run)) > 0 {
			w = append(w, fmt.Sprintf("run %c is no measure: %s (%s)", 'A'+i, v.Word, cmp.Or(firstOf(v.Reasons), v.Says)))
		}
	}
	x, y := a.Environment, b.Environment
	for _, d := range []struct{ what, a, b string }{
		{"scenario", a.Scenario, b.Scenario},
		{"plan", string(a.Plan), string(b.Plan)},
		{"CPU", x.CPU, y.CPU},
		{"cores", count(int64(x.Cores)), count(int64(y.Cores))},
		{"memory", memory(x.Memory), memory(y.Memory)},
		{"kernel", x.Kernel, y.Kernel},
		{"Go", x.Go, y.Go},
		{"nodes", count(int64(x.Nodes)), count(int64(y.Nodes))},
		{"agents", count(int64(x.Agents)), count(int64(y.Agents))},
	} {
		switch {
		case d.a == d.b:
		case d.what == "plan":
			w = append(w, "the plans differ")
		default:
			w = append(w, fmt.Sprintf("%s differs: %s and %s", d.what, cmp.Or(d.a, "unknown"), cmp.Or(d.b, "unknown")))
		}
	}
	return w
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
