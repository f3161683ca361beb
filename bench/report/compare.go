package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/catraca/catraca/bench/record"
)

// least is how near to 1 a ratio may be and is still never called a difference.
const least = 0.01

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
	// Ratio is B / A, which lies from Low to High with 99 % confidence.
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
	TooFew  Finding = "too short to tell"
	Missing Finding = "only in one of the runs"
)

// Compare holds b against a: for each operation the ratio of p50, of p99 and of the rate, with an interval.
//
// What is compared is the typical second: the geometric mean of the seconds' p50 and p99, each weighted by how many of
// the operation were done in it, and the mean number done a second, over the seconds that both runs have after their
// warm-up, counted from the operation's first. A second is held against the same second of the other run, so that the
// shape of the load, which both share, cancels out.
//
// The interval is that of batch means (Conway, "Some tactical problems in digital simulation", Management Science 10,
// 1963; Law, "Simulation Modeling and Analysis", §9.5.3): one second's figures hang on those of the second before, so
// what is held to be independent are the means of 10 to 30 batches of neighbouring seconds, and Student's distribution
// gives the interval of the logarithm of their ratio. The batches are as long as twice the memory that the seconds show;
// how much neighbouring batches still hang on one another is reckoned in. Below 50 s, or 10 times that memory, the
// finding is that the runs are too short to tell. A ratio is called a difference when 1 lies outside the interval and it
// is off by 1 % or more. The confidence is 99 % and not 95 % because a comparison asks two dozen such questions at once.
//
// What this came to on 2,000 pairs of made-up runs of 120 s, whose figures wander by 5 % (standard deviation): equal runs
// were called different in 1.1 % of the figures when each second stood alone, and in 1.2 % when each kept 0.7 of the
// one before; a latency 10 % higher was found in all of the former and in 98 % of the latter. With 0.85 kept, more than
// half of such pairs are too short to tell, and of the rest 4 % are called different although they are equal.
//
// What the interval cannot know is how much whole runs differ from one another on this machine: for a claim, compare
// several pairs.
func Compare(a, b *record.Run) Comparison {
	c := Comparison{A: a, B: b, Warnings: warnings(a, b)}
	for _, name := range names(a, b) {
		c.Lines = append(c.Lines, compareOperation(name, secondsOf(a, name), secondsOf(b, name))...)
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

func compareOperation(name string, a, b []record.SecondOfAKind) []Ratio {
	n := min(len(a), len(b))
	lines := []Ratio{{Operation: name, Figure: "p50"}, {Operation: name, Figure: "p99"}, {Operation: name, Figure: "rate"}}
	if n == 0 {
		for i := range lines {
			lines[i].Finding = Missing
		}
		return lines
	}
	figures := []func(a, b []record.SecondOfAKind) (float64, float64, []float64){latency(p50), latency(p99), rates}
	for i := range lines {
		l := &lines[i]
		var terms []float64
		l.A, l.B, terms = figures[i](a[:n], b[:n])
		l.Ratio, l.Finding = finite(l.B/l.A), TooFew
		if off, ok := halfWidth(terms); ok && usable(l.Ratio) {
			l.Low, l.High = l.Ratio*math.Exp(-off), l.Ratio*math.Exp(off)
			l.Finding = finding(*l)
		}
	}
	return lines
}

func p50(s record.SecondOfAKind) float64 { return s.P50 }
func p99(s record.SecondOfAKind) float64 { return s.P99 }

// latency is the weighted geometric mean of a latency over the seconds in which both runs have it, and by how much each
// second's logarithm of the ratio, so weighted, is off the whole's.
func latency(of func(record.SecondOfAKind) float64) func(a, b []record.SecondOfAKind) (float64, float64, []float64) {
	return func(a, b []record.SecondOfAKind) (float64, float64, []float64) {
		var weights, ratios []float64
		var weight, sumA, sumB float64
		for i := range a {
			x, y := of(a[i]), of(b[i])
			if a[i].Done <= 0 || b[i].Done <= 0 || !usable(x) || !usable(y) {
				continue
			}
			w := float64(a[i].Done) + float64(b[i].Done)
			weight, sumA, sumB = weight+w, sumA+w*math.Log(x), sumB+w*math.Log(y)
			weights, ratios = append(weights, w), append(ratios, math.Log(y/x))
		}
		mean := (sumB - sumA) / weight
		for i, w := range weights {
			ratios[i] = (ratios[i] - mean) * w / weight * float64(len(weights))
		}
		return math.Exp(sumA / weight), math.Exp(sumB / weight), ratios
	}
}

// rates is how many were done a second, and by how much each second moves the logarithm of their ratio.
func rates(a, b []record.SecondOfAKind) (float64, float64, []float64) {
	var sumA, sumB float64
	for i := range a {
		sumA, sumB = sumA+float64(a[i].Done), sumB+float64(b[i].Done)
	}
	n := float64(len(a))
	terms := make([]float64, len(a))
	for i := range a {
		terms[i] = float64(b[i].Done)*n/sumB - float64(a[i].Done)*n/sumA
	}
	return sumA / n, sumB / n, terms
}

func usable(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

func finding(l Ratio) Finding {
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
