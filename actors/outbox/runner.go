package outbox

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
)

// lookEvery bounds how often the open intents are read, however many batches change them.
const lookEvery = 20 * time.Millisecond

// idleLook is how long the runner sleeps when nothing is due: a forgotten wake-up costs no more than this.
const idleLook = 5 * time.Second

// Sales is what the outbox needs of the sales. Package event has it.
type Sales interface {
	Submit(ctx context.Context, id sale.EventID, c *sale.Command) (sale.Result, error)
	Read(ctx context.Context, id sale.EventID, fn func(*sale.State)) error
	Subscribe(ctx context.Context, id sale.EventID, sub event.Subscriber) (*event.View, func(), error)
}

// Mailer sends what a buyer has to have. It may be called again for the same intent and then sends the same
// message with the same Message-ID.
type Mailer interface {
	Mail(ctx context.Context, id sale.EventID, in sale.Intent, order sale.Order) error
}

// Options of an outbox.
type Options struct {
	Sales  Sales
	Payer  Payer
	Mailer Mailer
	// KeyPrefix makes provider keys unique among all installations that share a provider account.
	KeyPrefix string
	// ReturnURL is where a payer comes back to, given the order's public reference and its event's slug.
	ReturnURL func(slug, reference string) string
	// Parallel bounds the intents of one event that run at once; 0 means 32.
	Parallel int
	// Timeout bounds one attempt; 0 means 30 s.
	Timeout time.Duration
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *Metrics
}

// Outbox runs the intents of the events that this node leads.
type Outbox struct {
	o Options

	mu      sync.Mutex
	runners map[sale.EventID]context.CancelFunc
	closed  bool
	done    sync.WaitGroup
}

// New returns an outbox that runs nothing yet.
func New(o Options) *Outbox {
	if o.Parallel == 0 {
		o.Parallel = 32
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	return &Outbox{o: o, runners: make(map[sale.EventID]context.CancelFunc)}
}

// Leading starts or stops running an event's intents. Any goroutine; it does not block.
func (x *Outbox) Leading(id sale.EventID, leading bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if stop, ok := x.runners[id]; ok {
		stop()
		delete(x.runners, id)
	}
	if !leading || x.closed {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	x.runners[id] = cancel
	r := &runner{o: &x.o, id: id, wake: make(chan struct{}, 1), busy: make(map[uint64]bool)}
	x.done.Go(func() { r.run(ctx) })
}

// Close stops all runners and waits for what they are doing. Open intents stay in the state.
func (x *Outbox) Close() {
	x.mu.Lock()
	x.closed = true
	for id, stop := range x.runners {
		stop()
		delete(x.runners, id)
	}
	x.mu.Unlock()
	x.done.Wait()
}

// runner runs one event's intents while this node leads it.
type runner struct {
	o    *Options
	id   sale.EventID
	wake chan struct{}

	mu      sync.Mutex
	busy    map[uint64]bool // intents that run now; false: has ended, but the intents were not read since
	running int
	jobs    sync.WaitGroup
}

// Delta wakes the runner when an intent was opened or became due. The machine's goroutine.
func (r *runner) Delta(d *event.Delta) {
	for i := range d.Changes {
		if d.Changes[i].Kind == sale.ChangeIntent {
			r.nudge()
			return
		}
	}
}

// View is of no interest here.
func (r *runner) View(*event.View) {}

func (r *runner) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *runner) run(ctx context.Context) {
	defer r.jobs.Wait()
	_, cancel, err := r.o.Sales.Subscribe(ctx, r.id, r)
	if err != nil {
		if ctx.Err() == nil {
			r.o.Logger.Error("outbox cannot watch its event", slog.Int("event", int(r.id)), slog.Any("error", err))
		}
		return
	}
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
		}
		timer.Reset(r.look(ctx))
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
}

// look starts every intent that is due and says when to look again.
func (r *runner) look(ctx context.Context) time.Duration {
	var open []sale.Intent
	r.forgetEnded()
	if err := r.o.Sales.Read(ctx, r.id, func(s *sale.State) { open = s.Intents(nil) }); err != nil {
		return time.Second
	}
	r.o.Metrics.open(r.id, len(open))
	now := r.o.Now().UnixMilli()
	wait := idleLook
	for _, in := range open {
		if in.Due > now {
			wait = min(wait, time.Duration(in.Due-now)*time.Millisecond)
			continue
		}
		if !r.start(ctx, in) {
			break // all hands are busy; the next one that is free nudges
		}
	}
	return wait
}

// forgetEnded lets the intents that have ended run again if they are still open. It comes before they are read: what
// was read before an intent ended still shows it open, and running it by that would do everything twice.
func (r *runner) forgetEnded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.busy, func(_ uint64, running bool) bool { return !running })
}

// start runs one intent on its own goroutine, unless it runs already, or did since the intents were read. It returns
// false when no hand is free.
func (r *runner) start(ctx context.Context, in sale.Intent) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.busy[in.ID]; known {
		return true
	}
	if r.running >= r.o.Parallel {
		return false
	}
	r.busy[in.ID] = true
	r.running++
	r.jobs.Go(func() {
		defer func() {
			r.mu.Lock()
			r.busy[in.ID] = false
			r.running--
			r.mu.Unlock()
			r.nudge()
		}()
		ctx, cancel := context.WithTimeout(ctx, r.o.Timeout)
		defer cancel()
		r.carry(ctx, in)
	})
	return true
}
