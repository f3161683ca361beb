package sequencer

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// maxInFlight batches may be on their way at once: one on the disk, one behind it.
const maxInFlight = 2

// minTick is the shortest time between two entries that only move time.
const minTick = 50 * time.Millisecond

// Messages of the actor. The set is closed.
type (
	submission[R any] struct {
		cmd    []byte
		waiter Waiter[R]
	}
	reading[M any] struct {
		fn   func(M)
		free bool // not counted against the intake
	}
	committed struct {
		index  uint64
		header Header
		body   []byte
	}
	failed struct {
		term, seq uint64
		err       error
	}
	ready          struct{ term uint64 }
	lost           struct{}
	tick           struct{}
	snapshot       struct{ reply chan<- []byte }
	install[M any] struct {
		machine M
		done    chan<- struct{}
	}
)

// owner is the actor: the only goroutine that touches the machine.
type owner[M Machine[R], R any] struct {
	o       *Options[M, R]
	h       *Handle[M, R]
	m       M
	leader  bool
	term    uint64
	seq     uint64
	intake  []*submission[R]
	flight  []*batch[R]
	propose chan proposal
	timer   *time.Timer
	timerAt int64 // when the timer fires, 0: not running
	dead    bool
}

// batch is one proposed entry and those who wait for it.
type batch[R any] struct {
	seq     uint64
	started time.Time
	waiters []Waiter[R]
}

type proposal struct {
	term, seq uint64
	data      []byte
}

// Receive handles one message. A panic in it is a broken machine: the process is told to stop, and the actor
// answers nothing more, because proto.actor would otherwise restart it over half-changed state.
func (a *owner[M, R]) Receive(ctx actor.Context) {
	if a.dead {
		a.bury(ctx.Message())
		return
	}
	defer func() {
		if r := recover(); r != nil {
			a.die(fmt.Errorf("machine %d of shard %d panicked: %v\n%s", a.h.id, a.o.Shard, r, debug.Stack()))
		}
	}()
	a.handle(ctx)
}

func (a *owner[M, R]) handle(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *submission[R]:
		a.submit(msg)
	case *reading[M]:
		msg.fn(a.m)
		if !msg.free {
			a.h.pending.Add(-1)
		}
	case *committed:
		a.apply(msg)
	case *failed:
		a.fail(msg)
	case ready:
		a.lead(msg.term)
	case lost:
		a.step()
	case tick:
		a.tick()
	case *snapshot:
		msg.reply <- a.m.AppendSnapshot(nil)
	case *install[M]:
		a.m = msg.machine
		a.o.installed(a.h.id, a.m)
		close(msg.done)
	case *actor.Stopped:
		a.step()
		a.stopTimer()
		close(a.propose)
		a.markDead()
	}
}

func (a *owner[M, R]) submit(s *submission[R]) {
	if !a.leader {
		a.answer(s.waiter, ErrNotLeader)
		return
	}
	a.intake = append(a.intake, s)
	a.pump()
}

// pump proposes what has gathered while there is room in flight.
func (a *owner[M, R]) pump() {
	for a.leader && len(a.flight) < maxInFlight && len(a.intake) > 0 {
		a.send(a.gather())
	}
}

// gather takes the next batch off the intake. A command larger than a batch travels alone.
func (a *owner[M, R]) gather() (*batch[R], []byte) {
	b := &batch[R]{}
	data := beginEntry(make([]byte, 0, headerSize+min(MaxBatchBytes, 128*len(a.intake)+len(a.intake[0].cmd))))
	n := 0
	for n < len(a.intake) && n < MaxBatchCommands {
		s := a.intake[n]
		if n > 0 && len(data)+4+len(s.cmd) > MaxBatchBytes {
			break
		}
		data = appendCommand(data, s.cmd)
		b.waiters = append(b.waiters, s.waiter)
		a.intake[n] = nil
		n++
	}
	a.intake = a.intake[n:]
	if len(a.intake) == 0 {
		a.intake = nil // let the backing array of a burst go
	}
	return b, data
}

func (a *owner[M, R]) send(b *batch[R], data []byte) {
	a.seq++
	b.seq, b.started = a.seq, time.Now()
	at := max(a.m.Clock(), a.o.Now())
	sealEntry(data, Header{Kind: KindBatch, Machine: a.h.id, At: at, Term: a.term, Seq: a.seq, Count: uint32(len(b.waiters))})
	a.flight = append(a.flight, b)
	a.h.metrics.batch.Observe(float64(len(b.waiters)))
	a.propose <- proposal{term: a.term, seq: a.seq, data: data} // has room: its capacity is maxInFlight
}

