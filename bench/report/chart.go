package report

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/catraca/catraca/bench/record"
)

// maxPoints is how many points a line of a chart has at most, maxCharts how many charts a page.
const (
	maxPoints = 600
	maxCharts = 60
)

// chart is drawn by report.js.
type chart struct {
	Title string   `json:"title"`
	Kind  string   `json:"kind"` // time, spread, dates
	Unit  string   `json:"unit"` // "", seconds, bytes, cores, per_second, per cent
	Log   bool     `json:"log,omitempty"`
	Wide  bool     `json:"wide,omitempty"`
	X     []number `json:"x"`
	Lines []stroke `json:"lines"`
	Marks []mark   `json:"marks,omitempty"`
	Names []string `json:"names,omitempty"` // of dates: what stands at each, instead of the day alone
}

type stroke struct {
	Name string   `json:"name"`
	Fill bool     `json:"fill,omitempty"`
	Bars bool     `json:"bars,omitempty"`
	Tone string   `json:"tone,omitempty"` // bad, muted, or the next colour
	Y    []number `json:"y"`
}

type mark struct {
	At    float64 `json:"at"`
	Kind  string  `json:"kind"`
	Label string  `json:"label"`
}

// number is a figure in a chart: five significant digits, and null for a gap.
type number float64

// gap is a figure that is not there.
func gap() number { return number(math.NaN()) }

// MarshalJSON writes what JSON has no number for as null.
func (n number) MarshalJSON() ([]byte, error) {
	v := float64(n)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return fmt.Appendf(nil, "%.10g", round(v)), nil
}

// chartsOf are the charts of a run, and the sections they belong to.
func chartsOf(run *record.Run) ([]chart, []section) {
	var charts []chart
	var sections []section
	add := func(id, title, says string, list []chart) {
		s := section{ID: id, Title: title, Says: says}
		for _, c := range list {
			if len(charts) < maxCharts && len(c.X) > 0 && c.shows() {
				s.Charts = append(s.Charts, len(charts))
				charts = append(charts, c)
			}
		}
		if len(s.Charts) > 0 {
			sections = append(sections, s)
		}
	}
	marks := marksOf(run)
	add("arrivals", "Arrivals", "Fans come by the clock, whatever the server does.", arrivals(run, marks))
	add("latency", "Latency over time", "From the moment an operation was planned to its answer, each second.", latencies(run, marks))
	add("spread", "Latency by percentile", "The whole run, the slowest to the right.", spreads(run))
	add("server", "The server meanwhile", "What the server said of itself, on the same clock.", servers(run, marks))
	return charts, sections
}

// shows says whether any line has a figure.
func (c *chart) shows() bool {
	return slices.ContainsFunc(c.Lines, func(l stroke) bool {
		return slices.ContainsFunc(l.Y, func(n number) bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) })
	})
}

func marksOf(run *record.Run) []mark {
	var list []mark
	for _, m := range run.Marks[:min(len(run.Marks), 40)] {
		list = append(list, mark{finite(m.At), m.Kind, m.Text})
	}
	return list
}

// group is how many neighbours n points become one of.
func group(n int) int { return max(1, (n+maxPoints-1)/maxPoints) }

// fold makes one of each group of neighbours; of gets those of a group.
func fold(seconds []record.Second, of func([]record.Second) number) []number {
	list := make([]number, 0, maxPoints)
	for part := range slices.Chunk(seconds, group(len(seconds))) {
		list = append(list, of(part))
	}
	return list
}

func clock(seconds []record.Second) []number {
	return fold(seconds, func(s []record.Second) number { return number(s[0].At) })
}

// perSecondOf is the mean of a counter over a group.
func perSecondOf(seconds []record.Second, of func(record.Second) int64) []number {
	return fold(seconds, func(s []record.Second) number {
		sum := int64(0)
		for _, x := range s {
			sum += of(x)
		}
		return number(float64(sum) / float64(len(s)))
	})
}

