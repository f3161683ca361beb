package forecast

import "math"

// Beyond, as the upper end of a range, means "more than an hour"; a lower end of an hour then means that all of it is.
const Beyond = int64(math.MaxInt64)

const (
	minute = 60_000
	hour   = 60 * minute

	rangeWidth = 1.28 // of a normal distribution, four in five lie within
)

// ETA is the range, in milliseconds from the last view, in which the turn of a fan with so many ahead will come, rounded
// for people: whole minutes below ten, five minutes below an hour, then Beyond. why says why it is longer than before, or, when ok is
// false, why there is none; it is empty then before the first view.
func (f *Forecaster) ETA(ahead uint32) (lo, hi int64, why Why, ok bool) {
	return f.shown(ahead, false)
}

// ETAReturned is ETA for a fan whose turn had come before (a waiting place not after View.Front): ahead counts the returned
// before it, and the line doesn't matter.
func (f *Forecaster) ETAReturned(ahead uint32) (lo, hi int64, why Why, ok bool) {
	return f.shown(ahead, true)
}

func (f *Forecaster) shown(ahead uint32, returned bool) (lo, hi int64, why Why, ok bool) {
	n := f.now.Load()
	if n == nil {
		return 0, 0, WhyNone, false
	}
	if n.paused {
		return 0, 0, WhyPaused, false
	}
	pc, l := n.pace, n.load
	if returned {
		pc.passed, pc.back, l.returned = 0, 0, 0
	}
	w := pc.wait(ahead, l)
	if math.IsInf(w, 1) {
		return 0, 0, WhyRateLowered, false
	}
	factor := math.Exp(rangeWidth * n.spread(ahead, n.sigma))
	return roundDown(w / factor), roundUp(w * factor), n.why, true
}

// Estimate is the middle of the range, in milliseconds, not rounded: for cadences and metrics, not for people.
func (f *Forecaster) Estimate(ahead uint32) (ms int64, ok bool) {
	n := f.now.Load()
	if n == nil || n.paused {
		return 0, false
	}
	w := n.pace.wait(ahead, n.load)
	if math.IsInf(w, 1) {
		return 0, false
	}
	return int64(min(w, math.MaxInt32*1_000)), true
}

// Calibration of the forecasts so far.
func (f *Forecaster) Calibration() Calibration {
	if n := f.now.Load(); n != nil {
		return n.score
	}
	return Calibration{}
}

// spread is the standard deviation of the logarithm of a wait: of the measured pace, of the fans ahead, and of
// the model itself.
func (n *forecast) spread(ahead uint32, model float64) float64 {
	return math.Sqrt(1/n.ends + 1/max(float64(ahead), 1) + model*model)
}

// Settle gives what to show to a fan who was shown a range before: without a reason neither end rises.
func Settle(shownLo, shownHi, lo, hi int64, why Why) (int64, int64) {
	if why != WhyNone {
		return lo, hi
	}
	return min(shownLo, lo), min(shownHi, hi)
}

func roundDown(w float64) int64 {
	switch {
	case w >= hour:
		return hour
	case w >= 10*minute:
		return int64(w) / (5 * minute) * (5 * minute)
	}
	return int64(w) / minute * minute
}

func roundUp(w float64) int64 {
	up := func(step float64) int64 { return int64(math.Ceil(w/step) * step) }
	switch {
	case w > hour:
		return Beyond
	case w > 10*minute:
		return up(5 * minute)
	}
	return max(up(minute), minute)
}
