package forecast

import (
	"math"

	"github.com/catraca/catraca/actors/sale/queue"
)

const (
	modelSigma   = 0.15 // believed at first
	modelWeight  = 20   // checked waits that belief is worth
	mostRemember = 400  // checked waits after which the past counts half
	pendingEvery = 15_000
	mostPending  = 128
	leastChecked = 30_000 // shorter waits say more about the clock than about the forecast
)

// Calibration says how good the forecasts of this queue were: of the waits foretold, how many are over, how many of these
// ended within the range foretold, and their mean error as a fraction of the wait. Waits over which the rate changed or
// the sale paused don't count.
type Calibration struct {
	Checked, InRange uint64
	MeanError        float64
}

// learnt compares foretold waits with what came.
type learnt struct {
	pending []foretold
	next    int64
	squares float64 // sum of squared logarithmic errors
	weight  float64
	errors  float64
	score   Calibration
}

type foretold struct {
	place       queue.Place
	at          int64
	wait, sigma float64
}

func newLearnt() learnt {
	return learnt{squares: modelWeight * modelSigma * modelSigma, weight: modelWeight}
}

// sigma is the spread of the errors that counting statistics don't explain.
func (l *learnt) sigma() float64 {
	return min(max(math.Sqrt(l.squares/l.weight), 0.03), 0.8)
}

// observe checks the waits that are over and foretells new ones, in the middle and at the end of the line.
func (l *learnt) observe(now int64, v *queue.View, n *forecast) {
	kept := l.pending[:0]
	for _, p := range l.pending {
		if p.place > v.Front {
			kept = append(kept, p)
			continue
		}
		l.check(p, float64(now-p.at))
	}
	l.pending = kept
	if n.paused || now < l.next || len(l.pending)+2 > mostPending {
		return
	}
	l.next = now + pendingEvery
	line := v.Counts.Waiting + v.Counts.Away - v.Counts.Returned
	for _, ahead := range [...]uint32{line / 2, max(line, 1) - 1} {
		place := placeAt(v, ahead)
		w := n.pace.wait(ahead, n.load)
		if place != 0 && w >= leastChecked && !math.IsInf(w, 1) {
			l.pending = append(l.pending, foretold{place, now, w, n.spread(ahead, l.sigma())})
		}
	}
}

func (l *learnt) check(p foretold, took float64) {
	e := math.Log(max(took, 1) / p.wait)
	l.score.Checked++
	if math.Abs(e) <= rangeWidth*p.sigma {
		l.score.InRange++
	}
	l.errors += math.Abs(p.wait-took) / max(took, 1)
	l.score.MeanError = l.errors / float64(l.score.Checked)
	e = min(max(e, -2), 2)
	l.squares += e * e
	l.weight++
	if l.weight > mostRemember {
		l.squares /= 2
		l.weight /= 2
	}
}

// drop forgets the open ones, because a change from outside has made them worthless. The queue's own surprises are errors.
func (l *learnt) drop() { l.pending = l.pending[:0] }
