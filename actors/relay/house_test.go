package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shard = 0

// book is a machine that writes every command down, and answers one it knows with its first answer.
type book struct {
	index uint64
	known map[string]int
	pages []string
}

func (b *book) Begin(index uint64, _ int64) { b.index = index }

func (b *book) Command(cmd []byte) (int, error) {
	s := string(cmd)
	if n, ok := b.known[s]; ok {
		return n, nil
	}
	b.pages = append(b.pages, s)
	b.known[s] = len(b.pages)
	return len(b.pages), nil
}

func (b *book) End() error                       { return nil }
func (b *book) Index() uint64                    { return b.index }
func (b *book) Clock() int64                     { return 0 }
func (b *book) Due() int64                       { return math.MaxInt64 }
func (b *book) Freeze() sequencer.Frozen         { return b }
func (b *book) AppendSnapshot(dst []byte) []byte { return dst }

type (
	handle   = sequencer.Handle[*book, int]
	question = Question[*book, int]
)

// town is some nodes with one shard over one log in memory.
type town struct {
	t     testing.TB
	nodes []*member

	mu      sync.Mutex
	entries [][]byte
	term    uint64
	leader  *member
	lose    int // proposals that end in an unknown outcome although they are committed
}

// member is one node.
type member struct {
	town    *town
	name    string
	system  *actor.ActorSystem
	shard   *sequencer.Shard[*book, int]
	relay   *Relay
	applied int // entries its pump has
	behind  atomic.Bool
	blind   atomic.Pointer[view] // what it believes about leadership instead of the truth
	cut     sync.Map             // names it cannot reach
	dials   atomic.Int64
	stall   atomic.Bool // connections lead nowhere
	detour  atomic.Bool // they all lead to n2
	nowhere net.Listener
}

type view struct {
	name string
	term uint64
}

func newTown(t testing.TB, n int, change func(*Options)) *town {
	w := &town{t: t}
	for i := range n {
		m := &member{town: w, name: fmt.Sprintf("n%d", i+1)}
		w.nodes = append(w.nodes, m)
		m.start(change)
	}
	t.Cleanup(func() {
		for _, m := range w.nodes {
			m.stop()
		}
	})
	w.lead(w.nodes[0])
	if err := w.nodes[0].shard.Create(t.Context(), 7, []byte("x")); err != nil {
		t.Fatal(err)
	}
	return w
}

func (m *member) start(change func(*Options)) {
	t := m.town.t
	m.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	m.shard = sequencer.NewShard(sequencer.Options[*book, int]{
		System: m.system, Name: "book", Shard: shard, Proposer: m,
		Create:  func(uint32, []byte) (*book, error) { return &book{known: make(map[string]int)}, nil },
		Restore: func(uint32, []byte) (*book, error) { return nil, errors.New("no snapshots here") },
		Now:     func() int64 { return 1 }, Logger: slog.New(slog.DiscardHandler),
		Metrics: sequencer.NewMetrics(prometheus.NewRegistry(), "book"),
		Fatal:   func(err error) { t.Errorf("the process must stop: %v", err) },
	})
	o := Options{
		Name: m.name, Shards: 2, Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
	}
	if raceDetector {
		o.carrier = openPlain
	}
	if change != nil {
		change(&o)
	}
	var err error
	if m.relay, err = New(o); err != nil {
		t.Fatal(err)
	}
	m.relay.Serve(shard, Machines(m.shard, func(dst []byte, n *int) []byte { return fmt.Append(dst, *n) }))
	m.applied = 0
	if err := m.relay.Start(m); err != nil {
		t.Fatal(err)
	}
	m.town.feed()
}

func (m *member) stop() {
	if m.relay == nil {
		return
	}
	m.relay.Close()
	m.shard.Close()
	m.system.Shutdown()
	if m.nowhere != nil {
		_ = m.nowhere.Close()
	}
	m.town.mu.Lock()
	m.relay, m.shard = nil, nil
	if m.town.leader == m {
		m.town.leader = nil
	}
	m.town.mu.Unlock()
}

// lead moves leadership to a node, or to nobody.
func (w *town) lead(m *member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.leader != nil {
		w.leader.shard.LeaderLost()
	}
	w.leader = m
	if m == nil {
		return
	}
	m.behind.Store(false)
	w.catchUp(m)
	w.term++
	m.shard.LeaderReady(w.term)
}

