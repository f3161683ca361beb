package seatmap

// Orphans judges hand-picked lines, which must be valid; seats of them that are not free are taken as already left by
// others. bad tells that the choice leaves a single ordinary seat alone, against the policy. Under OrphanAvoid that is only bad when
// as many seats side by side can be had in the same row and category without: the fan who takes two of the last three of a
// row is welcome. suggest is dst with lines of the same size appended where each such part is moved to
// the nearest such window, in unit order; nothing is appended when nothing is bad or a part cannot be moved.
func (v *Inventory) Orphans(dst []Line, lines []Line, p OrphanPolicy) (suggest []Line, bad bool) {
	if p == OrphanIgnore {
		return dst, false
	}
	v.nextEpoch()
	for _, l := range lines {
		v.mark[l.Unit] = v.epoch
	}
	from := len(dst)
	dst = append(dst, lines...)
	complete := true
	for _, l := range lines {
		u := l.Unit
		// A seat that an earlier turn moved away is not marked any more.
		if int(u) >= v.seats || v.status[u] != Free || v.mark[u] != v.epoch || !v.strands(u) {
			continue
		}
		moved := v.shift(dst[from:], u)
		bad = bad || moved || p == OrphanStrict
		complete = complete && (moved || p == OrphanAvoid)
	}
	if !bad || !complete {
		return dst[:from], bad
	}
	sortLines(dst[from:])
	return dst, true
}

// shift moves the picked seats of the free run around u to the nearest window of the row that leaves nothing alone.
func (v *Inventory) shift(picked []Line, u UnitID) bool {
	lo, hi := v.run(u)
	n, sum := 0, 0
	for i := lo; i < hi; i++ {
		if v.mark[i] == v.epoch {
			v.mark[i] = 0
			n, sum = n+1, sum+i
		}
	}
	to, found := v.nearestClean(v.plan.Seats[u].Row, v.plan.Seats[u].Category, n, sum)
	next := to
	for i := range picked {
		l := &picked[i]
		if int(l.Unit) < lo || int(l.Unit) >= hi {
			continue
		}
		if found {
			l.Unit = UnitID(next)
			next++
		}
	}
	if !found {
		for i := range picked {
			v.mark[picked[i].Unit] = v.epoch
		}
	}
	for i := to; i < next; i++ {
		v.mark[i] = v.epoch
	}
	return found
}

// nearestClean finds, in the blocks of a row and category, the n open seats side by side that leave nothing alone and
// whose middle is nearest to the mean of n seats with the given sum of indices.
func (v *Inventory) nearestClean(r uint32, c uint16, n, sum int) (first int, found bool) {
	row := &v.plan.Rows[r]
	best := 0
	for u := row.First; u < row.First+UnitID(row.Count); {
		k := &v.ix.blocks[v.ix.blockOf[u]]
		u += UnitID(k.count)
		if k.special || k.category != c {
			continue
		}
		for s := int(k.first); s+n <= int(u); s++ {
			if !v.openRun(k, s, n) || v.open(k, s-1) && !v.open(k, s-2) || v.open(k, s+n) && !v.open(k, s+n+1) {
				continue
			}
			d := n*(2*s+n-1) - 2*sum
			if d < 0 {
				d = -d
			}
			if !found || d < best {
				first, best, found = s, d, true
			}
		}
	}
	return first, found
}

func (v *Inventory) openRun(k *block, s, n int) bool {
	for i := s; i < s+n; i++ {
		if !v.open(k, i) {
			return false
		}
	}
	return true
}

// strands tells whether a neighbour of the marked seat u would be left alone.
func (v *Inventory) strands(u UnitID) bool {
	k := &v.ix.blocks[v.ix.blockOf[u]]
	if k.special {
		return false
	}
	i := int(u)
	return v.open(k, i-1) && !v.open(k, i-2) || v.open(k, i+1) && !v.open(k, i+2)
}

// open tells whether seat i lies in block k, is free and is not picked.
func (v *Inventory) open(k *block, i int) bool { return v.freeIn(k, i) && v.mark[i] != v.epoch }

// run is the free run around u, picked seats included.
func (v *Inventory) run(u UnitID) (lo, hi int) {
	k := &v.ix.blocks[v.ix.blockOf[u]]
	for lo = int(u); v.freeIn(k, lo-1); {
		lo--
	}
	for hi = int(u) + 1; v.freeIn(k, hi); {
		hi++
	}
	return lo, hi
}
