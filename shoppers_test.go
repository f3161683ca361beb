package catraca

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/transport/wire"
)

// shopping is a market of shoppers who want the same seats, at all nodes of a fleet.
type shopping struct {
	f       *fleet
	t       *testing.T
	history *history
	client  *http.Client
	payer   func(ctx context.Context, page, card string) (time.Time, error)
	tally   tally
	people  []*shopper

	hot, cold []uint32      // seats that everybody wants, and seats that are bought
	best      uint16        // category in which the best seats are asked for
	think     time.Duration // longest pause between two things of one shopper
	doors     []*member     // where they ask; any of them, each time
	purchases chan struct{} // how many may still buy

	open atomic.Bool
	ctx  context.Context // ends everything, also what has no answer yet
	stop context.CancelFunc
	all  sync.WaitGroup
}

// tally counts what came of the operations, and how long nothing came.
type tally struct {
	mu       sync.Mutex
	outcomes map[outcome]int
	deeds    map[deed]int
	retries  int // tries after which the same was asked again
	busy     map[wire.Code]int
	last     time.Time     // command that was answered last
	longest  time.Duration // between two of them
	since    time.Time     // commands called after this are looked for
	first    time.Time     // answer to the first of them; zero: none yet
	history  *history
	commands int
}

// again counts a try without an answer, and what a node said instead of one.
func (c *tally) again(said bool, code wire.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retries++
	if said {
		c.busy[code]++
	}
}

// answered counts an operation. Looks are no commands, and what is asked on the way to a payment may be either.
func (c *tally) answered(o operation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.outcomes[o.outcome]++
	c.deeds[o.deed]++
	if o.deed == deedLook || o.deed == deedPay {
		return
	}
	c.commands++
	if !c.last.IsZero() {
		c.longest = max(c.longest, now.Sub(c.last))
	}
	c.last = now
	if c.first.IsZero() && !c.since.IsZero() && c.history.began.Add(o.call).After(c.since) {
		c.first = now
	}
}

// after forgets the first answer and looks for the next one from now.
func (c *tally) after() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since, c.first = time.Now(), time.Time{}
}

// firstAnswer is how long it took from after to the answer of a command that was begun later; false: none yet.
func (c *tally) firstAnswer() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first.Sub(c.since), !c.first.IsZero()
}

func (c *tally) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.commands
}

// goShopping brings shoppers into the shop: they join, are let in and claim their turn, over HTTP.
func goShopping(f *fleet, n int, random *rand.Rand) *shopping {
	f.t.Helper()
	s := &shopping{
		f: f, t: f.t, doors: f.nodes, history: newHistory(), think: 100 * time.Millisecond, purchases: make(chan struct{}, 1000),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 256, IdleConnTimeout: 10 * time.Second}},
	}
	s.tally = tally{outcomes: make(map[outcome]int), deeds: make(map[deed]int), busy: make(map[wire.Code]int), history: s.history}
	s.payer = bench.SandboxPayer(s.client)
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(f.t.Context()))
	f.t.Cleanup(func() { s.open.Store(false); s.stop(); s.all.Wait(); s.client.CloseIdleConnections() })
	s.chart(random)
	var minted struct {
		Fans []struct {
			Account string `json:"account"`
			Token   string `json:"token"`
		} `json:"fans"`
	}
	if code := apiCall(f.t, http.MethodPost, f.fan+"/api/v1/admin/events/"+f.event+"/rehearsal-fans", f.owner, map[string]any{"count": n}, &minted); code != http.StatusCreated {
		f.t.Fatalf("the call for fans was answered with %d", code)
	}
	var enter sync.WaitGroup
	for _, fan := range minted.Fans {
		p := &shopper{shopping: s, account: fan.Account, token: fan.Token, random: rand.New(rand.NewPCG(random.Uint64(), random.Uint64()))} //nolint:gosec // repeatable
		s.people = append(s.people, p)
		enter.Go(p.enter)
	}
	enter.Wait()
	if f.t.Failed() {
		f.t.Fatalf("the shoppers did not get in:\n%s", f.tails())
	}
	return s
}

// enter waits until the shopper is let in: at the beginning, and after every purchase, which ends a turn.
func (p *shopper) enter() {
	var problem wire.Problem
	for began := time.Now(); p.ctx.Err() == nil && time.Since(began) < time.Minute; p.pause(100 * time.Millisecond) {
		var place wire.Place
		m := p.doors[p.random.IntN(len(p.doors))]
		status, err := p.try(m, http.MethodPost, p.path("/queue"), "", struct{}{}, &place, &problem)
		if err != nil || status >= http.StatusBadRequest {
			continue
		}
		if place.State == "offered" {
			status, err = p.try(m, http.MethodPost, p.path("/admission"), "", struct{}{}, &place, &problem)
		}
		if err == nil && status < http.StatusBadRequest && place.State == "shopping" {
			return
		}
	}
	p.expect(false, "shopper %s was not let in within a minute: %s %s", p.account, problem.Code, problem.Detail)
}

