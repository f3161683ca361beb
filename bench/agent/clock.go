package agent

import (
	"math"
	"time"
)

// clock is a process's own: it is the wall's when it is made and runs on evenly from there, whatever is done to that.
type clock struct {
	made time.Time
	base int64 // what it showed then, ns
}

func newClock() clock {
	t := time.Now()
	return clock{t, t.UnixNano()}
}

// now is in nanoseconds.
func (c clock) now() int64 { return c.base + int64(time.Since(c.made)) }

// at is a moment of this process, for timers; read is the way back.
func (c clock) at(ns int64) time.Time  { return c.made.Add(time.Duration(ns - c.base)) }
func (c clock) read(t time.Time) int64 { return c.base + int64(t.Sub(c.made)) }

// exchange is one question and answer: when it was sent and when the answer was back, by our clock; when it came and
// when the answer went, by the other's.
type exchange struct{ sent, came, went, back int64 }

// way is how long the two were on their way together.
func (e exchange) way() int64 { return (e.back - e.sent) - (e.went - e.came) }

// offset is by how much the other's clock is ahead if both ways took equally long (RFC 5905, section 8). They surely did
// not take longer than both together, so it is off by half of that at most.
func (e exchange) offset() int64 { return ((e.came - e.sent) + (e.went - e.back)) / 2 }

// rounds are how many exchanges a measurement has; most of them only waited.
const rounds = 24

// ahead is by how much the other's clock is ahead, and by how much that may be wrong, from the exchange that was
// shortest on its way. Without any that makes sense, nothing is known.
func ahead(list []exchange) (offset, unsure time.Duration) {
	unsure = math.MaxInt64
	for _, e := range list {
		if w := e.way(); w >= 0 && time.Duration(w/2+1) < unsure {
			offset, unsure = time.Duration(e.offset()), time.Duration(w/2+1)
		}
	}
	return offset, unsure
}

// over is by how much the first of two measurements may be wrong at any time between them: as much as it was from the
// beginning, or as much as the clocks have drifted apart since, and that may be wrong as well.
func over(first, firstUnsure, second, secondUnsure time.Duration) (drift, unsure time.Duration) {
	if firstUnsure == math.MaxInt64 || secondUnsure == math.MaxInt64 {
		return 0, math.MaxInt64
	}
	drift = second - first
	return drift, max(firstUnsure, max(drift, -drift)+secondUnsure)
}
