package seatmap

import "fmt"

// Hold gives the free places of lines to a hold. The caller has checked them with [Inventory.ValidLines] and
// [Inventory.Conflicts]; Hold panics if they cannot be had.
func (v *Inventory) Hold(lines []Line, owner uint32) {
	mustOwn("hold", owner)
	for _, l := range lines {
		v.move(l, Free, 0, Held, owner)
	}
}

// Release frees the places of lines, which the hold must have.
func (v *Inventory) Release(lines []Line, owner uint32) {
	mustOwn("hold", owner)
	for _, l := range lines {
		v.move(l, Held, owner, Free, 0)
	}
}

// Sell gives the places of lines, which the hold must have, to an order.
func (v *Inventory) Sell(lines []Line, owner uint32, order uint32) {
	mustOwn("hold", owner)
	mustOwn("order", order)
	for _, l := range lines {
		v.move(l, Held, owner, Sold, order)
	}
}

// SellFree gives the free places of lines to an order, for a payment that arrived after its hold had run out.
func (v *Inventory) SellFree(lines []Line, order uint32) {
	mustOwn("order", order)
	for _, l := range lines {
		v.move(l, Free, 0, Sold, order)
	}
}

// Unsell frees the places of lines, which the order must have.
func (v *Inventory) Unsell(lines []Line, order uint32) {
	mustOwn("order", order)
	for _, l := range lines {
		v.move(l, Sold, order, Free, 0)
	}
}

// Block takes n free places of u off sale; n is 1 for a seat.
func (v *Inventory) Block(u UnitID, n uint32) { v.move(Line{u, n}, Free, 0, Blocked, 0) }

// Unblock puts n blocked places of u back on sale; n is 1 for a seat.
func (v *Inventory) Unblock(u UnitID, n uint32) { v.move(Line{u, n}, Blocked, 0, Free, 0) }

// move takes the places of one line from one state to another and keeps every count.
func (v *Inventory) move(l Line, from Status, was uint32, to Status, owner uint32) {
	u := int(l.Unit)
	if u >= v.seats {
		v.moveArea(l, from, to)
		return
	}
	if v.status[u] != from || v.owner.Get(u) != was || l.Count != 1 {
		panic(fmt.Sprintf("seatmap: move seat %d ×%d from status %d of %d: it has status %d of %d",
			u, l.Count, from, was, v.status[u], v.owner.Get(u)))
	}
	v.status[u] = to
	*v.owner.Mut(u) = owner
	b := v.ix.blockOf[u]
	v.cache.fresh[b] = 0
	k := &v.ix.blocks[b]
	if !k.special {
		if from == Free {
			v.ordinary[k.category]--
		}
		if to == Free {
			v.ordinary[k.category]++
		}
	}
	c := &v.categories[k.category]
	c[from]--
	c[to]++
	v.total[from]--
	v.total[to]++
}

func (v *Inventory) moveArea(l Line, from, to Status) {
	i := int(l.Unit) - v.seats
	if i >= len(v.areas) {
		panic(fmt.Sprintf("seatmap: move unit %d: the plan has %d units", l.Unit, v.plan.Units()))
	}
	a := &v.areas[i]
	if l.Count == 0 || a[from] < l.Count {
		panic(fmt.Sprintf("seatmap: move %d places of area %d from status %d: it has %d", l.Count, i, from, a[from]))
	}
	c := &v.categories[v.plan.Areas[i].Category]
	for _, t := range [3]*tally{a, c, &v.total} {
		t[from] -= l.Count
		t[to] += l.Count
	}
}

func mustOwn(kind string, id uint32) {
	if id == 0 {
		panic("seatmap: " + kind + " 0 cannot own places")
	}
}
