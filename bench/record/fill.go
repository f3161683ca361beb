package record

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// FewestOperations is how many operations a run must have measured for its figures to say anything.
const FewestOperations = 100

// Live is how a run stands while it goes on.
type Live struct {
	At         float64     `json:"at"` // seconds from Began
	WarmingUp  bool        `json:"warming_up"`
	Planned    int64       `json:"planned"` // fans, so far as they were announced
	Starts     Starts      `json:"starts"`
	Active     int64       `json:"active"`
	Sockets    int64       `json:"sockets"`
	Seconds    []Second    `json:"seconds"` // whole ones only
	Operations []Operation `json:"operations"`
	Marks      []Mark      `json:"marks"`
}

// Snapshot returns the running totals (of all classes together, without histograms) and the seconds from the given one
// on; with a negative one, that many of the last. It costs about a millisecond for each operation there is.
func (r *Recorder) Snapshot(since int) Live {
	at := time.Since(r.o.Began)
	now := min(int(max(at, 0)/time.Second), MostSeconds)
	if since < 0 {
		since = max(now+since, 0)
	}
	l := Live{At: at.Seconds(), WarmingUp: at < r.o.WarmUp, Marks: r.marks.list()}
	for _, s := range r.seconds(since, now) {
		if s.At < now {
			l.Seconds = append(l.Seconds, s)
		}
	}
	for _, n := range r.named(false) {
		o, _ := n.operation("", n.cells...)
		l.Operations = append(l.Operations, o)
	}
	r.flow.mu.Lock()
	defer r.flow.mu.Unlock()
	l.Planned, l.Starts = r.flow.planned, r.flow.starts
	l.Active, l.Sockets = r.flow.now()
	return l
}

// Fill writes down what was recorded: Began, WarmUp, Span, Starts, Operations, WarmUpOperations, Seconds and Marks; and
// it adds to Verdict.Invalid why the figures are worth nothing, if they are. A run that was aborted, which is to be said
// in Verdict.Aborted before, need not have started every fan.
func (r *Recorder) Fill(run *Run) {
	run.Began, run.WarmUp = r.o.Began, r.o.WarmUp.Seconds()
	run.Operations, run.WarmUpOperations = r.operations(false), r.operations(true)
	run.Seconds = r.seconds(0, 0)
	run.Marks = r.marks.list()
	run.Span = max(time.Duration(r.last.Load())-r.o.WarmUp, 0).Seconds()
	r.flow.mu.Lock()
	run.Starts = r.flow.starts
	run.Starts.Planned = r.flow.planned
	r.flow.mu.Unlock()
	run.Verdict.Invalid = append(run.Verdict.Invalid, invalid(run)...)
}

func invalid(run *Run) []string {
	var why []string
	s := run.Starts
	if share := s.LateShare(); share > MostLate && s.Late >= FewestLate {
		why = append(why, fmt.Sprintf("generator saturated: %s %% of starts were late by more than %d ms, at most %s %% is allowed",
			percent(share), LateAfter.Milliseconds(), percent(MostLate)))
	}
	if s.Started < s.Planned && !run.Verdict.Aborted {
		why = append(why, fmt.Sprintf("generator saturated: %d of %d planned starts never happened", s.Planned-s.Started, s.Planned))
	}
	n := int64(0)
	for _, o := range run.Operations {
		if o.Class == "" {
			n += o.Count
		}
	}
	if n < FewestOperations {
		why = append(why, fmt.Sprintf("too few operations: %d were measured, at least %d are needed", n, FewestOperations))
	}
	return why
}

// LateShare is the share, 0 to 1, of late starts.
func (s *Starts) LateShare() float64 {
	if s.Counted == 0 {
		return 0
	}
	return float64(s.Late) / float64(s.Counted)
}

func percent(share float64) string { return strconv.FormatFloat(share*100, 'g', 3, 64) }

// named is one operation of all classes.
type named struct {
	name    string
	classes []string // in order, one for each cell
	cells   []*cell
}

func (r *Recorder) named(warming bool) []*named {
	cells := *r.cells.Load()
	keys := slices.SortedFunc(maps.Keys(cells), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.op, b.op), cmp.Compare(a.class, b.class))
	})
	var all []*named
	for _, k := range keys {
		if k.warming != warming {
			continue
		}
		if len(all) == 0 || all[len(all)-1].name != k.op {
			all = append(all, &named{name: k.op})
		}
		n := all[len(all)-1]
		n.classes, n.cells = append(n.classes, k.class), append(n.cells, cells[k])
	}
	return all
}

// operations returns them by name, of each all classes together first.
func (r *Recorder) operations(warming bool) []Operation {
	all := []Operation{}
	keep := func(o Operation, latency *still) {
		o.Histogram = encode(latency)
		all = append(all, o)
	}
	for _, n := range r.named(warming) {
		keep(n.operation("", n.cells...))
		for i, class := range n.classes {
			if class != "" {
				keep(n.operation(class, n.cells[i]))
			}
		}
	}
	return all
}

// operation adds the cells up; it leaves the histogram to be encoded.
func (n *named) operation(class string, of ...*cell) (Operation, *still) {
	o := Operation{Name: n.name, Class: class, Codes: map[string]int64{}}
	latency, service := new(still), new(still)
	for _, c := range of {
		latency.take(&c.latency)
		service.take(&c.service)
		o.Failed += c.failed.Load()
		c.mu.Lock()
		for code, n := range c.codes {
			o.Codes[code] += n
		}
		c.mu.Unlock()
	}
	o.Count, o.Latency, o.Service = latency.n, latency.summary(), service.summary()
	return o, latency
}

// seconds returns those from the given one on, each with its operations by name.
func (r *Recorder) seconds(from, end int) []Second {
	r.mu.Lock()
	kinds := slices.SortedFunc(maps.Values(r.kinds), func(a, b *kind) int { return cmp.Compare(a.name, b.name) })
	r.mu.Unlock()
	var of []timed
	for _, k := range kinds {
		of = append(of, k.since(from)...)
	}
	for _, t := range of {
		end = max(end, t.at+1)
	}
	all := r.flow.since(from, end)
	for _, t := range of {
		s := &all[t.at-from]
		s.Operations = append(s.Operations, t.SecondOfAKind)
	}
	return all
}
