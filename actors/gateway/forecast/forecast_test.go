package forecast

import (
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/sale/queue"
)

// busy is a queue with so many in line behind a full shop.
func busy(line int, p queue.Policy) *queue.Queue {
	q := queue.New(p)
	n := uint64(line) + uint64(q.Policy().ActiveCap)
	for a := uint64(1); a <= n; a++ {
		q.Join(a, 0)
	}
	for now := int64(0); q.Counts().Waiting > uint32(line); now++ {
		q.Advance(now, true, 1_000_000)
	}
	for a := uint64(1); a <= n; a++ {
		q.Claim(a, 100)
	}
	q.ClearTransitions()
	return q
}

func quick(limit uint32) queue.Policy {
	return queue.Policy{RatePerMinute: 60_000, Burst: 1_000_000, ActiveCap: limit}
}

// watch observes the queue each second without changing it.
func watch(f *Forecaster, q *queue.Queue, from, seconds int64, paused bool) {
	for s := range seconds {
		now := (from + s) * 1_000
		q.Advance(now, false, 0)
		q.ClearTransitions()
		f.Observe(now, q.View(), paused)
	}
}

func TestBeforeTheFirstView(t *testing.T) {
	f := New(Options{})
	if _, _, why, ok := f.ETA(3); ok || why != WhyNone {
		t.Errorf("a wait is known (%v, %q)", ok, why)
	}
	if _, ok := f.Estimate(3); ok {
		t.Error("an estimate is known")
	}
	if c := f.Chance(3, 10, 0); c != Uncertain {
		t.Errorf("the chance is %s", c)
	}
	if c := f.Calibration(); c != (Calibration{}) {
		t.Errorf("calibration %+v", c)
	}
}

func TestFirstViewRestsOnTheOptions(t *testing.T) {
	f := New(Options{MeanTurn: time.Minute})
	f.Observe(1_000, busy(1_000, quick(100)).View(), false)
	// 100 slots, a minute each, 301st in line: three minutes.
	if w, ok := f.Estimate(300); !ok || math.Abs(float64(w)-180_000) > 15_000 {
		t.Errorf("the wait is %d ms", w)
	}
	lo, hi, why, ok := f.ETA(300)
	if lo != 2*minute || hi != 4*minute || why != WhyNone || !ok {
		t.Errorf("shown are %d to %d ms, %q, %v", lo, hi, why, ok)
	}
}

func TestRateLimitsToo(t *testing.T) {
	f := New(Options{MeanTurn: time.Second})
	q := busy(600, quick(100))
	q.SetRate(60, 100, 1_000)
	f.Observe(1_000, q.View(), false)
	if w, _ := f.Estimate(59); math.Abs(float64(w)-60_000) > 3_000 {
		t.Errorf("at one a second the 60th waits %d ms", w)
	}
}

func TestFreeSlotsShortenTheWait(t *testing.T) {
	f := New(Options{})
	q := queue.New(quick(500))
	for a := range uint64(1_000) {
		q.Join(a, 0)
	}
	f.Observe(1_000, q.View(), false)
	inside, _ := f.Estimate(499)
	outside, _ := f.Estimate(999)
	if inside > 1_000 || outside < 60_000 {
		t.Errorf("before the doors open to 500, the 500th waits %d ms and the 1000th %d", inside, outside)
	}
}

func TestReturnedWaitLess(t *testing.T) {
	q := busy(1_000, quick(100))
	for a := uint64(101); a <= 500; a++ {
		q.Away(a, 200)
	}
	q.SetRate(60_000, 101, 200)
	q.Advance(200, true, 1_000) // parks all who are away, and offers to the next
	for a := uint64(101); a <= 500; a++ {
		q.Back(a, 300)
	}
	v := q.View()
	if v.Counts.Returned != 400 || v.Ahead(101) != 0 {
		t.Fatalf("the example is another: %+v", v.Counts)
	}
	f := New(Options{})
	f.Observe(1_000, v, false)
	_, first, _, _ := f.ETAReturned(v.Ahead(101))
	_, last, _, _ := f.ETAReturned(v.Ahead(500))
	_, line, _, _ := f.ETA(v.Ahead(502))
	if first > minute || last <= first || line < last {
		t.Errorf("up to %d ms for the first of the returned, %d for the last, %d for the first in line", first, last, line)
	}
}

