package forecast

import (
	"math"
	"sync/atomic"

	"github.com/catraca/catraca/actors/sale/queue"
)

// Why a wait became longer, or is not known.
type Why string

const (
	WhyNone           Why = ""
	WhyRateLowered    Why = "rate_lowered"    // the organiser lets fewer in
	WhySlowerShoppers Why = "slower_shoppers" // those inside take longer
	WhyReturning      Why = "returning"       // fans whose turn had come before are back
	WhyFewerLeaving   Why = "fewer_leaving"   // fewer ahead give up than before
	WhyPaused         Why = "paused"          // it is paused, or was until just now
)

// Hysteresis of the pace that is published.
const (
	riseTold    = 1.02 // a wait that grows more than this, and by riseLeast, needs a reason
	riseLeast   = 5_000
	riseBand    = 1.10 // a pace is not published before a wait grows more than this …
	fallBand    = 0.95 // … or shrinks to this
	sampleEvery = 1_000
	markEvery   = 60_000
)

// sample is what is remembered of one view.
type sample struct {
	at       int64
	exposure queue.Exposure
	active   uint32
}

// Forecaster turns views of one queue into waits and chances. One goroutine calls Observe and ObserveSales; ETA,
// Estimate, Chance and Calibration may be called by any number.
type Forecaster struct {
	o        Options
	samples  []sample // a ring
	next     int
	count    int
	last     *queue.View
	whyUntil int64
	opened   bool // offers have been made at some time
	markers  [8]marker
	learnt   learnt
	sales    sales

	now atomic.Pointer[forecast]
}

// forecast is one publication; it never changes.
type forecast struct {
	pace   pace
	load   load
	why    Why
	paused bool
	ends   float64 // turns the pace is based on
	sigma  float64 // of the logarithm of the error that is not chance
	buys   float64 // probability that a turn ends with a purchase
	basket float64 // places in one purchase
	score  Calibration
}

// marker is a place that is followed for a while, as its fan would: it knows the shortest wait said since the last reason.
type marker struct {
	place queue.Place
	since int64
	wait  float64
}

// New returns a Forecaster that knows nothing yet. Options outside the bounds of Validate are brought to them.
func New(o Options) *Forecaster {
	o = o.clamped()
	return &Forecaster{
		o:       o,
		samples: make([]sample, o.Window.Milliseconds()/sampleEvery+1),
		learnt:  newLearnt(),
	}
}

// Observe takes in the queue as it is at now (unix ms), about once a second. paused is true whenever no offers are made:
// before the opening too.
func (f *Forecaster) Observe(now int64, v *queue.View, paused bool) {
	if f.last != nil && (v.Clock < f.last.Clock || v.Exposure.Ends < f.last.Exposure.Ends) {
		f.forget()
	}
	s := sample{at: now, exposure: v.Exposure, active: v.Counts.Offered + v.Counts.Shopping}
	first := f.keep(s)
	measured, ends := measure(first, s, v, float64(f.o.MeanTurn.Milliseconds()))
	old := f.now.Load()
	n := &forecast{
		pace: measured, ends: ends, paused: paused,
		load: load{
			returned: float64(v.Counts.Returned), active: float64(s.active),
			cap: float64(v.Policy.ActiveCap), rate: float64(v.Policy.RatePerMinute) / 60_000,
		},
	}
	explained := old != nil && f.carryOn(n, old, now, v)
	f.opened = f.opened || !paused
	f.learnt.observe(now, v, n)
	n.sigma = f.learnt.sigma()
	n.score = f.learnt.score
	n.buys, n.basket = f.sales.estimates(v.Exposure.Ends)
	f.last = v
	f.mark(n, now, v, explained)
	f.now.Store(n)
}

// carryOn keeps the old pace where the new one says nearly the same, and finds the reason where a wait grew. It
// returns whether there was one.
func (f *Forecaster) carryOn(n, old *forecast, now int64, v *queue.View) bool {
	low, high := f.compare(n, old.pace, v.Counts.Waiting+v.Counts.Away-v.Counts.Returned)
	if high <= riseBand && low >= fallBand {
		n.pace = old.pace
	}
	n.why = old.why
	if now >= f.whyUntil {
		n.why = WhyNone
	}
	why := WhyNone
	switch {
	case n.paused:
	case old.paused && f.opened:
		why = WhyPaused
	case f.rose(n, v):
		why = cause(n, old)
	}
	if why != WhyNone {
		n.why, f.whyUntil = why, now+f.o.Explain.Milliseconds()
	}
	if n.paused || n.load.cap != old.load.cap || n.load.rate != old.load.rate {
		f.learnt.drop()
	}
	return why != WhyNone
}

