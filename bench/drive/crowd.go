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
	"github.com/catraca/catraca/bench/network"
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/bench/scenario"
	"github.com/catraca/catraca/transport/wire"
)

// group waits for goroutines.
type group struct{ sync.WaitGroup }

func (g *group) goes(f func()) { g.Go(f) }
func (g *group) wait()         { g.Wait() }

// fan is one virtual fan of the run. Everything but the end of its story is written before it comes.
type fan struct {
	Identity

	journal *bench.Journal
	line    *line
	story   bench.Story
	live    bench.Fan

	ended atomic.Bool
	out   bench.Outcome // when ended
	err   error
}

// Crowd is the fans of one share, in this process.
type Crowd struct {
	share  Share
	s      scenario.Scenario
	event  string
	sale   saleFacts
	lines  []line // the networks, in the order of the scenario; at least one
	fans   []*fan
	record *record.Recorder
	began  time.Time
}

// NewCrowd gives every fan of a share its account, its line and its story. The same share gives the same.
func NewCrowd(ctx context.Context, share Share) (*Crowd, error) {
	s, err := share.check()
	if err != nil {
		return nil, err
	}
	c := &Crowd{share: share, s: s, event: share.Event, sale: saleFacts{categories: share.Categories}}
	if err := c.draw(); err != nil {
		c.Close()
		return nil, err
	}
	if share.PlanURL != "" {
		client := bench.NewClient(1)
		defer client.CloseIdleConnections()
		if c.sale.seats, err = bench.LoadMap(ctx, client, share.Base, share.PlanURL); err != nil {
			c.Close()
			return nil, err
		}
	}
	lines := make([]int, len(c.lines))
	for i, l := range c.lines {
		lines[i] = l.weight
	}
	mix := make([]int, len(s.Mix))
	for i, m := range s.Mix {
		mix[i] = max(m.Weight, 1)
	}
	for i, who := range share.Fans {
		random := rand.New(rand.NewPCG(share.Seed, uint64(share.Number+i*share.Of))) //nolint:gosec // repeatable
		l := &c.lines[choose(random, lines)]
		f := &fan{Identity: who, line: l, journal: bench.NewJournal(who.Account)}
		f.story = c.story(s.Mix[choose(random, mix)], random)
		f.live = bench.Fan{
			Base: share.Base, Event: share.Event, Token: who.Token, Client: l.client(), Sockets: l.sockets, Payer: l.payer, Bank: l.pix,
			Journal: f.journal, Map: c.sale.seats, Comeback: s.Comeback, Class: l.class.Name,
		}
		if holdsBack(&s) {
			f.live.Held = l.held
		}
		c.fans = append(c.fans, f)
	}
	return c, nil
}

// draw draws the lines.
func (c *Crowd) draw() error {
	for _, k := range c.s.Classes {
		class, err := network.ParseClass(k.Network)
		if err != nil {
			return err
		}
		c.lines = append(c.lines, newLine(class, max(k.Weight, 1), &c.share))
	}
	if len(c.lines) == 0 {
		c.lines = []line{newLine(network.Class{}, 1, &c.share)}
	}
	return nil
}

// Recording is what a recorder of this crowd has to know.
func (c *Crowd) Recording(began time.Time) record.Options { return recording(&c.s, began) }

// Close gives up everything that is still open.
func (c *Crowd) Close() {
	for i := range c.lines {
		c.lines[i].close()
	}
}

// Cut cuts all live sockets there are and says how many. Any goroutine, while fans live.
func (c *Crowd) Cut() int {
	n := 0
	for i := range c.lines {
		n += c.lines[i].cables.cut()
	}
	return n
}

// Live lets every fan come when it is due, and returns when all have left. When the context ends, or the scenario's time
// is over, those who are still there go home. It is called once.
func (c *Crowd) Live(ctx context.Context, began time.Time, to *record.Recorder) {
	c.record, c.began = to, began
	ctx, home := context.WithDeadline(ctx, began.Add(c.s.Duration))
	defer home()
	var all group
	due := part(due(&c.s, c.share.Seed), c.share.Number, c.share.Of)
	c.record.Planned(len(due))
	for i, at := range due {
		planned := c.began.Add(at)
		if wait := time.Until(planned); wait > 0 && !pause(ctx, wait) {
			break
		}
		if ctx.Err() != nil {
			break
		}
		f := c.fans[i]
		all.goes(func() { c.visit(ctx, f, planned) })
	}
	all.wait()
}

// Fates are what came of the fans, when [Crowd.Live] has returned.
func (c *Crowd) Fates() []Fate {
	out := make([]Fate, 0, len(c.fans))
	for _, f := range c.fans {
		out = append(out, Fate{f.line.class.Name, f.outcome(), f.journal})
	}
	return out
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

// visit is a fan's whole stay.
func (c *Crowd) visit(ctx context.Context, f *fan, planned time.Time) {
	c.record.Started(planned, time.Now())
	c.record.Active(1)
	defer c.record.Active(-1)
	seen := &observer{c.record, f.line.class.Name}
	f.live.Due, f.live.Observer = planned, seen
	if f.Email != "" {
		f.live.Due, f.err = c.signIn(ctx, f, planned, seen)
	}
	if f.err == nil {
		f.out, f.err = f.live.Run(ctx, f.story)
	}
	f.line.leave(&f.live)
	if f.err != nil && ctx.Err() != nil {
		f.err = errors.Join(errHome, f.err)
	}
	if f.err != nil && !errors.Is(f.err, errHome) {
		c.record.Mark("failure", "fan "+f.Account+": "+f.err.Error())
	}
	f.ended.Store(true)
}

// errHome means that the fan went home because the run was over.
var errHome = errors.New("the run was over")

// signIn is what fans do first who have a password.
func (c *Crowd) signIn(ctx context.Context, f *fan, planned time.Time, seen *observer) (free time.Time, err error) {
	api := &caller{base: f.live.Base, http: f.live.Client}
	for due := planned; ; due = time.Now() {
		started := time.Now()
		var s wire.Session
		err := api.once(ctx, http.MethodPost, "/api/v1/sessions", "application/json", "", signInBody(f.Email), &s)
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
