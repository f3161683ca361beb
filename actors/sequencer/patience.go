package sequencer

import "time"

const (
	// lookEvery is how late it may be noticed that somebody's patience has ended.
	lookEvery = 200 * time.Millisecond
	// endless patience outlasts every process.
	endless = time.Duration(1 << 62)
)

// age is the time in which patience is told: it does not jump.
func (h *Handle[M, R]) age() time.Duration { return time.Since(h.born) }

// until is the age at which a patience ends; 0 is an endless one.
func (h *Handle[M, R]) until(patience time.Duration) time.Duration {
	if patience <= 0 {
		return endless
	}
	return h.age() + min(patience, endless/2)
}

// look has the actor see to it that nobody waits longer than they will.
func (a *owner[M, R]) look() {
	a.patient.set(lookEvery, func() { a.h.send(lapse{}) })
}

// lapse ends the wait of those whose patience has ended. What is in flight may still be done, the rest is not.
func (a *owner[M, R]) lapse() {
	a.patient.fires = time.Time{}
	if !a.leader {
		return
	}
	now := a.h.age()
	for _, b := range a.flight {
		for i := range b.waiters {
			if w := b.waiters[i]; w.until <= now && w.waiter != nil {
				b.waiters[i].waiter = nil
				b.lapsed++
				a.h.in.leave(1)
				w.waiter.Answer(ErrUnknown)
			}
		}
	}
	a.queue = append(a.queue, a.h.in.take(nil, false)...)
	kept := a.queue[:a.head]
	for _, s := range a.queue[a.head:] {
		if s.until > now {
			kept = append(kept, s)
			continue
		}
		a.h.in.expel(len(s.cmd))
		s.waiter.Answer(ErrUnavailable)
	}
	clear(a.queue[len(kept):])
	a.queue = kept
	if len(a.flight) > 0 || a.head < len(a.queue) {
		a.look()
	}
	a.pump()
}
