package queue

// timer is the deadline of one offered, shopping or parked place.
type timer struct {
	at    int64
	cap   int64 // while shopping: at never goes beyond; otherwise 0
	place Place
}

func (t timer) before(u timer) bool { return t.at < u.at || t.at == u.at && t.place < u.place }

// arm sets the deadline of a place. The timers are a binary heap by (deadline, place) whose entries know their
// position through the slab, so a deadline moves in O(log n) and nothing stale stays behind.
func (q *Queue) arm(e *entry, t timer) {
	if e.timer == 0 {
		q.timers = append(q.timers, t)
		e.timer = uint32(len(q.timers))
	}
	i := int(e.timer) - 1
	q.timers[i] = t
	q.siftDown(q.siftUp(i))
}

// disarm forgets the deadline of a place, if it has one.
func (q *Queue) disarm(e *entry) {
	if e.timer == 0 {
		return
	}
	i, last := int(e.timer)-1, len(q.timers)-1
	e.timer = 0
	moved := q.timers[last]
	q.timers = q.timers[:last]
	if i == last {
		return
	}
	q.timers[i] = moved
	q.at(moved.place).timer = uint32(i + 1)
	q.siftDown(q.siftUp(i))
}

func (q *Queue) siftUp(i int) int {
	h, t := q.timers, q.timers[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !t.before(h[parent]) {
			break
		}
		h[i] = h[parent]
		q.at(h[i].place).timer = uint32(i + 1)
		i = parent
	}
	h[i] = t
	q.at(t.place).timer = uint32(i + 1)
	return i
}

func (q *Queue) siftDown(i int) {
	h, t := q.timers, q.timers[i]
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(t) {
			break
		}
		h[i] = h[child]
		q.at(h[i].place).timer = uint32(i + 1)
		i = child
	}
	h[i] = t
	q.at(t.place).timer = uint32(i + 1)
}
