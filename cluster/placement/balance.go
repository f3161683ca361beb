package placement

import "slices"

// Move hands a shard to another leader.
type Move struct {
	Shard int
	To    string // Server.ID
}

// Balance is the next hand-over that spreads the leaderships better, false when there is none. Nobody that drains,
// leaves or is a gateway shall lead, as far as another can; among the others the numbers shall differ by one at most,
// as far as the votes allow, and no shard moves that need not move. Shards without a live leader are left alone.
// Everybody who knows the same gets the same answer; the leader of the shard should carry it out, one at a time.
func Balance(shards []Shard, ms []Member) (Move, bool) {
	b := newBoard(shards, ms)
	if m, ok := b.evict(); ok {
		return m, true
	}
	return b.even()
}

// led is a shard with a leader, and who else could lead it.
type led struct {
	shard int
	by    int   // index into board.names, -1: somebody who should lead nothing
	can   []int // indexes into board.names
	to    []string
}

// board counts the leaderships of those that may lead.
type board struct {
	names []string
	loads []int
	led   []led
}

func newBoard(shards []Shard, ms []Member) *board {
	b := &board{}
	for _, m := range ms {
		if m.live() && !m.Gateway && !m.Draining && !m.Leaving {
			b.names = append(b.names, m.Name)
		}
	}
	slices.Sort(b.names)
	b.loads = make([]int, len(b.names))
	for _, s := range shards {
		rs := join(s, ms)
		at := slices.IndexFunc(rs, func(r replica) bool { return r.ID == s.Leader && r.live() })
		if s.Leader == "" || at < 0 {
			continue
		}
		l := led{shard: s.ID, by: b.index(&rs[at])}
		if l.by >= 0 {
			b.loads[l.by]++
		}
		for i := range rs {
			if n := b.index(&rs[i]); n >= 0 && i != at && rs[i].Vote && rs[i].CaughtUp && rs[i].present {
				l.can, l.to = append(l.can, n), append(l.to, rs[i].ID)
			}
		}
		b.led = append(b.led, l)
	}
	return b
}

func (b *board) index(r *replica) int { return slices.Index(b.names, r.Name) }

// evict takes a shard from somebody who should lead nothing, and gives it to whoever leads the fewest.
func (b *board) evict() (Move, bool) {
	for i := range b.led {
		l := &b.led[i]
		if l.by >= 0 || len(l.can) == 0 {
			continue
		}
		best := 0
		for k := range l.can {
			if b.loads[l.can[k]] < b.loads[l.can[best]] {
				best = k
			}
		}
		return Move{l.shard, l.to[best]}, true
	}
	return Move{}, false
}

// even looks for the shortest chain of hand-overs from a leader to one that leads at least two fewer, and does the
// last of them. That is the semi-matching of Harvey, Ladner, Lovász and Tamir (2003): when there is no such chain,
// the loads are as even as the votes allow. Doing the last first makes the rest of the chain the next shortest.
func (b *board) even() (Move, bool) {
	var best Move
	shortest := len(b.names) + 1
	for from := range b.names {
		m, length, ok := b.chain(from, shortest)
		if ok {
			best, shortest = m, length
		}
	}
	return best, shortest <= len(b.names)
}

// chain searches breadth first, for a chain shorter than limit.
func (b *board) chain(from, limit int) (last Move, length int, ok bool) {
	seen := make([]bool, len(b.names))
	seen[from] = true
	for layer := []int{from}; len(layer) > 0 && length+1 < limit; {
		length++
		var next []int
		for _, n := range layer {
			for i := range b.led {
				l := &b.led[i]
				if l.by != n {
					continue
				}
				for k, c := range l.can {
					if seen[c] {
						continue
					}
					if b.loads[from] >= b.loads[c]+2 {
						return Move{l.shard, l.to[k]}, length, true
					}
					seen[c] = true
					next = append(next, c)
				}
			}
		}
		layer = next
	}
	return Move{}, 0, false
}
