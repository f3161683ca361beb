package outbox

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
)

const (
	// lookEvery bounds how often the open intents are read, however many batches change them; reading them takes
	// the sale's own goroutine, of which they get at most one part in lookShare.
	lookEvery = 20 * time.Millisecond
	lookShare = 20
	// idleLook is how long the runner sleeps when nothing is due: a forgotten wake-up costs no more than this.
	idleLook = 5 * time.Second
	// againAfter is the pause of a runner whose sale cannot be read.
	againAfter = time.Second
)

// lanes keep apart what must not wait for each other: a payer who waits for a page or for the capture, the
// questions of the reconciler, and letters. A provider or a relay that hangs takes the hands of its own lane only.
type laneID uint8

const (
	laneMoney laneID = iota
	laneQuestions
	laneLetters
	lanes
)

func laneOf(k sale.IntentKind) laneID {
	switch k {
	case sale.IntentPayQuery:
		return laneQuestions
	case sale.IntentMail, sale.IntentMailRefund:
		return laneLetters
	default:
		return laneMoney
	}
}

// runner runs one event's intents while this node leads it.
type runner struct {
	o    *Options
	id   sale.EventID
	wake chan struct{}
	open []sale.Intent // read last; the loop's own

	mu   sync.Mutex
	busy [lanes]map[uint64]bool // intents that run now
	ran  map[uint64]attempt     // intents whose last run is not known to have moved them
	jobs sync.WaitGroup
}

// attempt is a run of an intent as it was then. While it still is like that, its outcome was not recorded or not
// taken, and the runner itself spaces the runs.
type attempt struct {
	due   int64
	tries uint16
	runs  int
	next  int64 // unix ms
}

func newRunner(o *Options, id sale.EventID) *runner {
	r := &runner{o: o, id: id, wake: make(chan struct{}, 1), ran: make(map[uint64]attempt)}
	for i := range r.busy {
		r.busy[i] = make(map[uint64]bool)
	}
	return r
}

// Delta wakes the runner when an intent was opened or became due. The machine's goroutine.
func (r *runner) Delta(d *event.Delta) {
	if d.Reset {
		r.nudge()
		return
	}
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

// run works until ctx ends, and returns when everything it began has ended.
func (r *runner) run(ctx context.Context) {
	defer r.o.Metrics.forget(r.id)
	defer r.jobs.Wait()
	cancel, ok := r.subscribe(ctx)
	if !ok {
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
		wait, cost := r.look(ctx)
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(lookEvery, lookShare*cost)):
		}
	}
}

// subscribe tries until it hears of the event's batches, or ctx ends.
func (r *runner) subscribe(ctx context.Context) (cancel func(), ok bool) {
	for {
		_, cancel, err := r.o.Sales.Subscribe(ctx, r.id, r)
		if err == nil {
			return cancel, true
		}
		if ctx.Err() != nil {
			return nil, false
		}
		r.o.Logger.Error("outbox cannot watch its event", slog.Int("event", int(r.id)), slog.Any("error", err))
		select {
		case <-ctx.Done():
			return nil, false
		case <-time.After(againAfter):
		}
	}
}

// look starts every intent that is due, oldest first, and says when to look again and how long it held the sale.
func (r *runner) look(ctx context.Context) (wait, cost time.Duration) {
	open := r.open[:0]
	err := r.o.Sales.Read(ctx, r.id, func(s *sale.State) {
		began := time.Now()
		open = s.Intents(open)
		cost = time.Since(began)
	})
	if err != nil {
		return againAfter, 0
	}
	r.open = open
	r.o.Metrics.open(r.id, len(open))
	r.keep(open)
	now := r.o.Now().UnixMilli()
	wait = idleLook
	for i := range open {
		if due := r.start(ctx, open[i], now); due > now {
			wait = min(wait, time.Duration(due-now)*time.Millisecond)
		}
	}
	clear(open) // the buffer keeps no texts
	return wait, cost
}

// keep forgets the attempts at intents that are closed.
func (r *runner) keep(open []sale.Intent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ran) == 0 {
		return
	}
	kept := make(map[uint64]attempt, len(r.ran))
	for i := range open {
		if a, ok := r.ran[open[i].ID]; ok {
			kept[open[i].ID] = a
		}
	}
	r.ran = kept
}

// start runs one intent on its own goroutine if it is due, does not run already and a hand of its lane is free: the next
// one that is free nudges. It returns when the intent is to run, unix ms: what the sale says, or later when it has
// run like this already. That may have been since it was read, and then it is to be read again first.
func (r *runner) start(ctx context.Context, in sale.Intent, now int64) (due int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	due = in.Due
	if a, ok := r.ran[in.ID]; ok && a.due == in.Due && a.tries == in.Tries {
		due = max(due, a.next)
	}
	busy := r.busy[laneOf(in.Kind)]
	if due > now || busy[in.ID] || len(busy) >= r.o.Parallel {
		return due
	}
	busy[in.ID] = true
	r.jobs.Go(func() {
		defer r.finish(in)
		ctx, cancel := context.WithTimeout(ctx, r.o.Timeout)
		defer cancel()
		r.carry(ctx, in)
	})
	return due
}

func (r *runner) finish(in sale.Intent) {
	r.mu.Lock()
	a := attempt{due: in.Due, tries: in.Tries}
	if old, ok := r.ran[in.ID]; ok && old.due == a.due && old.tries == a.tries {
		a.runs = old.runs
	}
	a.runs++
	a.next = r.o.Now().Add(backoff(in.ID, a.runs)).UnixMilli()
	r.ran[in.ID] = a
	delete(r.busy[laneOf(in.Kind)], in.ID)
	r.mu.Unlock()
	r.nudge()
}
