package event_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/event/eventtest"
	"github.com/catraca/catraca/actors/sale"
)

// bubble opens a service over a log in memory on fake time, with event 1 on it.
func bubble(t *testing.T, f func(t *testing.T, h *eventtest.House)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := eventtest.Open(t, new(eventtest.Log), nil)
		if err := h.Events.Create(t.Context(), 1, eventtest.Config(1, 200, 30, time.Now())); err != nil {
			t.Fatal(err)
		}
		f(t, h)
	})
}

func do(t testing.TB, h *eventtest.House, c sale.Command) sale.Result {
	t.Helper()
	res, err := h.Events.Submit(context.Background(), 1, &c)
	if err != nil || res.Refusal != sale.Done {
		t.Fatalf("op %d: refusal %d, %v", c.Op, res.Refusal, err)
	}
	return res
}

func TestPicturesAreFewAndFresh(t *testing.T) {
	bubble(t, func(t *testing.T, h *eventtest.House) {
		var sub hear
		if _, _, err := h.Events.Subscribe(t.Context(), 1, &sub); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for a := sale.AccountID(1); time.Since(start) < 10*time.Second; a++ {
			do(t, h, sale.Command{Op: sale.OpJoin, Account: a})
			time.Sleep(3 * time.Millisecond)
		}
		time.Sleep(time.Second)
		sub.mu.Lock()
		defer sub.mu.Unlock()
		if n := len(sub.views); n < 40 || n > 55 {
			t.Errorf("%d pictures in ten seconds", n)
		}
		last := sub.views[len(sub.views)-1]
		if last.Index != sub.deltas[len(sub.deltas)-1].Index {
			t.Errorf("the last picture is of entry %d, the last change of %d", last.Index, sub.deltas[len(sub.deltas)-1].Index)
		}
		if v, _ := h.Events.View(1); v != last {
			t.Error("a subscriber sees another picture than everybody")
		}
		for i, v := range sub.views[1:] {
			if v.Index < sub.views[i].Index {
				t.Errorf("picture %d goes back", i+1)
			}
		}
		if n := len(sub.views); n > 0 {
			time.Sleep(time.Minute)
			if len(sub.views) != n {
				t.Error("pictures of a sale in which nothing happens")
			}
		}
	})
}

func TestRecentChangesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, h *eventtest.House) {
		do(t, h, sale.Command{Op: sale.OpJoin, Account: 1})
		do(t, h, sale.Command{Op: sale.OpClaim, Account: 1})
		var versions []uint64
		for range 3000 { // four seats taken and given back: 24,000 changes
			hold := do(t, h, sale.Command{Op: sale.OpHold, Account: 1, Lines: []sale.Line{{Unit: 1, Count: 1}, {Unit: 2, Count: 1}, {Unit: 3, Count: 1}, {Unit: 4, Count: 1}}})
			versions = append(versions, uint64(h.Log.Entries()))
			do(t, h, sale.Command{Op: sale.OpHoldRelease, Account: 1, Hold: hold.Hold})
			versions = append(versions, uint64(h.Log.Entries()))
		}
		known := 0
		for i, v := range versions {
			changes, ok, err := h.Events.UnitChanges(1, v)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				if known > 0 {
					t.Fatalf("version %d is forgotten, an older one is not", v)
				}
				continue
			}
			known++
			if want := 4 * (len(versions) - 1 - i); len(changes) != want || want > 0 && changes[0].Version <= v {
				t.Fatalf("%d changes since version %d, want %d", len(changes), v, want)
			}
		}
		if known < 2048 || known > 4096+1 {
			t.Errorf("%d of %d versions are known", known, len(versions))
		}
	})
}

