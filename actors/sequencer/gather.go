package sequencer

import "time"

// pump proposes what has gathered while there is room in flight. Batches of an earlier term may still stand before
// the proposer; then the channel is full although nothing is in flight, and each of them tells when it has gone.
func (a *owner[M, R]) pump() {
	for a.leader && len(a.intake) > 0 && a.room() {
		a.send(a.gather())
	}
}

func (a *owner[M, R]) room() bool {
	return len(a.flight) < maxInFlight && len(a.propose) < cap(a.propose)
}

// gather takes the next batch off the intake. A command larger than a batch travels alone.
func (a *owner[M, R]) gather() (*batch[R], []byte) {
	size, n := headerSize, 0
	for n < len(a.intake) && n < MaxBatchCommands {
		next := size + 4 + len(a.intake[n].cmd)
		if n > 0 && next > MaxBatchBytes {
			break
		}
		size = next
		n++
	}
	b := &batch[R]{waiters: make([]Waiter[R], 0, n)}
	data := beginEntry(make([]byte, 0, size))
	for i, s := range a.intake[:n] {
		data = appendCommand(data, s.cmd)
		a.h.bytes.Add(-int64(len(s.cmd)))
		b.waiters = append(b.waiters, s.waiter)
		a.intake[i] = nil
	}
	a.intake = a.intake[n:]
	if len(a.intake) == 0 {
		a.intake = nil // let the backing array of a burst go
	}
	return b, data
}

// send proposes a batch. The caller has seen that there is room, and the actor is the only sender: it does not block.
func (a *owner[M, R]) send(b *batch[R], data []byte) {
	a.seq++
	b.seq, b.started = a.seq, time.Now()
	at := max(a.m.Clock(), a.o.Now())
	sealEntry(data, Header{Kind: KindBatch, Machine: a.h.id, At: at, Term: a.term, Seq: a.seq, Count: uint32(len(b.waiters))})
	a.flight = append(a.flight, b)
	a.h.metrics.batch.Observe(float64(len(b.waiters)))
	a.propose <- proposal{term: a.term, seq: a.seq, data: data}
}