func TestPausedHasNoWait(t *testing.T) {
	f := New(Options{})
	q := busy(500, quick(50))
	watch(f, q, 1, 5, true)
	if _, _, why, ok := f.ETA(10); ok || why != WhyPaused {
		t.Errorf("paused: %q, %v", why, ok)
	}
	if _, ok := f.Estimate(10); ok {
		t.Error("paused: an estimate is known")
	}
	watch(f, q, 6, 5, false)
	if _, _, why, ok := f.ETA(10); !ok || why != WhyNone {
		t.Errorf("opened for the first time: %q, %v", why, ok)
	}
	watch(f, q, 11, 5, true)
	watch(f, q, 16, 59, false)
	if _, _, why, ok := f.ETA(10); !ok || why != WhyPaused {
		t.Errorf("resumed: %q, %v", why, ok)
	}
	watch(f, q, 75, 3, false)
	if _, _, why, _ := f.ETA(10); why == WhyPaused {
		t.Error("the pause is still the reason after a minute")
	}
}

func TestLoweredRate(t *testing.T) {
	f := New(Options{})
	q := busy(500, quick(50))
	watch(f, q, 1, 5, false)
	before, _ := f.Estimate(100)
	q.SetRate(60_000, 25, 6_000)
	watch(f, q, 6, 1, false)
	after, _ := f.Estimate(100)
	if _, _, why, _ := f.ETA(100); why != WhyRateLowered || after < before*3/2 {
		t.Errorf("half the cap: %d ms, was %d, because of %q", after, before, why)
	}
	q.SetRate(60_000, 0, 7_000)
	watch(f, q, 7, 1, false)
	if _, _, why, ok := f.ETA(100); ok || why != WhyRateLowered {
		t.Errorf("no cap: %q, %v", why, ok)
	}
	q.SetRate(60_000, 500, 8_000)
	watch(f, q, 8, 1, false)
	if raised, ok := f.Estimate(100); !ok || raised > before {
		t.Errorf("ten times the cap: %d ms, was %d", raised, before)
	}
}

func TestAnotherQueueStartsAgain(t *testing.T) {
	f := New(Options{})
	q := busy(500, quick(50))
	watch(f, q, 1, 400, false)
	slow, _ := f.Estimate(100)
	fresh := busy(500, quick(50))
	f.Observe(1_000, fresh.View(), false)
	again, ok := f.Estimate(100)
	_, _, why, _ := f.ETA(100)
	if !ok || again >= slow || why != WhyNone {
		t.Errorf("the wait is %d ms (%q), with the old queue it was %d", again, why, slow)
	}
}

// TestNobodyLeavesTheShop: without a single turn over, the wait grows, and says why.
func TestNobodyLeavesTheShop(t *testing.T) {
	f := New(Options{MeanTurn: time.Minute})
	p := quick(50)
	p.LeaseMs = 3_600_000
	q := busy(500, p)
	watch(f, q, 1, 10, false)
	before, _ := f.Estimate(100)
	watch(f, q, 11, 200, false)
	after, _ := f.Estimate(100)
	if _, _, why, _ := f.ETA(100); after < before*3/2 || why != WhySlowerShoppers {
		t.Errorf("the wait is %d ms, was %d, because of %q", after, before, why)
	}
}

func TestManyViewsASecondDontShortenTheWindow(t *testing.T) {
	f := New(Options{Window: 10 * time.Second})
	q := busy(10, quick(5))
	for now := int64(1_000); now < 8_000; now += 10 {
		f.Observe(now, q.View(), false)
	}
	if oldest := f.samples[(f.next-f.count+len(f.samples))%len(f.samples)]; oldest.at != 1_000 {
		t.Errorf("after 7 s the oldest sample is of %d", oldest.at)
	}
	watch(f, q, 8, 100, false)
	if f.count > len(f.samples) || len(f.samples) != 11 {
		t.Errorf("%d samples in a ring of %d", f.count, len(f.samples))
	}
}

func TestPlaceAt(t *testing.T) {
	q := busy(100, quick(10))
	for a := uint64(11); a <= 110; a += 2 {
		q.Leave(a, 1_000)
	}
	v := q.View()
	for ahead, want := range map[uint32]queue.Place{0: 12, 1: 14, 49: 110, 50: 0} {
		if got := placeAt(v, ahead); got != want {
			t.Errorf("with %d ahead: place %d, want %d", ahead, got, want)
		}
	}
}

