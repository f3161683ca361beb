package sequencer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestPatienceEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, func(o *Options[*ledger, int]) { o.CommitTimeout = time.Hour })
		start := time.Now()
		ask := func(patience time.Duration, cmd string, told chan<- error) {
			go func() {
				_, _, err := AskFor(context.Background(), patience, h, []byte(cmd), true, itself)
				if wait := time.Since(start); patience > 0 && (wait < patience || wait > patience+2*lookEvery) {
					t.Errorf("%s waited %v, its patience is %v", cmd, wait, patience)
				}
				told <- err
			}()
			synctest.Wait()
		}
		flying, gathering, patient := make(chan error, 2), make(chan error, 2), make(chan error, 2)
		ask(time.Second, "one", flying) // travels alone
		ask(0, "two", patient)          // and these too: now two are on their way
		ask(2*time.Second, "three", gathering)
		ask(0, "four", patient)
		if err := <-flying; !errors.Is(err, ErrUnavailable) || !errors.Is(err, ErrUnknown) {
			t.Errorf("on its way when patience ended: %v", err)
		}
		if err := <-gathering; !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnknown) {
			t.Errorf("gathering when patience ended: %v", err)
		}
		if waiting(h) != 2 {
			t.Errorf("%d wait, two are patient", waiting(h))
		}
		for range 3 {
			d.commit()
			synctest.Wait()
		}
		for range 2 {
			if err := <-patient; err != nil {
				t.Error(err)
			}
		}
		if got := lines(t, h); len(got) != 4 || got[1] != "one" || got[3] != "four" {
			t.Errorf("lines %q", got)
		}
		if waiting(h) != 0 || waitingBytes(h) != 0 {
			t.Errorf("%d wait with %d bytes", waiting(h), waitingBytes(h))
		}
	})
}

func TestPatienceEndsWithoutALeader(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		d.shard.LeaderLost()
		start := time.Now()
		_, _, err := AskFor(t.Context(), 3*time.Second, h, []byte("a"), true, itself)
		if !errors.Is(err, ErrUnavailable) || time.Since(start) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}
