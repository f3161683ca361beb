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

// tickEvery is how often everybody is told how the sale goes, at most.
const tickEvery = time.Second

// room is what this node's fans of one event share. It subscribes once to the sale.
type room struct {
	id     sale.EventID
	g      *Gateway
	view   atomic.Pointer[event.View]
	tick   atomic.Pointer[TickFrame]
	cancel func()

	forecast *forecast.Forecaster // observes on the gateway's pulse; asked by anybody
	observed int64                // when the forecaster saw the queue last, unix ms

	mu    sync.Mutex  // guards stock; the sale waits for it
	stock *StockFrame // gathers until the next beat
}

// Delta hands a batch's changes to the workers. The machine's goroutine.
func (r *room) Delta(d *event.Delta) {
	r.gather(d)
	var msg any = news{d: d}
	for _, pid := range r.g.pids {
		r.g.root.Send(pid, msg)
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
	if since := ms - r.observed; since >= 0 && since < tickEvery.Milliseconds() {
		return
	}
	r.observed = ms
	paid := v.Book.Orders[sale.OrderPaid] + v.Book.Orders[sale.OrderFulfilled]
	r.forecast.ObserveSales(uint64(paid), uint64(v.Totals.Sold))
	r.forecast.Observe(ms, v.Queue, v.Phase != sale.PhaseOpen)
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
		Event: r.id, Number: info.Place, State: info.State, Deadline: info.Deadline, Cap: info.Cap, Now: now,
	}
	v := r.view.Load()
	if v == nil {
		return p
	}
	p.Phase = v.Phase
	p.Waiting = v.Queue.Counts.Waiting + v.Queue.Counts.Away
	p.Ahead = ahead(v.Queue, info)
	if !inLine(info.State) {
		return p
	}
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

// ahead counts those before a place that waits, or would wait if its fan came back. Of places given out after the
// picture was taken nothing is known but that they are behind; counting all of them keeps the number from rising.
func ahead(v *queue.View, info queue.Info) uint32 {
	if !inLine(info.State) && info.State != queue.Parked {
		return 0
	}
	n := v.Ahead(info.Place)
	if issued := queue.Place(v.Counts.Issued); info.Place > issued {
		n += uint32(info.Place - issued - 1)
	}
	return n
}

// upper is the upper end as the forecaster gives it.
func (e ETA) upper() int64 {
	if e.Beyond {
		return forecast.Beyond
	}
	return e.Hi
}

// bounded turns the forecaster's "beyond an hour" into a flag.
func (e ETA) bounded() ETA {
	const hour = int64(time.Hour / time.Millisecond)
	e.Lo = min(e.Lo, hour)
	if e.Hi >= forecast.Beyond {
		e.Beyond, e.Hi = true, hour
	}
	return e
}