func TestRounding(t *testing.T) {
	for _, c := range []struct {
		wait   float64
		lo, hi int64
	}{
		{0, 0, minute},
		{59_999, 0, minute},
		{61_000, minute, 2 * minute},
		{9.5 * minute, 9 * minute, 10 * minute},
		{12 * minute, 10 * minute, 15 * minute},
		{59 * minute, 55 * minute, 60 * minute},
		{61 * minute, 60 * minute, Beyond},
		{1e15, 60 * minute, Beyond},
	} {
		if lo, hi := roundDown(c.wait), roundUp(c.wait); lo != c.lo || hi != c.hi {
			t.Errorf("%v ms: %d to %d, want %d to %d", c.wait, lo, hi, c.lo, c.hi)
		}
	}
}

func TestSettle(t *testing.T) {
	if lo, hi := Settle(5, 10, 6, 9, WhyNone); lo != 5 || hi != 9 {
		t.Errorf("without a reason: %d to %d", lo, hi)
	}
	if lo, hi := Settle(5, 10, 6, 12, WhySlowerShoppers); lo != 6 || hi != 12 {
		t.Errorf("with a reason: %d to %d", lo, hi)
	}
}

func TestChance(t *testing.T) {
	f := New(Options{})
	f.Observe(1_000, busy(5_000, quick(50)).View(), false)
	for _, c := range []struct {
		name               string
		ahead, stock, held uint32
		want               Chance
	}{
		{"nothing left", 0, 0, 0, Unlikely},
		{"first, plenty", 0, 500, 0, Likely},
		{"first, as much as those inside will buy", 0, 60, 4, Uncertain},
		{"thousands ahead of few", 4_000, 100, 0, Unlikely},
		{"thousands ahead of many", 4_000, 8_897, 0, Likely},
		{"about as many as there is", 100, 190, 0, Uncertain},
		{"nearly all held", 10, 5, 2_000, Likely},
	} {
		if got := f.Chance(c.ahead, c.stock, c.held); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestChanceLearnsFromSales(t *testing.T) {
	q := busy(5_000, quick(50))
	for a := uint64(1); a <= 50; a++ {
		q.Finish(a, 1_000)
	}
	f := New(Options{})
	f.Observe(1_000, q.View(), false)
	if c := f.Chance(500, 600, 0); c != Uncertain {
		t.Fatalf("by what is usual: %s", c)
	}
	f.ObserveSales(2, 2)
	f.Observe(2_000, q.View(), false)
	if c := f.Chance(500, 600, 0); c != Likely {
		t.Errorf("when hardly anybody buys: %s", c)
	}
	f.ObserveSales(50, 300)
	f.Observe(3_000, q.View(), false)
	if c := f.Chance(500, 600, 0); c != Unlikely {
		t.Errorf("when all buy six: %s", c)
	}
	f.Observe(4_000, q.View(), true)
	if c := f.Chance(500, 600, 0); c != Unlikely {
		t.Errorf("the same when paused: %s", c)
	}
	for c, want := range map[Chance]string{Likely: "likely", Uncertain: "uncertain", Unlikely: "unlikely"} {
		if c.String() != want {
			t.Errorf("%d is called %q", c, c)
		}
	}
}

func TestOptionBounds(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, ""},
		{Options{Window: time.Second}, "window is 1s, allowed are 10s to 1h0m0s"},
		{Options{MeanTurn: -1}, "mean_turn is -1ns"},
		{Options{Explain: 2 * time.Hour}, "explain is 2h0m0s"},
	} {
		err := c.o.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: got %v, want %q", c.o, err, c.want)
		}
		if o := New(c.o).o; o.Validate() != nil {
			t.Errorf("%+v: a forecaster has options out of bounds: %+v", c.o, o)
		}
	}
}

// TestAskedWhileObserving lets others ask while views come in; the race detector judges.
func TestAskedWhileObserving(t *testing.T) {
	f := New(Options{})
	q := busy(500, quick(50))
	f.Observe(0, q.View(), false)
	done := make(chan struct{})
	var asking sync.WaitGroup
	for range 2 {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				lo, hi, _, ok := f.ETA(100)
				if !ok || lo > hi {
					t.Errorf("shown are %d to %d ms, %v", lo, hi, ok)
					return
				}
				f.Chance(100, 50, 5)
				f.Calibration()
			}
		})
	}
	watch(f, q, 1, 200, false)
	close(done)
	asking.Wait()
}
