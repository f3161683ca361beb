package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/gateway/forecast"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
)

// beatEvery is the gateway's pulse: the finest cadence at which a position is pushed is two beats.
const beatEvery = 250 * time.Millisecond

// Sales is what the gateway needs of the sales. Package event has it.
type Sales interface {
	Submit(ctx context.Context, id sale.EventID, c *sale.Command) (sale.Result, error)
	Read(ctx context.Context, id sale.EventID, fn func(*sale.State)) error
	Subscribe(ctx context.Context, id sale.EventID, sub event.Subscriber) (*event.View, func(), error)
}

// Options of a gateway.
type Options struct {
	System *actor.ActorSystem
	Sales  Sales
	Now    func() time.Time
	Logger *slog.Logger
	// Registerer may be nil in tests.
	Registerer prometheus.Registerer
	// AwayAfter is how long an account may be without a connection before its place is away; 0 means 15 s, which
	// a reload or a change of network never reaches.
	AwayAfter time.Duration
	// PerAccount bounds the connections of one account to one event; 0 means 4. The oldest makes room.
	PerAccount int
	Forecast   forecast.Options
}

// Gateway keeps this node's fans. Its methods may be called from any goroutine.
type Gateway struct {
	o       Options
	root    *actor.RootContext
	workers []*actor.PID
	metrics *metrics

	opening sync.Mutex // held while a room is made

	mu    sync.Mutex
	rooms map[sale.EventID]*room

	presence chan presence
	stop     chan struct{}
	done     sync.WaitGroup
}

// New starts a gateway; Close ends it.
func New(o Options) (*Gateway, error) {
	if o.AwayAfter == 0 {
		o.AwayAfter = 15 * time.Second
	}
	if o.PerAccount == 0 {
		o.PerAccount = 4
	}
	g := &Gateway{
		o: o, root: o.System.Root, rooms: make(map[sale.EventID]*room), metrics: newMetrics(o.Registerer),
		presence: make(chan presence, 1<<16), stop: make(chan struct{}),
	}
	for i := range 2 * runtime.GOMAXPROCS(0) {
		w := newWorker(g)
		props := actor.PropsFromProducer(func() actor.Actor { return w })
		pid, err := g.root.SpawnNamed(props, "gateway/"+strconv.Itoa(i))
		if err != nil {
			return nil, fmt.Errorf("spawn gateway worker: %w", err)
		}
		g.workers = append(g.workers, pid)
	}
	g.done.Go(g.pulse)
	for range presenceWorkers {
		g.done.Go(g.tellPresence)
	}
	return g, nil
}

// Close ends the gateway; the fans have been closed by their transport before.
func (g *Gateway) Close() {
	close(g.stop)
	g.done.Wait()
	for _, pid := range g.workers {
		_ = g.root.StopFuture(pid).Wait() // nothing to save
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.rooms {
		r.cancel()
	}
}

// Attach connects a fan of an account to an event. The returned function ends it, once.
func (g *Gateway) Attach(ctx context.Context, id sale.EventID, account sale.AccountID, fan Fan) (func(), error) {
	r, err := g.room(ctx, id)
	if err != nil {
		return nil, err
	}
	e := &entry{room: r, account: account, fan: fan}
	w := g.worker(account)
	var settled atomic.Bool // by the read, or by giving up: whichever comes first
	err = g.o.Sales.Read(ctx, id, func(s *sale.State) {
		if !settled.CompareAndSwap(false, true) {
			return
		}
		if i, ok := s.Place(account); ok {
			e.info = i
		}
		// Sent from the machine's own goroutine, as the changes are: none after this place gets past the worker.
		g.root.Send(w, attach{e})
	})
	if err != nil {
		if !settled.CompareAndSwap(false, true) {
			g.root.Send(w, detach{e})
		}
		return nil, err
	}
	g.metrics.connections.Inc()
	var once sync.Once
	return func() {
		once.Do(func() {
			g.metrics.connections.Dec()
			g.root.Send(w, detach{e})
		})
	}, nil
}

// Stock switches the seat map's changes on or off for a fan; the fan is the one given to Attach.
func (g *Gateway) Stock(id sale.EventID, account sale.AccountID, fan Fan, on bool) {
	g.root.Send(g.worker(account), wantStock{key: fanKey{id, account}, fan: fan, on: on})
}

// Place returns the account's place as it is shown now; ok is false when it has none.
func (g *Gateway) Place(ctx context.Context, id sale.EventID, account sale.AccountID) (p Place, ok bool, err error) {
	r, err := g.room(ctx, id)
	if err != nil {
		return Place{}, false, err
	}
	info, err := g.lookup(ctx, id, account)
	if err != nil || info.Place == 0 {
		return Place{}, false, err
	}
	return r.show(info, g.o.Now().UnixMilli()), true, nil
}

// Tick returns how the sale goes, as pushed to everyone once a second; nil before the first second.
func (g *Gateway) Tick(ctx context.Context, id sale.EventID) (*TickFrame, error) {
	r, err := g.room(ctx, id)
	if err != nil {
		return nil, err
	}
	return r.tick.Load(), nil
}

func (g *Gateway) lookup(ctx context.Context, id sale.EventID, account sale.AccountID) (info queue.Info, err error) {
	err = g.o.Sales.Read(ctx, id, func(s *sale.State) {
		if i, ok := s.Place(account); ok {
			info = i
		}
	})
	return info, err
}

// room returns the event's room and makes it at the first fan.
func (g *Gateway) room(ctx context.Context, id sale.EventID) (*room, error) {
	if r := g.opened(id); r != nil {
		return r, nil
	}
	g.opening.Lock() // not mu: the other rooms' beats go on while the sale is asked
	defer g.opening.Unlock()
	if r := g.opened(id); r != nil {
		return r, nil
	}
	r := &room{id: id, g: g, forecast: forecast.New(g.o.Forecast)}
	view, cancel, err := g.o.Sales.Subscribe(ctx, id, r)
	if err != nil {
		return nil, err
	}
	r.cancel = cancel
	r.view.CompareAndSwap(nil, view)
	r.beat(g.o.Now())
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rooms[id] = r
	return r, nil
}

func (g *Gateway) opened(id sale.EventID) *room {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rooms[id]
}

func (g *Gateway) worker(account sale.AccountID) *actor.PID {
	// Fibonacci hashing: accounts are dense, and neighbours should not share a worker.
	h := uint64(account) * 0x9e3779b97f4a7c15
	return g.workers[(h>>32)%uint64(len(g.workers))]
}

func (g *Gateway) pulse() {
	t := time.NewTicker(beatEvery)
	defer t.Stop()
	for {
		select {
		case <-g.stop:
			return
		case <-t.C:
		}
		now := g.o.Now()
		g.mu.Lock()
		var stocks []*StockFrame
		for _, r := range g.rooms {
			r.beat(now)
			if s := r.takeStock(); s != nil {
				stocks = append(stocks, s)
			}
		}
		g.mu.Unlock()
		for _, w := range g.workers {
			for _, s := range stocks {
				g.root.Send(w, s)
			}
			g.root.Send(w, beat{now: now})
		}
	}
}