// apply runs one committed entry through the machine and answers those of this node who wait for it.
func (a *owner[M, R]) apply(c *committed) {
	mine := a.take(c.header)
	a.m.Begin(c.index, c.header.At)
	body, n := c.body, 0
	for len(body) > 0 {
		cmd, rest, err := NextCommand(body)
		if err != nil {
			a.die(fmt.Errorf("apply entry %d of shard %d: %w", c.index, a.o.Shard, err))
			return
		}
		res, err := a.m.Command(cmd)
		if err != nil {
			a.die(fmt.Errorf("apply entry %d of shard %d, command %d: %w", c.index, a.o.Shard, n, err))
			return
		}
		if mine != nil && n < len(mine.waiters) {
			mine.waiters[n].Result(res)
		}
		body = rest
		n++
	}
	if err := a.m.End(); err != nil {
		a.die(fmt.Errorf("invariant violated at entry %d of shard %d: %w", c.index, a.o.Shard, err))
		return
	}
	<-a.h.credits
	a.o.applied(a.h.id, a.m, a.leader)
	if mine != nil {
		a.h.metrics.commit.Observe(time.Since(mine.started).Seconds())
		for _, w := range mine.waiters {
			a.answer(w, nil)
		}
	}
	a.pump()
	a.arm()
}

// take removes the batch of this header from flight if it is this sequencer's own.
func (a *owner[M, R]) take(h Header) *batch[R] {
	if h.Kind != KindBatch || h.Term != a.term {
		return nil
	}
	for i, b := range a.flight {
		if b.seq == h.Seq {
			a.flight = append(a.flight[:i], a.flight[i+1:]...)
			return b
		}
	}
	return nil
}

func (a *owner[M, R]) fail(f *failed) {
	b := a.take(Header{Kind: KindBatch, Term: f.term, Seq: f.seq})
	if b == nil {
		return
	}
	for _, w := range b.waiters {
		a.answer(w, f.err)
	}
	a.pump()
	a.arm()
}

func (a *owner[M, R]) lead(term uint64) {
	a.step()
	a.leader, a.term, a.seq = true, term, 0
	a.h.leading.Store(true)
	a.o.leading(a.h.id, a.m, true)
	a.arm()
}

// step gives leadership up: what is in flight is unknown, what has only gathered was surely not done.
func (a *owner[M, R]) step() {
	if !a.leader {
		return
	}
	a.leader = false
	a.h.leading.Store(false)
	for _, b := range a.flight {
		for _, w := range b.waiters {
			a.answer(w, ErrUnknown)
		}
	}
	for _, s := range a.intake {
		a.answer(s.waiter, ErrNotLeader)
	}
	a.flight, a.intake = nil, nil
	a.stopTimer()
	a.o.leading(a.h.id, a.m, false)
}

func (a *owner[M, R]) answer(w Waiter[R], err error) {
	a.h.pending.Add(-1)
	w.Answer(err)
}

// arm sets the timer for the next instant at which time alone changes the machine.
func (a *owner[M, R]) arm() {
	if !a.leader {
		return
	}
	due := a.m.Due()
	now := a.o.Now()
	if due-now > int64(time.Hour/time.Millisecond) {
		due = now + int64(time.Hour/time.Millisecond)
	}
	due = max(due, now+minTick.Milliseconds())
	if a.timerAt != 0 && a.timerAt <= due && a.timerAt > now {
		return // fires early enough; tick looks again
	}
	a.timerAt = due
	wait := time.Duration(due-now) * time.Millisecond
	if a.timer == nil {
		a.timer = time.AfterFunc(wait, func() { a.h.send(tick{}) })
		return
	}
	a.timer.Reset(wait)
}

func (a *owner[M, R]) stopTimer() {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.timerAt = 0
}

// tick proposes an empty batch when something is due and nothing else is on its way to move time.
func (a *owner[M, R]) tick() {
	a.timerAt = 0
	if !a.leader {
		return
	}
	if a.m.Due() <= a.o.Now() && len(a.flight) == 0 && len(a.intake) == 0 {
		a.send(&batch[R]{}, beginEntry(nil))
	}
	a.arm()
}

func (a *owner[M, R]) die(err error) {
	a.markDead()
	a.o.Fatal(err)
}

func (a *owner[M, R]) markDead() {
	if !a.dead {
		a.dead = true
		close(a.h.dead)
	}
}

// bury answers what still arrives at a dead actor, so that nobody waits for ever.
func (a *owner[M, R]) bury(msg any) {
	switch msg := msg.(type) {
	case *submission[R]:
		a.answer(msg.waiter, ErrStopped)
	case *install[M]:
		close(msg.done)
	case *snapshot:
		close(msg.reply)
	}
}
