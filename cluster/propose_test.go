package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

func TestOrderPerCaller(t *testing.T) {
	n, ts := start(t, options(t, t.TempDir()))
	ts.ready(t)
	const callers, each = 8, 60
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			var flight []*Future
			for i := range each {
				f, err := n.Propose(c%2, fmt.Appendf(nil, "%d:%d", c, i), 10*time.Second)
				if err != nil {
					t.Error(err)
					return
				}
				flight = append(flight, f)
			}
			for _, f := range flight {
				if err := f.Wait(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for s, p := range ts {
		p.mu.Lock()
		if !slices.IsSorted(p.index) || len(slices.Compact(slices.Clone(p.index))) != len(p.index) {
			t.Errorf("shard %d: indexes do not rise: %v", s, p.index)
		}
		p.mu.Unlock()
		next := make(map[string]int)
		for _, d := range p.strings() {
			c, i, _ := strings.Cut(d, ":")
			if i != fmt.Sprint(next[c]) {
				t.Fatalf("shard %d: caller %s: entry %s where %d was due", s, c, i, next[c])
			}
			next[c]++
		}
		if len(next) != callers/2 {
			t.Errorf("shard %d: entries of %d callers, want %d", s, len(next), callers/2)
		}
		for c, got := range next {
			if got != each {
				t.Errorf("shard %d: %d entries of caller %s, want %d", s, got, c, each)
			}
		}
	}
}

func TestWaitHandsOverFirst(t *testing.T) {
	n, ts := start(t, options(t, t.TempDir()))
	ts.ready(t)
	for i := range 50 {
		propose(t, n, 0, fmt.Sprint(i))
		if got := len(ts[0].strings()); got != i+1 {
			t.Fatalf("the pump has %d entries after %d were answered", got, i+1)
		}
	}
}

func TestAfterClose(t *testing.T) {
	n, ts := start(t, options(t, t.TempDir()))
	ts.ready(t)
	propose(t, n, 0, "x")
	stop(t, n)
	if _, err := n.Propose(0, []byte("y"), time.Second); !errors.Is(err, ErrClosed) {
		t.Errorf("propose: %v, want ErrClosed", err)
	}
	if err := n.Snapshot(0); !errors.Is(err, ErrClosed) {
		t.Errorf("snapshot: %v, want ErrClosed", err)
	}
	if n.Ready() {
		t.Error("ready after close")
	}
	if _, _, self := n.Leader(0); self {
		t.Error("leads after close")
	}
	if s := n.Status()[0]; s.State != "stopped" || s.Applied == 0 {
		t.Errorf("status: %+v", s)
	}
}

// TestBlockedPump holds the consumer: proposals pile up to a bound, are refused behind it, and all come through in
// the end; closing waits for them.
func TestBlockedPump(t *testing.T) {
	ts := newTapes(1)
	ts[0].block = make(chan struct{})
	o := options(t, t.TempDir())
	o.Shards = 1
	n, err := Start(o, ts.pump)
	if err != nil {
		t.Fatal(err)
	}
	for _, _, self := n.Leader(0); !self; _, _, self = n.Leader(0) {
		time.Sleep(time.Millisecond)
	}
	var flight []*Future
	for len(flight) < 5*maxOutstanding {
		f, err := n.Propose(0, fmt.Append(nil, len(flight)), 20*time.Millisecond)
		if errors.Is(err, ErrBusy) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		flight = append(flight, f)
	}
	if len(flight) > maxOutstanding {
		t.Errorf("%d proposals on their way, at most %d may be", len(flight), maxOutstanding)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := flight[0].Wait(ctx); !errors.Is(err, ErrUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("wait with an ended context: %v", err)
	}
	closed := make(chan error)
	go func() { closed <- n.Close() }()
	close(ts[0].block)
	if err := <-closed; err != nil {
		t.Errorf("close: %v", err)
	}
	for i, f := range flight {
		if err := f.Wait(context.Background()); err != nil {
			t.Fatalf("proposal %d: %v", i, err)
		}
	}
	if got := len(ts[0].strings()); got != len(flight) {
		t.Errorf("%d entries applied, want %d", got, len(flight))
	}
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct{ in, want error }{
		{raft.ErrNotLeader, ErrNotLeader},
		{raft.ErrLeadershipTransferInProgress, ErrNotLeader},
		{raft.ErrLeadershipLost, ErrUnknown},
		{raft.ErrRaftShutdown, ErrUnknown},
		{errors.New("disk"), ErrUnknown},
	} {
		if got := outcome(c.in); !errors.Is(got, c.want) {
			t.Errorf("%v became %v, want %v", c.in, got, c.want)
		}
	}
	if err := outcome(nil); err != nil {
		t.Errorf("nil became %v", err)
	}
}

// TestRefusal pins how raft answers what it does not take: Propose relies on it.
func TestRefusal(t *testing.T) {
	n, ts := start(t, options(t, t.TempDir()))
	ts.ready(t)
	rf := n.groups[0].raft.Apply([]byte("x"), time.Second)
	if err, refused := refusal(rf); refused {
		t.Errorf("an accepted proposal counts as refused: %v", err)
	}
	if err := rf.Error(); err != nil {
		t.Fatal(err)
	}
	stop(t, n)
	if err, refused := refusal(n.groups[0].raft.Apply([]byte("x"), time.Second)); !refused || !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v, refused %v", err, refused)
	}
}