// chart chooses the seats by their category: the last one's are fought over, the first one's are bought.
func (s *shopping) chart(random *rand.Rand) {
	s.t.Helper()
	e, err := s.f.look()
	if err != nil {
		s.t.Fatal(err)
	}
	var plan struct {
		Seats struct {
			Category []uint16 `json:"category"`
		} `json:"seats"`
	}
	if code := apiCall(s.t, http.MethodGet, s.f.fan+e.PlanURL, "", nil, &plan); code != http.StatusOK {
		s.t.Fatalf("the plan was answered with %d", code)
	}
	byKey := make(map[string]uint16)
	for _, c := range e.Categories {
		byKey[c.Key] = uint16(c.ID) //nolint:gosec // few
	}
	for unit, category := range plan.Seats.Category {
		switch category {
		case byKey["Category V"]:
			s.hot = append(s.hot, uint32(unit)) //nolint:gosec // few
		case byKey["Category I"]:
			s.cold = append(s.cold, uint32(unit)) //nolint:gosec // few
		}
	}
	s.best = byKey["Category IV"]
	random.Shuffle(len(s.hot), func(i, j int) { s.hot[i], s.hot[j] = s.hot[j], s.hot[i] })
	if len(s.hot) < 40 || len(s.cold) < 100 || s.best == 0 {
		s.t.Fatalf("the plan has %d hot and %d cold seats", len(s.hot), len(s.cold))
	}
	s.hot = s.hot[:40]
}

// begin opens the market.
func (s *shopping) begin() {
	s.open.Store(true)
	for _, p := range s.people {
		s.all.Go(p.run)
	}
}

// allow lets so many shoppers more buy what they hold: every sale takes its seats out of the market.
func (s *shopping) allow(n int) {
	for range n {
		select {
		case s.purchases <- struct{}{}:
		default: // many were allowed already
		}
	}
}

// end closes the market and waits for the answers of what is under way.
func (s *shopping) end(within time.Duration) {
	s.t.Helper()
	s.open.Store(false)
	over := make(chan struct{})
	go func() { s.all.Wait(); close(over) }()
	select {
	case <-over:
	case <-time.After(within):
		s.stop()
		<-over
		s.t.Errorf("not everything was answered within %v after the last fault had healed", within)
		for _, o := range s.history.operations() {
			if o.outcome == unknown {
				s.t.Errorf("not answered: %v", o)
			}
		}
	}
}

// expect is told when an answer makes no sense by itself.
func (s *shopping) expect(ok bool, format string, args ...any) {
	if !ok && s.ctx.Err() == nil {
		s.t.Errorf(format, args...)
	}
}

// buy orders what is held and pays it, until it is fulfilled.
func (p *shopper) buy() {
	if p.hold == "" {
		return
	}
	order, ok := p.order()
	if !ok {
		return
	}
	o := operation{deed: deedSale, hold: p.hold, seats: p.seats, account: p.account, call: p.history.now(), outcome: unknown, ret: endless}
	typed := false
	for began := time.Now(); p.ctx.Err() == nil && time.Since(began) < 2*time.Minute; p.pause(300 * time.Millisecond) {
		var now wire.Order
		if refused, answered := p.quietly(http.MethodGet, "/orders/"+order, nil, &now); !answered || refused.Code != "" {
			p.expect(!answered, "look at order %s: %s", order, refused.Code)
			continue
		}
		switch pay := now.Payment; {
		case now.State == "fulfilled":
			o.outcome, o.ret, o.node, o.tries = done, p.history.now(), "any", 1
			p.tally.answered(o)
			p.history.add(o)
			p.hold, p.seats = "", nil
			p.enter()
			return
		case now.State != "awaiting":
			p.expect(now.State == "committed" || now.State == "paid", "order %s is %s: %s", order, now.State, now.Reason)
		case pay == nil || pay.State == "failed" && pay.URL == nil:
			_, _ = p.quietly(http.MethodPost, "/orders/"+order+"/pay", wire.PayRequest{Method: "card"}, nil)
		case pay.URL != nil && !typed:
			_, err := p.payer(p.ctx, *pay.URL, "4242424242424242")
			typed = err == nil
		}
	}
	p.expect(false, "order %s was not fulfilled within two minutes", order)
	p.history.add(o)
	p.hold, p.seats = "", nil
}

// quietly is do for what is not written into the history.
func (p *shopper) quietly(method, path string, in, out any) (wire.Problem, bool) {
	o := operation{deed: deedPay}
	problem := p.do(&o, method, path, in, out)
	return problem, o.outcome != unknown
}

// maps lets every node show its seats, when all is quiet, as the last operations of the history.
func (s *shopping) maps() {
	s.t.Helper()
	time.Sleep(500 * time.Millisecond) // a picture of the seats is at most a fifth of a second old
	first := ""
	for _, m := range s.f.nodes {
		var seats struct {
			Status string `json:"status"`
		}
		o := operation{account: "owner", deed: deedSeats, outcome: done, node: m.id, tries: 1, call: s.history.now()}
		if code := apiCall(s.t, http.MethodGet, m.fan+"/api/v1/events/"+s.f.event+"/seats", s.f.owner, nil, &seats); code != http.StatusOK {
			s.t.Fatalf("the seats of %s were answered with %d", m.id, code)
		}
		o.ret, o.states = s.history.now(), seats.Status
		if first == "" {
			first = seats.Status
		}
		if seats.Status != first {
			s.t.Errorf("%s shows other seats than %s:\n%s\n%s", m.id, s.f.nodes[0].id, seats.Status, first)
		}
		s.history.add(o)
	}
}

// report says in one line what the shoppers did.
func (s *shopping) report() string {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	var deeds []string
	for d, n := range s.tally.deeds {
		deeds = append(deeds, fmt.Sprintf("%d %s", n, d))
	}
	slices.Sort(deeds)
	return fmt.Sprintf("%d operations (%s): %d done, %d refused; %d tries asked again %v; longest time without an answer to a command %v",
		s.tally.outcomes[done]+s.tally.outcomes[no], strings.Join(deeds, ", "), s.tally.outcomes[done], s.tally.outcomes[no],
		s.tally.retries, s.tally.busy, s.tally.longest.Round(time.Millisecond))
}
