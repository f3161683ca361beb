package arrival

import (
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// Curve yields the planned arrivals from the beginning of the run, in order. Constant and Poisson ones never end by
// themselves: see [Curve.First] and [Curve.Until].
type Curve func(seed uint64) iter.Seq[time.Duration]

// Times yields the arrivals of a seed. The nil curve has none.
func (c Curve) Times(seed uint64) iter.Seq[time.Duration] {
	if c == nil {
		return func(func(time.Duration) bool) {}
	}
	return c(seed)
}

// First is the curve of the first n arrivals.
func (c Curve) First(n int) Curve {
	return func(seed uint64) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			if n <= 0 {
				return
			}
			i := 0
			for t := range c.Times(seed) {
				if i++; !yield(t) || i == n {
					return
				}
			}
		}
	}
}

// Until is the curve of the arrivals before end.
func (c Curve) Until(end time.Duration) Curve {
	return func(seed uint64) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			for t := range c.Times(seed) {
				if t >= end || !yield(t) {
					return
				}
			}
		}
	}
}

// After is the curve begun by d later.
func (c Curve) After(d time.Duration) Curve {
	d = max(d, 0)
	return func(seed uint64) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			for t := range c.Times(seed) {
				if t > math.MaxInt64-d || !yield(t+d) {
					return
				}
			}
		}
	}
}

// Spike is n fans within a time, each at any moment of it as likely as at any other. Within no time, all come at once.
func Spike(n int, over time.Duration) Curve {
	return func(seed uint64) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) { scatter(source(seed), n, 0, over, yield) }
	}
}

// scatter yields n moments of an interval in order, without keeping them: the first of n that are left is where the
// smallest of n uniform ones falls. It returns false when it was told to stop.
func scatter(r *rand.Rand, n int, from, over time.Duration, yield func(time.Duration) bool) bool {
	over = max(over, 0)
	at := 0.0 // share of the interval
	for ; n > 0; n-- {
		at += (1 - at) * -math.Expm1(math.Log1p(-r.Float64())/float64(n))
		t := time.Duration(at * float64(over))
		if !yield(from + min(t, max(over-1, 0))) {
			return false
		}
	}
	return true
}

// Constant is rate fans a second, evenly. It has no end.
func Constant(rate float64) Curve {
	return func(uint64) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			if !(rate > 0) {
				return
			}
			for i := 0; ; i++ {
				if t, ok := span(float64(i) / rate); !ok || !yield(t) {
					return
				}
			}
		}
	}
}

// Poisson is rate fans a second on average, who know nothing of each other. It has no end.
func Poisson(rate float64) Curve {
	return func(seed uint64) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			if !(rate > 0) {
				return
			}
			r := source(seed)
			for at := 0.0; ; {
				at += r.ExpFloat64() / rate
				if t, ok := span(at); !ok || !yield(t) {
					return
				}
			}
		}
	}
}

// Ramp goes evenly from one rate to another, as a Poisson process, and ends.
func Ramp(from, to float64, over time.Duration) Curve {
	return func(seed uint64) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			length := over.Seconds()
			if !(from >= 0) || !(to >= 0) || math.IsInf(from+to, 1) || length <= 0 {
				return
			}
			// The expected number of arrivals until t is from·t + slope·t²/2. A process of rate 1 over that number,
			// turned back into time, is the one of the changing rate.
			slope := (to - from) / length
			all := (from + to) / 2 * length
			r := source(seed)
			last := time.Duration(0)
			for n := r.ExpFloat64(); n < all; n += r.ExpFloat64() {
				// The root of the quadratic in the form that loses no digits, and divides by no slope of zero.
				t := 2 * n / (from + math.Sqrt(max(from*from+2*slope*n, 0)))
				d, ok := span(min(t, length))
				if last = max(last, min(d, over-1)); !ok || !yield(last) {
					return
				}
			}
		}
	}
}

// PerSecond is exactly counts[i] fans in second i, each at any moment of it as likely as at any other.
func PerSecond(counts []int) Curve {
	return func(seed uint64) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			r := source(seed)
			for i, n := range counts {
				if !scatter(r, n, time.Duration(i)*time.Second, time.Second, yield) {
					return
				}
			}
		}
	}
}

// Join is all the curves together, each with a seed of its own.
func Join(curves ...Curve) Curve {
	return func(seed uint64) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) { merge(curves, source(seed), yield) }
	}
}

type head struct {
	t    time.Duration
	next func() (time.Duration, bool)
}

func merge(curves []Curve, r *rand.Rand, yield func(time.Duration) bool) {
	var heads []head
	for _, c := range curves {
		next, stop := iter.Pull(c.Times(r.Uint64()))
		defer stop()
		if t, ok := next(); ok {
			heads = append(heads, head{t, next})
		}
	}
	for len(heads) > 0 {
		first := 0
		for i := range heads {
			if heads[i].t < heads[first].t {
				first = i
			}
		}
		h := &heads[first]
		if !yield(h.t) {
			return
		}
		var ok bool
		if h.t, ok = h.next(); !ok {
			heads = append(heads[:first], heads[first+1:]...)
		}
	}
}

// span turns seconds into a duration; false when there is none so long.
func span(s float64) (time.Duration, bool) {
	ns := s * 1e9
	return time.Duration(ns), ns < math.MaxInt64
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x6361747261636121)) }
