package page

import "slices"

// squeeze brings sections that stand far apart closer together, as on a sketch: along each axis, empty bands between
// sections shrink to a tenth of what the sections fill. Sections keep their shape, their order and how they are turned.
// files/js/plan.js does the same, so picture and map agree.
func (p *plan) squeeze() {
	boxes := make([]bounds, len(p.Sections))
	for i := range boxes {
		boxes[i] = newBox()
	}
	for _, r := range p.Rows {
		for u := r.First; u < r.First+r.Count; u++ {
			boxes[r.Section].add([2]float64{p.Seats.X[u], p.Seats.Y[u]})
		}
	}
	for _, a := range p.Areas {
		boxes[a.Section].add(a.Outline...)
		boxes[a.Section].add([2]float64{a.X, a.Y})
	}
	var xs, ys [][2]float64
	for _, b := range boxes {
		if !b.empty() {
			xs, ys = append(xs, [2]float64{b.x0, b.x1}), append(ys, [2]float64{b.y0, b.y1})
		}
	}
	fx, fy := closer(xs), closer(ys)
	for u := range p.Seats.X {
		p.Seats.X[u], p.Seats.Y[u] = fx(p.Seats.X[u]), fy(p.Seats.Y[u])
	}
	for i, a := range p.Areas {
		p.Areas[i].X, p.Areas[i].Y = fx(a.X), fy(a.Y)
		for j, q := range a.Outline {
			a.Outline[j] = [2]float64{fx(q[0]), fy(q[1])}
		}
	}
}

// closer maps a coordinate so that gaps between the spans become narrow.
func closer(spans [][2]float64) func(float64) float64 {
	slices.SortFunc(spans, func(a, b [2]float64) int { return sgn(a[0] - b[0]) })
	var merged [][2]float64
	filled := 0.0
	for _, s := range spans {
		if n := len(merged); n > 0 && s[0] <= merged[n-1][1] {
			merged[n-1][1] = max(merged[n-1][1], s[1])
			continue
		}
		merged = append(merged, s)
	}
	for _, s := range merged {
		filled += s[1] - s[0]
	}
	return func(x float64) float64 {
		shift := 0.0
		for i := 1; i < len(merged); i++ {
			from, to := merged[i-1][1], merged[i][0]
			if cut := to - from - filled/10; cut > 0 {
				shift += cut * min(max((x-from)/(to-from), 0), 1)
			}
		}
		return x - shift
	}
}
