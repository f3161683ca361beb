package drive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/transport/wire"
)

// mintAtOnce is how many fans the administrator's call makes at most.
const mintAtOnce = 10_000

// saleFacts is what fans know of the sale.
type saleFacts struct {
	id         string
	capacity   uint32
	categories map[string]uint16 // number by key
	plan       string            // address of the seats' plan; empty: the event shows none
	seats      *bench.Map        // the same as fans share it
}

// prepare puts the event on sale, makes the fans, and sets the payment provider up.
func (r *runner) prepare(ctx context.Context) error {
	if err := r.playable(); err != nil {
		return err
	}
	if err := r.enoughFiles(); err != nil {
		return err
	}
	if r.event == "" {
		r.event = fmt.Sprintf("bench-%08x", rand.Uint32()) //nolint:gosec // any name
		if err := r.api.call(ctx, http.MethodPost, "/api/v1/admin/events", file(r.eventFile()), nil); err != nil {
			return fmt.Errorf("put the event on sale: %w", err)
		}
	}
	if err := r.learn(ctx); err != nil {
		return err
	}
	if r.pay != nil {
		if err := r.pay.begin(ctx, r.s.Payment); err != nil {
			return err
		}
	}
	r.o.Say("making %d fans", r.s.Fans)
	all, err := r.identities(ctx)
	if err != nil {
		return err
	}
	return r.handOut(ctx, all)
}

// playable says whether the target is such that everything in the scenario can be done to it.
func (r *runner) playable() error {
	p := r.s.Payment
	if r.pay == nil && (p.Delay > 0 || p.Failing > 0 || p.Late > 0) {
		return errors.New("the scenario wants a payment provider in trouble, and the target names no sandbox")
	}
	for _, f := range r.s.Faults {
		switch f.Kind {
		case "kill", "freeze", "drain":
			if r.o.Servers == nil {
				return fmt.Errorf("fault %s: that is only done to servers that the bench has started", f.Kind)
			}
		case "payment-slow", "payment-down", "late-webhooks", "lost-webhooks":
			if r.pay == nil {
				return fmt.Errorf("fault %s: the target names no sandbox", f.Kind)
			}
		}
	}
	return nil
}

// eventFile is the scenario's event, which opens when the first fan comes, or later.
func (r *runner) eventFile() string {
	e := r.s.Event
	categories := map[string]string{
		"racetrack": "  \"1\": {name: Arquibancada da Reta, price: 180.00, fee: 27.00}\n  \"2\": {name: Arquibancada Central, price: 320.00, fee: 48.00}\n",
		"stadium": "  Category I: {price: 250.00, fee: 37.50}\n  Category II: {price: 180.00, fee: 27.00}\n  Category III: {price: 120.00, fee: 18.00}\n" +
			"  Category IV: {price: 90.00, fee: 13.50}\n  Category V: {price: 60.00, fee: 9.00}\n",
		"club": "  \"9\": {price: 90.00, fee: 9.00}\n  \"10\": {price: 60.00, fee: 6.00}\n  string11: {price: 40.00, fee: 4.00}\n",
	}[e.Plan]
	return fmt.Sprintf(`slug: %s
name: Ensaio %s
venue: Bancada
rehearsal: true
plan: %s
rekey: %t
starts_at: now+720h
opens_at: now+24h
categories:
%squeue: {rate_per_minute: %d, active_cap: %d, claim: %s, lease: %s, lease_cap: %s}
limits: {per_hold: %d, per_account: %d}
times: {hold: %s, hold_renewal: %s, pay_grace: 45s, action_grace: 45s}
`, r.event, r.s.Name, e.Plan, e.Plan == "stadium", categories, e.RatePerMinute, e.ActiveCap, e.Claim, e.Lease, 5*e.Lease, e.PerHold, e.PerHold, e.Hold, e.Hold)
}

// learn finds out about the sale what fans see.
func (r *runner) learn(ctx context.Context) error {
	e, err := r.look(ctx)
	if err != nil {
		return fmt.Errorf("look at the event: %w", err)
	}
	if !e.Rehearsal {
		return errNoRehearsal
	}
	r.sale = saleFacts{id: e.ID, plan: e.PlanURL, categories: make(map[string]uint16)}
	for _, c := range e.Categories {
		id := uint16(c.ID) //nolint:gosec // few
		r.sale.categories[c.Key] = id
		r.sale.capacity += c.Capacity
	}
	for i, m := range r.s.Mix {
		if _, ok := r.sale.categories[m.Category]; m.Category != "" && !ok {
			return fmt.Errorf("mix[%d].category: the event has no category %q", i, m.Category)
		}
		if byName(m) && e.PlanURL == "" {
			return fmt.Errorf("mix[%d]: these fans choose seats on the map, and the event shows none", i)
		}
	}
	return nil
}

