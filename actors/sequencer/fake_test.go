package sequencer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ledger is a machine that writes down what it was told. The answer to a command is its number in the ledger.
type ledger struct {
	lines  []string
	index  uint64
	clock  int64
	due    int64 // absolute; done by the first batch at or after it
	empty  int   // batches without a command
	size   int
	broken bool
	again  bool // due again after every batch
}

func (l *ledger) Begin(index uint64, at int64) {
	l.index, l.clock, l.size = index, max(l.clock, at), 0
	if l.due <= l.clock {
		l.due = math.MaxInt64
	}
}

// Command understands "panic", "unknown", "violate" and "due" followed by milliseconds; everything else is a line.
func (l *ledger) Command(cmd []byte) (int, error) {
	l.size++
	switch s := string(cmd); {
	case s == "panic":
		panic("told to")
	case s == "unknown":
		return 0, errors.New("unknown command")
	case s == "violate":
		l.broken = true
	case len(s) == 11 && s[:3] == "due":
		l.due = l.clock + int64(binary.LittleEndian.Uint64(cmd[3:]))
	}
	l.lines = append(l.lines, string(cmd))
	return len(l.lines), nil
}

func (l *ledger) End() error {
	if l.size == 0 {
		l.empty++
	}
	if l.broken {
		return errors.New("told to")
	}
	return nil
}

func (l *ledger) Index() uint64 { return l.index }

func (l *ledger) Clock() int64 { return l.clock }

func (l *ledger) Due() int64 {
	if l.again {
		return l.clock
	}
	return l.due
}

func (l *ledger) Freeze() Frozen {
	return &ledger{index: l.index, lines: slices.Clone(l.lines)}
}

func (l *ledger) AppendSnapshot(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, l.index)
	for _, s := range l.lines {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

func restoreLedger(b []byte) (*ledger, error) {
	if len(b) < 8 {
		return nil, errors.New("too short")
	}
	l := &ledger{index: binary.LittleEndian.Uint64(b), due: math.MaxInt64}
	for b = b[8:]; len(b) > 0; {
		cmd, rest, err := NextCommand(b)
		if err != nil {
			return nil, err
		}
		l.lines = append(l.lines, string(cmd))
		b = rest
	}
	return l, nil
}

// tape is a log whose test decides what becomes of each proposal. Nothing moves unless told to.
type tape struct {
	mu      sync.Mutex
	refuse  error // of Propose
	waiting []*onTape
	index   uint64
	block   chan struct{} // when not nil, Propose waits for it
	auto    func(data []byte)
	largest int
	tries   int
}

// onTape is one proposal. done has room for the one answer.
type onTape struct {
	data []byte
	done chan error
}

func (p *onTape) Wait(ctx context.Context) error {
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *tape) Propose(_ int, data []byte, _ time.Duration) (Pending, error) {
	t.mu.Lock()
	block := t.block
	t.mu.Unlock()
	if block != nil {
		<-block
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tries++
	if t.refuse != nil {
		return nil, t.refuse
	}
	t.largest = max(t.largest, len(data))
	p := &onTape{data: data, done: make(chan error, 1)}
	if t.auto != nil {
		t.auto(data)
		p.done <- nil
		return p, nil
	}
	t.waiting = append(t.waiting, p)
	return p, nil
}

func (t *tape) length() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.waiting)
}

// next takes the oldest proposal off the tape.
func (t *tape) next() (*onTape, uint64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		return nil, 0, false
	}
	p := t.waiting[0]
	t.waiting = t.waiting[1:]
	t.index++
	return p, t.index, true
}

// set changes how the tape behaves.
func (t *tape) set(change func(*tape)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(t)
}

// desk is a shard of ledgers over a tape.
type desk struct {
	tape   *tape
	shard  *Shard[*ledger, int]
	system *actor.ActorSystem
	fatals []error
	mu     sync.Mutex
}

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Cleanup(func())
}

func newDesk(t tester, change func(*Options[*ledger, int])) *desk {
	d := &desk{tape: &tape{}, system: quietSystem()}
	o := Options[*ledger, int]{
		System: d.system, Name: "ledger", Proposer: d.tape,
		Create: func(_ uint32, blob []byte) (*ledger, error) {
			if string(blob) == "bad" {
				return nil, errors.New("told to")
			}
			return &ledger{due: math.MaxInt64, lines: []string{string(blob)}}, nil
		},
		Restore: func(_ uint32, blob []byte) (*ledger, error) { return restoreLedger(blob) },
		Now:     func() int64 { return time.Now().UnixMilli() },
		Logger:  slog.New(slog.DiscardHandler),
		Metrics: NewMetrics(prometheus.NewRegistry(), "test"),
		Fatal: func(err error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.fatals = append(d.fatals, err)
		},
	}
	if change != nil {
		change(&o)
	}
	d.shard = NewShard(o)
	t.Cleanup(func() {
		d.shard.Close()
		d.system.Shutdown()
	})
	return d
}

func quietSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
}

// commit makes the oldest proposal the next entry.
func (d *desk) commit() bool {
	p, index, ok := d.tape.next()
	if !ok {
		return false
	}
	d.shard.Apply(index, 1, p.data)
	p.done <- nil
	return true
}

// made is a shard with machine 1 on it, made from "made", that leads in term 1.
func made(t testing.TB, change func(*Options[*ledger, int])) (*desk, *Handle[*ledger, int]) {
	t.Helper()
	d := newDesk(t, change)
	d.create(t, 1, "made")
	d.shard.LeaderReady(1)
	h, ok := d.shard.Get(1)
	if !ok {
		t.Fatal("the machine is not there")
	}
	return d, h
}

func (d *desk) create(t tester, id uint32, blob string) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- d.shard.Create(context.Background(), id, []byte(blob)) }()
	for !d.commit() {
		time.Sleep(time.Millisecond)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// lines reads the ledger.
func lines(t testing.TB, h *Handle[*ledger, int]) (out []string) {
	t.Helper()
	if err := Look(context.Background(), h, func(l *ledger) { out = append(out, l.lines...) }); err != nil {
		t.Fatal(err)
	}
	return out
}

// note is a waiter that remembers everything it is told.
type note struct {
	mu      sync.Mutex
	results []int
	answers []error
	told    chan struct{}
}

func newNote() *note { return &note{told: make(chan struct{}, 8)} }

func (n *note) Result(r int, _ uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.results = append(n.results, r)
}

func (n *note) Answer(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers = append(n.answers, err)
	n.told <- struct{}{}
}

// one returns the answer, which must be the only one.
func (n *note) one(t testing.TB) error {
	t.Helper()
	select {
	case <-n.told:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody answered")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.answers) != 1 {
		t.Fatalf("answered %d times: %v", len(n.answers), n.answers)
	}
	return n.answers[0]
}

func (d *desk) fatal() []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]error(nil), d.fatals...)
}

func put(t testing.TB, h *Handle[*ledger, int], s string) *note {
	t.Helper()
	n := newNote()
	if err := h.Submit([]byte(s), n); err != nil {
		t.Fatal(fmt.Errorf("submit %q: %w", s, err))
	}
	return n
}

func waiting(h *Handle[*ledger, int]) int64 {
	n, _ := h.in.counts()
	return n
}

func waitingBytes(h *Handle[*ledger, int]) int64 {
	_, n := h.in.counts()
	return n
}
