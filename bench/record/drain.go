package record

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// MostSources bounds how many other recorders one takes in.
const MostSources = 256

// Drain takes away what was recorded since the last time, in pieces for another recorder's [Recorder.Absorb]. Nothing
// is lost or counted twice by it: the sum of all drains is what was recorded. Only for a recorder with Options.Drained;
// by one goroutine, at least every few seconds.
func (r *Recorder) Drain() [][]byte {
	var out [][]byte
	cells := *r.cells.Load()
	for k, c := range cells {
		if change, any := c.drain(k); any {
			out = append(out, change.piece())
		}
	}
	r.mu.Lock()
	kinds := make([]*kind, 0, len(r.kinds))
	for _, k := range r.kinds {
		kinds = append(kinds, k)
	}
	r.mu.Unlock()
	for _, k := range kinds {
		for _, w := range k.takeable() {
			if change, any := w.drain(k.name); any {
				out = append(out, change.piece())
			}
		}
	}
	if change, any := r.flow.drain(r.last.Load()); any {
		out = append(out, change.piece())
	}
	for _, m := range r.marks.drain() {
		out = append(out, m.piece())
	}
	return out
}

// Absorb adds a piece of the recorder with the number source, whose Began is the same moment, to this one. A piece that
// is not one is refused, and changes nothing. Any goroutine; the pieces of one source in their order.
//
// A second that is told more than eight seconds late counts without its percentiles. Everything else is as if this
// recorder had been told of each operation.
func (r *Recorder) Absorb(source int, piece []byte) error {
	if source < 0 || source >= MostSources {
		return fmt.Errorf("take in what was recorded: source %d is beyond %d", source, MostSources-1)
	}
	change, err := decodePiece(piece)
	if err != nil {
		return err
	}
	switch c := change.(type) {
	case *cellChange:
		to := r.cell(c.key)
		to.latency.absorb(&c.latency)
		to.service.absorb(&c.service)
		to.absorb(c)
	case *windowChange:
		r.kind(c.op).absorb(c)
	case *flowChange:
		r.flow.absorb(source, c)
		raise(&r.last, c.last)
	case *Mark:
		r.marks.add(*c)
	}
	return nil
}

// StartsOf is how well another recorder's generator has kept its plan so far.
func (r *Recorder) StartsOf(source int) Starts {
	r.flow.mu.Lock()
	defer r.flow.mu.Unlock()
	if source < 0 || source >= len(r.flow.sources) {
		return Starts{}
	}
	return r.flow.sources[source].starts
}

// raise makes the value at least v.
func raise(at *atomic.Int64, v int64) {
	for l := at.Load(); v > l && !at.CompareAndSwap(l, v); l = at.Load() {
	}
}

func (c *cell) drain(k key) (change cellChange, any bool) {
	change = cellChange{key: k, failed: c.failed.Swap(0), latency: c.latency.drain(), service: c.service.drain()}
	c.mu.Lock()
	change.codes, c.codes = c.codes, map[string]int64{}
	c.mu.Unlock()
	return change, change.failed > 0 || len(change.codes) > 0 || len(change.latency.tallies) > 0 || len(change.service.tallies) > 0
}

func (c *cell) absorb(change *cellChange) {
	c.failed.Add(change.failed)
	c.mu.Lock()
	defer c.mu.Unlock()
	for code, n := range change.codes {
		if _, ok := c.codes[code]; !ok && len(c.codes) >= MostCodes-1 {
			code = other
		}
		c.codes[code] += n
	}
}

func (c *counts) drain() heap {
	var h heap
	for o := range c.octaves {
		part := c.octaves[o].Load()
		if part == nil {
			continue
		}
		for i := range part {
			if part[i].Load() == 0 {
				continue
			}
			h.tallies = append(h.tallies, tally{int64(o*steps + i), part[i].Swap(0)})
		}
	}
	h.least, h.most = c.least.Load(), c.most.Load()
	return h
}

