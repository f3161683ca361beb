package gateway

import (
	"context"
	"errors"
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

// ErrClosed means that this node is stopping.
var ErrClosed = errors.New("the gateway is closed")

// Gateway keeps this node's fans. Its methods may be called from any goroutine.
type Gateway struct {
	o       Options
	root    *actor.RootContext
	workers []*worker
	pids    []*actor.PID // of the workers
	shares  uint64       // how many there are
	lanes   [presenceLanes]*lane
	metrics *metrics
	moving  atomic.Bool // fans are being sent to other nodes

	opening sync.Mutex // held while a room is made

	mu    sync.Mutex
	rooms map[sale.EventID]*room

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	closed sync.Once
	done   sync.WaitGroup
}

// New starts a gateway; Close ends it.
func New(o Options) (*Gateway, error) {
	if o.AwayAfter == 0 {
		o.AwayAfter = 15 * time.Second
	}
	if o.PerAccount == 0 {
		o.PerAccount = 4
	}
	g := &Gateway{o: o, root: o.System.Root, rooms: make(map[sale.EventID]*room), metrics: newMetrics(o.Registerer)}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.shares = 2 * uint64(runtime.GOMAXPROCS(0)) //nolint:gosec // positive
	for i := range int(g.shares) {               //nolint:gosec // small
		w := newWorker(g, i)
		props := actor.PropsFromProducer(func() actor.Actor { return w })
		pid, err := g.root.SpawnNamed(props, "gateway/"+strconv.Itoa(i))
		if err != nil {
			g.Close()
			return nil, fmt.Errorf("spawn gateway worker: %w", err)
		}
		g.workers, g.pids = append(g.workers, w), append(g.pids, pid)
	}
	g.done.Go(g.pulse)
	for i := range g.lanes {
		g.lanes[i] = newLane()
		g.done.Go(func() { g.tellPresence(g.lanes[i]) })
	}
	return g, nil
}

// Close ends the gateway; the fans have been closed by their transport before. Their places stay as they are: they come
// back to another node, or to this one.
func (g *Gateway) Close() {
	g.closed.Do(func() {
		g.cancel()
		g.done.Wait()
		g.opening.Lock() // no room is made any more
		defer g.opening.Unlock()
		g.mu.Lock()
		for _, r := range g.rooms {
			r.cancel()
		}
		g.mu.Unlock()
		for _, pid := range g.pids {
			_ = g.root.StopFuture(pid).Wait() // nothing to save
		}
	})
}

// Attach connects a fan of an account to an event. The returned function ends it, once.
func (g *Gateway) Attach(ctx context.Context, id sale.EventID, account sale.AccountID, fan Fan) (func(), error) {
	if g.ctx.Err() != nil {
		return nil, ErrClosed
	}
	r, err := g.room(ctx, id)
	if err != nil {
		return nil, err
	}
	e := &entry{room: r, account: account, fan: fan}
	pid := g.worker(account)
	err = g.o.Sales.Read(ctx, id, func(s *sale.State) {
		if i, ok := s.Place(account); ok {
			e.info = i
		}
		// Sent from the machine's own goroutine, as the changes are: none after this place gets past the worker.
		g.root.Send(pid, attach{e: e})
	})
	if err != nil {
		return nil, err
	}
	g.metrics.connections.Inc()
	var once sync.Once
	return func() {
		once.Do(func() {
			g.metrics.connections.Dec()
			g.root.Send(pid, detach{e: e})
		})
	}, nil
}

// SendAway says whether this node's fans are being sent to other nodes. Those who go meanwhile are not gone: nobody hears
// that they are away.
func (g *Gateway) SendAway(on bool) { g.moving.Store(on) }

// Stock switches the seat map's changes on or off for a fan; the fan is the one given to Attach.
func (g *Gateway) Stock(id sale.EventID, account sale.AccountID, fan Fan, on bool) {
	g.root.Send(g.worker(account), wantStock{key: fanKey{id, account}, fan: fan, on: on})
}

// Again pushes the place to one connection once more; the fan is the one given to Attach. It comes in order with the
// other pushes, and after whatever the sale had answered before: a place that is read elsewhere and pushed beside them
// may be older than the last one, and then the number ahead seems to rise.
func (g *Gateway) Again(id sale.EventID, account sale.AccountID, fan Fan) {
	g.root.Send(g.worker(account), again{key: fanKey{id, account}, fan: fan})
}

// Place returns the account's place as it is shown now; ok is false when it has none. Who asks is here: a place that is
// away comes back. One that missed its turn stays parked, since a page that asks by itself is no person.
func (g *Gateway) Place(ctx context.Context, id sale.EventID, account sale.AccountID) (p Place, ok bool, err error) {
	r, err := g.room(ctx, id)
	if err != nil {
		return Place{}, false, err
	}
	var info queue.Info
	err = g.o.Sales.Read(ctx, id, func(s *sale.State) { info, ok = s.Place(account) })
	if err != nil || !ok {
		return Place{}, false, err
	}
	if info.State == queue.Away {
		g.say(fanKey{id, account}, sale.OpBack)
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

// room returns the event's room and makes it at the first fan.
func (g *Gateway) room(ctx context.Context, id sale.EventID) (*room, error) {
	if r := g.opened(id); r != nil {
		return r, nil
	}
	g.opening.Lock() // not mu: the other rooms' beats go on while the sale is asked
	defer g.opening.Unlock()
	if g.ctx.Err() != nil {
		return nil, ErrClosed
	}
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
	return g.pids[g.share(account)]
}

// share is the number of the worker whose account it is.
func (g *Gateway) share(account sale.AccountID) uint64 { return spread(account) % g.shares }

// spread is Fibonacci hashing: accounts are dense, and neighbours should not share a worker.
func spread(account sale.AccountID) uint64 { return uint64(account) * 0x9e3779b97f4a7c15 >> 32 }

// pulse is the heartbeat of rooms and workers. A worker that is behind is not told to hurry: its fans hear later.
func (g *Gateway) pulse() {
	t := time.NewTicker(beatEvery)
	defer t.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-t.C:
		}
		now := g.o.Now()
		stocks := g.beatRooms(now)
		for i, w := range g.workers {
			for _, s := range stocks {
				g.root.Send(g.pids[i], stock{f: s})
			}
			if w.beating.CompareAndSwap(false, true) {
				g.root.Send(g.pids[i], beat{now: now})
			}
		}
	}
}

// beatRooms lets every room look at its sale, and returns the seat maps' changes since the last beat.
func (g *Gateway) beatRooms(now time.Time) (stocks []*StockFrame) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.rooms {
		r.beat(now)
		if s := r.takeStock(); s != nil {
			stocks = append(stocks, s)
		}
	}
	return stocks
}
