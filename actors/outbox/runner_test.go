package outbox

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
)

// answersOnly is a sale that cannot be read, so that every intent fails, and that counts the answers it gets.
type answersOnly struct{ got atomic.Int32 }

func (a *answersOnly) Submit(context.Context, sale.EventID, *sale.Command) (sale.Result, error) {
	a.got.Add(1)
	return sale.Result{}, nil
}

func (a *answersOnly) Read(context.Context, sale.EventID, func(*sale.State)) error {
	return errors.New("not now")
}

func (a *answersOnly) Subscribe(context.Context, sale.EventID, event.Subscriber) (*event.View, func(), error) {
	return nil, func() {}, nil
}

// The open intents are read at one moment and started at a later one. One that ended in between must not run again by
// what was read before: its letter would go out twice.
func TestRunnerTrustsNoOldReading(t *testing.T) {
	sales := &answersOnly{}
	o := &Options{Sales: sales, Parallel: 1, Timeout: time.Minute, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	r := &runner{o: o, id: 1, wake: make(chan struct{}, 1), busy: make(map[uint64]bool)}
	in := sale.Intent{ID: 7, Kind: sale.IntentMail}
	r.forgetEnded() // and here the intents are read
	for range 3 {
		if !r.start(t.Context(), in) {
			t.Fatal("no hand was free")
		}
		r.jobs.Wait()
	}
	if n := sales.got.Load(); n != 1 {
		t.Fatalf("by one reading the intent ran %d times", n)
	}
	r.forgetEnded() // the next reading still has it: it is to be tried again
	r.start(t.Context(), in)
	r.jobs.Wait()
	if n := sales.got.Load(); n != 2 {
		t.Fatalf("by two readings the intent ran %d times", n)
	}
	if r.forgetEnded(); len(r.busy) != 0 || r.running != 0 {
		t.Errorf("%d intents are remembered, %d run", len(r.busy), r.running)
	}
}

// A leader that goes cuts short what it runs. That is no failed attempt, however the error is worded: the next leader
// finds the intent as it was.
func TestRunnerCountsNoCutAttempt(t *testing.T) {
	sales := &answersOnly{}
	r := &runner{o: &Options{Sales: sales, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}, id: 1}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.carry(ctx, sale.Intent{ID: 7, Kind: sale.IntentMail})
	if n := sales.got.Load(); n != 0 {
		t.Errorf("the sale got %d answers", n)
	}
}
