package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/sequencer"
)

func TestCommandsOfEveryNodeAreDone(t *testing.T) {
	w := newTown(t, 3, nil)
	for i, m := range w.nodes {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		n, index, elsewhere, err := Ask(ctx, m.relay, 10*time.Second, m.question(m.name))
		cancel()
		if err != nil || n != i+1 || index != uint64(i+2) || elsewhere != (i > 0) {
			t.Errorf("%s: answer %d at %d, elsewhere %t, %v", m.name, n, index, elsewhere, err)
		}
	}
	if err := w.nodes[2].handle().Await(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	if got := w.nodes[2].text(); got != "n1 n2 n3" {
		t.Errorf("the last node has %q", got)
	}
	if got := value(w.nodes[1].relay.o.Metrics.commands.WithLabelValues("done")); got != 1 {
		t.Errorf("%v commands counted", got)
	}
}

func TestWhatTheLeaderRefuses(t *testing.T) {
	w := newTown(t, 2, nil)
	r := w.nodes[1].relay
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, _, err := r.Forward(ctx, shard, 8, []byte("x")); !errors.Is(err, sequencer.ErrNoMachine) {
		t.Errorf("a machine that is not there: %v", err)
	}
	if _, _, err := r.Forward(ctx, 1, 7, []byte("x")); err == nil || errors.Is(err, sequencer.ErrUnknown) {
		t.Errorf("a shard that is not served: %v", err)
	}
	if _, _, err := r.Forward(ctx, 9, 7, nil); err == nil {
		t.Error("a shard that does not exist")
	}
	if _, _, err := r.Forward(ctx, shard, 7, make([]byte, sequencer.MaxCommandBytes+1)); !errors.Is(err, sequencer.ErrTooLarge) {
		t.Errorf("a command that is too large: %v", err)
	}
	if _, _, err := w.nodes[0].relay.Forward(ctx, shard, 7, nil); !errors.Is(err, sequencer.ErrNotLeader) {
		t.Errorf("the leader forwards to itself: %v", err)
	}
	big := make([]byte, 3<<20)
	if _, _, err := r.Forward(ctx, shard, 7, big); err != nil {
		t.Errorf("a large command: %v", err)
	}
}

func TestMachinesAreMadeAtTheLeader(t *testing.T) {
	w := newTown(t, 3, nil)
	for range 2 {
		if err := w.nodes[2].relay.Found(t.Context(), shard, 9, []byte("blob")); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the machine is everywhere", func() bool {
		_, ok := w.nodes[1].shard.Get(9)
		return ok
	})
	w.lead(nil)
	if err := w.nodes[2].relay.Found(t.Context(), shard, 10, nil); !errors.Is(err, sequencer.ErrNotLeader) {
		t.Errorf("without a leader: %v", err)
	}
}

// TestHintsAreFollowed asks a node that believes in a leader of the past.
func TestHintsAreFollowed(t *testing.T) {
	w := newTown(t, 3, nil)
	w.lead(w.nodes[1])
	w.nodes[2].blind.Store(&view{name: "n1", term: 1})
	if n, err := w.nodes[2].do("a"); err != nil || n != 1 {
		t.Fatalf("%d, %v", n, err)
	}
	if name, term, self := w.nodes[2].relay.Leader(shard); name != "n2" || term != 2 || self {
		t.Errorf("after the hint: %s in term %d, %t", name, term, self)
	}
	// An older word does not count.
	w.nodes[2].relay.hint(shard, "n1", 1)
	w.nodes[2].relay.hint(shard, "", 9)
	if name, _, _ := w.nodes[2].relay.Leader(shard); name != "n2" {
		t.Errorf("an older word is believed: %s", name)
	}
}

