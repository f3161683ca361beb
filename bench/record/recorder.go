package record

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of a [Recorder]. What goes beyond is counted under the name "other", or in no second.
const (
	MostOperations = 32
	MostClasses    = 16
	MostCodes      = 64
	MostSeconds    = 24 * 60 * 60
	MostMarks      = 4_096

	other = "other"
)

// Options of a recorder.
type Options struct {
	Began  time.Time     // from here all times are counted
	WarmUp time.Duration // what was planned before Began+WarmUp counts for no summary
	// Classes are the network classes there are; anything else is recorded as "other". None: whatever comes.
	Classes []string
	// Refusals are codes that a server rightly answers, as sold_out: they are counted by code and do not count as failed.
	Refusals []string
	// Drained makes a recorder of which everything is taken away by [Recorder.Drain]: it has nothing to show or to fill.
	Drained bool
}

// Recorder takes down what the fans of a run do. Its methods may be called by any goroutine. A recorder has no
// goroutine of its own, and its memory is bounded by the operations, classes and seconds there are, not by the fans.
type Recorder struct {
	o     Options
	cells atomic.Pointer[map[key]*cell] // replaced as a whole, so that looking something up takes no lock
	last  atomic.Int64                  // when the last operation that counts ended, in ns from Began

	mu    sync.Mutex // held to add to cells and kinds
	kinds map[string]*kind

	flow  flow
	marks marks
}

// NewRecorder returns an empty recorder.
func NewRecorder(o Options) *Recorder {
	o.Classes, o.Refusals = slices.Clone(o.Classes), slices.Clone(o.Refusals)
	r := &Recorder{o: o, kinds: map[string]*kind{}}
	r.cells.Store(&map[key]*cell{})
	return r
}

type key struct {
	op, class string
	warming   bool
}

// cell holds one operation of the fans of one class.
type cell struct {
	kind             *kind
	latency, service counts
	failed           atomic.Int64
	mu               sync.Mutex // guards codes
	codes            map[string]int64
}

// Done takes down an operation that was planned for one moment, begun at another and answered at a third. The code is
// empty when it succeeded. What fails counts in the histograms as well: a timeout is an answer that took as long.
//
// Latency is measured from planned. So whoever calls says when the operation should have begun, had nobody had to wait
// for anybody, and cannot leave out those that were not begun because an earlier one had not come back.
func (r *Recorder) Done(op, class string, planned, started, ended time.Time, code string) {
	at := ended.Sub(r.o.Began)
	service := ended.Sub(started)
	latency := max(ended.Sub(planned), service)
	warming := planned.Sub(r.o.Began) < r.o.WarmUp

	c := r.cell(key{op, class, warming})
	c.latency.add(int64(latency))
	c.service.add(int64(service))
	failed := false
	if code != "" {
		failed = !slices.Contains(r.o.Refusals, code)
		c.coded(code, failed)
	}
	c.kind.add(at, int64(latency), failed)
	if !warming {
		raise(&r.last, int64(at))
	}
}

func (c *cell) coded(code string, failed bool) {
	if failed {
		c.failed.Add(1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.codes[code]; !ok && len(c.codes) >= MostCodes-1 {
		code = other
	}
	c.codes[code]++
}

func (r *Recorder) cell(k key) *cell {
	if c := (*r.cells.Load())[k]; c != nil {
		return c
	}
	return r.newCell(k)
}

// newCell finds or makes the cell of names that were not met before, or of too many names.
func (r *Recorder) newCell(k key) *cell {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := *r.cells.Load()
	if k.class != "" && len(r.o.Classes) > 0 && !slices.Contains(r.o.Classes, k.class) {
		k.class = other
	}
	if r.kinds[k.op] == nil && len(r.kinds) >= MostOperations-1 {
		k.op = other
	}
	classes := map[string]bool{}
	for have := range old {
		classes[have.class] = true
	}
	if !classes[k.class] && len(classes) >= MostClasses-1 {
		k.class = other
	}
	if c := old[k]; c != nil {
		return c
	}
	c := &cell{kind: r.kindNamed(k.op), codes: map[string]int64{}}
	cells := make(map[key]*cell, len(old)+1)
	maps.Copy(cells, old)
	cells[k] = c
	r.cells.Store(&cells)
	return c
}

// kind finds or makes the seconds of an operation.
func (r *Recorder) kind(op string) *kind {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kinds[op] == nil && len(r.kinds) >= MostOperations-1 {
		op = other
	}
	return r.kindNamed(op)
}

// kindNamed is kind with mu held and the name in its bounds.
func (r *Recorder) kindNamed(op string) *kind {
	if r.kinds[op] == nil {
		r.kinds[op] = &kind{name: op, drained: r.o.Drained}
	}
	return r.kinds[op]
}

// Mark takes down what happens now to the servers or the sale. The kind is fault, heal or phase. After [MostMarks] it is
// ignored.
func (r *Recorder) Mark(kind, text string) {
	r.marks.add(Mark{At: time.Since(r.o.Began).Seconds(), Kind: kind, Text: text})
}

type marks struct {
	mu   sync.Mutex
	all  []Mark
	told int // how many were drained
}

func (m *marks) list() []Mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Mark{}, m.all...)
}
