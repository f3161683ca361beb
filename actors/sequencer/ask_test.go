package sequencer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func itself(n int) int { return n }

// script answers the first proposals with errors and commits the rest.
func (d *desk) script(errs ...error) {
	d.tape.set(func(l *tape) {
		l.auto = func(data []byte) {
			go d.shard.Apply(uint64(time.Now().UnixNano()), 1, data)
		}
	})
	d.shard.o.Proposer = &scripted{Proposer: d.tape, errs: errs}
}

type scripted struct {
	Proposer

	errs []error
}

func (s *scripted) Propose(shard int, data []byte, timeout time.Duration) (Pending, error) {
	if len(s.errs) == 0 {
		return s.Proposer.Propose(shard, data, timeout)
	}
	err := s.errs[0]
	s.errs = s.errs[1:]
	return nil, err
}

func TestAskTriesAgain(t *testing.T) {
	busy := &BusyError{RetryAfter: time.Second}
	for _, c := range []struct {
		name       string
		errs       []error
		repeatable bool
		want       error
	}{
		{"at once", nil, false, nil},
		{"no leader for a while", []error{ErrNotLeader, ErrNotLeader, ErrNotLeader}, false, nil},
		{"unknown, and twice is once", []error{ErrUnknown, ErrNotLeader, ErrUnknown}, true, nil},
		{"unknown, and twice is twice", []error{ErrNotLeader, ErrUnknown}, false, ErrUnavailable},
		{"busy", []error{busy}, true, busy},
		{"stopped", []error{ErrStopped}, true, ErrStopped},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, h := made(t, nil)
				d.script(c.errs...)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				got, _, err := Ask(ctx, h, []byte("a"), c.repeatable, itself)
				if !errors.Is(err, c.want) || err == nil && got != 2 {
					t.Errorf("got %d and %v, want %v", got, err, c.want)
				}
			})
		})
	}
}

func TestAskGivesUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		d.shard.LeaderLost()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		if _, _, err := Ask(ctx, h, []byte("a"), true, itself); !errors.Is(err, ErrUnavailable) || time.Since(start) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		d.shard.LeaderReady(2)
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := Ask(ctx, h, []byte("b"), true, itself); !errors.Is(err, ErrUnavailable) {
			t.Errorf("never committed: %v", err)
		}
		synctest.Wait()
		d.commit() // the answer comes to nobody
		synctest.Wait()
		if got := lines(t, h); !cmp.Equal(got, []string{"made", "b"}) {
			t.Errorf("lines %q", got)
		}
	})
}

func TestLookGivesUpCleanly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, h := made(t, nil)
		hold := make(chan struct{})
		h.Post(func(*ledger) { <-hold })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var seen []string
		if err := Look(ctx, h, func(l *ledger) { seen = l.lines }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("behind a long read: %v", err)
		}
		close(hold)
		synctest.Wait()
		if seen != nil {
			t.Error("a read that was given up ran all the same")
		}
		err := Look(t.Context(), h, func(*ledger) { panic("oh dear") })
		if err == nil || !strings.Contains(err.Error(), "oh dear") {
			t.Errorf("a read that panics: %v", err)
		}
		if err := Look(t.Context(), h, func(l *ledger) { seen = l.lines }); err != nil || len(seen) != 1 {
			t.Errorf("the machine after it: %v", err)
		}
	})
}

func TestLateProposer(t *testing.T) {
	var late Late
	if _, err := late.Propose(0, nil, time.Second); !errors.Is(err, ErrNotLeader) {
		t.Errorf("before it is there: %v", err)
	}
	late.Set(&scripted{errs: []error{ErrStopped}})
	if _, err := late.Propose(0, nil, time.Second); !errors.Is(err, ErrStopped) {
		t.Errorf("once it is there: %v", err)
	}
}
