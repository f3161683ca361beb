package cluster

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if child() {
		return
	}
	goleak.VerifyTestMain(m)
}

// tape is a pump that remembers what it was handed.
type tape struct {
	mu      sync.Mutex
	index   []uint64
	data    [][]byte
	ready   []uint64
	lost    int
	changed chan struct{}

	block chan struct{} // when not nil, Apply waits for it
}

func newTape() *tape { return &tape{changed: make(chan struct{}, 1)} }

func (p *tape) signal() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *tape) Apply(index, _ uint64, data []byte) {
	if p.block != nil {
		<-p.block
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.index = append(p.index, index)
	p.data = append(p.data, bytes.Clone(data))
	p.signal()
}

type tapeSnapshot struct{ b []byte }

func (s tapeSnapshot) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(s.b)
	return int64(n), err
}
func (s tapeSnapshot) Release() {}

func (p *tape) Snapshot() (Snapshot, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b []byte
	for i, d := range p.data {
		b = binary.BigEndian.AppendUint64(b, p.index[i])
		b = binary.BigEndian.AppendUint32(b, uint32(len(d)))
		b = append(b, d...)
	}
	return tapeSnapshot{b}, nil
}

func (p *tape) Restore(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.index, p.data = nil, nil
	for len(b) > 0 {
		n := 12 + int(binary.BigEndian.Uint32(b[8:]))
		p.index = append(p.index, binary.BigEndian.Uint64(b))
		p.data = append(p.data, bytes.Clone(b[12:n]))
		b = b[n:]
	}
	p.signal()
	return nil
}

func (p *tape) LeaderReady(term uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = append(p.ready, term)
	p.signal()
}

func (p *tape) LeaderLost() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost++
	p.signal()
}

// until waits for a condition on the tape, looked at under its lock.
func (p *tape) until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		p.mu.Lock()
		ok := cond()
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-p.changed:
		case <-time.After(10 * time.Millisecond): // another goroutine took the signal
		case <-limit:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func (p *tape) strings() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, d := range p.data {
		out = append(out, string(d))
	}
	return out
}

type tapes []*tape

func newTapes(n int) tapes {
	var all tapes
	for range n {
		all = append(all, newTape())
	}
	return all
}

func (ts tapes) pump(i int) Pump { return ts[i] }

// ready waits until every shard may be written to.
func (ts tapes) ready(t testing.TB) {
	t.Helper()
	for i, p := range ts {
		p.until(t, fmt.Sprintf("leadership of shard %d", i), func() bool { return len(p.ready) > p.lost })
	}
}

func options(t testing.TB, dir string) Options {
	return Options{NodeID: "n1", Dir: dir, Shards: 2, Preallocate: -1,
		Fatal: func(err error) { t.Errorf("fatal: %v", err) }}
}

func start(t testing.TB, o Options) (*Node, tapes) {
	t.Helper()
	ts := newTapes(max(o.Shards, 1))
	n, err := Start(o, ts.pump)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, n) })
	return n, ts
}

func stop(t testing.TB, n *Node) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func propose(t testing.TB, n *Node, shard int, data string) {
	t.Helper()
	f, err := n.Propose(shard, []byte(data), time.Second)
	if err == nil {
		err = f.Wait(context.Background())
	}
	if err != nil {
		t.Fatalf("propose %q: %v", data, err)
	}
}

func TestRestartReplaysEverything(t *testing.T) {
	dir := t.TempDir()
	n, ts := start(t, options(t, dir))
	ts.ready(t)
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprint("entry ", i))
		propose(t, n, i%2, want[i])
	}
	stop(t, n)
	if ts[0].lost != 1 || ts[1].lost != 1 {
		t.Errorf("leadership lost %d and %d times by closing, want once each", ts[0].lost, ts[1].lost)
	}
	n, ts = start(t, options(t, dir))
	ts.ready(t)
	got := make([]string, 0, 100)
	a, b := ts[0].strings(), ts[1].strings()
	for i := range a {
		got = append(got, a[i], b[i])
	}
	if !slices.Equal(got, want) {
		t.Errorf("replayed %d entries, want %d: %q", len(got), len(want), got)
	}
	if _, err := n.Propose(9, nil, 0); err == nil {
		t.Error("proposed to a shard that does not exist")
	}
	if _, err := n.Propose(0, make([]byte, MaxProposalBytes+1), 0); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}
