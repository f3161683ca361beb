package seatmap

// window is a candidate: Quantity free seats side by side in one block. Smaller is better, dist before rest.
type window struct {
	// dist is the squared distance between the centroid of the window and the focal point of its section, times the square of
	// the quantity: sums of coordinates are compared, so nothing is rounded. far means no window.
	dist int64
	// rest holds the tie-breakers: row rank (16 bits), distance of the window's middle from the middle of the full row
	// in half seats (18), first unit (18).
	rest uint64
}

const (
	far      int64 = 1<<63 - 1
	unitBits       = 18
	unitMask       = 1<<unitBits - 1
)

// start comes before every window in a scan.
func start() window { return window{dist: -1} }

func (w window) found() bool   { return w.dist != far }
func (w window) first() UnitID { return UnitID(w.rest & unitMask) }

// less orders windows: nearer the focal point, nearer the front, nearer the middle of the row, lower unit.
func (w window) less(o window) bool {
	return w.dist < o.dist || w.dist == o.dist && w.rest < o.rest
}

// ties tells whether only the unit number parts the two.
func (w window) ties(o window) bool {
	return w.dist == o.dist && w.rest>>unitBits == o.rest>>unitBits
}

// windows remembers, by quantity and block, the best window that leaves no orphan and the best of all. An entry is computed
// when it is asked for and forgotten when a seat of the block changes.
type windows struct {
	fresh []uint32 // by block: bit n-1 is set when the entries for n seats are valid
	clean [MaxQuantity][]window
	any   [MaxQuantity][]window
}

func (c *windows) init(blocks int) { c.fresh = make([]uint32, blocks) }

// need allocates the entries for n seats; most sales only ever ask for a few values of n.
func (c *windows) need(n int) {
	if c.clean[n-1] == nil {
		c.clean[n-1] = make([]window, len(c.fresh))
		c.any[n-1] = make([]window, len(c.fresh))
	}
}

// refresh makes the entries of block b for n seats valid.
func (v *Inventory) refresh(b uint32, n int) {
	clean, anyw := window{dist: far}, window{dist: far}
	k := &v.ix.blocks[b]
	st := v.status[k.first : k.first+UnitID(k.count)]
	for s := 0; s+n <= len(st); s++ {
		if st[s] != Free {
			continue
		}
		e := s + 1
		for e < len(st) && st[e] == Free {
			e++
		}
		for w := s; w+n <= e; w++ {
			c := v.window(k, int(k.first)+w, n)
			if c.less(anyw) {
				anyw = c
			}
			if w-s != 1 && e-w-n != 1 && c.less(clean) {
				clean = c
			}
		}
		s = e
	}
	v.cache.clean[n-1][b], v.cache.any[n-1][b] = clean, anyw
	v.cache.fresh[b] |= 1 << (n - 1)
}

// window weighs the n seats from first on, all in block k.
func (v *Inventory) window(k *block, first, n int) window {
	row := &v.plan.Rows[k.row]
	sec := &v.plan.Sections[k.section]
	dx := v.ix.sumX[first+n] - v.ix.sumX[first] - int64(n)*int64(sec.FocalX)
	dy := v.ix.sumY[first+n] - v.ix.sumY[first] - int64(n)*int64(sec.FocalY)
	mid := 2*(first-int(row.First)) + n - int(row.Count)
	if mid < 0 {
		mid = -mid
	}
	return window{dx*dx + dy*dy, uint64(row.Rank)<<(2*unitBits) | uint64(mid)<<unitBits | uint64(first)}
}

// pick chooses how a scan looks at a block.
type pick uint8

const (
	pickClean pick = iota // only windows that leave no orphan
	pickAny
)

// at is the cached window of block b for n seats.
func (v *Inventory) at(b uint32, n int, p pick) window {
	if v.cache.fresh[b]&(1<<(n-1)) == 0 {
		v.refresh(b, n)
	}
	if p == pickClean {
		return v.cache.clean[n-1][b]
	}
	return v.cache.any[n-1][b]
}

// scan finds the best window of n seats of a category, the least one that is greater than after.
func (v *Inventory) scan(c uint16, n int, q *BestQuery, p pick, after window) window {
	v.cache.need(n)
	best := window{dist: far}
	entries := v.cache.clean[n-1]
	if p == pickAny {
		entries = v.cache.any[n-1]
	}
	fresh, bit := v.cache.fresh, uint32(1)<<(n-1)
	for g := v.ix.span[c].lo; g < v.ix.span[c].hi; g++ {
		grp := &v.ix.groups[g]
		if !q.AnySection && grp.section != q.Section {
			continue
		}
		for b := grp.lo; b < grp.hi; b++ {
			if fresh[b]&bit == 0 {
				v.refresh(b, n)
			}
			if e := &entries[b]; e.dist <= best.dist && e.less(best) && after.less(*e) {
				best = *e
			}
		}
	}
	return best
}

const maxTies = 4

// breakTie chooses among the first few windows of the category that are as good as best, by salt.
func (v *Inventory) breakTie(c uint16, n int, q *BestQuery, p pick, best window) UnitID {
	if q.Salt == 0 {
		return best.first()
	}
	var ties [maxTies]UnitID
	found := 0
	for g := v.ix.span[c].lo; g < v.ix.span[c].hi; g++ {
		grp := &v.ix.groups[g]
		if !q.AnySection && grp.section != q.Section {
			continue
		}
		for b := grp.lo; b < grp.hi && found < maxTies; b++ {
			if v.at(b, n, p).ties(best) {
				found = v.tiesIn(b, n, p, best, &ties, found)
			}
		}
	}
	return ties[mix(q.Salt)%uint64(found)]
}

// tiesIn adds the windows of block b that tie with best.
func (v *Inventory) tiesIn(b uint32, n int, p pick, best window, ties *[maxTies]UnitID, found int) int {
	k := &v.ix.blocks[b]
	end := k.first + UnitID(k.count)
	for u := k.first; u+UnitID(n) <= end && found < maxTies; u++ {
		if !v.window(k, int(u), n).ties(best) || !v.allFree(u, n) {
			continue
		}
		if p == pickClean && (v.leavesOrphan(k, u, n)) {
			continue
		}
		ties[found] = u
		found++
	}
	return found
}

func (v *Inventory) allFree(u UnitID, n int) bool {
	for _, s := range v.status[u : u+UnitID(n)] {
		if s != Free {
			return false
		}
	}
	return true
}

// leavesOrphan tells whether taking the n free seats from u on leaves a single free seat beside them in their block.
func (v *Inventory) leavesOrphan(k *block, u UnitID, n int) bool {
	l, r := int(u)-1, int(u)+n
	return v.freeIn(k, l) && !v.freeIn(k, l-1) || v.freeIn(k, r) && !v.freeIn(k, r+1)
}

// freeIn tells whether seat i lies in block k and is free.
func (v *Inventory) freeIn(k *block, i int) bool {
	return i >= int(k.first) && i < int(k.first)+int(k.count) && v.status[i] == Free
}

// mix spreads a salt over 64 bits (splitmix64 finalizer).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
