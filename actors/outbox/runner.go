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
	// idleLook is how long the runner sleeps when nothing is due. Then it reads all that is open: a forgotten wake-up
	// costs no more than this.
	idleLook = 5 * time.Second
	// againAfter is the pause of a runner whose sale cannot be read.
	againAfter = time.Second
	// mostRead bounds how many intents are read at once on the sale's own goroutine, and mostNews how many changes wait to
	// be looked at: with more of them, all that is open is read instead.
	mostRead = 256
	mostNews = 16 << 10
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
	jobs sync.WaitGroup

	// The loop's own.
	agenda *agenda
	busy   [lanes]int         // intents that run now
	ran    map[uint64]attempt // intents whose last run is not known to have moved them
	loaded time.Time          // when all that is open was read last

	mu    sync.Mutex // guards what others leave for the loop
	news  []news
	all   bool          // more has changed than news says
	ended []sale.Intent // runs that are over, each by the intent as it was
}

// news is an intent that was opened, put to another time, or closed (at 0).
type news struct {
	id    uint64
	at    int64
	clock int64 // of the batch
}

// attempt is a run of an intent as it was then. While it still is like that, its outcome was not recorded or not
// taken, and the runner itself spaces the runs.
type attempt struct {
	due   int64
	tries uint16
	runs  int
	next  int64 // unix ms
}

// job is an intent with what running it needs to know, all of one moment.
type job struct {
	sale.Intent

	order   sale.Order
	ordered bool // there is the order
	cfg     *sale.Config
}

func newRunner(o *Options, id sale.EventID) *runner {
	return &runner{
		o: o, id: id, wake: make(chan struct{}, 1), agenda: newAgenda(), ran: make(map[uint64]attempt), all: true,
	}
}

