package drive

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/transport/wire"
)

// group waits for goroutines.
type group struct{ sync.WaitGroup }

func (g *group) goes(f func()) { g.Go(f) }
func (g *group) wait()         { g.Wait() }

// fan is one virtual fan of the run. Everything but the end of its story is written before it comes.
type fan struct {
	identity

	journal *bench.Journal
	line    *line
	story   bench.Story
	live    bench.Fan

	ended atomic.Bool
	out   bench.Outcome // when ended
	err   error
}

// makeFans gives every fan its account, its line and its story. The same seed gives the same.
func (r *runner) makeFans(ctx context.Context) error {
	all, err := r.identities(ctx)
	if err != nil {
		return err
	}
	lines := make([]int, len(r.lines))
	for i, l := range r.lines {
		lines[i] = l.weight
	}
	mix := make([]int, len(r.s.Mix))
	for i, m := range r.s.Mix {
		mix[i] = max(m.Weight, 1)
	}
	for i, who := range all {
		random := rand.New(rand.NewPCG(r.o.Seed, uint64(i))) //nolint:gosec // repeatable
		l := &r.lines[choose(random, lines)]
		f := &fan{identity: who, line: l, journal: bench.NewJournal(who.Account)}
		f.story = r.story(r.s.Mix[choose(random, mix)], random)
		f.live = bench.Fan{
			Base: r.o.Base, Event: r.event, Token: who.Token, Client: l.client(), Sockets: l.sockets, Payer: l.payer,
			Journal: f.journal, Map: r.sale.seats, Comeback: r.s.Comeback, Class: l.class.Name,
		}
		r.fans = append(r.fans, f)
	}
	return nil
}

// choose picks one by its weight.
func choose(random *rand.Rand, weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := random.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// crowd lets every fan come when it is due, and returns when all have left or the context ends.
func (r *runner) crowd(ctx context.Context) {
	var all group
	due := r.due()
	r.record.Planned(len(due))
	for i, at := range due {
		planned := r.began.Add(at)
		if wait := time.Until(planned); wait > 0 && !pause(ctx, wait) {
			break
		}
		if ctx.Err() != nil {
			break
		}
		f := r.fans[i]
		all.goes(func() { r.visit(ctx, f, planned) })
	}
	all.wait()
}

// visit is a fan's whole stay.
func (r *runner) visit(ctx context.Context, f *fan, planned time.Time) {
	r.record.Started(planned, time.Now())
	r.record.Active(1)
	defer r.record.Active(-1)
	seen := &observer{r.record, f.line.class.Name}
	f.live.Due, f.live.Observer = planned, seen
	if f.email != "" {
		f.live.Due, f.err = r.signIn(ctx, f, planned, seen)
	}
	if f.err == nil {
		f.out, f.err = f.live.Run(ctx, f.story)
	}
	f.line.leave(&f.live)
	if f.err != nil && ctx.Err() != nil {
		f.err = errors.Join(errHome, f.err)
	}
	if f.err != nil && !errors.Is(f.err, errHome) {
		r.record.Mark("failure", "fan "+f.Account+": "+f.err.Error())
	}
	f.ended.Store(true)
}

// errHome means that the fan went home because the run was over.
var errHome = errors.New("the run was over")

// signIn is what fans do first who have a password.
func (r *runner) signIn(ctx context.Context, f *fan, planned time.Time, seen *observer) (free time.Time, err error) {
	api := &caller{base: f.live.Base, http: f.live.Client}
	for due := planned; ; due = time.Now() {
		started := time.Now()
		var s wire.Session
		err := api.once(ctx, http.MethodPost, "/api/v1/sessions", "application/json", "", signInBody(f.email), &s)
		ended := time.Now()
		var no *refusedError
		switch {
		case err == nil:
			seen.Done("sign-in", due, started, ended, "")
			f.live.Token = s.Token
			return ended, nil
		case errors.As(err, &no):
			seen.Done("sign-in", due, started, ended, string(no.problem.Code))
			if no.status != http.StatusTooManyRequests && no.status < http.StatusInternalServerError {
				return ended, err
			}
		default:
			seen.Done("sign-in", due, started, ended, "lost")
		}
		wait := time.Second
		if no != nil && no.problem.RetryAfter > 0 {
			wait = time.Duration(no.problem.RetryAfter) * time.Millisecond
		}
		if !pause(ctx, wait) {
			return ended, ctx.Err()
		}
	}
}

// observer hands what a fan experiences to the recorder.
type observer struct {
	to    *record.Recorder
	class string
}

// Done notes one operation.
func (o *observer) Done(op string, planned, started, ended time.Time, code string) {
	o.to.Done(op, o.class, planned, started, ended, code)
}

// Sockets notes live sockets opened, or closed.
func (o *observer) Sockets(delta int) { o.to.Sockets(delta) }

// outcome says in a word how a fan's story has ended.
func (f *fan) outcome() string {
	switch {
	case !f.ended.Load():
		return "never_came"
	case errors.Is(f.err, errHome):
		return "went_home"
	case f.err != nil:
		return "failed"
	case len(f.out.Tickets) > 0:
		return "bought"
	case f.out.SoldOut:
		return "sold_out"
	case f.out.Left:
		return "left"
	case f.out.Closed:
		return "closed"
	default:
		return "unpaid"
	}
}
