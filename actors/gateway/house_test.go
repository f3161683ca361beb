package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/event/eventtest"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a gateway over a sale on a log in memory.
type house struct {
	*eventtest.House

	t   tester
	g   *Gateway
	log *eventtest.Log
}

// tester is what *testing.T, *testing.B and *rapid.T have in common.
type tester interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// open starts a house in which event 1 lets in one fan a second and two at once. Everything is on the clock of the test.
func open(t testing.TB, change func(*sale.Config, *Options)) *house {
	t.Helper()
	log := new(eventtest.Log)
	h := &house{House: eventtest.Open(t, log, nil), t: t, log: log}
	cfg := eventtest.Config(1, 200, 30, time.Now())
	cfg.Queue = queue.Policy{RatePerMinute: 60, Burst: 1, ActiveCap: 2}.WithDefaults()
	o := Options{System: h.System, Sales: h.Events, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(cfg, &o)
	}
	if err := h.Events.Create(context.Background(), 1, cfg); err != nil {
		t.Fatal(err)
	}
	h.start(o)
	t.Cleanup(func() { h.g.Close() })
	return h
}

func (h *house) start(o Options) {
	g, err := New(o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.g = g
}

// bubble runs a test of a house on fake time.
func bubble(t *testing.T, change func(*sale.Config, *Options), f func(t *testing.T, h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, open(t, change)) })
}

func (h *house) do(op sale.Op, who sale.AccountID) sale.Result {
	h.t.Helper()
	return h.command(sale.Command{Op: op, Account: who})
}

func (h *house) command(c sale.Command) sale.Result {
	h.t.Helper()
	res, err := h.Events.Submit(context.Background(), 1, &c)
	if err != nil || res.Refusal != sale.Done {
		h.t.Fatalf("op %d: refusal %d, %v", c.Op, res.Refusal, err)
	}
	return res
}

// join brings accounts from..to into line.
func (h *house) join(from, to sale.AccountID) {
	for a := from; a <= to; a++ {
		h.do(sale.OpJoin, a)
	}
}

func (h *house) state(who sale.AccountID) (info queue.Info) {
	h.t.Helper()
	if err := h.Events.Read(context.Background(), 1, func(s *sale.State) { info, _ = s.Place(who) }); err != nil {
		h.t.Fatal(err)
	}
	return info
}

// ear is a fan's connection.
type ear struct {
	who    sale.AccountID
	detach func()

	mu     sync.Mutex
	frames []heard
	closed []Reason
}

type heard struct {
	Frame

	at time.Time
}

func (e *ear) Push(f Frame) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.frames = append(e.frames, heard{f, time.Now()})
}

func (e *ear) Close(r Reason) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = append(e.closed, r)
}

func (h *house) connect(who sale.AccountID) *ear {
	h.t.Helper()
	e := &ear{who: who}
	var err error
	if e.detach, err = h.g.Attach(context.Background(), 1, who, e); err != nil {
		h.t.Fatal(err)
	}
	return e
}

// take returns what was heard of one kind since the last time, and forgets the rest.
func take[F Frame](e *ear) (out []F) {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.frames {
		if f, ok := f.Frame.(F); ok {
			out = append(out, f)
		}
	}
	e.frames = nil
	return out
}

// last is the last place heard since the last time.
func (e *ear) last(t tester) Place {
	t.Helper()
	frames := take[PlaceFrame](e)
	if len(frames) == 0 {
		t.Fatal(fmt.Errorf("account %d heard of no place", e.who))
	}
	return frames[len(frames)-1].Place
}

// flaky is a sale that cannot be reached for a while.
type flaky struct {
	Sales

	mu   sync.Mutex
	errs []error
	said []sale.Op
}

func (f *flaky) Submit(ctx context.Context, id sale.EventID, c *sale.Command) (sale.Result, error) {
	f.mu.Lock()
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		f.mu.Unlock()
		return sale.Result{}, err
	}
	f.said = append(f.said, c.Op)
	f.mu.Unlock()
	return f.Sales.Submit(ctx, id, c)
}

var (
	errBusy        error = &event.BusyError{RetryAfter: 2 * time.Second}
	errUnavailable       = fmt.Errorf("submit: %w", event.ErrUnavailable)
	errOther             = errors.New("broken")
)

var _ actor.Actor = (*worker)(nil)
