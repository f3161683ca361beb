package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/catraca/catraca/bench/scenario"
	"github.com/catraca/catraca/transport/wire"
)

// Share is a part of a run's fans, and everything that a process needs to know to let them come. Of the whole plan's
// fans, in the order in which they are due, a share has those whose number leaves Number when divided by Of: so every
// share has its part of every moment, and all of them together are exactly the plan, whatever their number.
type Share struct {
	Plan json.RawMessage `json:"plan"` // the scenario
	Seed uint64          `json:"seed"`

	Base   string   `json:"base"` // as in [Target]
	Fronts []string `json:"fronts"`
	Event  string   `json:"event"` // slug
	// Payments is where the payment sandbox is; empty: there is none, and nobody knows when a Pix is paid.
	Payments string `json:"payments,omitempty"`
	// Categories are the event's by key.
	Categories map[string]uint16 `json:"categories"`
	// PlanURL is where the plan of its seats is, under Base; empty: there is none.
	PlanURL string `json:"plan_url,omitempty"`

	Number int `json:"number"`
	Of     int `json:"of"`
	// Fans are the accounts of this share's fans, in order.
	Fans []Identity `json:"fans"`
}

// Identity is an account with a session.
type Identity struct {
	Account string `json:"account"`
	Token   string `json:"token"`
	Email   string `json:"email,omitempty"` // signs in with the password first
}

// MaxShares is among how many a run's fans can be shared out.
const MaxShares = 64

// check says whether a share can be one, and reads its plan.
func (s *Share) check() (scenario.Scenario, error) {
	var plan scenario.Scenario
	if err := json.Unmarshal(s.Plan, &plan); err != nil {
		return plan, fmt.Errorf("read the plan of the share: %w", err)
	}
	if s.Of < 1 || s.Of > MaxShares || s.Number < 0 || s.Number >= s.Of {
		return plan, fmt.Errorf("share %d of %d makes no sense", s.Number+1, s.Of)
	}
	if want := sizeOf(plan.Fans, s.Number, s.Of); len(s.Fans) != want {
		return plan, fmt.Errorf("share %d of %d has %d fans, want %d", s.Number+1, s.Of, len(s.Fans), want)
	}
	return plan, nil
}

// sizeOf is how many of the fans are in a share.
func sizeOf(fans, number, of int) int { return (fans - number + of - 1) / of }

// part of a list, as shares have it.
func part[T any](all []T, number, of int) []T {
	out := make([]T, 0, sizeOf(len(all), number, of))
	for i := number; i < len(all); i += of {
		out = append(out, all[i])
	}
	return out
}

// sharesOf divides the run's fans among so many processes.
func (r *runner) sharesOf(all []Identity, of int) ([]Share, error) {
	plan, err := r.s.MarshalJSON()
	if err != nil {
		return nil, err
	}
	out := make([]Share, of)
	for i := range out {
		out[i] = Share{
			Plan: plan, Seed: r.o.Seed, Base: r.o.Base, Fronts: r.o.Fronts, Event: r.event, Payments: r.o.Payments, Categories: r.sale.categories, PlanURL: r.sale.plan,
			Number: i, Of: of, Fans: part(all, i, of),
		}
	}
	return out, nil
}

// Allowed refuses a share of fans for an event that is no rehearsal. Whoever is handed a share asks, before anybody comes.
func (s *Share) Allowed(ctx context.Context) error {
	api := newCaller(s.Base, "")
	defer api.close()
	var e wire.Event
	if err := api.call(ctx, http.MethodGet, "/api/v1/events/"+url.PathEscape(s.Event), nil, &e); err != nil {
		return fmt.Errorf("look at the event: %w", err)
	}
	if !e.Rehearsal {
		return errNoRehearsal
	}
	return nil
}
