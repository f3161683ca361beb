package gateway

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/gateway/forecast"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
)

// Messages of a worker. The set is closed: these, *event.Delta and *StockFrame.
type (
	attach    struct{ e *entry }
	detach    struct{ e *entry }
	wantStock struct {
		key fanKey
		fan Fan
		on  bool
	}
	beat struct{ now time.Time }
)

// wheelSlots × beatEvery is the longest time to the next push.
const wheelSlots = 64

// worker owns the connections of its accounts. It is an actor: one message at a time, no locks.
type worker struct {
	g     *Gateway
	fans  map[fanKey][]*entry
	away  map[fanKey]int64 // accounts without a connection: when to say so, unix ms
	wheel [wheelSlots][]*entry
	pos   int
}

type fanKey struct {
	event   sale.EventID
	account sale.AccountID
}

// entry is one connection.
type entry struct {
	room    *room
	account sale.AccountID
	fan     Fan
	info    queue.Info
	shown   Place
	tick    *TickFrame
	stock   bool
	gone    bool
	queued  bool // stands in the wheel
}

func newWorker(g *Gateway) *worker {
	return &worker{g: g, fans: make(map[fanKey][]*entry), away: make(map[fanKey]int64)}
}

// Receive handles one message.
func (w *worker) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case attach:
		w.attach(msg.e)
	case detach:
		w.detach(msg.e)
	case wantStock:
		for _, e := range w.fans[msg.key] {
			if e.fan == msg.fan {
				e.stock = msg.on
			}
		}
	case *event.Delta:
		w.delta(msg)
	case *StockFrame:
		w.stock(msg)
	case beat:
		w.beat(msg.now)
	}
}

func (w *worker) attach(e *entry) {
	k := fanKey{e.room.id, e.account}
	w.fans[k] = append(w.fans[k], e)
	if over := len(w.fans[k]) - w.g.o.PerAccount; over > 0 {
		for _, old := range w.fans[k][:over] {
			old.fan.Close(Replaced) // its transport detaches it
		}
	}
	delete(w.away, k)
	if e.info.State == queue.Away || e.info.State == queue.Parked {
		w.g.say(presence{key: k, op: sale.OpBack})
	}
	now := w.g.o.Now().UnixMilli()
	w.push(e, now, true)
	w.plan(e)
}

func (w *worker) detach(e *entry) {
	e.gone = true
	k := fanKey{e.room.id, e.account}
	rest := slices.DeleteFunc(w.fans[k], func(x *entry) bool { return x == e })
	if len(rest) > 0 {
		w.fans[k] = rest
		return
	}
	delete(w.fans, k)
	if e.info.State == queue.Waiting {
		w.away[k] = w.g.o.Now().Add(w.g.o.AwayAfter).UnixMilli()
	}
}

// delta tells the fans concerned at once: a turn, a lease, a hold or an order is never coalesced away.
func (w *worker) delta(d *event.Delta) {
	if d.Reset {
		w.restart(d.Event)
		return
	}
	for i := range d.Changes {
		c := &d.Changes[i]
		if c.Account == 0 {
			continue
		}
		es := w.fans[fanKey{d.Event, c.Account}]
		for _, e := range es {
			switch c.Kind {
			case sale.ChangePlace:
				e.moved(c, d.Clock)
				w.push(e, d.Clock, true)
				w.plan(e)
			case sale.ChangeHold:
				e.fan.Push(HoldChanged{Hold: c.Hold, Gone: c.At == 0})
				if e.extended(c.At) {
					w.push(e, d.Clock, true)
				}
			case sale.ChangeOrder:
				e.fan.Push(OrderChanged{Order: c.Order})
			}
		}
	}
}

// restart sends an event's fans away to come again: what they were told may be wrong.
func (w *worker) restart(id sale.EventID) {
	for k, es := range w.fans {
		if k.event != id {
			continue
		}
		for _, e := range es {
			e.fan.Close(Restarting)
		}
	}
}

// moved takes a place's new state. A lease's cap is not in the change: it is the claim and the policy's limit.
func (e *entry) moved(c *sale.Change, now int64) {
	e.info.Place, e.info.State, e.info.Deadline, e.info.Cap = c.Place, c.State, c.At, 0
	if v := e.room.view.Load(); v != nil && c.State == queue.Shopping {
		e.info.Cap = now + v.Queue.Policy.LeaseCapMs
	}
}

// extended lets a lease last as long as the hold does, up to its cap, as the sale did with this change.
func (e *entry) extended(hold int64) bool {
	if e.info.State != queue.Shopping || min(hold, e.info.Cap) <= e.info.Deadline {
		return false
	}
	e.info.Deadline = min(hold, e.info.Cap)
	return true
}

func (w *worker) stock(f *StockFrame) {
	for k, es := range w.fans {
		if k.event != f.Event {
			continue
		}
		for _, e := range es {
			if e.stock {
				e.fan.Push(f)
			}
		}
	}
}

func (w *worker) beat(now time.Time) {
	ms := now.UnixMilli()
	w.pos = (w.pos + 1) % wheelSlots
	due := w.wheel[w.pos]
	w.wheel[w.pos] = nil
	for _, e := range due {
		e.queued = false
		if e.gone {
			continue
		}
		w.push(e, ms, false)
		w.plan(e)
	}
	for k, at := range w.away {
		if at <= ms {
			delete(w.away, k)
			w.g.say(presence{key: k, op: sale.OpAway})
		}
	}
}

// push sends what changed since the last push: the place when its text would differ, the tick when there is a new one.
func (w *worker) push(e *entry, now int64, force bool) {
	if e.info.Place != 0 {
		p := e.room.show(e.info, now)
		p.ETA = settle(e.shown.ETA, p.ETA)
		if force || differs(p, e.shown) {
			e.shown = p
			e.fan.Push(PlaceFrame{Place: p})
			w.g.metrics.places.Inc()
		}
	}
	if t := e.room.tick.Load(); t != nil && t != e.tick {
		e.tick = t
		e.fan.Push(t)
		w.g.metrics.ticks.Inc()
	}
}

// settle keeps a range from rising without a reason.
func settle(shown, next ETA) ETA {
	if !shown.Known || !next.Known || shown.Beyond || next.Beyond {
		return next
	}
	next.Lo, next.Hi = forecast.Settle(shown.Lo, shown.Hi, next.Lo, next.Hi, next.Why)
	return next
}

// differs says whether a fan would see another text.
func differs(a, b Place) bool {
	a.Now, a.Waiting = b.Now, b.Waiting
	return a != b
}

// plan puts the fan into the wheel: the nearer its turn, the sooner it is told again, spread by a jitter.
func (w *worker) plan(e *entry) {
	if e.queued {
		return
	}
	e.queued = true
	slots := cadence(e.info.State, e.shown.Ahead)
	if slots > 4 {
		slots += rand.IntN(slots/4+1) - slots/8
	}
	slot := (w.pos + slots) % wheelSlots
	w.wheel[slot] = append(w.wheel[slot], e)
}

// cadence is the number of beats to the next push.
func cadence(s queue.State, ahead uint32) int {
	if s != queue.Waiting && s != queue.Away {
		return 4
	}
	switch {
	case ahead < 100:
		return 2
	case ahead < 1000:
		return 4
	case ahead < 10000:
		return 12
	default:
		return 40
	}
}
