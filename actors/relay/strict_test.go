package relay

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/sequencer"
)

// TestStrictWaitsForThisNode: what the leader has acknowledged is here when Strict returns, and not before.
func TestStrictWaitsForThisNode(t *testing.T) {
	w := newTown(t, 3, nil)
	m := w.nodes[2]
	m.handle()
	m.behind.Store(true)
	if _, err := w.nodes[0].do("a"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- m.relay.Strict(t.Context(), shard) }()
	until(t, "the leader is asked", func() bool { return value(m.relay.o.Metrics.commands.WithLabelValues("done")) > 0 })
	select {
	case err := <-done:
		t.Fatalf("a node that is behind says it is not: %v", err)
	default:
	}
	m.behind.Store(false)
	w.feed()
	if err := <-done; err != nil || m.text() != "a" {
		t.Errorf("%v, it has %q", err, m.text())
	}
	if err := w.nodes[0].relay.Strict(t.Context(), shard); err != nil {
		t.Errorf("on the leader: %v", err)
	}
}

func TestStrictWithoutALeader(t *testing.T) {
	w := newTown(t, 2, nil)
	w.lead(nil)
	for _, m := range w.nodes {
		if err := m.relay.Strict(t.Context(), shard); !errors.Is(err, sequencer.ErrUnavailable) {
			t.Errorf("%s: %v", m.name, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := w.nodes[1].relay.Strict(ctx, shard); !errors.Is(err, sequencer.ErrUnavailable) {
		t.Errorf("with less time: %v", err)
	}
	if err := w.nodes[1].relay.Strict(t.Context(), 5); err == nil {
		t.Error("a shard that does not exist")
	}
}

func TestStrictOfANodeThatStaysBehind(t *testing.T) {
	w := newTown(t, 2, nil)
	w.nodes[1].handle()
	w.nodes[1].behind.Store(true)
	if _, err := w.nodes[0].do("a"); err != nil {
		t.Fatal(err)
	}
	if err := w.nodes[1].relay.Strict(t.Context(), shard); !errors.Is(err, sequencer.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

// TestCrowdSharesOneQuestion: who comes while a question is on its way waits for the next, and all of them for one.
func TestCrowdSharesOneQuestion(t *testing.T) {
	w := newTown(t, 1, nil)
	r := w.nodes[0].relay
	var asked atomic.Int32
	first, free := make(chan struct{}), make(chan struct{})
	g := &gatherer{do: func(context.Context) (uint64, error) {
		n := asked.Add(1)
		if n == 1 {
			close(first)
			<-free
		}
		return uint64(n), nil
	}}
	answers := make(chan uint64, 101)
	var wg sync.WaitGroup
	wg.Add(1)
	r.gather(g, func(n uint64, _ error) { answers <- n; wg.Done() })
	<-first
	wg.Add(100)
	for range 100 {
		r.gather(g, func(n uint64, _ error) { answers <- n; wg.Done() })
	}
	close(free)
	wg.Wait()
	close(answers)
	if n := asked.Load(); n != 2 {
		t.Errorf("%d questions for 101", n)
	}
	late := 0
	for n := range answers {
		if n == 2 {
			late++
		}
	}
	if late != 100 {
		t.Errorf("%d of 100 who came later got an answer from before", 100-late)
	}
}

func TestCrowdIsBounded(t *testing.T) {
	w := newTown(t, 1, nil)
	r := w.nodes[0].relay
	free, asked := make(chan struct{}), make(chan struct{}, 9)
	g := &gatherer{do: func(context.Context) (uint64, error) { asked <- struct{}{}; <-free; return 0, nil }}
	var refused, told atomic.Int32
	for i := range maxGathered + 10 {
		if i == 1 {
			<-asked
		}
		r.gather(g, func(_ uint64, err error) {
			if errors.As(err, new(*sequencer.BusyError)) {
				refused.Add(1)
			}
			told.Add(1)
		})
	}
	close(free)
	until(t, "everybody is told", func() bool { return told.Load() == maxGathered+10 })
	if n := refused.Load(); n != 9 {
		t.Errorf("%d are refused", n)
	}
}
