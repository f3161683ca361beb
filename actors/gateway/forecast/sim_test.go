package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/sale/queue"
)

// scenario is a sale with synthetic fans; times are seconds.
type scenario struct {
	name     string
	waiting  int
	cap      uint32
	shopping float64 // mean, lognormal
	noShow   float64 // share that never claims
	patience float64 // mean, exponential; 0 is endless
	away     float64 // share that is away at its turn and back five minutes later
	meanTurn time.Duration
	changes  map[int]uint32 // second → new cap
	slower   int            // from here on shopping takes twice as long

	maxError float64
	why      Why // that has to be among the reasons
	calm     int // the most seconds with any reason shown; 0 is not checked
}

// outcome of a simulation.
type outcome struct {
	errors      []float64
	fans, rises int // followed fans × ticks, and silent rises among them
	whys        map[Why]int
	score       Calibration
}

func (o outcome) meanError() float64 {
	sum := 0.0
	for _, e := range o.errors {
		sum += e
	}
	return sum / float64(len(o.errors))
}

type sim struct {
	scenario

	rnd    *rand.Rand
	q      *queue.Queue
	f      *Forecaster
	events [][]func(now int64)
	second int
	out    outcome

	turn map[queue.Place]int // second of the first turn
	told []told
	last map[queue.Place]int64 // shown at the last tick
	why  Why                   // since the last tick
}

type told struct {
	place  queue.Place
	second int
	wait   int64
}

const simLength = 4 * 3_600

func (s *sim) after(seconds float64, do func(now int64)) {
	if at := s.second + 1 + int(seconds); at < len(s.events) {
		s.events[at] = append(s.events[at], do)
	}
}

func (s *sim) lognormal(mean, sigma float64) float64 {
	return math.Exp(math.Log(mean) - sigma*sigma/2 + sigma*s.rnd.NormFloat64())
}

func (s *sim) join(account uint64) {
	s.q.Join(account, 0)
	if s.patience > 0 {
		s.after(s.rnd.ExpFloat64()*s.patience, func(now int64) {
			if i, _ := s.q.Lookup(account); i.State == queue.Waiting || i.State == queue.Away {
				s.q.Leave(account, now)
			}
		})
	}
	if s.rnd.Float64() < s.away {
		s.q.Away(account, 0)
	}
}

// react lets the fans do what follows from what has happened to their places.
func (s *sim) react() {
	for _, tr := range s.q.Transitions() {
		account := tr.Account
		if _, ok := s.turn[tr.Place]; !ok && (tr.To == queue.Offered || tr.To == queue.Parked) {
			s.turn[tr.Place] = s.second
		}
		switch {
		case tr.To == queue.Offered && s.rnd.Float64() >= s.noShow:
			mean := s.shopping
			if s.slower > 0 && s.second > s.slower {
				mean *= 2
			}
			s.after(2+s.rnd.ExpFloat64()*5, func(now int64) {
				s.q.Claim(account, now)
				s.after(s.lognormal(mean, 0.6), func(now int64) { s.q.Finish(account, now) })
			})
		case tr.To == queue.Parked && tr.From == queue.Away:
			s.after(300, func(now int64) { s.q.Back(account, now) })
		}
	}
	s.q.ClearTransitions()
}

// tick asks as fans would: ten along the line, each remembering what was shown to them.
func (s *sim) tick(v *queue.View) {
	shown := map[queue.Place]int64{}
	for p, before := range s.last {
		if p <= v.Front {
			continue
		}
		if w, ok := s.f.Estimate(v.Ahead(p)); ok {
			s.out.fans++
			if float64(w) > float64(before)*1.02+5_000 && s.why == WhyNone {
				s.out.rises++
			}
			shown[p] = w
		}
	}
	line := v.Counts.Waiting + v.Counts.Away - v.Counts.Returned
	for tenth := range uint32(10) {
		p := placeAt(v, line/10*tenth)
		w, ok := s.f.Estimate(v.Ahead(p))
		if p == 0 || !ok {
			continue
		}
		s.told = append(s.told, told{p, s.second, w})
		if len(shown) < 200 {
			shown[p] = w
		}
	}
	s.last, s.why = shown, WhyNone
}