func TestCommandWaitsForALeader(t *testing.T) {
	w := newTown(t, 3, nil)
	w.lead(nil)
	done := make(chan error, 1)
	go func() {
		_, err := w.nodes[2].do("a")
		done <- err
	}()
	until(t, "it tries again", func() bool { return value(w.nodes[2].relay.o.Metrics.again) > 2 })
	w.lead(w.nodes[1])
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.lead(nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, _, err := Ask(ctx, w.nodes[2].relay, 10*time.Second, w.nodes[2].question("b")); !errors.Is(err, sequencer.ErrUnavailable) {
		t.Errorf("nobody leads: %v", err)
	}
}

// TestLeaderDies kills the leader with a command on its way that is committed but not answered.
func TestLeaderDies(t *testing.T) {
	w := newTown(t, 3, nil)
	if _, err := w.nodes[2].do("before"); err != nil {
		t.Fatal(err)
	}
	w.lose = 1 // the leader never answers this one with a result
	type told struct {
		n   int
		err error
	}
	done := make(chan told, 1)
	go func() {
		n, err := w.nodes[2].do("a")
		done <- told{n, err}
	}()
	until(t, "it is committed", func() bool { return w.nodes[1].text() == "before a" })
	w.nodes[0].stop()
	w.lead(w.nodes[1])
	if got := <-done; got.err != nil || got.n != 2 {
		t.Errorf("answer %d, %v", got.n, got.err)
	}
	if got := w.nodes[1].text(); got != "before a" {
		t.Errorf("it is done twice: %q", got)
	}
}

func TestUnknownIsNotRepeatedWithoutAKey(t *testing.T) {
	w := newTown(t, 2, nil)
	w.lose = 1
	q := w.nodes[1].question("a")
	q.Repeatable = false
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, _, _, err := Ask(ctx, w.nodes[1].relay, 10*time.Second, q); !errors.Is(err, sequencer.ErrUnavailable) || ctx.Err() != nil {
		t.Errorf("%v", err)
	}
}

// TestLostNodeEndsWhatWaits holds the leader's machine, so that nothing is answered, and closes its relay.
func TestLostNodeEndsWhatWaits(t *testing.T) {
	w := newTown(t, 2, nil)
	release := w.nodes[0].hold()
	defer release()
	r := w.nodes[1].relay
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if _, _, err := r.Forward(context.Background(), shard, 7, fmt.Append(nil, i)); !errors.Is(err, sequencer.ErrUnknown) {
				t.Errorf("%v", err)
			}
		})
	}
	until(t, "they are there", func() bool { return value(w.nodes[0].relay.o.Metrics.serving) == 20 })
	w.nodes[0].relay.Close()
	wg.Wait()
	if got := value(r.o.Metrics.outstanding); got != 0 {
		t.Errorf("%v are outstanding", got)
	}
}

// hold keeps the node's machine from answering anything.
func (m *member) hold() (release func()) {
	held, free := make(chan struct{}), make(chan struct{})
	m.handle().Post(func(*book) { close(held); <-free })
	<-held
	return sync.OnceFunc(func() { close(free) })
}

func TestNodeThatAnswersNothing(t *testing.T) {
	w := newTown(t, 2, func(o *Options) { o.Silence = 200 * time.Millisecond })
	m := w.nodes[1]
	var err error
	if m.nowhere, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	m.stall.Store(true)
	if _, _, err := m.relay.Forward(t.Context(), shard, 7, []byte("a")); !errors.Is(err, sequencer.ErrUnknown) {
		t.Errorf("%v", err)
	}
	m.stall.Store(false)
	if _, err := m.do("a"); err != nil {
		t.Errorf("after the way is free: %v", err)
	}
	if got := m.text(); got != "a" {
		t.Errorf("%q", got)
	}
}

