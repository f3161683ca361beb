package outbox

import (
	"container/heap"
	"slices"
)

// agenda is what a runner knows of its event's open intents: when each of them is to run. It belongs to the runner's
// loop and costs nothing while nothing is due, however many are open.
type agenda struct {
	open  map[uint64]*item
	soon  itemHeap        // by time; an entry that does not say what its item says is stale
	ready [lanes][]uint64 // due, and their lane had no free hand; in the order of ids
}

// item is one open intent.
type item struct {
	at      int64 // when it is to run, unix ms
	lane    laneID
	queued  bool // in soon
	known   bool // lane is
	waiting bool // in ready
	running bool
	again   bool // was asked for once more while it ran
}

type itemHeap []itemTime

type itemTime struct {
	at int64
	id uint64
}

func (h *itemHeap) Len() int { return len(*h) }

func (h *itemHeap) Less(i, j int) bool {
	a, b := (*h)[i], (*h)[j]
	return a.at < b.at || a.at == b.at && a.id < b.id
}
func (h *itemHeap) Swap(i, j int) { (*h)[i], (*h)[j] = (*h)[j], (*h)[i] }

// Push and Pop are for container/heap.
func (h *itemHeap) Push(x any) { *h = append(*h, x.(itemTime)) }

func (h *itemHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

func newAgenda() *agenda { return &agenda{open: make(map[uint64]*item)} }

// set takes note that an intent was opened or put to another time.
func (a *agenda) set(id uint64, at int64) *item {
	it := a.open[id]
	if it == nil {
		it = &item{}
		a.open[id] = it
	}
	if it.running || it.queued && it.at == at {
		it.at = at
		return it
	}
	it.at, it.queued = at, true
	heap.Push(&a.soon, itemTime{at, id})
	return it
}

// drop forgets an intent that was closed.
func (a *agenda) drop(id uint64) {
	if it := a.open[id]; it != nil && it.waiting {
		a.unwait(id, it)
	}
	delete(a.open, id)
}

func (a *agenda) unwait(id uint64, it *item) {
	list := &a.ready[it.lane]
	if i, ok := slices.BinarySearch(*list, id); ok {
		*list = slices.Delete(*list, i, i+1)
	}
	it.waiting = false
}

// wait lines an intent up for a hand of its lane.
func (a *agenda) wait(id uint64, it *item) {
	if it.waiting {
		return
	}
	list := &a.ready[it.lane]
	i, _ := slices.BinarySearch(*list, id)
	*list = slices.Insert(*list, i, id)
	it.waiting = true
}

// due takes at most most intents that are to run now and for which there is a hand, as far as their lanes are known:
// those that wait for one first, and the oldest of them first.
func (a *agenda) due(now int64, free [lanes]int, most int) []uint64 {
	var ids []uint64
	for lane := range a.ready {
		n := min(free[lane], len(a.ready[lane]), most-len(ids))
		for _, id := range a.ready[lane][:n] {
			a.open[id].waiting, a.open[id].queued = false, false // it is read anew, whenever it was put to
			ids = append(ids, id)
		}
		a.ready[lane] = slices.Delete(a.ready[lane], 0, n)
		free[lane] -= n
	}
	for len(ids) < most && len(a.soon) > 0 && a.soon[0].at <= now {
		next := heap.Pop(&a.soon).(itemTime)
		it := a.open[next.id]
		if it == nil || !it.queued || it.at != next.at {
			continue
		}
		it.queued = false
		switch {
		case it.running || it.waiting:
		case it.known && free[it.lane] <= 0:
			a.wait(next.id, it)
		default:
			if it.known {
				free[it.lane]--
			}
			ids = append(ids, next.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// next is when the next intent is due that waits for its time alone; ok is false when there is none.
func (a *agenda) next() (at int64, ok bool) {
	for len(a.soon) > 0 {
		top := a.soon[0]
		if it := a.open[top.id]; it != nil && it.queued && it.at == top.at && !it.running && !it.waiting {
			return top.at, true
		}
		heap.Pop(&a.soon)
	}
	return 0, false
}
