package sequencer

import (
	"bytes"
	"time"
)

// pump proposes what has gathered while there is room in flight. Batches of an earlier term may still stand before
// the proposer; then the channel is full although nothing is in flight, and each of them tells when it has gone.
func (a *owner[M, R]) pump() {
	for a.leader {
		a.checking()
		if !a.room() {
			a.look()
			return
		}
		b, data := a.gather()
		if b == nil {
			return
		}
		a.send(b, KindBatch, data)
	}
}

func (a *owner[M, R]) room() bool {
	return len(a.flight) < maxInFlight && len(a.propose) < cap(a.propose)
}

// refill takes what callers have brought once the own queue is empty, and says whether there is anything.
func (a *owner[M, R]) refill() bool {
	if a.head < len(a.queue) {
		return true
	}
	a.queue, a.head = a.h.in.take(a.queue, false), 0
	return len(a.queue) > 0
}

// gather makes the next batch, nil when nobody waits. A command larger than a batch travels alone. The bytes are
// put together in a buffer that stays and copied once, because the log keeps what it is given.
func (a *owner[M, R]) gather() (*batch[R], []byte) {
	if !a.refill() {
		return nil, nil
	}
	b := a.spare()
	data, size := beginEntry(a.scratch[:0]), 0
	for len(b.waiters) < MaxBatchCommands && a.refill() {
		s := &a.queue[a.head]
		if len(b.waiters) > 0 && len(data)+4+len(s.cmd) > MaxBatchBytes {
			break
		}
		data = appendCommand(data, s.cmd)
		size += len(s.cmd)
		b.waiters = append(b.waiters, wait[R]{s.waiter, s.until})
		*s = submission[R]{}
		a.head++
	}
	a.h.in.batched(size)
	if cap(data) > 2*MaxBatchBytes { // a large command
		return b, data
	}
	a.scratch = data
	return b, bytes.Clone(data)
}

// spare is an empty batch.
func (a *owner[M, R]) spare() *batch[R] {
	n := len(a.landed)
	if n == 0 {
		return &batch[R]{}
	}
	b := a.landed[n-1]
	a.landed = a.landed[:n-1]
	return b
}

// send proposes a batch. The caller has seen that there is room, and the actor is the only sender: it does not block.
func (a *owner[M, R]) send(b *batch[R], kind Kind, data []byte) {
	a.seq++
	b.seq, b.started = a.seq, time.Now()
	at := max(a.m.Clock(), a.o.Now())
	sealEntry(data, Header{Kind: kind, Machine: a.h.id, At: at, Term: a.term, Seq: a.seq, Count: uint32(len(b.waiters))})
	a.flight = append(a.flight, b)
	if kind == KindBatch {
		a.h.metrics.batch.Observe(float64(len(b.waiters)))
	}
	a.look()
	a.propose <- proposal{term: a.term, seq: a.seq, data: data}
}
