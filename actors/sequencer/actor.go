package sequencer

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// maxInFlight batches may be on their way at once: one on the disk, one behind it.
const maxInFlight = 2

// quiet messages are not written to the log when they come too late: a command may hold what people typed.
type quiet struct{}

// IgnoreDeadLetterLogging is asked for by the actor system.
func (quiet) IgnoreDeadLetterLogging() {}

// Messages of the actor. The set is closed.
type (
	reading[M any] struct {
		quiet

		fn   func(M)
		free bool // not counted against the intake
	}
	committed struct {
		quiet

		index  uint64
		header Header
		body   []byte
	}
	failed struct {
		quiet

		term, seq uint64
		err       error
	}
	ready struct {
		quiet

		term uint64
	}
	lost     struct{ quiet }
	wake     struct{ quiet } // commands have come
	remind   struct{ quiet } // of a checkpoint
	lapse    struct{ quiet } // some may have no patience left
	tick     struct{ quiet }
	halt     struct{ quiet }
	snapshot struct {
		quiet

		reply chan<- Frozen
	}
	install[M any] struct {
		quiet

		machine M
		done    chan<- struct{}
	}
)

// owner is the actor: the only goroutine that touches the machine.
type owner[M Machine[R], R any] struct {
	o       *Options[M, R]
	h       *Handle[M, R]
	m       M
	fatal   func(error)
	leader  bool
	term    uint64
	seq     uint64          // of the last batch; never starts again, so that term and seq name one batch only
	queue   []submission[R] // taken from the intake; what lies before head is in a batch
	head    int
	flight  []*batch[R]
	landed  []*batch[R]      // to be used again, at most maxInFlight
	scratch []byte           // where a batch is put together
	next    [foreseen][]byte // commands of the entry in hand
	propose chan proposal
	clock   alarm
	check   checkpoint
	patient alarm
	beside  func(func()) // runs something on a goroutine that the shard waits for
	dead    bool
}

// batch is one proposed entry and those who wait for it.
type batch[R any] struct {
	seq     uint64
	started time.Time
	waiters []wait[R]
	told    int // how many of them have been
	lapsed  int // how many have no patience left
}

// wait is a waiter and the age of the handle at which its patience ends. Without a waiter it has ended.
type wait[R any] struct {
	waiter Waiter[R]
	until  time.Duration
}

type proposal struct {
	term, seq uint64
	data      []byte
}

// Receive handles one message. A panic in it is a broken machine: the process is told to stop, and the actor
// applies nothing more, because proto.actor would otherwise restart it over half-changed state.
func (a *owner[M, R]) Receive(ctx actor.Context) {
	defer func() {
		if r := recover(); r != nil {
			a.die(fmt.Errorf("machine %d of shard %d panicked: %v\n%s", a.h.id, a.o.Shard, r, debug.Stack()))
		}
	}()
	if a.dead {
		a.bury(ctx.Message())
		return
	}
	a.handle(ctx.Message())
}

func (a *owner[M, R]) handle(msg any) {
	switch msg := msg.(type) {
	case wake:
		a.woken()
	case *reading[M]:
		a.read(msg)
	case *committed:
		a.apply(msg)
	case *failed:
		a.fail(msg)
	case ready:
		a.lead(msg.term)
	case lost:
		a.step(ErrNotLeader)
	case tick:
		a.tick()
	case remind:
		a.remind()
	case lapse:
		a.lapse()
	case *snapshot:
		msg.reply <- a.m.Freeze()
	case *install[M]:
		a.m = msg.machine
		a.h.applied.set(a.m.Index())
		a.o.installed(a.h.id, a.m)
		close(msg.done)
	case halt, *actor.Stopped:
		a.end()
	}
}

func (a *owner[M, R]) woken() {
	if !a.leader {
		a.refuseAll(ErrNotLeader)
		return
	}
	a.pump()
}

func (a *owner[M, R]) read(r *reading[M]) {
	if !r.free {
		a.h.in.leave(1)
	}
	r.fn(a.m)
}

// apply runs one committed entry through the machine and answers those of this node who wait for it.
func (a *owner[M, R]) apply(c *committed) {
	mine := a.find(c.header)
	if c.header.Kind == KindCheckpoint {
		<-a.h.credits
		a.hash(c.index)
	} else {
		if err := a.run(c, mine); err != nil {
			a.die(err)
			return
		}
		<-a.h.credits
		a.o.applied(a.h.id, a.m, a.leader)
		a.changed()
	}
	a.h.applied.set(c.index)
	if mine != nil {
		a.h.metrics.commit.Observe(time.Since(mine.started).Seconds())
		crowd := len(mine.waiters) > 8
		a.answerAll(mine, nil)
		a.land(mine)
		if crowd && len(a.flight) > 0 {
			// The disk has work: let those who were told bring their next commands before the next batch is closed.
			// Batches become twice as large, so the disk has half as many.
			runtime.Gosched()
		}
	}
	a.pump()
	a.arm()
}

