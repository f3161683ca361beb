package record

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// openSeconds stay open for answers that are reported late; an older one counts without its percentiles.
	openSeconds = 8
	// coarse is by how many bits a second's histogram is coarser than the whole run's: its error is below 0.8 %.
	coarse = 3
)

// window holds one operation in one second.
type window struct {
	at           int
	done, failed atomic.Int64
	most         atomic.Int64
	counts       [positions >> coarse]atomic.Uint32
}

func (w *window) add(v int64, failed bool) {
	w.counts[position(v)>>coarse].Add(1)
	w.done.Add(1)
	if failed {
		w.failed.Add(1)
	}
	for m := w.most.Load(); v > m && !w.most.CompareAndSwap(m, v); m = w.most.Load() {
	}
}

func (w *window) quantile(q float64) float64 {
	n := int64(0)
	for i := range w.counts {
		n += int64(w.counts[i].Load())
	}
	rank := max(int64(math.Ceil(q*float64(n))), 1)
	for i := range w.counts {
		if rank -= int64(w.counts[i].Load()); rank <= 0 {
			return seconds(min(bottom((i+1)<<coarse)-1, w.most.Load()))
		}
	}
	return seconds(w.most.Load())
}

func (w *window) close(name string) timed {
	return timed{at: w.at, SecondOfAKind: SecondOfAKind{
		Name: name, Done: w.done.Load(), Failed: w.failed.Load(),
		P50: w.quantile(0.5), P99: w.quantile(0.99), Max: seconds(w.most.Load()),
	}}
}

type timed struct {
	SecondOfAKind

	at int
}

// kind holds one operation second by second: the last few open, the others closed to a few figures.
type kind struct {
	name   string
	open   [openSeconds]atomic.Pointer[window]
	mu     sync.Mutex // held to close a second
	closed []timed
}

func (k *kind) add(at time.Duration, v int64, failed bool) {
	s := int(max(at, 0) / time.Second)
	if s >= MostSeconds {
		return
	}
	v = max(v, 0)
	w := k.open[s%openSeconds].Load()
	if w == nil || w.at != s {
		if w = k.turn(s, v, failed); w == nil {
			return
		}
	}
	w.add(v, failed)
}

// turn opens the window of second s and closes the one that had its place. When s itself is closed already, it adds
// the operation to what was kept of it and returns nil.
func (k *kind) turn(s int, v int64, failed bool) *window {
	k.mu.Lock()
	defer k.mu.Unlock()
	slot := &k.open[s%openSeconds]
	w := slot.Load()
	switch {
	case w != nil && w.at == s:
		return w
	case w != nil && w.at > s:
		k.older(s, v, failed)
		return nil
	case w != nil:
		k.closed = append(k.closed, w.close(k.name))
	}
	w = &window{at: s}
	slot.Store(w)
	return w
}

func (k *kind) older(s int, v int64, failed bool) {
	i := slices.IndexFunc(k.closed, func(t timed) bool { return t.at == s })
	if i < 0 {
		i = len(k.closed)
		k.closed = append(k.closed, timed{at: s, SecondOfAKind: SecondOfAKind{Name: k.name, P50: seconds(v), P99: seconds(v)}})
	}
	t := &k.closed[i]
	t.Done++
	if failed {
		t.Failed++
	}
	t.Max = max(t.Max, seconds(v))
}

// since returns the seconds from the given one on, in order.
func (k *kind) since(from int) []timed {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []timed
	for _, t := range k.closed {
		if t.at >= from {
			all = append(all, t)
		}
	}
	for i := range k.open {
		if w := k.open[i].Load(); w != nil && w.at >= from {
			all = append(all, w.close(k.name))
		}
	}
	slices.SortFunc(all, func(a, b timed) int { return cmp.Compare(a.at, b.at) })
	return all
}

// flow counts the fans that come and go.
type flow struct {
	mu              sync.Mutex
	planned         int64
	starts          Starts
	active, sockets int64
	seconds         []flowSecond
}

type flowSecond struct {
	planned, started, late int64
	active, sockets        int64
	known                  bool // active and sockets were written
}

// second returns that of a moment, nil beyond [MostSeconds]; the lock is held.
func (f *flow) second(at time.Duration) *flowSecond {
	s := int(max(at, 0) / time.Second)
	if s >= MostSeconds {
		return nil
	}
	for len(f.seconds) <= s {
		f.seconds = append(f.seconds, flowSecond{})
	}
	return &f.seconds[s]
}

// Planned adds n fans, or operations with a time of their own, to those that the generator has to start. It may say so
// all at once or as they fall due; those that never start make the run invalid.
func (r *Recorder) Planned(n int) {
	r.flow.mu.Lock()
	defer r.flow.mu.Unlock()
	r.flow.planned += int64(n)
}

// Started takes down that the generator began what was planned. It is to be called by the goroutine that does the work,
// when it really runs: the time from planned to started is what the generator itself is late.
func (r *Recorder) Started(planned, started time.Time) {
	late := int64(0)
	if started.Sub(planned) > LateAfter {
		late = 1
	}
	due := planned.Sub(r.o.Began)
	f := &r.flow
	f.mu.Lock()
	defer f.mu.Unlock()
	f.starts.Started++
	if due >= r.o.WarmUp {
		f.starts.Counted++
		f.starts.Late += late
		f.starts.Latest = max(f.starts.Latest, started.Sub(planned).Seconds())
	}
	if s := f.second(due); s != nil {
		s.planned++
	}
	if s := f.second(started.Sub(r.o.Began)); s != nil {
		s.started++
		s.late += late
	}
}

// Active changes the number of fans that live their story now.
func (r *Recorder) Active(delta int) { r.level(&r.flow.active, delta) }

// Sockets changes the number of open sockets.
func (r *Recorder) Sockets(delta int) { r.level(&r.flow.sockets, delta) }

func (r *Recorder) level(l *int64, delta int) {
	f := &r.flow
	f.mu.Lock()
	defer f.mu.Unlock()
	*l += int64(delta)
	if s := f.second(time.Since(r.o.Began)); s != nil {
		s.active, s.sockets, s.known = f.active, f.sockets, true
	}
}

// since returns the seconds from the given one up to at least the one before end. A second in which no fan came or went
// has the levels of the one before.
func (f *flow) since(from, end int) []Second {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []Second
	active, sockets := int64(0), int64(0)
	for i := range max(end, len(f.seconds)) {
		var s flowSecond
		if i < len(f.seconds) {
			s = f.seconds[i]
		}
		if s.known {
			active, sockets = s.active, s.sockets
		}
		if i >= from {
			all = append(all, Second{
				At: i, Planned: s.planned, Started: s.started, Late: s.late, Active: active, Sockets: sockets,
				Operations: []SecondOfAKind{},
			})
		}
	}
	return all
}
