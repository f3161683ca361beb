package gateway

// wheelSlots × beatEvery is the longest time to the next push.
const wheelSlots = 64

// idleSlot is the room a slot keeps after a turn; a herd that attached at once does not leave its own behind.
const idleSlot = 1024

// wheel says who is told at which beat. An entry that is moved to an earlier beat stays in its old slot too; there it
// is passed over, because its due is another.
type wheel struct {
	slots [wheelSlots][]*entry
	now   uint64 // beats so far
}

// plan puts an entry down for so many beats from now, at least one, unless it is told sooner anyway.
func (w *wheel) plan(e *entry, beats int) {
	at := w.now + uint64(min(max(beats, 1), wheelSlots-1))
	if e.due != 0 && e.due <= at {
		return
	}
	e.due = at
	w.slots[at%wheelSlots] = append(w.slots[at%wheelSlots], e)
}

// turn goes on by one beat and hands those whose time it is to f, which may plan them again.
func (w *wheel) turn(f func(*entry)) {
	w.now++
	slot := &w.slots[w.now%wheelSlots]
	for _, e := range *slot {
		if e.due == w.now {
			e.due = 0
			f(e)
		}
	}
	clear(*slot)
	if cap(*slot) > idleSlot && len(*slot) < cap(*slot)/4 {
		*slot = nil
	}
	*slot = (*slot)[:0]
}
