package report

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/catraca/catraca/bench/record"
)

// passed is the same made-up run for every test. Whoever changes it changes a copy.
var passed = sync.OnceValue(func() *record.Run { return madeUp(7, 1) })

// another is a copy of passed: its verdict and checks may be changed in place.
func another() *record.Run {
	run := *passed()
	run.Verdict.Thresholds, run.Audit.Checks = slices.Clone(run.Verdict.Thresholds), slices.Clone(run.Audit.Checks)
	run.Marks, run.Server = slices.Clone(run.Marks), slices.Clone(run.Server)
	return &run
}

// madeUp is a run that never was: a spike of 50,000 fans on three nodes, of which one is killed. Its latencies have a long
// tail, each second hangs on the one before, and slow multiplies them all.
func madeUp(seed uint64, slow float64) *record.Run {
	rng := rand.New(rand.NewPCG(seed, 1))
	began := time.Date(2026, 11, 20, 19, 0, 0, 0, time.UTC)
	run := &record.Run{
		Format: record.Format, ID: "20261120-190000-kill-leader-1f2e", Scenario: "kill-leader", Seed: seed, Target: "http://127.0.0.1:8080",
		Plan:  json.RawMessage(`{"fans":50000,"arrival":{"spike":{"over":"30s"}},"faults":[{"at":"45s","kind":"kill","node":"leader"}]}`),
		Began: began, Ended: began.Add(185 * time.Second), WarmUp: 5,
		Environment: record.Environment{Commit: "7bae1e1", Go: "go1.26.8", CPU: "Intel(R) Xeon(R) Processor", Cores: 2, Memory: 8 << 30, Kernel: "6.18.44", OpenFiles: 1 << 20,
			Command: "catraca-bench run kill-leader --seed 7", Server: "catraca 0.9.0", Nodes: 3, Agents: 2},
		Outcomes: map[string]int64{"bought": 8897, "sold_out": 39204, "left": 1741, "unpaid": 158},
		Marks: []record.Mark{{At: 5, Kind: "phase", Text: "the sale opens"}, {At: 45, Kind: "fault", Text: "kill node 2, the leader"}, {At: 46.3, Kind: "heal", Text: "node 1 leads"},
			{At: 75, Kind: "heal", Text: "node 2 is back"}, {At: 150, Kind: "phase", Text: "sold out"}},
		Audit: record.Audit{Ran: true, Counted: map[string]int64{"places": 50000, "holds": 9402, "orders": 9055, "tickets": 8897, "captured": 8897, "refunded": 0},
			Checks: []record.Check{{Name: "no seat twice", Held: true}, {Name: "nothing acknowledged lost", Held: true}, {Name: "no overtaking", Held: true},
				{Name: "captures = tickets + refunds", Held: true}, {Name: "views monotonic", Held: true}}},
		Verdict: record.Verdict{Thresholds: []record.Threshold{{Expression: "hold.p99<250ms", Got: "118ms", Held: true}, {Expression: "oversell==0", Got: "0", Held: true}, {Expression: "late<0.1%", Got: "0.004%", Held: true}}},
	}
	makeSeconds(run, rng, slow)
	makeServer(run, rng)
	for i, class := range []string{"", "fibre", "mobile", "far"} {
		n := []int64{50000, 20000, 25000, 5000}[i]
		run.Fairness = append(run.Fairness, record.Fairness{Class: class, Fans: n, Admitted: n * 9 / 40, Rank: 0.9987 - 0.0004*float64(i), Lapsed: 12 * int64(i),
			Wait: record.Summary{P50: 61.2, P99: 143.9, Max: 149}, Lag: record.Summary{P50: 0.012 * float64(1+i*i), P99: 0.05 * float64(1+i*i), Max: 1.9}, EtaError: 0.08 + 0.02*float64(i)})
	}
	return run
}

var kinds = []struct {
	name       string
	typical    float64 // seconds
	from, till int
	rate       float64
}{{"connect", 0.004, 0, 60, 1600}, {"join", 0.006, 5, 70, 1200}, {"claim", 0.009, 6, 160, 75}, {"map", 0.012, 6, 162, 90}, {"hold", 0.015, 7, 165, 72}, {"pay", 0.11, 9, 175, 61}, {"ticket", 0.031, 10, 180, 60}}

