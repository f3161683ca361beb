package queue

import "math/bits"

// Slots are place-1. A block is what one Fenwick node counts, a page is what a View shares.
const (
	blockShift = 10 // 1,024 slots
	pageShift  = 16 // 65,536 slots
	pageWords  = 1 << (pageShift - 6)
)

type page [pageWords]uint64

// rank is one bit per place, set while it is in line, with a Fenwick tree over blocks: counting the bits before a
// slot and finding the first set bit take O(log blocks) and at most 16 words.
type rank struct {
	pages []*page
	tree  []uint32 // tree[i] counts the blocks i-lowbit(i) .. i-1; tree[0] is unused
	slots uint32
	total uint32
}

// before counts the set bits below slot; a slot beyond the end counts all.
func (r *rank) before(slot uint32) uint32 {
	if slot >= r.slots {
		return r.total
	}
	var sum uint32
	for i := slot >> blockShift; i > 0; i &= i - 1 {
		sum += r.tree[i]
	}
	pg := r.pages[slot>>pageShift]
	word := (slot & (1<<pageShift - 1)) >> 6
	for w := word &^ (1<<(blockShift-6) - 1); w < word; w++ {
		sum += uint32(bits.OnesCount64(pg[w%pageWords]))
	}
	return sum + uint32(bits.OnesCount64(pg[word%pageWords]&(1<<(slot&63)-1)))
}

// first returns the lowest set slot; ok is false when no bit is set.
func (r *rank) first() (slot uint32, ok bool) {
	if r.total == 0 {
		return 0, false
	}
	block := 0
	for step := 1 << (bits.Len(uint(len(r.tree))) - 1); step > 0; step >>= 1 {
		if next := block + step; next < len(r.tree) && r.tree[next] == 0 {
			block = next
		}
	}
	base := uint32(block) << blockShift
	pg := r.pages[base>>pageShift]
	word := (base & (1<<pageShift - 1)) >> 6
	for w := word; w < pageWords; w++ {
		if pg[w] != 0 {
			return base + (w-word)<<6 + uint32(bits.TrailingZeros64(pg[w])), true
		}
	}
	return 0, false
}

func (r *rank) has(slot uint32) bool {
	return slot < r.slots && r.pages[slot>>pageShift][(slot&(1<<pageShift-1))>>6]>>(slot&63)&1 == 1
}

// line is the rank that the queue changes. Pages that a View holds too are copied before they are changed.
type line struct {
	rank

	shared []bool // by page
}

// grow appends one slot with its bit clear.
func (l *line) grow() {
	if l.slots&(1<<pageShift-1) == 0 {
		l.pages = append(l.pages, new(page))
		l.shared = append(l.shared, false)
	}
	if l.slots&(1<<blockShift-1) == 0 {
		if len(l.tree) == 0 {
			l.tree = append(l.tree, 0)
		}
		i := uint32(len(l.tree))
		var sum uint32
		for j, end := i-1, i&(i-1); j > end; j &= j - 1 {
			sum += l.tree[j]
		}
		l.tree = append(l.tree, sum)
	}
	l.slots++
}

func (l *line) set(slot uint32) {
	l.writable(slot)[(slot&(1<<pageShift-1))>>6] |= 1 << (slot & 63)
	for i := slot>>blockShift + 1; i < uint32(len(l.tree)); i += i & -i {
		l.tree[i]++
	}
	l.total++
}

func (l *line) clear(slot uint32) {
	l.writable(slot)[(slot&(1<<pageShift-1))>>6] &^= 1 << (slot & 63)
	for i := slot>>blockShift + 1; i < uint32(len(l.tree)); i += i & -i {
		l.tree[i]--
	}
	l.total--
}

// writable returns the page of a slot, ready to be written.
func (l *line) writable(slot uint32) *page {
	n := slot >> pageShift
	if l.shared[n] {
		copied := *l.pages[n]
		l.pages[n] = &copied
		l.shared[n] = false
	}
	return l.pages[n]
}

// view returns a rank that later changes do not touch.
func (l *line) view() rank {
	for i := range l.shared {
		l.shared[i] = true
	}
	return rank{
		pages: append([]*page(nil), l.pages...),
		tree:  append([]uint32(nil), l.tree...),
		slots: l.slots,
		total: l.total,
	}
}