func (w *town) feed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.nodes {
		w.catchUp(m)
	}
}

func (w *town) catchUp(m *member) {
	for ; m.shard != nil && !m.behind.Load() && m.applied < len(w.entries); m.applied++ {
		m.shard.Apply(uint64(m.applied+1), w.term, w.entries[m.applied])
	}
}

// Propose implements the sequencer's Proposer.
func (m *member) Propose(_ int, data []byte, _ time.Duration) (sequencer.Pending, error) {
	w := m.town
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.leader != m {
		return nil, sequencer.ErrNotLeader
	}
	w.entries = append(w.entries, data)
	lost := w.lose > 0
	for _, x := range w.nodes {
		if !lost || x != m { // the leader learns of it with the entry after it
			w.catchUp(x)
		}
	}
	if lost {
		w.lose--
		return settled{sequencer.ErrUnknown}, nil
	}
	return settled{}, nil
}

type settled struct{ err error }

func (s settled) Wait(context.Context) error { return s.err }

// Leader implements Cluster.
func (m *member) Leader(int) (string, uint64, bool) {
	if v := m.blind.Load(); v != nil {
		return v.name, v.term, v.name == m.name
	}
	m.town.mu.Lock()
	defer m.town.mu.Unlock()
	if m.town.leader == nil {
		return "", m.town.term, false
	}
	return m.town.leader.name, m.town.term, m.town.leader == m
}

// ReadIndex implements Cluster.
func (m *member) ReadIndex(context.Context, int) (uint64, error) {
	m.town.mu.Lock()
	defer m.town.mu.Unlock()
	if m.town.leader != m {
		return 0, cluster.ErrNotLeader
	}
	return uint64(len(m.town.entries)), nil
}

// Applied implements Cluster.
func (m *member) Applied(int) uint64 {
	m.town.mu.Lock()
	defer m.town.mu.Unlock()
	return uint64(m.applied)
}

// DialActors implements Cluster.
func (m *member) DialActors(ctx context.Context, name string) (net.Conn, error) {
	m.dials.Add(1)
	if _, cut := m.cut.Load(name); cut {
		return nil, errors.New("no way there")
	}
	var d net.Dialer
	if m.stall.Load() {
		return d.DialContext(ctx, "tcp", m.nowhere.Addr().String())
	}
	if m.detour.Load() {
		name = "n2"
	}
	for _, x := range m.town.nodes {
		if x.name == name {
			m.town.mu.Lock()
			r := x.relay
			m.town.mu.Unlock()
			if r == nil {
				return nil, errors.New("it is down")
			}
			return d.DialContext(ctx, "tcp", r.Address())
		}
	}
	return nil, fmt.Errorf("no node %q", name)
}

// handle is the machine on a node, which may follow in a moment.
func (m *member) handle() *handle {
	for range 5000 {
		if h, ok := m.shard.Get(7); ok {
			return h
		}
		time.Sleep(time.Millisecond)
	}
	m.town.t.Fatal("the machine never came")
	return nil
}

func (m *member) question(cmd string) *question {
	return &question{
		Shard: shard, Machine: 7, Command: []byte(cmd), Repeatable: true, Handle: m.handle(),
		Keep: func(n int) int { return n },
		Decode: func(b []byte) (n int, err error) {
			_, err = fmt.Sscan(string(b), &n)
			return n, err
		},
	}
}

// do asks at a node within a while.
func (m *member) do(cmd string) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	n, _, _, err := Ask(ctx, m.relay, 10*time.Second, m.question(cmd))
	return n, err
}

func (m *member) pages() []string {
	var out []string
	if err := sequencer.Look(context.Background(), m.handle(), func(b *book) { out = append(out, b.pages...) }); err != nil {
		m.town.t.Error(err)
	}
	return out
}

// text is what the node has written down.
func (m *member) text() string { return strings.Join(m.pages(), " ") }

// until waits for what comes at last.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 10000 {
		if ok() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// value reads a counter or a gauge.
func value(c prometheus.Collector) (sum float64) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	families, err := reg.Gather()
	if err != nil {
		panic(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}
