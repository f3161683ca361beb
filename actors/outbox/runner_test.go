package outbox

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
)

// answersOnly is a sale that counts the answers it gets and takes none of them.
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

// lonely is a runner without a sale. Every intent fails, because its order is not known.
func lonely() (*runner, *answersOnly) {
	sales := &answersOnly{}
	o := Options{Sales: sales, Parallel: 1, Letters: 1, Timeout: time.Minute, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	return newRunner(&o, 1), sales
}

// settle waits for what runs, and lets the loop know of it.
func (r *runner) settle() {
	r.jobs.Wait()
	for i := range r.ended {
		r.finish(&r.ended[i])
	}
	r.ended = nil
}

// An intent is read at one moment and may be read once more before what its run has changed is known. It must not run
// again as long as it is like that: its letter would go out twice.
func TestRunnerTrustsNoOldReading(t *testing.T) {
	r, sales := lonely()
	j := job{Intent: sale.Intent{ID: 7, Kind: sale.IntentMail}}
	now := time.Now().UnixMilli()
	for range 3 {
		r.start(t.Context(), &j, now)
		r.settle()
	}
	if n := sales.got.Load(); n != 1 {
		t.Fatalf("by one reading the intent ran %d times", n)
	}
	j.Tries++ // the next reading has it again, and the sale has taken note of the failure
	r.start(t.Context(), &j, now)
	r.settle()
	if n := sales.got.Load(); n != 2 {
		t.Fatalf("by two readings the intent ran %d times", n)
	}
	r.hear(news{id: 7})
	if len(r.ran) != 0 || len(r.agenda.open) != 0 {
		t.Errorf("%d closed intents are remembered", len(r.ran))
	}
}

// An outcome that the sale never takes is not brought to it in a loop.
func TestRunnerSpacesWhatDoesNotMove(t *testing.T) {
	r, _ := lonely()
	j := job{Intent: sale.Intent{ID: 7, Kind: sale.IntentPayQuery}}
	now := time.Now().UnixMilli()
	last := now
	for i := range 8 {
		r.start(t.Context(), &j, last)
		r.settle()
		r.start(t.Context(), &j, now)
		due := r.agenda.open[7].at
		if least := now + (firstPause << i).Milliseconds(); due < least {
			t.Fatalf("after %d runs it is due in %d ms, want at least %d", i+1, due-now, least-now)
		}
		last = due
	}
}

// What was asked for while it ran is asked once more at once, however the news of it and of the run's own answer come.
func TestRunnerAsksAgainWhatWasAskedForMeanwhile(t *testing.T) {
	later := time.Now().Add(time.Hour).UnixMilli()
	notice, answer := news{id: 7, at: 50, clock: 50}, news{id: 7, at: later, clock: 60}
	for name, way := range map[string]func(r *runner){
		"both before the end": func(r *runner) { r.hear(notice); r.hear(answer); r.settle() },
		"answer before":       func(r *runner) { r.hear(answer); r.hear(notice); r.settle() },
		"answer after":        func(r *runner) { r.hear(notice); r.settle(); r.hear(answer) },
	} {
		for _, kind := range []sale.IntentKind{sale.IntentPayQuery, sale.IntentCapture} {
			r, _ := lonely()
			j := job{Intent: sale.Intent{ID: 7, Kind: kind, Due: 40}}
			now := time.Now().UnixMilli()
			r.agenda.set(7, 40)
			r.start(t.Context(), &j, now)
			way(r)
			j.Due = later
			r.start(t.Context(), &j, time.Now().UnixMilli())
			if ran := r.agenda.open[7].running; ran != (kind == sale.IntentPayQuery) {
				t.Errorf("%s, %s: it runs again: %v", name, kindName(kind), ran)
			}
			r.settle()
		}
	}
}

// A leader that goes cuts short what it runs. That is no failed attempt, however the error is worded: the next leader
// finds the intent as it was.
func TestRunnerCountsNoCutAttempt(t *testing.T) {
	r, sales := lonely()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.carry(ctx, &job{Intent: sale.Intent{ID: 7, Kind: sale.IntentMail}})
	if n := sales.got.Load(); n != 0 {
		t.Errorf("the sale got %d answers", n)
	}
}

func TestBackoffIsBounded(t *testing.T) {
	var total time.Duration
	for tries := range 1 << 16 {
		d := backoff(uint64(tries)*977, tries)
		least := min(firstPause<<min(max(tries-1, 0), 30), mostPause)
		if d < least || d > least*5/4 {
			t.Fatalf("after %d tries %v, want %v to %v", tries, d, least, least*5/4)
		}
		if tries < maxTries {
			total += d
		}
	}
	if total < 10*time.Minute || total > 2*time.Hour {
		t.Errorf("a person looks after %v", total)
	}
	if backoff(1, 9) == backoff(2, 9) {
		t.Error("two intents try again at the same moment")
	}
}

func TestKeys(t *testing.T) {
	r, _ := lonely()
	r.o.KeyPrefix = "house"
	in := sale.Intent{ID: 7, Kind: sale.IntentCapture, Due: 5}
	again := in
	again.Tries, again.Due, again.Reason = 3, 9000, "timeout"
	if a, b := r.providerKey(in), r.providerKey(again); a != b || a != "house-e1-i7" {
		t.Errorf("the provider is asked with %q, then with %q", a, b)
	}
	keys := map[sale.Key]bool{}
	for _, k := range []sale.Key{
		answerKey(in, sale.OpPayState, 0), answerKey(in, sale.OpPayState, 1), answerKey(in, sale.OpIntentFailed, 0), answerKey(again, sale.OpPayState, 0),
		answerKey(sale.Intent{ID: 8, Due: 5}, sale.OpPayState, 0), answerKey(sale.Intent{ID: 7, Due: 6}, sale.OpPayState, 0),
	} {
		if keys[k] || k == (sale.Key{}) {
			t.Error("two answers have one key")
		}
		keys[k] = true
	}
}

func TestShorten(t *testing.T) {
	for _, s := range []string{"", "short", strings.Repeat("ã", 200), "\xff\xfe" + strings.Repeat("x", 300)} {
		if got := shorten(s); len(got) > 200 || !utf8.ValidString(got) || s == "short" && got != s {
			t.Errorf("%.10q became %.10q of %d bytes", s, got, len(got))
		}
	}
}

func TestLanes(t *testing.T) {
	for k, want := range map[sale.IntentKind]laneID{
		sale.IntentPayStart: laneMoney, sale.IntentCapture: laneMoney, sale.IntentVoid: laneMoney, sale.IntentRefund: laneMoney,
		sale.IntentPayQuery: laneQuestions, sale.IntentMail: laneLetters, sale.IntentMailRefund: laneLetters,
	} {
		if got := laneOf(k); got != want {
			t.Errorf("%s is in lane %d, want %d", kindName(k), got, want)
		}
	}
	if kindName(200) != "other" {
		t.Error("an unknown kind has a name")
	}
}