func run(sc scenario, seed uint64) outcome {
	s := &sim{
		scenario: sc, rnd: rand.New(rand.NewPCG(seed, 7)),
		q:      queue.New(queue.Policy{RatePerMinute: 6_000, ActiveCap: sc.cap, LeaseMs: 1_800_000, LeaseCapMs: 1_800_000}),
		f:      New(Options{MeanTurn: sc.meanTurn}),
		events: make([][]func(int64), simLength), turn: map[queue.Place]int{}, last: map[queue.Place]int64{},
	}
	s.out.whys = map[Why]int{}
	for a := range sc.waiting {
		s.join(uint64(a))
	}
	for ; s.second < simLength && s.q.Counts().Waiting+s.q.Counts().Away > 0; s.second++ {
		now := int64(s.second) * 1_000
		for _, do := range s.events[s.second] {
			do(now)
		}
		if limit, ok := sc.changes[s.second]; ok {
			s.q.SetRate(6_000, limit, now)
			s.told = nil // nobody can foretell the organiser
		}
		s.q.Advance(now, true, 1_000_000)
		s.react()
		v := s.q.View()
		s.f.Observe(now, v, false)
		if _, _, why, _ := s.f.ETA(0); why != WhyNone {
			s.why = why
			s.out.whys[why]++
		}
		if s.second%10 == 9 {
			s.tick(v)
		}
	}
	for _, m := range s.told {
		if at, ok := s.turn[m.place]; ok && at-m.second >= 60 {
			took := float64(at-m.second) * 1_000
			s.out.errors = append(s.out.errors, math.Abs(float64(m.wait)-took)/took)
		}
	}
	s.out.score = s.f.Calibration()
	return s.out
}

func TestForecastAgainstSimulatedSales(t *testing.T) {
	base := scenario{
		waiting: 8_000, cap: 300, shopping: 180, noShow: 0.15, patience: 1_500, meanTurn: 175 * time.Second, maxError: 0.15,
	}
	change := func(name string, f func(*scenario)) scenario {
		s := base
		s.name = name
		f(&s)
		return s
	}
	for _, sc := range []scenario{
		change("as expected", func(s *scenario) { s.maxError, s.calm = 0.10, 240 }),
		change("nobody gives up", func(s *scenario) { s.patience, s.waiting = 0, 4_000 }),
		change("turns take two thirds longer than expected", func(s *scenario) { s.meanTurn = 105 * time.Second }),
		change("turns take half as long as expected", func(s *scenario) { s.meanTurn, s.maxError = 350*time.Second, 0.25 }),
		change("cap raised and then lowered", func(s *scenario) {
			s.changes, s.why = map[int]uint32{300: 500, 900: 120}, WhyRateLowered
		}),
		change("shoppers become slower", func(s *scenario) { s.slower, s.why, s.maxError = 600, WhySlowerShoppers, 0.30 }),
		change("a third is away and comes back", func(s *scenario) { s.away, s.why, s.maxError = 0.33, WhyReturning, 0.30 }),
		change("a small sale", func(s *scenario) { s.waiting, s.cap, s.maxError = 300, 12, 0.30 }),
	} {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(3) {
				check(t, sc, run(sc, seed+1))
			}
		})
	}
}

func check(t *testing.T, sc scenario, o outcome) {
	t.Helper()
	if len(o.errors) < 500 || o.fans < 5_000 {
		t.Errorf("only %d waits and %d steps were compared", len(o.errors), o.fans)
	}
	if e := o.meanError(); e > sc.maxError {
		t.Errorf("mean error %.3f over %d waits, allowed is %.2f", e, len(o.errors), sc.maxError)
	}
	if o.rises > 0 {
		t.Errorf("%d of %d steps made a wait longer without a reason", o.rises, o.fans)
	}
	if sc.why != WhyNone && o.whys[sc.why] == 0 {
		t.Errorf("the reasons given are %v, want %s among them", o.whys, sc.why)
	}
	told := 0
	for _, n := range o.whys {
		told += n
	}
	if sc.calm > 0 && told > sc.calm {
		t.Errorf("a reason was shown for %d s although nothing happened: %v", told, o.whys)
	}
	if c := o.score; c.Checked < 50 || float64(c.InRange) < 0.55*float64(c.Checked) || c.MeanError > 2*sc.maxError {
		t.Errorf("calibration %+v", c)
	}
}
