package outbox

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
)

// Sales is what the outbox needs of the sales. Package event has it.
type Sales interface {
	Submit(ctx context.Context, id sale.EventID, c *sale.Command) (sale.Result, error)
	Read(ctx context.Context, id sale.EventID, fn func(*sale.State)) error
	Subscribe(ctx context.Context, id sale.EventID, sub event.Subscriber) (*event.View, func(), error)
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
	// Parallel bounds how many intents of one event run at once, of payments and of questions about payments each; 0
	// means 256. It is what a provider's answering time is divided by, and not what the processor is shared by.
	Parallel int
	// Letters bounds how many letters of one event are written at once; 0 means 8. Printing tickets is work for the
	// processor, and fans come first.
	Letters int
	// Timeout bounds one attempt; 0 means 30 s.
	Timeout time.Duration
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *Metrics // may be nil
}

// Outbox runs the intents of the events that this node leads.
type Outbox struct {
	o Options

	mu      sync.Mutex
	runners map[sale.EventID]*running
	closed  bool
	done    sync.WaitGroup
}

// hands is how many intents of a lane may run at once.
func (o *Options) hands(lane laneID) int {
	if lane == laneLetters {
		return o.Letters
	}
	return o.Parallel
}

// running is a runner that works, or has been told to stop.
type running struct {
	stop  context.CancelFunc
	ended chan struct{}
}

// New returns an outbox that runs nothing yet.
func New(o Options) *Outbox {
	if o.Parallel == 0 {
		o.Parallel = 256
	}
	if o.Letters == 0 {
		o.Letters = 8
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	return &Outbox{o: o, runners: make(map[sale.EventID]*running)}
}

// Leading starts or stops running an event's intents. Any goroutine; it does not block. A runner waits for the one
// before it, as long as that may take: an effect that is under way is not begun a second time by the same node.
func (x *Outbox) Leading(id sale.EventID, leading bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	before := x.runners[id]
	if before != nil {
		before.stop()
	}
	if !leading || x.closed {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	now := &running{stop: cancel, ended: make(chan struct{})}
	x.runners[id] = now
	r := newRunner(&x.o, id)
	x.done.Go(func() {
		defer close(now.ended)
		if before != nil {
			select {
			case <-before.ended:
			case <-time.After(x.o.Timeout): // its provider does not let go; the key keeps the second effect away
			}
		}
		r.run(ctx)
	})
}

// Close stops all runners and waits for what they are doing. Open intents stay in the state.
func (x *Outbox) Close() {
	x.mu.Lock()
	x.closed = true
	for _, r := range x.runners {
		r.stop()
	}
	x.mu.Unlock()
	x.done.Wait()
}
