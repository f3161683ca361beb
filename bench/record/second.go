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
	rounds       int // in which it was drained since it was closed
}

func (w *window) add(v int64, failed bool) {
	w.counts[position(v)>>coarse].Add(1)
	w.done.Add(1)
	if failed {
		w.failed.Add(1)
	}
	raise(&w.most, v)
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
	// A drained one has no closed seconds: they are spent when the drain has taken what is left in them.
	drained bool
	spent   []*window
}

func (k *kind) add(at time.Duration, v int64, failed bool) {
	s := int(max(at, 0) / time.Second)
	if s >= MostSeconds {
		return
	}
	v = max(v, 0)
	w := k.open[s%openSeconds].Load()
	if w == nil || w.at != s {
		if w = k.turn(s); w == nil {
			one := windowChange{at: s, done: 1, most: v, tallies: []tally{{int64(position(v) >> coarse), 1}}}
			if failed {
				one.failed = 1
			}
			k.older(&one)
			return
		}
	}
	w.add(v, failed)
}

// turn opens the window of second s and closes the one that had its place. It returns nil when s itself is closed
// already.
func (k *kind) turn(s int) *window {
	k.mu.Lock()
	defer k.mu.Unlock()
	slot := &k.open[s%openSeconds]
	w := slot.Load()
	switch {
	case w != nil && w.at == s:
		return w
	case w != nil && w.at > s && k.drained:
		w = &window{at: s}
		k.spent = append(k.spent, w)
		return w
	case w != nil && w.at > s:
		return nil
	case w != nil && k.drained:
		k.spent = append(k.spent, w)
	case w != nil:
		k.closed = append(k.closed, w.close(k.name))
	}
	w = &window{at: s}
	slot.Store(w)
	return w
}

// older adds to what was kept of a closed second.
func (k *kind) older(c *windowChange) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.closed, func(t timed) bool { return t.at == c.at })
	if i < 0 {
		w := &window{at: c.at}
		w.absorb(c)
		k.closed = append(k.closed, w.close(k.name))
		return
	}
	t := &k.closed[i]
	t.Done += c.done
	t.Failed += c.failed
	t.Max = max(t.Max, seconds(c.most))
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
	sources         []track // of other recorders
	told            struct {
		planned, last int64
		starts        Starts
		seconds       []flowSecond
	}
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
	tracks := append([]track{{seconds: f.seconds}}, f.sources...)
	levels := make([]flowSecond, len(tracks))
	for _, t := range f.sources {
		end = max(end, len(t.seconds))
	}
	var all []Second
	for i := range max(end, len(f.seconds)) {
		s := Second{At: i, Operations: []SecondOfAKind{}}
		if i < len(f.seconds) {
			s.Planned, s.Started, s.Late = f.seconds[i].planned, f.seconds[i].started, f.seconds[i].late
		}
		for k, t := range tracks {
			if i < len(t.seconds) && t.seconds[i].known {
				levels[k] = t.seconds[i]
			}
			s.Active, s.Sockets = s.Active+levels[k].active, s.Sockets+levels[k].sockets
		}
		if i >= from {
			all = append(all, s)
		}
	}
	return all
}

// now is how many fans and sockets there are; the lock is held.
func (f *flow) now() (active, sockets int64) {
	active, sockets = f.active, f.sockets
	for _, t := range f.sources {
		if n := len(t.seconds); n > 0 {
			active, sockets = active+t.seconds[n-1].active, sockets+t.seconds[n-1].sockets
		}
	}
	return active, sockets
}