func makeSeconds(run *record.Run, rng *rand.Rand, slow float64) {
	type sum struct{ all, near, far *hdrhistogram.Histogram }
	sums, drift, active := map[string]sum{}, map[string]float64{}, int64(0)
	fresh := func() *hdrhistogram.Histogram { return hdrhistogram.New(1000, int64(time.Hour), 3) }
	for _, k := range kinds {
		sums[k.name] = sum{fresh(), fresh(), fresh()}
	}
	for at := range 185 {
		s := record.Second{At: at}
		if at >= 5 && at < 35 {
			s.Planned = 1667 + rng.Int64N(81) - 40
			s.Started = s.Planned
		}
		if at == 45 {
			s.Late = 2
		}
		active += s.Started - min(active, int64(float64(max(0, at-8))*rng.Float64()*5.6))
		s.Active, s.Sockets = active, active*97/100
		for _, k := range kinds {
			if at < k.from || at >= k.till {
				continue
			}
			drift[k.name] = 0.7*drift[k.name] + 0.08*rng.NormFloat64()
			typical := slow * k.typical * math.Exp(drift[k.name])
			n := int64(k.rate * (0.85 + 0.3*rng.Float64()))
			one, sum := make([]int64, 0, n), sums[k.name]
			for range n {
				v := typical * math.Exp(0.5*rng.NormFloat64())
				if at >= 45 && at < 47 {
					v += 1.3 * rng.Float64() // nobody led
				}
				ns := int64(v * 1e9)
				one = append(one, ns)
				if at >= 5 {
					_ = sum.all.RecordValue(ns)
					if rng.IntN(5) > 0 {
						_ = sum.near.RecordValue(ns)
					} else {
						_ = sum.far.RecordValue(ns + int64(600*time.Millisecond))
					}
				}
			}
			failed := int64(0)
			if k.name == "hold" && at%9 == 0 {
				failed = 2
			}
			slices.Sort(one)
			rank := func(q float64) float64 { return float64(one[int(q*float64(n-1))]) / 1e9 }
			s.Operations = append(s.Operations, record.SecondOfAKind{Name: k.name, Done: n, Failed: failed, P50: rank(0.5), P99: rank(0.99), Max: rank(1)})
		}
		run.Seconds = append(run.Seconds, s)
	}
	for _, k := range kinds {
		for i, h := range []*hdrhistogram.Histogram{sums[k.name].all, sums[k.name].near, sums[k.name].far} {
			text, _ := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
			took := summary(h)
			o := record.Operation{Name: k.name, Class: []string{"", "fibre", "far"}[i], Count: h.TotalCount(), Latency: took, Service: took, Histogram: string(text)}
			if k.name == "hold" && i == 0 {
				o.Failed, o.Codes = 36, map[string]int64{"conflict": 412, "sold_out": 93, "unavailable": 36}
			}
			run.Operations = append(run.Operations, o)
		}
	}
}

func summary(h *hdrhistogram.Histogram) record.Summary {
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1e9 }
	return record.Summary{Min: float64(h.Min()) / 1e9, Mean: h.Mean() / 1e9, P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(h.Max()) / 1e9}
}

func makeServer(run *record.Run, rng *rand.Rand) {
	waiting, admitted, sold := record.Series{Name: "queue waiting"}, record.Series{Name: "admitted", Unit: "per_second"}, record.Series{Name: "seats sold"}
	for at := range 185 {
		x := float64(at)
		queue := 45000 * min(1, max(0, (x-5)/30)) * min(1, max(0, (155-x)/120))
		waiting.Points = append(waiting.Points, record.Point{At: x, Value: math.Round(queue)})
		rate := 0.0
		if at > 5 && at < 150 && (at < 45 || at > 46) {
			rate = 75 + 6*rng.NormFloat64()
		}
		admitted.Points = append(admitted.Points, record.Point{At: x, Value: rate})
		sold.Points = append(sold.Points, record.Point{At: x, Value: math.Round(8897 * min(1, max(0, (x-10)/150)))})
	}
	run.Server = append(run.Server, waiting, admitted, sold)
	for node := range 3 {
		cpu, heap := record.Series{Name: "CPU", Node: []string{"node 1", "node 2", "node 3"}[node], Unit: "cores"}, record.Series{Name: "heap", Node: []string{"node 1", "node 2", "node 3"}[node], Unit: "bytes"}
		for at := 0; at < 185; at += 2 {
			if node == 1 && at > 44 && at < 75 {
				continue
			}
			cpu.Points = append(cpu.Points, record.Point{At: float64(at), Value: 0.18 + 0.1*rng.Float64()})
			heap.Points = append(heap.Points, record.Point{At: float64(at), Value: float64(90<<20) + float64(at%22)*3e6 + float64(node)*1e7})
		}
		run.Server = append(run.Server, cpu, heap)
	}
}

// brokenRun is one with everything wrong, and texts that would like to be markup.
func brokenRun() *record.Run {
	run := another()
	run.Scenario = `</script><script>alert(1)</script>`
	run.Environment.CPU = `<img src=x onerror="alert(2)">`
	run.Marks = append(run.Marks, record.Mark{At: 80, Kind: "fault", Text: "]]>\x1b[31m'\"--><svg onload=alert(3)>\u2028"})
	run.Server = append(run.Server, record.Series{Name: "</script><b>", Unit: "<i>", Points: []record.Point{{At: math.NaN(), Value: math.Inf(1)}, {At: 1e300, Value: 1}}})
	run.Plan = json.RawMessage(`{"name":"</pre><script>alert(4)</script>"}`)
	run.Verdict.Invalid = []string{"0.31 % of the fans started late: the generator was saturated"}
	run.Verdict.Broken = []string{"seat A-12 has two owners: orders K3F7 and 9QX2"}
	run.Verdict.Thresholds[0].Held, run.Verdict.Thresholds[0].Got = false, "412ms"
	run.Audit.Checks[0].Held = false
	run.Audit.Findings = []string{"seat A-12 has two owners: orders K3F7 and 9QX2"}
	return run
}