func TestNoWayThere(t *testing.T) {
	w := newTown(t, 3, nil)
	m := w.nodes[1]
	m.cut.Store("n1", true)
	start := time.Now()
	if _, _, err := m.relay.Forward(t.Context(), shard, 7, []byte("a")); !errors.Is(err, sequencer.ErrUnknown) || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	done := make(chan error, 1)
	go func() {
		_, err := m.do("b")
		done <- err
	}()
	until(t, "it tries again", func() bool { return m.dials.Load() > 3 })
	m.cut.Delete("n1")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCredits(t *testing.T) {
	w := newTown(t, 2, func(o *Options) { o.MaxOutstanding, o.MaxBytes = 4, 1000 })
	r := w.nodes[1].relay
	for name, size := range map[string]int{"number": 1, "bytes": 450} {
		t.Run(name, func(t *testing.T) {
			release := w.nodes[0].hold()
			room := map[int]int{1: 4, 450: 2}[size]
			var wg sync.WaitGroup
			for i := range room {
				cmd := make([]byte, size)
				copy(cmd, fmt.Sprint(name, i))
				wg.Go(func() {
					if _, _, err := r.Forward(context.Background(), shard, 7, cmd); err != nil {
						t.Errorf("within the credit: %v", err)
					}
				})
			}
			until(t, "they wait", func() bool { return value(r.o.Metrics.outstanding) == float64(room) })
			var busy *sequencer.BusyError
			if _, _, err := r.Forward(t.Context(), shard, 7, make([]byte, size)); !errors.As(err, &busy) || busy.RetryAfter <= 0 {
				t.Errorf("one too many: %v", err)
			}
			release()
			wg.Wait()
			if _, _, err := r.Forward(t.Context(), shard, 7, make([]byte, size)); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestCallerGivesUp(t *testing.T) {
	w := newTown(t, 2, nil)
	release := w.nodes[0].hold()
	r := w.nodes[1].relay
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, err := r.Forward(ctx, shard, 7, []byte("a"))
		done <- err
	}()
	until(t, "it is there", func() bool { return value(w.nodes[0].relay.o.Metrics.serving) == 1 })
	cancel()
	if err := <-done; !errors.Is(err, sequencer.ErrUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if got := value(r.o.Metrics.outstanding); got != 0 {
		t.Errorf("%v are outstanding", got)
	}
	release()
	if n, err := w.nodes[1].do("b"); err != nil || n != 2 {
		t.Errorf("the late answer is taken for another: %d, %v", n, err)
	}
}

// TestDeposedLeaderKeepsNobody: a leader that hangs, connections open, is not waited for once another is elected.
func TestDeposedLeaderKeepsNobody(t *testing.T) {
	w := newTown(t, 3, func(o *Options) { o.Silence = time.Hour })
	if _, err := w.nodes[2].do("a"); err != nil {
		t.Fatal(err)
	}
	release := w.nodes[0].hold()
	defer release()
	done := make(chan error, 1)
	go func() {
		_, err := w.nodes[2].do("b")
		done <- err
	}()
	until(t, "it is there", func() bool { return value(w.nodes[0].relay.o.Metrics.serving) == 1 })
	w.lead(w.nodes[1])
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestNodeComesBack restarts the leader's process; the other one's answers to it, and its own, are of another run.
func TestNodeComesBack(t *testing.T) {
	w := newTown(t, 2, nil)
	for round := range 4 {
		leader, other := w.nodes[round%2], w.nodes[(round+1)%2]
		w.lead(leader)
		if n, err := other.do(fmt.Sprint("r", round)); err != nil || n != round+1 {
			t.Fatalf("round %d: %d, %v", round, n, err)
		}
		leader.stop()
		leader.start(nil)
	}
}

// TestManyCallersManyLeaders is the whole promise: leaders come and go, outcomes are lost, connections end, and each
// command is done exactly once.
func TestManyCallersManyLeaders(t *testing.T) {
	w := newTown(t, 3, nil)
	const callers, each = 30, 15
	stop := make(chan struct{})
	var chaos, wg sync.WaitGroup
	chaos.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(15 * time.Millisecond):
			}
			w.mu.Lock()
			w.lose = i % 3
			w.mu.Unlock()
			if i%2 == 0 {
				w.lead(w.nodes[i/2%3])
				continue
			}
			from, to := w.nodes[i%3], w.nodes[(i+1)%3]
			from.relay.lost(to.name, errors.New("cut by the test"))
		}
	})
	for c := range callers {
		m := w.nodes[c%3]
		wg.Go(func() {
			for i := range each {
				if _, err := m.do(fmt.Sprintf("%d-%d", c, i)); err != nil {
					t.Errorf("caller %d, command %d: %v", c, i, err)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	chaos.Wait()
	w.mu.Lock()
	w.lose = 0
	w.mu.Unlock()
	w.lead(w.nodes[0])
	first := w.nodes[0].text()
	for _, m := range w.nodes {
		seen := make(map[string]bool)
		for _, p := range m.pages() {
			if seen[p] {
				t.Errorf("%s: %s is done twice", m.name, p)
			}
			seen[p] = true
		}
		if len(seen) != callers*each || m.text() != first {
			t.Errorf("%s has %d commands of %d, or another order", m.name, len(seen), callers*each)
		}
	}
}

func TestClosedRelay(t *testing.T) {
	w := newTown(t, 2, nil)
	r := w.nodes[1].relay
	r.Close()
	r.Close()
	if _, _, err := r.Forward(t.Context(), shard, 7, nil); !errors.Is(err, sequencer.ErrStopped) {
		t.Errorf("forward: %v", err)
	}
	if err := r.Strict(t.Context(), shard); !errors.Is(err, sequencer.ErrStopped) {
		t.Errorf("strict: %v", err)
	}
	fresh, err := New(r.o)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := fresh.Forward(t.Context(), shard, 7, nil); !errors.Is(err, sequencer.ErrNotLeader) {
		t.Errorf("before it was started: %v", err)
	}
	fresh.Close()
}

func TestOptionsAreChecked(t *testing.T) {
	w := newTown(t, 1, nil)
	good := w.nodes[0].relay.o
	for _, bad := range []func(*Options){
		func(o *Options) { o.Name = "" }, func(o *Options) { o.Shards = 0 }, func(o *Options) { o.Logger = nil }, func(o *Options) { o.Metrics = nil },
	} {
		o := good
		bad(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
