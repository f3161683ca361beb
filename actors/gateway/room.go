package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/gateway/forecast"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
)

// room is what this node's fans of one event share. It subscribes once to the sale.
type room struct {
	id     sale.EventID
	g      *Gateway
	view   atomic.Pointer[event.View]
	tick   atomic.Pointer[TickFrame]
	cancel func()

	mu       sync.RWMutex // guards forecast, stock
	forecast *forecast.Forecaster
	stock    *StockFrame // gathers until the next beat
	observed int64       // when the forecaster saw the queue last, unix ms
}

// Delta hands a batch's changes to the workers. The machine's goroutine.
func (r *room) Delta(d *event.Delta) {
	r.gather(d)
	for _, w := range r.g.workers {
		r.g.root.Send(w, d)
	}
}

// View keeps the newest picture. The machine's goroutine.
func (r *room) View(v *event.View) { r.view.Store(v) }

// gather adds what happened to units to the frame of the next beat; of one unit only the last state matters
// to a page, and pages apply a frame in order, so duplicates are left in.
func (r *room) gather(d *event.Delta) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range d.Changes {
		c := &d.Changes[i]
		if c.Kind != sale.ChangeUnit {
			continue
		}
		if r.stock == nil {
			r.stock = &StockFrame{Event: r.id}
		}
		r.stock.Version = d.Index
		if v := r.view.Load(); v != nil && int(c.Unit) >= len(v.Config.Plan.Seats) {
			r.stock.Areas = append(r.stock.Areas, AreaFree{Unit: c.Unit, Free: c.Number})
			continue
		}
		r.stock.Units = append(r.stock.Units, c.Unit)
		r.stock.Status = append(r.stock.Status, c.Status)
	}
}

// takeStock returns the gathered frame, or nil.
func (r *room) takeStock() *StockFrame {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stock
	r.stock = nil
	return s
}

// beat is called four times a second by the gateway: once a second the forecaster looks and a tick is built.
func (r *room) beat(now time.Time) {
	v := r.view.Load()
	if v == nil {
		return
	}
	ms := now.UnixMilli()
	r.mu.Lock()
	due := ms-r.observed >= 1000
	if due {
		r.observed = ms
		paid := v.Book.Orders[sale.OrderPaid] + v.Book.Orders[sale.OrderFulfilled]
		r.forecast.ObserveSales(uint64(paid), uint64(v.Totals.Sold))
		r.forecast.Observe(ms, v.Queue, v.Phase != sale.PhaseOpen)
	}
	r.mu.Unlock()
	if !due {
		return
	}
	counts, policy := v.Queue.Counts, v.Queue.Policy
	r.tick.Store(&TickFrame{
		Event: r.id, Front: v.Queue.Front, Waiting: counts.Waiting + counts.Away, Shopping: counts.Shopping + counts.Offered,
		Rate: policy.RatePerMinute, Phase: v.Phase, Stock: v.Stock, Message: v.Message, PauseReason: v.PauseReason,
		Now: ms, Config: v.Config,
	})
}

// show completes a place with what the queue's picture and the forecaster say.
func (r *room) show(info queue.Info, now int64) Place {
	p := Place{
		Event: r.id, Number: info.Place, State: info.State, Ahead: info.Ahead,
		Deadline: info.Deadline, Cap: info.Cap, Now: now,
	}
	v := r.view.Load()
	if v == nil {
		return p
	}
	p.Phase = v.Phase
	p.Waiting = v.Queue.Counts.Waiting + v.Queue.Counts.Away
	if info.State != queue.Waiting && info.State != queue.Away {
		return p
	}
	p.Ahead = v.Queue.Ahead(info.Place)
	r.mu.RLock()
	defer r.mu.RUnlock()
	estimate := r.forecast.ETA
	if info.Place <= v.Queue.Front { // back from being parked: a line of its own, before everybody
		estimate = r.forecast.ETAReturned
	}
	if lo, hi, why, ok := estimate(p.Ahead); ok {
		p.ETA = ETA{Known: true, Lo: lo, Hi: hi, Why: why}.bounded()
	}
	p.Chance = r.forecast.Chance(p.Ahead, v.Totals.Free, v.Totals.Held)
	return p
}

// bounded turns the forecaster's "beyond an hour" into a flag.
func (e ETA) bounded() ETA {
	if e.Hi >= forecast.Beyond {
		e.Beyond, e.Hi = true, max(e.Lo, time.Hour.Milliseconds())
	}
	e.Lo = min(e.Lo, time.Hour.Milliseconds())
	return e
}