func TestSnapshotResetsTheReaders(t *testing.T) {
	bubble(t, func(t *testing.T, h *eventtest.House) {
		do(t, h, sale.Command{Op: sale.OpJoin, Account: 1})
		old := uint64(h.Log.Entries())
		snap, err := h.Events.Pump(1).Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := snap.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		follower := eventtest.Open(t, new(eventtest.Log), nil)
		if err := follower.Events.Create(t.Context(), 1, eventtest.Config(1, 200, 30, time.Now())); err != nil {
			t.Fatal(err)
		}
		var sub hear
		if _, _, err := follower.Events.Subscribe(t.Context(), 1, &sub); err != nil {
			t.Fatal(err)
		}
		if err := follower.Events.Pump(1).Restore(&b); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := len(sub.deltas); n != 1 || !sub.deltas[0].Reset || sub.deltas[0].Index != old {
			t.Fatalf("heard %+v", sub.deltas)
		}
		if v := sub.views[len(sub.views)-1]; v.Queue.Counts.Issued != 1 {
			t.Error("the picture is the old one")
		}
		if _, ok, _ := follower.Events.UnitChanges(1, old-1); ok {
			t.Error("it claims to know what happened before the snapshot")
		}
		if _, ok, _ := follower.Events.UnitChanges(1, old); !ok {
			t.Error("it does not know that nothing happened since the snapshot")
		}
	})
}

func TestLostAnswerIsAskedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, h *eventtest.House) {
		h.Log.Lose(3)
		first := do(t, h, sale.Command{Op: sale.OpJoin, Account: 1})
		if first.Place != 1 {
			t.Errorf("place %d", first.Place)
		}
		do(t, h, sale.Command{Op: sale.OpClaim, Account: 1})
		h.Log.Lose(1)
		hold := sale.Command{Op: sale.OpHold, Account: 1, Lines: []sale.Line{{Unit: 1, Count: 1}}, Key: sale.Key{1}}
		if res := do(t, h, hold); !res.Repeated || len(res.Lines) != 1 {
			t.Errorf("the answer to a keyed command was %+v", res)
		}
		h.Log.Lose(1)
		_, err := h.Events.Submit(t.Context(), 1, &sale.Command{Op: sale.OpLeave, Account: 1})
		if !errors.Is(err, event.ErrUnavailable) {
			t.Errorf("a command that is not the same twice: %v", err)
		}
	})
}

func TestNoLeaderForAWhile(t *testing.T) {
	bubble(t, func(t *testing.T, h *eventtest.House) {
		h.Log.Lead(false)
		time.AfterFunc(2*time.Second, func() { h.Log.Lead(true) })
		start := time.Now()
		do(t, h, sale.Command{Op: sale.OpJoin, Account: 1})
		if d := time.Since(start); d < 2*time.Second || d > 3*time.Second {
			t.Errorf("answered after %v", d)
		}
		h.Log.Lead(false)
		start = time.Now()
		_, err := h.Events.Submit(t.Context(), 1, &sale.Command{Op: sale.OpJoin, Account: 2})
		if !errors.Is(err, event.ErrUnavailable) || time.Since(start) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestBehindTheLeader is a node that another one has done something for, and that does not hear of it: cut off, or on
// its way out. What it would show denies what was just done, so it has to be asked again.
func TestBehindTheLeader(t *testing.T) {
	bubble(t, func(t *testing.T, h *eventtest.House) {
		once, again := &sale.Command{Op: sale.OpHold, Account: 1}, &sale.Command{Op: sale.OpHold, Account: 1, Key: sale.Key{1}}
		here := h.Events.Applied(1)
		for _, c := range []*sale.Command{once, again} {
			if err := h.Events.Follow(t.Context(), 1, here, c); err != nil {
				t.Errorf("an entry that is here: %v", err)
			}
		}
		if err := h.Events.Follow(t.Context(), 1, here+9, again); !errors.Is(err, event.ErrUnavailable) {
			t.Errorf("an entry that is not here, of a command that may be done again: %v", err)
		}
		if err := h.Events.Follow(t.Context(), 1, here+9, once); err != nil {
			t.Errorf("of a command that may not be done again: %v", err)
		}
		arrives := make(chan error, 1)
		go func() { arrives <- h.Events.Follow(t.Context(), 1, here+1, again) }()
		time.Sleep(time.Second)
		do(t, h, sale.Command{Op: sale.OpJoin, Account: 7})
		if err := <-arrives; err != nil {
			t.Errorf("an entry that came after a second: %v", err)
		}
	})
}
