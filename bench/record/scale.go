package record

import (
	"math"
	"math/bits"
	"sync/atomic"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The scale of every histogram here is HdrHistogram's for 1 µs to 10 minutes at three significant digits, of values in
// nanoseconds: units of 512 ns, each power of two cut into 1,024 equal steps. What is longer counts as 10 minutes.
const (
	lowest  = int64(1_000)
	highest = int64(600_000_000_000)
	digits  = 3

	unitBits  = 9
	stepBits  = 10
	steps     = 1 << stepBits
	octaves   = 22
	positions = octaves * steps
)

// position of a value on the scale.
func position(v int64) int {
	u := uint64(min(max(v, 0), highest)) >> unitBits
	if u < 2*steps {
		return int(u)
	}
	b := bits.Len64(u) - (stepBits + 1)
	return b*steps + int(u>>b)
}

// bottom is the smallest value of a position.
func bottom(i int) int64 {
	if i < 2*steps {
		return int64(i) << unitBits
	}
	b := i/steps - 1
	return int64(i-b*steps) << (b + unitBits)
}

// counts is a histogram that any number of goroutines add to at once. An octave takes its 8 KB when it gets its first
// value.
type counts struct {
	octaves [octaves]atomic.Pointer[[steps]atomic.Int64]
	// least is one more than the smallest value, 0: none yet.
	least, most atomic.Int64
}

func (c *counts) add(v int64) {
	v = max(v, 0)
	i := position(v)
	c.octave(i)[i&(steps-1)].Add(1)
	c.widen(v+1, v)
}

// octave that a position lies in.
func (c *counts) octave(i int) *[steps]atomic.Int64 {
	o := c.octaves[i>>stepBits].Load()
	if o == nil {
		c.octaves[i>>stepBits].CompareAndSwap(nil, new([steps]atomic.Int64))
		o = c.octaves[i>>stepBits].Load()
	}
	return o
}

// widen takes in one more than a smallest value, 0: none, and a largest one.
func (c *counts) widen(least, most int64) {
	for l := c.least.Load(); least != 0 && (l == 0 || least < l) && !c.least.CompareAndSwap(l, least); l = c.least.Load() {
	}
	raise(&c.most, most)
}

// still is a histogram that nobody adds to any more, or the sum of several.
type still struct {
	counts      [positions]int64
	n           int64
	least, most int64
}

// take adds what c holds.
func (s *still) take(c *counts) {
	l := c.least.Load()
	if l == 0 {
		return
	}
	if l--; s.n == 0 || l < s.least {
		s.least = l
	}
	s.most = max(s.most, c.most.Load())
	for o := range c.octaves {
		part := c.octaves[o].Load()
		if part == nil {
			continue
		}
		for i := range part {
			k := part[i].Load()
			s.counts[o*steps+i] += k
			s.n += k
		}
	}
}

// quantile is the value, in nanoseconds, that a share q of all values does not exceed.
func (s *still) quantile(q float64) int64 {
	rank := max(int64(math.Ceil(q*float64(s.n))), 1)
	for i, k := range s.counts {
		if rank -= k; rank <= 0 {
			return min(max(bottom(i+1)-1, s.least), s.most)
		}
	}
	return s.most
}

func (s *still) mean() float64 {
	sum := 0.0
	for i, k := range s.counts {
		if k != 0 {
			sum += float64(k) * float64(bottom(i)+bottom(i+1)) / 2
		}
	}
	return min(max(sum/float64(s.n), float64(s.least)), float64(s.most))
}

// summary is all zero for an empty histogram. Least and most are exact.
func (s *still) summary() Summary {
	if s.n == 0 {
		return Summary{}
	}
	return Summary{
		Min: seconds(s.least), Mean: s.mean() / 1e9, P50: seconds(s.quantile(0.5)), P90: seconds(s.quantile(0.9)),
		P99: seconds(s.quantile(0.99)), P999: seconds(s.quantile(0.999)), Max: seconds(s.most),
	}
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }

func (s *still) histogram() *hdrhistogram.Histogram {
	return hdrhistogram.Import(&hdrhistogram.Snapshot{
		LowestTrackableValue: lowest, HighestTrackableValue: highest, SignificantFigures: digits, Counts: s.counts[:],
	})
}
