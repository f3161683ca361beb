package event

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catraca/catraca/actors/sale"
)

// publishEvery bounds how often a picture is taken: it copies the queue's bitmap and, after a seat changed, the seats.
const publishEvery = 200 * time.Millisecond

// rememberedChanges of units let a page that was away for a moment catch up without reading the whole map.
const rememberedChanges = 8192

// hub is what this node's readers of one sale share. Fields without a lock belong to the machine's goroutine.
type hub struct {
	id     sale.EventID
	shard  int
	handle *handle

	view atomic.Pointer[View]

	subs      []Subscriber
	published time.Time
	timer     *time.Timer
	waiting   bool // the timer runs

	mu     sync.Mutex // guards recent, floor and newest
	recent []UnitChange
	floor  uint64 // changes up to this version are forgotten
	newest uint64 // index of the last batch
}

func (h *hub) subscribe(s Subscriber) { h.subs = append(h.subs, s) }

func (h *hub) unsubscribe(s Subscriber) {
	h.subs = slices.DeleteFunc(h.subs, func(x Subscriber) bool { return x == s })
}

// applied hands on what a batch changed, and sees that a new picture is taken soon.
func (h *hub) applied(m *machine) {
	changes := m.Changes()
	h.remember(m.Index(), changes)
	if len(changes) > 0 && len(h.subs) > 0 {
		d := &Delta{Event: h.id, Index: m.Index(), Clock: m.Clock(), Changes: slices.Clone(changes)}
		for _, s := range h.subs {
			s.Delta(d)
		}
	}
	wait := publishEvery - time.Since(h.published)
	switch {
	case slices.ContainsFunc(changes, isPhase):
		h.publish(m)
	case h.waiting:
	case wait <= 0:
		h.publish(m)
	default:
		h.waiting = true
		h.wake(wait)
	}
}

// wake has a picture taken after wait, unless one of the last batch is there by then.
func (h *hub) wake(wait time.Duration) {
	if h.timer != nil {
		h.timer.Reset(wait)
		return
	}
	h.timer = time.AfterFunc(wait, func() {
		h.handle.Post(func(m *machine) {
			h.waiting = false
			if h.view.Load().Index != m.Index() {
				h.publish(m)
			}
		})
	})
}

// isPhase says that a change is seen by everybody: an organiser who opens or pauses a sale sees at once that it is so.
func isPhase(c sale.Change) bool { return c.Kind == sale.ChangePhase }

// replaced starts over with a machine that came from a snapshot: nobody can tell what happened in between.
func (h *hub) replaced(m *machine) {
	h.forgetUntil(m.Index())
	d := &Delta{Event: h.id, Index: m.Index(), Clock: m.Clock(), Reset: true}
	for _, s := range h.subs {
		s.Delta(d)
	}
	h.publish(m)
}

// publish takes a picture and shows it to the subscribers.
func (h *hub) publish(m *machine) *View {
	v := picture(h.id, m.State, h.view.Load())
	h.published = time.Now()
	h.view.Store(v)
	for _, s := range h.subs {
		s.View(v)
	}
	return v
}

func (h *hub) remember(index uint64, changes []sale.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.newest = index
	for i := range changes {
		if c := &changes[i]; c.Kind == sale.ChangeUnit {
			h.recent = append(h.recent, UnitChange{Version: index, Unit: c.Unit, Status: c.Status, Free: c.Number})
		}
	}
	if over := len(h.recent) - rememberedChanges; over > rememberedChanges {
		h.floor = h.recent[over-1].Version
		h.recent = append(h.recent[:0], h.recent[over:]...) // nobody else has it: since gives copies
	}
}

// forgetUntil says that changes up to a version are not known here: the machine came from a snapshot.
func (h *hub) forgetUntil(version uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.recent, h.floor, h.newest = nil, version, version
}

// since returns what happened after a version. One that is still to come was given by another replica, or by a log
// that is no more: who holds it has to read everything.
func (h *hub) since(version uint64) ([]UnitChange, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if version < h.floor || version > h.newest {
		return nil, false
	}
	i, _ := slices.BinarySearchFunc(h.recent, version, func(c UnitChange, v uint64) int {
		if c.Version <= v {
			return -1
		}
		return 1
	})
	return slices.Clone(h.recent[i:]), true
}

// stop ends the timer. The machine has stopped: its goroutine runs nothing more.
func (h *hub) stop() {
	if h.timer != nil {
		h.timer.Stop()
	}
}
