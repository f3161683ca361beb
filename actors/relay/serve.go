package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
)

// Local is a shard's machines on this node, as [Machines] makes them.
type Local interface {
	submit(w *errand, machine uint32, cmd []byte) error
	create(ctx context.Context, machine uint32, blob []byte) error
}

// Machines lets a relay hand other nodes' commands to the machines of a shard. encode appends an answer for the way back.
func Machines[M sequencer.Machine[R], R any](s *sequencer.Shard[M, R], encode func(dst []byte, r *R) []byte) Local {
	return &machines[M, R]{shard: s, encode: encode}
}

type machines[M sequencer.Machine[R], R any] struct {
	shard  *sequencer.Shard[M, R]
	encode func(dst []byte, r *R) []byte
}

func (m *machines[M, R]) submit(e *errand, machine uint32, cmd []byte) error {
	h, ok := m.shard.Get(machine)
	switch {
	case ok:
		return h.Submit(cmd, &waiter[R]{errand: *e, encode: m.encode})
	case m.shard.Leading():
		return sequencer.ErrNoMachine
	default:
		return sequencer.ErrNotLeader
	}
}

func (m *machines[M, R]) create(ctx context.Context, machine uint32, blob []byte) error {
	if !m.shard.Leading() {
		return sequencer.ErrNotLeader
	}
	if _, there := m.shard.Get(machine); there {
		return nil
	}
	return m.shard.Create(ctx, machine, blob)
}

// errand is a request of another node that is being done.
type errand struct {
	p     *peer
	life  uint64 // of the process that asked
	id    uint64
	shard int
}

// waiter waits for one command of another node.
type waiter[R any] struct {
	errand

	encode func(dst []byte, r *R) []byte
	index  uint64
	result []byte
	room   [40]byte // most answers are small
}

// Result keeps the answer. The machine's goroutine.
func (w *waiter[R]) Result(r R, index uint64) { w.result, w.index = w.encode(w.room[:0], &r), index }

// Answer sends it. The machine's goroutine.
func (w *waiter[R]) Answer(err error) { w.answer(w.index, w.result, err) }

// serve does a request of another node. The relay's actor.
func (r *Relay) serve(p *peer, life uint64, x *item) {
	e := errand{p: p, life: life, id: x.id, shard: x.shard}
	if !p.begin() {
		e.send(&item{verdict: verdictBusy, ms: uint64(comeBack.Milliseconds())})
		return
	}
	if err := r.start(&e, x); err != nil {
		e.answer(0, nil, err)
	}
}

// start begins the work. Without an error it answers itself, once.
func (r *Relay) start(e *errand, x *item) error {
	if x.shard >= len(r.local) || r.local[x.shard] == nil {
		return fmt.Errorf("no shard %d is served", x.shard)
	}
	switch x.op {
	case opCommand:
		return r.local[x.shard].submit(e, x.machine, x.body)
	case opCreate:
		return r.create(*e, x)
	case opIndex:
		done := func(index uint64, err error) { e.answer(index, nil, err) }
		r.gather(&r.shards[x.shard].theirs, done)
		return nil
	case opAnswer: // goes elsewhere
	}
	return errFrame
}

// create makes a machine beside the actor: it waits for the log. They are few.
func (r *Relay) create(e errand, x *item) error {
	select {
	case r.creations <- struct{}{}:
	default:
		return &sequencer.BusyError{RetryAfter: comeBack}
	}
	patience, shard, machine, blob := time.Duration(x.ms)*time.Millisecond, x.shard, x.machine, x.body
	return r.spawn(func() {
		defer func() { <-r.creations }()
		ctx, cancel := context.WithTimeout(r.ctx, patience)
		defer cancel()
		e.answer(0, nil, r.local[shard].create(ctx, machine, blob))
	})
}

// spawn runs f beside, unless the relay closes.
func (r *Relay) spawn(f func()) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return sequencer.ErrStopped
	}
	r.workers.Go(f)
	return nil
}

// answer turns an outcome into an item.
func (e *errand) answer(index uint64, result []byte, err error) {
	x := item{verdict: verdictDone, number: index, body: result}
	var busy *sequencer.BusyError
	switch {
	case err == nil:
	case errors.Is(err, sequencer.ErrNotLeader), errors.Is(err, cluster.ErrNotLeader):
		x = item{verdict: verdictNotLeader}
		if name, term, self := e.p.r.Leader(e.shard); !self {
			x.body, x.number = []byte(name), term
		}
	case errors.As(err, &busy):
		x = item{verdict: verdictBusy, ms: uint64(busy.RetryAfter.Milliseconds())}
	case errors.Is(err, sequencer.ErrStopped), errors.Is(err, cluster.ErrClosed) && !errors.Is(err, cluster.ErrUnknown):
		x = item{verdict: verdictStopped}
	case errors.Is(err, sequencer.ErrNoMachine):
		x = item{verdict: verdictNoMachine}
	case errors.Is(err, sequencer.ErrTooLarge):
		x = item{verdict: verdictTooLarge}
	case errors.Is(err, sequencer.ErrUnknown), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		x = item{verdict: verdictUnknown}
	default:
		x = item{verdict: verdictRefused, body: []byte(err.Error())[:min(len(err.Error()), 200)]}
	}
	e.p.end()
	e.send(&x)
}

// send puts the answer on its way, unless who asked is gone.
func (e *errand) send(x *item) {
	x.op, x.id = opAnswer, e.id
	e.p.mu.Lock()
	defer e.p.mu.Unlock()
	if e.p.life == e.life && e.p.r.ctx.Err() == nil {
		e.p.gather(x)
	}
}

// begin counts a request of the peer, up to what an honest one may have outstanding.
func (p *peer) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.serving >= 2*p.r.o.MaxOutstanding {
		return false
	}
	p.serving++
	p.r.o.Metrics.serving.Inc()
	return true
}

func (p *peer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serving--
	p.r.o.Metrics.serving.Dec()
}
