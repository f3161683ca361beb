// Package due orders deadlines. A Heap knows for each slot of some slab at most one instant, moves or forgets it in
// logarithmic time (a deadline taken from anywhere costs a constant on average, because most of a heap is its last level),
// and tells the earliest. Equal instants go by an id, so that the order never depends on history.
//
// It is derived state: whoever restores the records sets their deadlines again.
package due

// Heap is a binary heap whose entries are found again by their slot. The zero value is empty. It belongs to one goroutine.
type Heap struct {
	items []Item
	at    []uint32 // by slot: position in items + 1, 0 if it has no deadline
}

// Item is the deadline of one slot.
type Item struct {
	At   int64 // unix ms
	ID   uint32
	Slot uint32
}

func (a Item) before(b Item) bool { return a.At < b.At || a.At == b.At && a.ID < b.ID }

// Len is the number of deadlines.
func (h *Heap) Len() int { return len(h.items) }

// Top is the earliest deadline; there must be one.
func (h *Heap) Top() Item { return h.items[0] }

// Set gives a slot its deadline, in place of any it had.
func (h *Heap) Set(x Item) {
	for int(x.Slot) >= len(h.at) {
		h.at = append(h.at, 0)
	}
	i := int(h.at[x.Slot]) - 1
	if i < 0 {
		i = len(h.items)
		h.items = append(h.items, x)
	}
	h.place(i, x)
}

// Remove forgets the deadline of a slot, if it has one.
func (h *Heap) Remove(slot uint32) {
	if int(slot) >= len(h.at) || h.at[slot] == 0 {
		return
	}
	i, last := int(h.at[slot])-1, len(h.items)-1
	h.at[slot] = 0
	moved := h.items[last]
	h.items = h.items[:last]
	if i < last {
		h.place(i, moved)
	}
}

// place puts x where it belongs, starting from the hole i.
func (h *Heap) place(i int, x Item) {
	for i > 0 {
		up := (i - 1) / 2
		if !x.before(h.items[up]) {
			break
		}
		h.put(i, h.items[up])
		i = up
	}
	for {
		child := 2*i + 1
		if child >= len(h.items) {
			break
		}
		if child+1 < len(h.items) && h.items[child+1].before(h.items[child]) {
			child++
		}
		if !h.items[child].before(x) {
			break
		}
		h.put(i, h.items[child])
		i = child
	}
	h.put(i, x)
}

func (h *Heap) put(i int, x Item) {
	h.items[i] = x
	h.at[x.Slot] = uint32(i + 1)
}

// Has says whether a slot has exactly this deadline, and that the order around it is right. It is for audits.
func (h *Heap) Has(x Item) bool {
	if int(x.Slot) >= len(h.at) || h.at[x.Slot] == 0 {
		return false
	}
	i := int(h.at[x.Slot]) - 1
	return i < len(h.items) && h.items[i] == x && (i == 0 || !x.before(h.items[(i-1)/2]))
}
