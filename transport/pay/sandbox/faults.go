package sandbox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of faults.
const (
	maxFaults     = 1000
	maxFaultDelay = 10 * time.Minute
	maxDuplicates = 100
)

// Fault is something that goes wrong on request, at the API or with a webhook. The first fault that fits is taken.
type Fault struct {
	// On is the operation: create, confirm, capture, cancel, refund, get, api (any of them) or webhook.
	On string `json:"on"`
	// Do at the API: delay, 429, 500 (nothing done), 500_stored (nothing done, and repeated for the key),
	// 500_after_commit, timeout_after_commit, cut, cut_after_commit.
	// Do with a webhook: delay, duplicate, duplicate_new_id, reorder (after the payment's next event), lose,
	// bad_signature, old_timestamp, before_answer (delivered before the API call that caused it is answered).
	Do string `json:"do"`
	// Type, Payment and Order limit the fault: an event type that may end in *, a payment id, metadata[order].
	Type    string `json:"type,omitempty"`
	Payment string `json:"payment,omitempty"`
	Order   string `json:"order,omitempty"`
	// Times the fault happens before it is gone; 0 means until it is removed.
	Times int `json:"times,omitempty"`
	// Probability that a fitting call is hit; 0 means always.
	Probability float64 `json:"probability,omitempty"`
	// DelayMS of delay; default 1000. Count of additional deliveries of duplicate; default 1.
	DelayMS int64 `json:"delay_ms,omitempty"`
	Count   int   `json:"count,omitempty"`
}

func (f *Fault) is(do string) bool { return f != nil && f.Do == do }

func (f *Fault) delay() time.Duration {
	if f.DelayMS == 0 {
		return time.Second
	}
	return time.Duration(f.DelayMS) * time.Millisecond
}

// Validate tells what is wrong with a fault, naming the field.
func (f *Fault) Validate() error {
	api := []string{"delay", "429", "500", "500_stored", "500_after_commit", "timeout_after_commit", "cut", "cut_after_commit"}
	webhook := []string{"delay", "duplicate", "duplicate_new_id", "reorder", "lose", "bad_signature", "old_timestamp", "before_answer"}
	allowed := api
	switch f.On {
	case "webhook":
		allowed = webhook
	case opCreate, opConfirm, opCapture, opCancel, opRefund, opGet, "api":
		if f.Type != "" {
			return errors.New("type: only a fault on webhook may have one")
		}
	default:
		return fmt.Errorf("on: %q is not one of create, confirm, capture, cancel, refund, get, api, webhook", f.On)
	}
	switch {
	case !slices.Contains(allowed, f.Do):
		return fmt.Errorf("do: %q is not one of %s", f.Do, strings.Join(allowed, ", "))
	case f.Times < 0:
		return fmt.Errorf("times: %d is negative", f.Times)
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("probability: %v is not within 0 and 1", f.Probability)
	case f.DelayMS < 0 || f.DelayMS > maxFaultDelay.Milliseconds():
		return fmt.Errorf("delay_ms: %d is not within 0 and %d", f.DelayMS, maxFaultDelay.Milliseconds())
	case f.Count < 0 || f.Count > maxDuplicates:
		return fmt.Errorf("count: %d is not within 0 and %d", f.Count, maxDuplicates)
	}
	return nil
}

// faults that are waiting to happen. Safe for many goroutines.
type faults struct {
	mu   sync.Mutex
	list []Fault
	luck *rand.Rand
}

func newFaults(seed uint64) *faults {
	return &faults{luck: rand.New(rand.NewPCG(seed, 0x5eed))}
}

func (fs *faults) set(list []Fault) error {
	if len(list) > maxFaults {
		return fmt.Errorf("there are %d faults, allowed are %d", len(list), maxFaults)
	}
	for i, f := range list {
		if err := f.Validate(); err != nil {
			return fmt.Errorf("fault %d: %w", i, err)
		}
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.list = slices.Clone(list)
	return nil
}

func (fs *faults) add(list ...Fault) error { return fs.set(append(fs.all(), list...)) }

func (fs *faults) all() []Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return slices.Clone(fs.list)
}

func (fs *faults) api(op, payment, order string) *Fault {
	return fs.pick(func(f *Fault) bool {
		return (f.On == op || f.On == "api") && fits(f.Payment, payment) && fits(f.Order, order)
	})
}

func (fs *faults) webhook(ev *event) *Fault {
	return fs.pick(func(f *Fault) bool {
		return f.On == "webhook" && fitsType(f.Type, ev.Type) && fits(f.Payment, ev.Intent) && fits(f.Order, ev.Order)
	})
}

func fits(want, have string) bool { return want == "" || want == have }

func (fs *faults) pick(fit func(*Fault) bool) *Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for i := range fs.list {
		f := &fs.list[i]
		if !fit(f) || (f.Probability > 0 && fs.luck.Float64() >= f.Probability) {
			continue
		}
		hit := *f
		switch f.Times {
		case 0:
		case 1:
			fs.list = slices.Delete(fs.list, i, i+1)
		default:
			f.Times--
		}
		return &hit
	}
	return nil
}

// before does the faults that happen instead of the work; it tells whether the request is over.
func (s *Server) before(w http.ResponseWriter, _ *http.Request, f *Fault) bool {
	switch {
	case f.is("429"):
		w.Header().Set("Retry-After", "1")
		send(w, s.failed(&failure{Type: "invalid_request_error", Code: "rate_limit", Message: "Too many requests (requested fault).", status: 429}))
	case f.is("500"):
		send(w, s.failed(broken("An unexpected error occurred (requested fault).")))
	case f.is("cut"):
		panic(http.ErrAbortHandler) // closes the connection without an answer
	default:
		return false
	}
	return true
}

// after answers, or does the faults that happen between the work and its answer.
func (s *Server) after(w http.ResponseWriter, r *http.Request, f *Fault, a reply) {
	switch {
	case f.is("timeout_after_commit"):
		select { // until the client gives up
		case <-r.Context().Done():
		case <-s.ctx.Done():
		case <-time.After(time.Minute):
		}
		panic(http.ErrAbortHandler)
	case f.is("cut_after_commit"):
		panic(http.ErrAbortHandler)
	default:
		send(w, a)
	}
}

// SetFaults replaces all faults. AddFaults adds some at the end. ClearFaults removes them all.
func (s *Server) SetFaults(list ...Fault) error { return s.faults.set(list) }

// AddFaults adds faults behind those that wait already.
func (s *Server) AddFaults(list ...Fault) error { return s.faults.add(list...) }

// ClearFaults removes all faults.
func (s *Server) ClearFaults() { _ = s.faults.set(nil) } // an empty list is valid

// Faults that are waiting to happen.
func (s *Server) Faults() []Fault { return s.faults.all() }
