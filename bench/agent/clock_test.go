package agent

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// However the ways differ, the true offset lies within what is told of it, and the shortest exchange tells it best.
func TestOffsetIsWithinWhatIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		skew := rapid.Int64Range(-1e12, 1e12).Draw(t, "skew")
		now, shortest := int64(1e15), int64(math.MaxInt64)
		var list []exchange
		for range rapid.IntRange(1, 20).Draw(t, "rounds") {
			out, there, home := rapid.Int64Range(1, 1e8).Draw(t, "out"), rapid.Int64Range(0, 1e7).Draw(t, "there"), rapid.Int64Range(1, 1e8).Draw(t, "home")
			list = append(list, exchange{sent: now, came: now + out + skew, went: now + out + there + skew, back: now + out + there + home})
			now += out + there + home
			shortest = min(shortest, out+home)
		}
		offset, unsure := ahead(list)
		if off := int64(offset) - skew; off > int64(unsure) || -off > int64(unsure) {
			t.Fatalf("the clock is ahead by %d, told are %d ± %d", skew, offset, unsure)
		}
		if int64(unsure) > shortest/2+1 {
			t.Fatalf("±%d, the shortest way was %d", unsure, shortest)
		}
	})
}

func TestClocksThatMakeNoSense(t *testing.T) {
	if _, unsure := ahead(nil); unsure != math.MaxInt64 {
		t.Errorf("nothing was asked, and it is known to ±%v", unsure)
	}
	// The answer took longer there than the question and answer here.
	if _, unsure := ahead([]exchange{{sent: 0, came: 0, went: 100, back: 50}}); unsure != math.MaxInt64 {
		t.Errorf("time ran backwards, and it is known to ±%v", unsure)
	}
}

func TestDriftIsPartOfWhatIsUnsure(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct{ first, u1, second, u2, drift, unsure time.Duration }{
		{5 * ms, 1 * ms, 5 * ms, 1 * ms, 0, 1 * ms},
		{5 * ms, 3 * ms, 5 * ms, 1 * ms, 0, 3 * ms},
		{5 * ms, 1 * ms, 9 * ms, 2 * ms, 4 * ms, 6 * ms},
		{5 * ms, 1 * ms, -5 * ms, 2 * ms, -10 * ms, 12 * ms},
		{5 * ms, math.MaxInt64, 5 * ms, 1 * ms, 0, math.MaxInt64},
		{5 * ms, 1 * ms, 5 * ms, math.MaxInt64, 0, math.MaxInt64},
	} {
		if drift, unsure := over(tt.first, tt.u1, tt.second, tt.u2); drift != tt.drift || unsure != tt.unsure {
			t.Errorf("%v ± %v, then %v ± %v: drifted %v, unsure by %v", tt.first, tt.u1, tt.second, tt.u2, drift, unsure)
		}
	}
}

func TestClockGoesThereAndBack(t *testing.T) {
	c := newClock()
	for _, d := range []time.Duration{0, time.Second, -time.Hour} {
		at := c.made.Add(d)
		if got := c.at(c.read(at)); !got.Equal(at) {
			t.Errorf("%v came back as %v", at, got)
		}
	}
	if a, b := c.now(), c.now(); b < a {
		t.Errorf("it was %d and then %d", a, b)
	}
}
