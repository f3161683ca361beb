package forecast

import (
	"math"

	"github.com/catraca/catraca/actors/sale/queue"
)

// Weights of what is believed before anything is measured.
const (
	priorEnds      = 100     // turns, at most; a third of the cap in small sales
	priorLeaves    = 0.25    // in priorWaitingMs; few, because a wait that turns out shorter hurts nobody
	priorWaitingMs = 600_000 // fans × milliseconds
	warmTurn       = 1       // mean turns that every slot has to have seen before turns are called slow
	priorTurns     = 20      // turns with as many away as there are in line, and nobody coming back
	mostPassed     = 0.9     // share of the line that may be thought to be away at their turn
	mostReturning  = 0.9     // share of the turns that the returned may be thought to take
)

// pace is how fast the line moves, apart from what the policy says. Rates are per millisecond.
type pace struct {
	end    float64 // rate at which one turn ends
	leave  float64 // rate at which one waiting fan gives up
	passed float64 // share of those whose turn comes who are away and don't take a slot
	back   float64 // share of the slots that go to the returned
}

// measure estimates the pace from what happened between two samples, the later of which is the view; ends is how many
// turns that is based on.
func measure(from, to sample, v *queue.View, meanTurnMs float64) (pc pace, ends float64) {
	since := func(a, b uint64) float64 { return float64(b - a) }
	a, b := from.exposure, to.exposure
	ended := since(a.Ends, b.Ends)
	prior := min(max(float64(v.Policy.ActiveCap)/3, 5), priorEnds)
	// What began is what ended plus what is now under way and was not before.
	offers := max(0, ended+float64(to.active)-float64(from.active))
	end := (ended + prior) / (since(a.ActiveMs, b.ActiveMs) + prior*meanTurnMs)
	if float64(b.ActiveMs) < float64(v.Policy.ActiveCap)*meanTurnMs*warmTurn {
		// The first turns began together and none of them is over yet: that says nothing about how long they take.
		end = max(end, 1/meanTurnMs)
	}
	passed := since(a.Passed, b.Passed)
	away := float64(v.Counts.Away) / max(1, float64(v.Counts.Away)+float64(v.Counts.Waiting))
	return pace{
		end:    end,
		leave:  (since(a.Leaves, b.Leaves) + priorLeaves) / (since(a.WaitingMs, b.WaitingMs) + priorWaitingMs),
		passed: (passed + priorTurns*min(away, mostPassed)) / (passed + offers + priorTurns),
		back:   min(since(a.Returns, b.Returns)/(offers+priorTurns), mostReturning),
	}, ended + prior
}

// load is what the queue looks like now.
type load struct {
	returned float64 // they go first
	active   float64 // offered and shopping
	cap      float64
	rate     float64 // offers per millisecond
}

// wait is the expected time in milliseconds until a fan with so many ahead has the turn; +Inf if nothing moves.
//
// Two limits hold at once: the rate, and slots coming free. For each, a line of n fans served at r per millisecond while every
// one of them gives up at rate θ is gone after ln(1 + θn/r)/θ. Slots that are free now shorten the line of the second
// limit, as many too many active ones lengthen it.
func (pc pace) wait(ahead uint32, l load) float64 {
	stays := 1 - pc.passed
	n := float64(ahead) + 1
	share := (1 - pc.back) / stays
	byRate := pc.drain(n+l.returned/stays, l.rate*share)
	bySlots := pc.drain(n+(l.returned+l.active-l.cap)/stays, l.cap*pc.end*share)
	return max(byRate, bySlots)
}

func (pc pace) drain(n, r float64) float64 {
	if n <= 0 {
		return 0
	}
	if r <= 0 {
		return math.Inf(1)
	}
	x := pc.leave * n / r
	if x < 1e-9 {
		return n / r
	}
	return math.Log1p(x) / pc.leave
}

// served is how many of n ahead will have had their turn after a wait, the others having given up.
func (pc pace) served(n, wait float64) float64 {
	x := pc.leave * wait
	if x < 1e-9 || math.IsInf(x, 1) {
		return n
	}
	return n * x / math.Expm1(x)
}
