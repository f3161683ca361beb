package sequencer

import (
	"crypto/sha256"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"
)

const (
	// checkpointEvery so many entries of a machine, or checkpointAfter so long when it has changed at all, the leader
	// has every replica hash it: one that differs is found out before it is asked to lead.
	checkpointEvery = 4096
	checkpointAfter = 30 * time.Second
)

// checkpoint is what the actor keeps to know when the next one is due. Only the leader proposes, but every replica
// counts: it may lead next.
type checkpoint struct {
	clock   alarm
	since   int         // entries since the last one
	next    int         // how many make the next one due
	due     bool        // or the clock did
	hashing atomic.Bool // one hash is being made
}

// changed notes an entry that may have changed the machine.
func (a *owner[M, R]) changed() {
	a.check.since++
	a.watch()
}

// watch lets the clock run while there is something to check.
func (a *owner[M, R]) watch() {
	if a.leader && a.o.Hashed != nil && a.check.since > 0 {
		a.check.clock.set(checkpointAfter, func() { a.h.send(remind{}) })
	}
}

// remind is the clock's message.
func (a *owner[M, R]) remind() {
	a.check.clock.fires = time.Time{}
	a.check.due = a.leader && a.check.since > 0
	a.pump()
}

// checking proposes a checkpoint when one is due and there is room. One that fails is not tried
// again at once: whatever made it fail is no better then.
func (a *owner[M, R]) checking() {
	if a.o.Hashed == nil || !a.room() || !a.check.due && a.check.since < a.check.next {
		return
	}
	a.check.due, a.check.next = false, a.check.since+checkpointEvery
	a.check.clock.stop()
	a.watch()
	a.send(a.spare(), KindCheckpoint, beginEntry(nil))
}

// hash fixes the machine at a checkpoint and has its hash made beside it. While one is being made there is no second:
// then this replica has no say about this checkpoint.
func (a *owner[M, R]) hash(index uint64) {
	a.check.since, a.check.next, a.check.due = 0, checkpointEvery, false
	a.check.clock.stop()
	if a.o.Hashed == nil || !a.check.hashing.CompareAndSwap(false, true) {
		return
	}
	frozen := a.m.Freeze()
	a.beside(func() {
		defer a.check.hashing.Store(false)
		defer func() {
			if r := recover(); r != nil {
				a.fatal(fmt.Errorf("hash machine %d of shard %d at entry %d: %v\n%s", a.h.id, a.o.Shard, index, r, debug.Stack()))
			}
		}()
		if sum, ok := a.sum(frozen); ok {
			a.o.Hashed(a.h.id, index, sum)
		}
	})
}

// sum is the SHA-256 of a frozen machine's snapshot; false when the machine stops before.
func (a *owner[M, R]) sum(f Frozen) (sum [32]byte, ok bool) {
	h := sha256.New()
	err := pieces(f, func(b []byte) error {
		select {
		case <-a.h.dead:
			return ErrStopped
		default:
			_, _ = h.Write(b) // never fails
			return nil
		}
	})
	h.Sum(sum[:0])
	return sum, err == nil
}

// pieces hands over the bytes of a frozen machine, all at once if it knows no better.
func pieces(f Frozen, fn func([]byte) error) error {
	if s, ok := f.(Streamed); ok {
		return s.EachPart(fn)
	}
	return fn(f.AppendSnapshot(nil))
}