func (c *counts) absorb(h *heap) {
	for _, t := range h.tallies {
		c.octave(int(t.at))[t.at&(steps-1)].Add(t.n)
	}
	c.widen(h.least, h.most)
}

// takeable are the seconds that are open, and those that were closed since. What a goroutine still adds to one that it
// found open is taken the next time; then the second is forgotten.
func (k *kind) takeable() []*window {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := slices.Clone(k.spent)
	k.spent = slices.DeleteFunc(k.spent, func(w *window) bool { w.rounds++; return w.rounds > 1 })
	for i := range k.open {
		if w := k.open[i].Load(); w != nil {
			all = append(all, w)
		}
	}
	return all
}

func (w *window) drain(op string) (change windowChange, any bool) {
	change = windowChange{op: op, at: w.at, done: w.done.Swap(0), failed: w.failed.Swap(0), most: w.most.Load()}
	for i := range w.counts {
		if w.counts[i].Load() != 0 {
			change.tallies = append(change.tallies, tally{int64(i), int64(w.counts[i].Swap(0))})
		}
	}
	return change, change.done > 0 || change.failed > 0 || len(change.tallies) > 0
}

func (k *kind) absorb(c *windowChange) {
	w := k.open[c.at%openSeconds].Load()
	if w == nil || w.at != c.at {
		if w = k.turn(c.at); w == nil {
			k.older(c)
			return
		}
	}
	w.absorb(c)
}

func (w *window) absorb(c *windowChange) {
	for _, t := range c.tallies {
		w.counts[t.at].Add(uint32(min(t.n, 1<<32-1))) //nolint:gosec // bounded
	}
	w.done.Add(c.done)
	w.failed.Add(c.failed)
	raise(&w.most, c.most)
}

// track is what another recorder's generator does.
type track struct {
	starts  Starts
	seconds []flowSecond // levels only
}

func (f *flow) drain(last int64) (change flowChange, any bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change = flowChange{planned: f.planned - f.told.planned, last: last, starts: Starts{
		Started: f.starts.Started - f.told.starts.Started, Counted: f.starts.Counted - f.told.starts.Counted,
		Late: f.starts.Late - f.told.starts.Late, Latest: f.starts.Latest,
	}}
	for len(f.told.seconds) < len(f.seconds) {
		f.told.seconds = append(f.told.seconds, flowSecond{})
	}
	for i, now := range f.seconds {
		if was := f.told.seconds[i]; now != was {
			now.planned, now.started, now.late = now.planned-was.planned, now.started-was.started, now.late-was.late
			change.seconds = append(change.seconds, numbered{now, i})
		}
	}
	copy(f.told.seconds, f.seconds)
	any = change.planned > 0 || change.starts.Started > 0 || len(change.seconds) > 0 || last > f.told.last
	f.told.planned, f.told.starts, f.told.last = f.planned, f.starts, last
	return change, any
}

func (f *flow) absorb(source int, c *flowChange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.sources) <= source {
		f.sources = append(f.sources, track{})
	}
	of := &f.sources[source]
	f.planned += c.planned
	f.starts.add(c.starts)
	of.starts.Planned += c.planned
	of.starts.add(c.starts)
	for _, s := range c.seconds {
		for len(f.seconds) <= s.at {
			f.seconds = append(f.seconds, flowSecond{})
		}
		to := &f.seconds[s.at]
		to.planned, to.started, to.late = to.planned+s.planned, to.started+s.started, to.late+s.late
		if s.known {
			for len(of.seconds) <= s.at {
				of.seconds = append(of.seconds, flowSecond{})
			}
			of.seconds[s.at] = flowSecond{active: s.active, sockets: s.sockets, known: true}
		}
	}
}

func (s *Starts) add(more Starts) {
	s.Started += more.Started
	s.Counted += more.Counted
	s.Late += more.Late
	s.Latest = max(s.Latest, more.Latest)
}

func (m *marks) drain() []Mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := slices.Clone(m.all[m.told:])
	m.told = len(m.all)
	return out
}

func (m *marks) add(one Mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.all) < MostMarks {
		m.all = append(m.all, one)
	}
}