// Delta takes note of intents that were opened, put to another time, or closed. The machine's goroutine.
func (r *runner) Delta(d *event.Delta) {
	r.mu.Lock()
	before := len(r.news)
	for i := range d.Changes {
		if c := &d.Changes[i]; c.Kind == sale.ChangeIntent {
			r.news = append(r.news, news{c.Intent, c.At, d.Clock})
		}
	}
	moved := d.Reset || len(r.news) > before
	if d.Reset || len(r.news) > mostNews {
		r.news, r.all = nil, true
	}
	r.mu.Unlock()
	if moved {
		r.nudge()
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
		idle := false
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
			idle = true
		}
		timer.Reset(r.look(ctx, idle))
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

// look starts every intent that is due and has a free hand, the oldest first, and says when to look again. idle says that
// the time for it came by itself.
func (r *runner) look(ctx context.Context, idle bool) (wait time.Duration) {
	if !r.learn(ctx, idle) {
		return againAfter
	}
	for {
		now := r.o.Now().UnixMilli()
		var free [lanes]int
		for lane := range free {
			free[lane] = r.o.hands(laneID(lane)) - r.busy[lane] //nolint:gosec // there are three
		}
		ids := r.agenda.due(now, free, mostRead)
		if len(ids) == 0 {
			break
		}
		jobs, err := r.read(ctx, ids)
		if err != nil {
			for _, id := range ids {
				r.agenda.set(id, r.agenda.open[id].at)
			}
			return againAfter
		}
		for i := range jobs {
			r.start(ctx, &jobs[i], now)
		}
	}
	wait = idleLook
	if at, ok := r.agenda.next(); ok {
		wait = min(wait, time.Duration(max(at-r.o.Now().UnixMilli(), 0))*time.Millisecond)
	}
	return wait
}

// read reads intents with all that running them needs; those that are closed are left out and forgotten.
func (r *runner) read(ctx context.Context, ids []uint64) ([]job, error) {
	jobs := make([]job, 0, len(ids))
	err := r.o.Sales.Read(ctx, r.id, func(s *sale.State) {
		jobs = jobs[:0]
		for _, id := range ids {
			in, ok := s.Intent(id)
			if !ok {
				continue
			}
			j := job{Intent: in, cfg: s.Config()}
			j.order, j.ordered = s.Order(in.Order)
			jobs = append(jobs, j)
		}
	})
	if err != nil {
		return nil, err
	}
	left := jobs
	for _, id := range ids {
		if len(left) > 0 && left[0].ID == id {
			left = left[1:]
			continue
		}
		r.forget(id)
	}
	return jobs, nil
}

func (r *runner) forget(id uint64) {
	r.agenda.drop(id)
	delete(r.ran, id)
}

// learn takes in what has changed since the last look. False: the sale cannot be read.
func (r *runner) learn(ctx context.Context, idle bool) bool {
	r.mu.Lock()
	list, all, ended := r.news, r.all, r.ended
	r.news, r.all, r.ended = nil, false, nil
	r.mu.Unlock()
	var err error
	if now := r.o.Now(); all || idle && now.Sub(r.loaded) >= idleLook {
		if err = r.reload(ctx); err == nil {
			r.loaded = now
		}
	}
	for _, n := range list {
		r.hear(n)
	}
	for i := range ended { // after the news, which tell what happened while they ran
		r.finish(&ended[i])
	}
	if err != nil {
		r.mu.Lock()
		r.all = true
		r.mu.Unlock()
		return false
	}
	r.o.Metrics.open(r.id, len(r.agenda.open))
	return true
}

// hear takes in one change. One that makes an intent due while it runs means that it was asked for again: what the run
// finds out may be older than that.
func (r *runner) hear(n news) {
	if n.at == 0 {
		r.forget(n.id)
		return
	}
	it := r.agenda.open[n.id]
	if it != nil && it.again && !it.running {
		return // it runs now, whatever its last run was answered with
	}
	it = r.agenda.set(n.id, n.at)
	it.again = it.again || it.running && n.at <= n.clock
}

// reload reads all open intents.
func (r *runner) reload(ctx context.Context) error {
	var open []sale.Intent
	err := r.o.Sales.Read(ctx, r.id, func(s *sale.State) { open = s.Intents(open[:0]) })
	if err != nil {
		return err
	}
	there := make(map[uint64]bool, len(open))
	for i := range open {
		in := &open[i]
		there[in.ID] = true
		if it := r.agenda.open[in.ID]; it == nil || it.at != in.Due && !it.waiting && !it.again {
			r.agenda.set(in.ID, in.Due)
		}
	}
	for id := range r.agenda.open {
		if !there[id] {
			r.forget(id)
		}
	}
	return nil
}

// start runs one intent on its own goroutine if it is due and a hand of its lane is free. What has run like this already
// waits longer than the sale says.
func (r *runner) start(ctx context.Context, j *job, now int64) {
	it := r.agenda.open[j.ID]
	if it == nil { // heard of only now
		it = r.agenda.set(j.ID, j.Due)
	}
	it.lane, it.known = laneOf(j.Kind), true
	due := j.Due
	if it.again {
		due = now
	}
	if a, ok := r.ran[j.ID]; ok && a.due == j.Due && a.tries == j.Tries && !it.again {
		due = max(due, a.next)
	}
	switch {
	case it.running:
		return
	case due > now:
		r.agenda.set(j.ID, due)
		return
	case r.busy[it.lane] >= r.o.hands(it.lane):
		r.agenda.wait(j.ID, it)
		return
	}
	it.running, it.again = true, false
	r.busy[it.lane]++
	own := *j
	r.jobs.Go(func() {
		defer r.end(own.Intent)
		ctx, cancel := context.WithTimeout(ctx, r.o.Timeout)
		defer cancel()
		r.carry(ctx, &own)
	})
}

// end says that a run is over. The run's goroutine.
func (r *runner) end(in sale.Intent) {
	r.mu.Lock()
	r.ended = append(r.ended, in)
	r.mu.Unlock()
	r.nudge()
}

// finish frees the hand of a run that is over. The sale may have closed the intent, or put it to another time, in which
// case that is on its way here; until then the intent is held to be as it was.
func (r *runner) finish(in *sale.Intent) {
	r.busy[laneOf(in.Kind)]--
	it := r.agenda.open[in.ID]
	if it == nil {
		return
	}
	it.running = false
	a := attempt{due: in.Due, tries: in.Tries}
	if old, ok := r.ran[in.ID]; ok && old.due == a.due && old.tries == a.tries {
		a.runs = old.runs
	}
	a.runs++
	now := r.o.Now()
	a.next = now.Add(backoff(in.ID, a.runs)).UnixMilli()
	r.ran[in.ID] = a
	if it.again = it.again && asks(in.Kind); it.again {
		it.at = now.UnixMilli()
	}
	r.agenda.set(in.ID, it.at)
}

// asks says whether running an intent once more than the sale wants changes nothing.
func asks(k sale.IntentKind) bool { return k == sale.IntentPayQuery || k == sale.IntentRefund }