func (r *runner) look(ctx context.Context) (e wire.Event, err error) {
	return e, r.api.call(ctx, http.MethodGet, "/api/v1/events/"+url.PathEscape(r.event), nil, &e)
}

// steer tells the sale something as its operator.
func (r *runner) steer(ctx context.Context, what string) error {
	err := r.api.call(ctx, http.MethodPost, "/api/v1/admin/events/"+url.PathEscape(r.event)+"/"+what, struct{}{}, nil)
	var no *refusedError
	if errors.As(err, &no) && no.problem.Code == wire.WrongState {
		return nil // it is so already
	}
	return err
}

// identities are the accounts of the fans.
func (r *runner) identities(ctx context.Context) ([]Identity, error) {
	minted, err := r.mint(ctx, r.s.Bots.Count/2)
	if err != nil {
		return nil, err
	}
	r.extra = minted
	if r.s.SignIn {
		return r.signUp(ctx)
	}
	return r.mint(ctx, r.s.Fans)
}

// mint makes virtual fans with sessions, by the administrator's call of rehearsals.
func (r *runner) mint(ctx context.Context, n int) ([]Identity, error) {
	var all []Identity
	for len(all) < n {
		var minted struct {
			Fans []Identity `json:"fans"`
		}
		in := map[string]any{"count": min(n-len(all), mintAtOnce)}
		if err := r.api.call(ctx, http.MethodPost, "/api/v1/admin/events/"+url.PathEscape(r.event)+"/rehearsal-fans", in, &minted); err != nil {
			return nil, fmt.Errorf("make virtual fans: %w", err)
		}
		if len(minted.Fans) == 0 {
			return nil, errors.New("make virtual fans: the server made none")
		}
		all = append(all, minted.Fans...)
	}
	return all, nil
}

// fanPassword of accounts that sign in; the bench makes them and nobody else uses them.
const fanPassword = "cavalo-de-troia-na-arquibancada"

// signUp makes accounts as people do, two at a time: each costs the server a password's hash.
func (r *runner) signUp(ctx context.Context) ([]Identity, error) {
	all := make([]Identity, r.s.Fans)
	errs := make([]error, 2)
	var both sync.WaitGroup
	for lane := range errs {
		both.Go(func() {
			for i := lane; i < len(all) && errs[lane] == nil; i += len(errs) {
				email := fmt.Sprintf("fan%d@%s.example", i, r.event)
				var s wire.Session
				errs[lane] = r.api.call(ctx, http.MethodPost, "/api/v1/accounts", wire.SignUp{
					Email: email, Name: "Fã de Teste", Password: fanPassword, Lang: "pt-BR", Token: true,
				}, &s)
				all[i] = Identity{Account: s.Account.ID, Token: s.Token, Email: email}
			}
		})
	}
	both.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("sign fans up: %w", err)
	}
	return all, nil
}

// door opens the sale when it is time, and closes it when everything is sold: then those who still wait are told.
func (r *runner) door(ctx context.Context) {
	if !pause(ctx, time.Until(r.began.Add(r.s.OpensIn))) {
		return
	}
	if err := r.steer(ctx, "open"); err != nil {
		r.o.Say("open the sale: %v", err)
		r.record.Mark("failure", "the sale could not be opened: "+err.Error())
		return
	}
	r.record.Mark("phase", "the sale is open")
	for pause(ctx, 250*time.Millisecond) && !r.s.KeepOpen {
		e, err := r.look(ctx)
		if err != nil {
			continue // servers may be down on purpose
		}
		sold := uint32(0)
		for _, c := range e.Categories {
			sold += c.Sold
		}
		if sold < r.sale.capacity {
			continue
		}
		r.record.Mark("phase", "everything is sold")
		if err := r.steer(ctx, "close"); err != nil && ctx.Err() == nil {
			r.record.Mark("failure", "the sale could not be closed: "+err.Error())
		}
		return
	}
}
