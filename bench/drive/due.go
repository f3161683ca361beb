package drive

import (
	"time"

	"github.com/catraca/catraca/bench/arrival"
	"github.com/catraca/catraca/bench/scenario"
)

// due is when each fan is to come, in order. The same scenario and seed give the same.
func due(s *scenario.Scenario, seed uint64) []time.Duration {
	shares := shareOut(s.Fans, s.Arrival)
	var out []time.Duration
	begin := time.Duration(0)
	for i, a := range s.Arrival {
		n := shares[i]
		curve, over := curveOf(a, n)
		left := n
		for at := range curve.Times(seed + uint64(i)) {
			if left == 0 {
				break
			}
			out = append(out, begin+at)
			left--
		}
		for ; left > 0; left-- { // chance has brought fewer than there are: the others come at the end
			out = append(out, begin+over)
		}
		begin += over
	}
	return out
}

// shareOut divides the fans among the ways to arrive.
func shareOut(fans int, list []scenario.Arrival) []int {
	sum, given := 0, 0
	for _, a := range list {
		sum += max(a.Share, 1)
	}
	out := make([]int, len(list))
	for i, a := range list {
		out[i] = fans * max(a.Share, 1) / sum
		given += out[i]
	}
	out[len(out)-1] += fans - given
	return out
}

// curveOf is the arrival of n fans, and how long it takes.
func curveOf(a scenario.Arrival, n int) (arrival.Curve, time.Duration) {
	rate := float64(n) / max(a.Over.Seconds(), 1e-3)
	switch a.Shape {
	case "constant":
		return arrival.Constant(rate).Until(a.Over), a.Over
	case "poisson":
		return arrival.Poisson(rate).Until(a.Over), a.Over
	case "ramp":
		return arrival.Ramp(0, 2*rate, a.Over), a.Over
	case "curve":
		return arrival.PerSecond(arrival.Scale(a.Counts, n)), time.Duration(len(a.Counts)) * time.Second
	default:
		return arrival.Spike(n, a.Over), a.Over
	}
}
