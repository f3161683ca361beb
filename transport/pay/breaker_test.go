package pay

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBreaker(t *testing.T) {
	var moves []bool
	b := &breaker{failures: 3, openFor: time.Second, moved: func(open bool) { moves = append(moves, open) }}
	now := moment
	call := func(o outcome) bool {
		probe, ok := b.enter(now)
		if ok {
			b.leave(now, probe, o)
		}
		return ok
	}
	for _, o := range []outcome{failed, failed, answered, failed, unknown, failed} {
		if !call(o) {
			t.Fatal("closed too early")
		}
	}
	call(failed)
	if call(answered) {
		t.Fatal("a third failure in a row did not open it")
	}
	now = now.Add(time.Second)
	probe, ok := b.enter(now)
	if !ok || !probe {
		t.Fatal("no probe after the rest")
	}
	if _, ok := b.enter(now); ok {
		t.Fatal("two probes at once")
	}
	b.leave(now, probe, failed)
	if call(answered) {
		t.Fatal("a failed probe closed it")
	}
	now = now.Add(time.Second)
	if !call(unknown) || !call(answered) || !call(answered) {
		t.Fatal("an abandoned probe blocks the next one")
	}
	if len(moves) != 2 || !moves[0] || moves[1] {
		t.Fatalf("moves %v", moves)
	}
}

// In whatever order calls come and end: it opens only after enough failures, and lets at most one probe through.
func TestBreakerAlwaysRecovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 4).Draw(t, "failures")
		b := &breaker{failures: limit, openFor: time.Second, moved: func(bool) {}}
		now := moment
		var out []bool // calls under way, true for the probe
		failures := 0
		t.Repeat(map[string]func(*rapid.T){
			"enter": func(t *rapid.T) {
				probe, ok := b.enter(now)
				if !ok {
					if failures < limit {
						t.Fatalf("closed after %d of %d failures", failures, limit)
					}
					return
				}
				out = append(out, probe)
			},
			"leave": func(t *rapid.T) {
				if len(out) == 0 {
					t.Skip("no call")
				}
				o := outcome(rapid.IntRange(0, 2).Draw(t, "outcome"))
				if o == failed {
					failures++
				}
				b.leave(now, out[0], o)
				out = out[1:]
			},
			"time": func(*rapid.T) { now = now.Add(time.Second) },
			"": func(t *rapid.T) {
				probes := 0
				for _, p := range out {
					if p {
						probes++
					}
				}
				if probes > 1 {
					t.Fatalf("%d probes at once", probes)
				}
			},
		})
		for _, p := range out {
			b.leave(now, p, unknown)
		}
		now = now.Add(time.Second)
		if _, ok := b.enter(now); !ok {
			t.Fatal("it never recovers")
		}
	})
}