// run does the commands of an entry, some dozens at a time, so that a machine may look ahead.
func (a *owner[M, R]) run(c *committed, mine *batch[R]) error {
	a.m.Begin(c.index, c.header.At)
	ahead, looks := any(a.m).(Foreseer)
	body, done := c.body, 0
	for len(body) > 0 {
		n := 0
		for ; n < len(a.next) && len(body) > 0; n++ {
			var err error
			if a.next[n], body, err = NextCommand(body); err != nil {
				return fmt.Errorf("apply entry %d of shard %d: %w", c.index, a.o.Shard, err)
			}
		}
		if looks && n > 1 {
			ahead.Foresee(a.next[:n])
		}
		for _, cmd := range a.next[:n] {
			res, err := a.m.Command(cmd)
			if err != nil {
				return fmt.Errorf("apply entry %d of shard %d, command %d: %w", c.index, a.o.Shard, done, err)
			}
			if mine != nil && done < len(mine.waiters) {
				if w := mine.waiters[done].waiter; w != nil {
					w.Result(res, c.index)
				}
			}
			done++
		}
	}
	if done != int(c.header.Count) {
		return fmt.Errorf("apply entry %d of shard %d: %d commands, the header says %d: %w", c.index, a.o.Shard, done, c.header.Count, ErrEntry)
	}
	if err := a.m.End(); err != nil {
		return fmt.Errorf("invariant violated at entry %d of shard %d: %w", c.index, a.o.Shard, err)
	}
	return nil
}

// foreseen is how many commands a machine is shown before the first of them is done.
const foreseen = 64

// find returns the batch of this header if it is this sequencer's own and still waited for.
func (a *owner[M, R]) find(h Header) *batch[R] {
	if h.Term != a.term {
		return nil
	}
	for _, b := range a.flight {
		if b.seq == h.Seq {
			return b
		}
	}
	return nil
}

// land takes a batch out of flight.
func (a *owner[M, R]) land(b *batch[R]) {
	kept := a.flight[:0]
	for _, x := range a.flight {
		if x != b {
			kept = append(kept, x)
		}
	}
	clear(a.flight[len(kept):])
	a.flight = kept
	clear(b.waiters)
	b.waiters, b.told, b.lapsed = b.waiters[:0], 0, 0
	if len(a.landed) < maxInFlight {
		a.landed = append(a.landed, b)
	}
}

// fail ends the wait for a batch that did not become an entry, or nobody knows. One of an earlier term only tells
// that the way to the proposer is free again.
func (a *owner[M, R]) fail(f *failed) {
	if b := a.find(Header{Term: f.term, Seq: f.seq}); b != nil {
		a.answerAll(b, f.err)
		a.land(b)
	}
	a.pump()
	a.arm()
}

func (a *owner[M, R]) lead(term uint64) {
	a.step(ErrNotLeader)
	a.leader, a.term = true, term
	a.h.term.Store(term)
	a.h.leading.Store(true)
	a.o.leading(a.h.id, a.m, true)
	a.watch()
	a.arm()
}

// step gives leadership up: what is in flight is unknown, what has only gathered was surely not done and ends with
// err.
func (a *owner[M, R]) step(err error) {
	if !a.leader {
		return
	}
	a.leader = false
	a.h.leading.Store(false)
	a.h.term.Store(0)
	a.abandon(err)
	a.clock.stop()
	a.check.clock.stop()
	a.patient.stop()
	a.o.leading(a.h.id, a.m, false)
}

// abandon ends every wait.
func (a *owner[M, R]) abandon(err error) {
	for len(a.flight) > 0 {
		a.answerAll(a.flight[0], ErrUnknown)
		a.land(a.flight[0])
	}
	a.refuseAll(err)
}

// answerAll counts each waiter before it is told: should one panic, the others still are.
func (a *owner[M, R]) answerAll(b *batch[R], err error) {
	if b.told == 0 {
		a.h.in.leave(len(b.waiters) - b.lapsed)
	}
	for b.told < len(b.waiters) {
		w := b.waiters[b.told].waiter
		b.told++
		if w != nil {
			w.Answer(err)
		}
	}
}

// refuseAll ends the wait of those whose commands never left the intake. Whoever comes meanwhile brings a message.
func (a *owner[M, R]) refuseAll(err error) {
	a.refuse(a.queue[a.head:], err)
	a.queue, a.head = a.h.in.take(nil, true), 0
	a.refuse(a.queue, err)
	a.queue, a.head = nil, 0
}

func (a *owner[M, R]) refuse(all []submission[R], err error) {
	for i := range all {
		a.head++
		a.h.in.expel(len(all[i].cmd))
		all[i].waiter.Answer(err)
	}
}