// compare gives the least and the greatest factor by which the new pace changes waits along the line.
func (f *Forecaster) compare(n *forecast, old pace, line uint32) (low, high float64) {
	low, high = math.Inf(1), 0
	for quarter := uint32(1); quarter <= 4; quarter++ {
		ahead := line / 4 * quarter
		was, is := old.wait(ahead, n.load), n.pace.wait(ahead, n.load)
		if was == 0 || math.IsInf(was, 1) {
			continue
		}
		low, high = min(low, is/was), max(high, is/was)
	}
	if high == 0 {
		return 1, 1
	}
	return low, high
}

// rose says whether the wait of a place that is followed grew.
func (f *Forecaster) rose(n *forecast, v *queue.View) bool {
	for _, m := range f.markers {
		if m.place > v.Front && n.pace.wait(v.Ahead(m.place), n.load) > m.wait*riseTold+riseLeast {
			return true
		}
	}
	return false
}

// cause names what slowed the line most between two publications.
func cause(n, old *forecast) Why {
	if n.load.cap < old.load.cap || n.load.rate < old.load.rate {
		return WhyRateLowered
	}
	if n.pace == old.pace || n.load.returned > old.load.returned && n.pace.end >= old.pace.end {
		return WhyReturning
	}
	slower := old.pace.end / n.pace.end
	fuller := (1 - old.pace.back) / (1 - n.pace.back) * (1 - n.pace.passed) / (1 - old.pace.passed)
	switch {
	case slower >= fuller && slower > 1:
		return WhySlowerShoppers
	case fuller > 1:
		return WhyReturning
	}
	return WhyFewerLeaving
}

// mark follows the marked places and chooses new ones, spread over the line, for those whose turn came or whose time is over.
func (f *Forecaster) mark(n *forecast, now int64, v *queue.View, explained bool) {
	line := v.Counts.Waiting + v.Counts.Away - v.Counts.Returned
	for i := range f.markers {
		m := &f.markers[i]
		if n.paused {
			*m = marker{}
			continue
		}
		fresh := m.place <= v.Front || now-m.since >= markEvery
		if fresh {
			*m = marker{place: placeAt(v, line/8*uint32(i)), since: now}
		}
		if m.place == 0 {
			continue
		}
		if w := n.pace.wait(v.Ahead(m.place), n.load); fresh || explained || w < m.wait {
			m.wait = w
		}
	}
}

// placeAt finds a place in line with so many ahead; 0 if the line is shorter.
func placeAt(v *queue.View, ahead uint32) queue.Place {
	if ahead >= v.Counts.Waiting+v.Counts.Away-v.Counts.Returned {
		return 0
	}
	low, high := v.Front+1, queue.Place(v.Counts.Issued)+1 // the first p with Ahead(p+1) > ahead
	for low < high {
		if mid := low + (high-low)/2; v.Ahead(mid+1) > ahead {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

// keep adds a sample to the window, at most one a second, and returns the oldest within it. Before the first view
// the queue had measured too: what it did since its start stands for the window until that is full.
func (f *Forecaster) keep(s sample) sample {
	size := len(f.samples)
	if f.count == 0 {
		f.samples[0], f.next, f.count = sample{at: s.at}, 1, 1
	}
	if newest := f.samples[(f.next-1+size)%size]; f.count == 1 || s.at-newest.at >= sampleEvery {
		f.samples[f.next] = s
		f.next = (f.next + 1) % size
		f.count = min(f.count+1, size)
	}
	for {
		oldest := f.samples[(f.next-f.count+size)%size]
		if f.count <= 2 || s.at-oldest.at <= f.o.Window.Milliseconds() {
			return oldest
		}
		f.count--
	}
}

// forget starts again: the views are of another queue.
func (f *Forecaster) forget() {
	f.count, f.next, f.whyUntil, f.opened = 0, 0, 0, false
	f.markers = [8]marker{}
	f.learnt.drop()
	f.now.Store(nil)
}
