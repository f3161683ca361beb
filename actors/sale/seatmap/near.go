package seatmap

// spot is a point of the plan in hundredths.
type spot struct{ x, y int64 }

// centre is the centroid of n seats from u on, rounded down.
func (v *Inventory) centre(u UnitID, n int) spot {
	i := int(u)
	return spot{(v.ix.sumX[i+n] - v.ix.sumX[i]) / int64(n), (v.ix.sumY[i+n] - v.ix.sumY[i]) / int64(n)}
}

// reach is the squared distance within which the parts of a group of n count as close together: twice the length the
// group would take side by side. Row numbers cannot tell, because the ranks of two stands interleave.
func (v *Inventory) reach(k *block, n int) int64 {
	p2 := blockPitch2(v.plan, k)
	if p2 == 0 {
		p2 = v.ix.pitch2
	}
	return 4 * int64(n) * int64(n) * p2
}

// nearest finds the n ordinary seats side by side of category c whose centroid is nearest to a spot, and the
// squared distance. Equals go by the order of windows.
func (v *Inventory) nearest(c uint16, n int, q *BestQuery, at spot) (UnitID, int64, bool) {
	best, weight := far, window{dist: far}
	nn := int64(n)
	v.cache.need(n)
	for g := v.ix.span[c].lo; g < v.ix.span[c].hi; g++ {
		grp := &v.ix.groups[g]
		if !q.AnySection && grp.section != q.Section {
			continue
		}
		for b := grp.lo; b < grp.hi; b++ {
			if !v.at(b, n, pickAny).found() || weight.found() && v.ix.bounds[b].distance(at) > best/(nn*nn) {
				continue
			}
			k := &v.ix.blocks[b]
			end := k.first + UnitID(k.count)
			for u := k.first; u+UnitID(n) <= end; u++ {
				if !v.allFree(u, n) {
					continue
				}
				i := int(u)
				dx := v.ix.sumX[i+n] - v.ix.sumX[i] - nn*at.x
				dy := v.ix.sumY[i+n] - v.ix.sumY[i] - nn*at.y
				d := dx*dx + dy*dy
				if w := v.window(k, i, n); d < best || d == best && w.less(weight) {
					best, weight = d, w
				}
			}
		}
	}
	if !weight.found() {
		return 0, 0, false
	}
	return weight.first(), best / (nn * nn), true
}

// distance is the squared distance of a spot from the box, 0 inside.
func (b *bounds) distance(at spot) int64 {
	dx := max(int64(b.minX)-at.x, 0, at.x-int64(b.maxX))
	dy := max(int64(b.minY)-at.y, 0, at.y-int64(b.maxY))
	return dx*dx + dy*dy
}