func arrivals(run *record.Run, marks []mark) []chart {
	s := run.Seconds
	if len(s) == 0 {
		return nil
	}
	x := clock(s)
	done := chart{Title: "Answers", Kind: "time", Unit: "per_second", X: x, Marks: marks}
	failed := int64(0)
	for _, name := range names(run) {
		done.Lines = append(done.Lines, stroke{Name: name, Y: perSecondOf(s, func(x record.Second) int64 { return kindOf(x, name).Done })})
	}
	failures := perSecondOf(s, func(x record.Second) int64 {
		sum := int64(0)
		for _, o := range x.Operations {
			sum += o.Failed
		}
		failed += sum
		return sum
	})
	if failed > 0 {
		done.Lines = append(done.Lines, stroke{Name: "failed", Bars: true, Tone: "bad", Y: failures})
	}
	return []chart{
		{Title: "Fans arriving", Kind: "time", Unit: "per_second", X: x, Marks: marks, Lines: []stroke{
			{Name: "planned", Fill: true, Tone: "muted", Y: perSecondOf(s, func(x record.Second) int64 { return x.Planned })},
			{Name: "started", Y: perSecondOf(s, func(x record.Second) int64 { return x.Started })},
			{Name: "late", Bars: true, Tone: "bad", Y: perSecondOf(s, func(x record.Second) int64 { return x.Late })},
		}},
		{Title: "Fans at once", Kind: "time", X: x, Marks: marks, Lines: []stroke{
			{Name: "fans", Fill: true, Y: perSecondOf(s, func(x record.Second) int64 { return x.Active })},
			{Name: "sockets", Y: perSecondOf(s, func(x record.Second) int64 { return x.Sockets })},
		}},
		done,
	}
}

func kindOf(s record.Second, name string) record.SecondOfAKind {
	for _, o := range s.Operations {
		if o.Name == name {
			return o
		}
	}
	return record.SecondOfAKind{}
}

// latencies has a chart for each operation. Of a group of seconds the worst is kept, so that no peak is lost.
func latencies(run *record.Run, marks []mark) []chart {
	var list []chart
	for _, name := range names(run) {
		worst := func(of func(record.SecondOfAKind) float64) []number {
			return fold(run.Seconds, func(s []record.Second) number {
				v := gap()
				for _, x := range s {
					if k := kindOf(x, name); k.Done > 0 && !(float64(v) >= of(k)) {
						v = number(of(k))
					}
				}
				if v <= 0 {
					v = gap() // a logarithm has no place for it
				}
				return v
			})
		}
		list = append(list, chart{Title: name, Kind: "time", Unit: "seconds", Log: true, X: clock(run.Seconds), Marks: marks, Lines: []stroke{
			{Name: "max", Tone: "muted", Y: worst(func(k record.SecondOfAKind) float64 { return k.Max })},
			{Name: "p99", Y: worst(p99)},
			{Name: "p50", Y: worst(p50)},
		}})
	}
	return list
}

// nines are the percentiles shown, as the share of operations that were slower: from all to one in 100,000.
func nines() []float64 {
	var list []float64
	for i := range 101 {
		list = append(list, math.Pow(10, -float64(i)/20))
	}
	return list
}

// spreads shows how long the slowest took: the x axis is how many nines.
func spreads(run *record.Run) []chart {
	c := chart{Title: "All operations", Kind: "spread", Unit: "seconds", Log: true, Wide: true}
	for _, slower := range nines() {
		c.X = append(c.X, number(-math.Log10(slower)))
	}
	for _, o := range whole(run) {
		h, err := histogram(o.Histogram)
		if err != nil || h.TotalCount() == 0 {
			continue // a run without the histogram still has its summary
		}
		l := stroke{Name: o.Name}
		for _, slower := range nines() {
			v := number(float64(h.ValueAtQuantile(100*(1-slower))) / 1e9)
			if slower*float64(h.TotalCount()) < 1 || v <= 0 {
				v = gap() // beyond what the run had operations for
			}
			l.Y = append(l.Y, v)
		}
		c.Lines = append(c.Lines, l)
	}
	c.trim()
	return []chart{c}
}

