package drive

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/catraca/catraca/bench/scenario"
)

// mishap is one of the sandbox's faults, as its control takes them. The first that fits a call is taken.
type mishap struct {
	On          string  `json:"on"`
	Do          string  `json:"do"`
	DelayMS     int64   `json:"delay_ms,omitempty"`
	Probability float64 `json:"probability,omitempty"`
}

// sandbox is the payment server, which can be told to fail.
type sandbox struct {
	api *caller

	mu     sync.Mutex
	always []mishap
	now    map[int][]mishap // by number of the fault
	number int
}

// begin makes the provider what the scenario wants it to be from the beginning.
func (s *sandbox) begin(ctx context.Context, p scenario.Payment) error {
	s.now = make(map[int][]mishap)
	if p.Failing > 0 {
		s.always = append(s.always, mishap{On: "api", Do: "500", Probability: float64(p.Failing) / 100})
	}
	if p.Delay > 0 {
		s.always = append(s.always, mishap{On: "api", Do: "delay", DelayMS: p.Delay.Milliseconds()})
	}
	if p.Late > 0 {
		s.always = append(s.always, mishap{On: "webhook", Do: "delay", DelayMS: p.Late.Milliseconds()})
	}
	return s.tell(ctx)
}

// tell makes the sandbox do what is wanted now. It is called with mu held, or before anybody else knows the sandbox.
func (s *sandbox) tell(ctx context.Context) error {
	list := []mishap{}
	for i := range s.number {
		list = append(list, s.now[i]...)
	}
	list = append(list, s.always...)
	if err := s.api.call(ctx, http.MethodPut, "/_sandbox/faults", list, nil); err != nil {
		return fmt.Errorf("tell the sandbox its faults: %w", err)
	}
	return nil
}

// fail begins a fault and returns what ends it.
func (s *sandbox) fail(ctx context.Context, f scenario.Fault) (heal func(context.Context) error, err error) {
	delay := f.Delay
	if delay == 0 {
		delay = 5 * time.Second
	}
	var m mishap
	switch f.Kind {
	case "payment-slow":
		m = mishap{On: "api", Do: "delay", DelayMS: delay.Milliseconds()}
	case "payment-down":
		m = mishap{On: "api", Do: "500"}
	case "late-webhooks":
		m = mishap{On: "webhook", Do: "delay", DelayMS: delay.Milliseconds()}
	default:
		m = mishap{On: "webhook", Do: "lose"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.number
	s.number++
	s.now[n] = []mishap{m}
	return func(ctx context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.now, n)
		return s.tell(ctx)
	}, s.tell(ctx)
}

// mend ends everything that is wrong, also what was from the beginning: what is left must settle.
func (s *sandbox) mend(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.now)
	s.always = nil
	return s.tell(ctx)
}
