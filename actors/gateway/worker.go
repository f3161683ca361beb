package gateway

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
)

// quiet messages are not written to the log when they come too late.
type quiet struct{}

// IgnoreDeadLetterLogging is asked for by the actor system.
func (quiet) IgnoreDeadLetterLogging() {}

// Messages of a worker. The set is closed.
type (
	attach struct {
		quiet

		e *entry
	}
	detach struct {
		quiet

		e *entry
	}
	wantStock struct {
		quiet

		key fanKey
		fan Fan
		on  bool
	}
	again struct {
		quiet

		key fanKey
		fan Fan
	}
	news struct {
		quiet

		d *event.Delta
	}
	stock struct {
		quiet

		f *StockFrame
	}
	beat struct {
		quiet

		now time.Time
	}
)

// worker owns the connections of its accounts. It is an actor: one message at a time, no locks.
type worker struct {
	g        *Gateway
	number   uint64 // which share of the accounts is its own
	fans     map[fanKey][]*entry
	watchers map[sale.EventID]map[*entry]struct{} // those who want the seat map's changes
	leaving  leaving
	wheel    wheel
	beating  atomic.Bool // a beat is in the mailbox: no second one is put there
}

func newWorker(g *Gateway, number int) *worker {
	return &worker{
		g: g, number: uint64(number), fans: make(map[fanKey][]*entry), watchers: make(map[sale.EventID]map[*entry]struct{}),
		leaving: newLeaving(g.o.AwayAfter),
	}
}

// Receive handles one message.
func (w *worker) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case attach:
		w.attach(msg.e)
	case detach:
		w.detach(msg.e)
	case wantStock:
		w.wantStock(msg)
	case again:
		w.again(msg)
	case news:
		w.delta(msg.d)
	case stock:
		for e := range w.watchers[msg.f.Event] {
			w.g.metrics.stocks.Inc()
			e.fan.Push(msg.f)
		}
	case beat:
		w.beating.Store(false)
		w.beat(msg.now)
	}
}

func (w *worker) attach(e *entry) {
	k := e.key()
	w.leaving.stay(k)
	es := append(w.fans[k], e)
	for len(es) > w.g.o.PerAccount {
		oldest := es[0]
		es = es[1:]
		w.forget(oldest)
		oldest.fan.Close(Replaced) // its transport detaches it
	}
	w.fans[k] = es
	if e.info.State == queue.Parked { // somebody is there again after missing the turn
		w.g.say(k, sale.OpBack)
	}
	w.push(e, w.g.o.Now().UnixMilli(), true)
}

// forget drops what stands of a connection beside the list of its account.
func (w *worker) forget(e *entry) {
	e.gone = true
	w.watch(e, false)
}

func (w *worker) detach(e *entry) {
	if e.gone {
		return // replaced, and forgotten then
	}
	w.forget(e)
	k := e.key()
	rest := slices.DeleteFunc(w.fans[k], func(x *entry) bool { return x == e })
	if len(rest) > 0 {
		w.fans[k] = rest
		return
	}
	delete(w.fans, k)
	if e.sent || w.g.moving.Load() {
		return
	}
	if inLine(e.info.State) || e.info.State == queue.Parked { // or in line by the time it counts
		w.leaving.gone(k, w.g.o.Now().UnixMilli())
	}
}

// again tells one connection its place although nothing changed.
func (w *worker) again(m again) {
	for _, e := range w.fans[m.key] {
		if e.fan == m.fan {
			w.push(e, w.g.o.Now().UnixMilli(), true)
		}
	}
}

func (w *worker) wantStock(m wantStock) {
	for _, e := range w.fans[m.key] {
		if e.fan == m.fan {
			w.watch(e, m.on)
		}
	}
}

func (w *worker) watch(e *entry, on bool) {
	if e.stock == on {
		return
	}
	e.stock = on
	all := w.watchers[e.room.id]
	switch {
	case !on && len(all) == 1:
		delete(w.watchers, e.room.id)
	case !on:
		delete(all, e)
	case all == nil:
		w.watchers[e.room.id] = map[*entry]struct{}{e: {}}
	default:
		all[e] = struct{}{}
	}
}

// delta tells the fans concerned at once: a turn, a lease, a hold or an order is never coalesced away.
func (w *worker) delta(d *event.Delta) {
	if d.Reset {
		w.restart(d.Event)
		return
	}
	now := w.g.o.Now().UnixMilli()
	for i := range d.Changes {
		c := &d.Changes[i]
		if c.Account == 0 || w.g.share(c.Account) != w.number {
			continue
		}
		for _, e := range w.fans[fanKey{d.Event, c.Account}] {
			switch c.Kind {
			case sale.ChangePlace:
				w.moved(e, c, d.Clock, now)
			case sale.ChangeHold:
				e.fan.Push(HoldChanged{Hold: c.Hold, Gone: c.At == 0, Index: d.Index})
				if e.extended(c.At) {
					w.push(e, now, true)
				}
			case sale.ChangeOrder:
				e.fan.Push(OrderChanged{Order: c.Order})
			default: // nothing of a fan's own
			}
		}
	}
}

func (w *worker) moved(e *entry, c *sale.Change, clock, now int64) {
	before := e.info.State
	e.moved(c, clock)
	if before == queue.Away && c.State == queue.Parked {
		// Its turn came in the moment before the sale heard that it is here.
		w.g.say(e.key(), sale.OpBack)
	}
	w.push(e, now, true)
}

// restart sends an event's fans away to come again: what they were told may be wrong.
func (w *worker) restart(id sale.EventID) {
	for k, es := range w.fans {
		if k.event != id {
			continue
		}
		for _, e := range es {
			e.sent = true
			e.fan.Close(Restarting)
		}
	}
}

func (w *worker) beat(now time.Time) {
	ms := now.UnixMilli()
	w.wheel.turn(func(e *entry) {
		if !e.gone {
			w.push(e, ms, false)
		}
	})
	w.leaving.left(ms, func(k fanKey) { w.g.say(k, sale.OpAway) })
}

// push sends what changed since the last push: the place when its text would differ, the tick when there is a new
// one. It plans the next one.
func (w *worker) push(e *entry, now int64, force bool) {
	if e.info.State == queue.Away {
		// Another node, or a moment ago this one, said that it is gone. Here it is.
		w.g.say(e.key(), sale.OpBack)
	}
	if e.info.Place != 0 {
		p := e.next(now)
		if force || differs(p, e.shown) {
			e.shown, e.told = p, true
			e.fan.Push(PlaceFrame{Place: p})
			w.g.metrics.places.Inc()
		}
	}
	if t := e.room.tick.Load(); t != nil && t != e.tick {
		e.tick = t
		e.fan.Push(t)
		w.g.metrics.ticks.Inc()
	}
	beats := cadence(e.info.State, e.shown.Ahead)
	if beats > 4 { // a herd that attached at once is spread
		beats += rand.IntN(beats/4+1) - beats/8
	}
	w.wheel.plan(e, beats)
}