// trim cuts off the right end at which no line has a figure, down to the next whole nine.
func (c *chart) trim() {
	end := 0
	for _, l := range c.Lines {
		for i, v := range l.Y {
			if !math.IsNaN(float64(v)) {
				end = max(end, i)
			}
		}
	}
	for end+1 < len(c.X) && float64(c.X[end]) < math.Ceil(float64(c.X[end])-rounding)-rounding {
		end++
	}
	for i := range c.Lines {
		c.Lines[i].Y = c.Lines[i].Y[:min(end+1, len(c.Lines[i].Y))]
	}
	c.X = c.X[:min(end+1, len(c.X))]
}

// maxHistogram bounds an encoded histogram.
const maxHistogram = 4 << 20

func histogram(text string) (h *hdrhistogram.Histogram, err error) {
	if len(text) == 0 || base64.StdEncoding.DecodedLen(len(text)) > maxHistogram {
		return nil, fmt.Errorf("decode histogram: %d bytes", len(text))
	}
	defer func() { // the decoder indexes what it has not checked
		if r := recover(); r != nil {
			h, err = nil, fmt.Errorf("decode histogram: %v", r)
		}
	}()
	h, err = hdrhistogram.Decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("decode histogram: %w", err)
	}
	return h, nil
}

// servers has a chart for each metric, with a line for each node.
func servers(run *record.Run, marks []mark) []chart {
	var list []chart
	for _, s := range run.Server {
		if len(s.Points) == 0 {
			continue
		}
		i := slices.IndexFunc(list, func(c chart) bool { return c.Title == s.Name && c.Unit == s.Unit })
		if i < 0 {
			i = len(list)
			list = append(list, chart{Title: s.Name, Kind: "time", Unit: s.Unit, Marks: marks})
		}
		name := s.Node
		if name == "" {
			name = s.Name
		}
		join(&list[i], name, s.Points)
	}
	return list
}

// join adds a line to a chart: all lines share the clock of the first, as fine as its points lie.
func join(c *chart, name string, points []record.Point) {
	end := 0.0
	for _, p := range points {
		end = max(end, min(finite(p.At), 1e7))
	}
	if len(c.X) == 0 {
		step := max(1, math.Ceil(end/(maxPoints-1)), math.Round(usual(points)))
		for at := 0.0; at <= end && len(c.X) < maxPoints; at += step {
			c.X = append(c.X, number(at))
		}
	}
	step := 1.0
	if len(c.X) > 1 {
		step = float64(c.X[1] - c.X[0])
	}
	y := make([]number, len(c.X))
	for i := range y {
		y[i] = gap()
	}
	for _, p := range points {
		if i := int(finite(p.At) / step); i >= 0 && i < len(y) && !(float64(y[i]) >= p.Value) {
			y[i] = number(p.Value)
		}
	}
	c.Lines = append(c.Lines, stroke{Name: name, Y: y})
}

// usual is the median of the seconds from a point to the next.
func usual(points []record.Point) float64 {
	var steps []float64
	for i := 1; i < len(points); i++ {
		steps = append(steps, min(finite(points[i].At-points[i-1].At), 1e7))
	}
	if len(steps) == 0 {
		return 0
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// round keeps five significant digits of what is not a whole number: enough for a chart, and short.
func round(v float64) float64 {
	if v == 0 || v == math.Trunc(v) {
		return v
	}
	scale := math.Pow(10, 4-math.Floor(math.Log10(math.Abs(v))))
	if r := math.Round(v*scale) / scale; !math.IsNaN(r) && !math.IsInf(r, 0) {
		return r
	}
	return v
}
