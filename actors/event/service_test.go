package event_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sequencer"
)

// hear is a subscriber that keeps everything.
type hear struct {
	mu     sync.Mutex
	deltas []*event.Delta
	views  []*event.View
}

func (h *hear) Delta(d *event.Delta) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deltas = append(h.deltas, d)
}

func (h *hear) View(v *event.View) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.views = append(h.views, v)
}

func (h *hear) kinds() (out []sale.ChangeKind) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range h.deltas {
		for _, c := range d.Changes {
			out = append(out, c.Kind)
		}
	}
	return out
}

// shop brings an account as far as a hold of one seat and one place on the lawn.
func shop(t testing.TB, h *house, who sale.AccountID) sale.Result {
	t.Helper()
	h.do(t, 1, sale.Command{Op: sale.OpJoin, Account: who})
	h.do(t, 1, sale.Command{Op: sale.OpClaim, Account: who})
	return h.do(t, 1, sale.Command{
		Op: sale.OpHold, Account: who, Key: sale.Key{byte(who)},
		Lines: []sale.Line{{Unit: sale.UnitID(who), Count: 1}, {Unit: 200, Count: 2}},
	})
}

func TestSaleSurvivesARestart(t *testing.T) {
	for _, snapshot := range []bool{false, true} {
		name := map[bool]string{false: "from the log", true: "from a snapshot"}[snapshot]
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var mu sync.Mutex
			led := map[sale.EventID]bool{}
			leads := func() bool {
				mu.Lock()
				defer mu.Unlock()
				return led[1]
			}
			leading := func(o *event.Options) {
				o.Leading = func(id sale.EventID, is bool) {
					mu.Lock()
					defer mu.Unlock()
					led[id] = is
				}
			}
			h := openHouse(t, dir, leading)
			cfg := hall(1)
			if err := h.Create(t.Context(), 1, cfg); err != nil {
				t.Fatal(err)
			}
			hold := shop(t, h, 5)
			order := h.do(t, 1, sale.Command{Op: sale.OpOrderOpen, Account: 5, Hold: hold.Hold, Text: "en", Key: sale.Key{99}})
			if snapshot {
				if err := h.node.Snapshot(1); err != nil {
					t.Fatal(err)
				}
				h.do(t, 1, sale.Command{Op: sale.OpMessage, Text: "after the snapshot"})
			}
			index, hash := h.state(t, 1)
			h.stop()
			if leads() {
				t.Error("the service still leads after it was closed")
			}

			h = openHouse(t, dir, leading)
			if gotIndex, got := h.state(t, 1); gotIndex != index || got != hash {
				t.Fatalf("at entry %d the state is %x, it was %x at %d", gotIndex, got[:4], hash[:4], index)
			}
			until(t, leads)
			if !slices.Equal(h.Events(), []sale.EventID{1}) {
				t.Errorf("events %v", h.Events())
			}
			again := h.do(t, 1, sale.Command{Op: sale.OpOrderOpen, Account: 5, Hold: hold.Hold, Text: "en", Key: sale.Key{99}})
			if !again.Repeated || again.Order != order.Order || again.Amount != order.Amount {
				t.Errorf("the repeated command got %+v, the first %+v", again, order)
			}
			until(t, func() bool {
				v, err := h.View(1)
				return err == nil && sale.UnitStatus(v.Seats[5]) == sale.UnitHeld && v.AreaFree[0] == 28
			})
			if _, ok, _ := h.UnitChanges(1, 1); ok == snapshot {
				t.Errorf("changes since entry 1 known: %t", ok)
			}
		})
	}
}

func TestReaders(t *testing.T) {
	h := openHouse(t, t.TempDir(), nil)
	if err := h.Create(t.Context(), 1, hall(1)); err != nil {
		t.Fatal(err)
	}
	before, err := h.View(1)
	if err != nil || before.Phase != sale.PhaseOpen && before.Phase != sale.PhaseScheduled {
		t.Fatalf("first view: %+v, %v", before, err)
	}
	var sub hear
	first, cancel, err := h.Subscribe(t.Context(), 1, &sub)
	if err != nil {
		t.Fatal(err)
	}
	hold := shop(t, h, 3)
	got := sub.kinds()
	for _, want := range []sale.ChangeKind{sale.ChangePlace, sale.ChangeUnit, sale.ChangeHold} {
		if !slices.Contains(got, want) {
			t.Errorf("the subscriber heard %v, not %d", got, want)
		}
	}
	for i, d := range sub.deltas {
		if d.Event != 1 || d.Index <= first.Index || i > 0 && d.Index <= sub.deltas[i-1].Index {
			t.Errorf("delta %d is of entry %d", i, d.Index)
		}
	}
	changes, ok, err := h.UnitChanges(1, first.Index)
	if err != nil || !ok || len(changes) != 2 || changes[0].Unit != 3 || changes[0].Status != sale.UnitHeld || changes[1].Free != 28 {
		t.Errorf("changes %+v, %t, %v", changes, ok, err)
	}
	now, _ := h.state(t, 1)
	if changes, ok, _ := h.UnitChanges(1, now); !ok || len(changes) != 0 {
		t.Errorf("since now: %v, %t", changes, ok)
	}
	for _, future := range []uint64{now + 1000, 1<<64 - 1} {
		if _, ok, _ := h.UnitChanges(1, future); ok {
			t.Errorf("changes after entry %d are known", future)
		}
	}
	until(t, func() bool {
		v, err := h.View(1)
		return err == nil && sale.UnitStatus(v.Seats[3]) == sale.UnitHeld && v.AreaFree[0] == 28 && v.Totals.Held == 3
	})
	// The lawn alone changes: no seat does.
	h.do(t, 1, sale.Command{Op: sale.OpHoldChange, Account: 3, Hold: hold.Hold, Drop: []sale.Line{{Unit: 200, Count: 1}}, Key: sale.Key{7}})
	until(t, func() bool { v, _ := h.View(1); return v.AreaFree[0] == 29 })
	// What an organiser does is seen when it is done.
	h.do(t, 1, sale.Command{Op: sale.OpPause, Text: "rain", Key: sale.Key{8}})
	if v, _ := h.View(1); v.Phase != sale.PhasePaused || v.PauseReason != "rain" {
		t.Errorf("right after the pause the view says %d %q", v.Phase, v.PauseReason)
	}
	cancel()
	if err := h.Read(t.Context(), 1, func(*sale.State) {}); err != nil { // behind the cancellation
		t.Fatal(err)
	}
	heard := len(sub.kinds())
	h.do(t, 1, sale.Command{Op: sale.OpResume, Key: sale.Key{9}})
	if len(sub.kinds()) != heard {
		t.Error("it went on after the cancellation")
	}
}

// until waits for what comes by itself.
func until(t testing.TB, cond func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("it did not come")
		}
	}
}

func TestServiceRefuses(t *testing.T) {
	h := openHouse(t, t.TempDir(), nil)
	ctx := t.Context()
	if _, err := h.Submit(ctx, 9, &sale.Command{Op: sale.OpJoin, Account: 1}); !errors.Is(err, event.ErrNoEvent) {
		t.Errorf("submit: %v", err)
	}
	if _, err := h.View(9); !errors.Is(err, event.ErrNoEvent) {
		t.Errorf("view: %v", err)
	}
	if err := h.Read(ctx, 9, func(*sale.State) {}); !errors.Is(err, event.ErrNoEvent) {
		t.Errorf("read: %v", err)
	}
	if _, _, err := h.Subscribe(ctx, 9, &hear{}); !errors.Is(err, event.ErrNoEvent) {
		t.Errorf("subscribe: %v", err)
	}
	if _, _, err := h.UnitChanges(9, 0); !errors.Is(err, event.ErrNoEvent) {
		t.Errorf("unit changes: %v", err)
	}
	for _, shard := range []int{-1, 0, 2} {
		if err := h.Create(ctx, shard, hall(1)); err == nil {
			t.Errorf("created on shard %d", shard)
		}
	}
	bad := hall(1)
	bad.Currency = ""
	if err := h.Create(ctx, 1, bad); err == nil || errors.Is(err, event.ErrUnavailable) {
		t.Errorf("created without a currency: %v", err)
	}
	var wg sync.WaitGroup
	for range 5 { // five organisers at once
		wg.Go(func() {
			if err := h.Create(ctx, 1, hall(1)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var sub hear
	_, cancel, err := h.Subscribe(ctx, 1, &sub)
	if err != nil {
		t.Fatal(err)
	}
	h.stop()
	cancel() // of a machine that has stopped
	if _, _, err := h.Subscribe(ctx, 1, &hear{}); !errors.Is(err, sequencer.ErrStopped) {
		t.Errorf("subscribed to a stopped sale: %v", err)
	}
	if _, err := h.Submit(ctx, 1, &sale.Command{Op: sale.OpJoin, Account: 1}); !errors.Is(err, sequencer.ErrStopped) {
		t.Errorf("submitted to a stopped sale: %v", err)
	}
	if err := h.Create(ctx, 1, hall(2)); err == nil {
		t.Error("created a sale in a closed house")
	}
	if v, err := h.View(1); err != nil || v.Event != 1 {
		t.Errorf("the last view: %v", err)
	}
}

func TestClosingBeforeTheClusterDoesNotHang(t *testing.T) {
	h := openHouse(t, t.TempDir(), nil)
	if err := h.Create(t.Context(), 1, hall(1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for i := range 50 {
		callers.Go(func() {
			for a := sale.AccountID(1 + i); ctx.Err() == nil; a += 50 {
				if _, err := h.Submit(ctx, 1, &sale.Command{Op: sale.OpJoin, Account: a}); err != nil {
					return
				}
			}
		})
	}
	until(t, func() bool { v, err := h.View(1); return err == nil && v.Queue.Counts.Issued > 200 })
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Close() // the wrong way round, under load
		h.stop()
	}()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		t.Error("closing hangs")
	}
	cancel()
	callers.Wait()
}

func TestEveryCommandThatMayBeRepeatedIsTheSameTwice(t *testing.T) {
	// Those without a key: the second time finds what the first time did.
	h := openHouse(t, t.TempDir(), nil)
	if err := h.Create(t.Context(), 1, hall(1)); err != nil {
		t.Fatal(err)
	}
	place := h.do(t, 1, sale.Command{Op: sale.OpJoin, Account: 4}).Place
	for _, c := range []sale.Command{{Op: sale.OpJoin, Account: 4}, {Op: sale.OpBack, Account: 4}, {Op: sale.OpAway, Account: 4}, {Op: sale.OpClaim, Account: 4}, {Op: sale.OpTick}} {
		if !event.Repeatable(&c) {
			t.Errorf("op %d is not repeated", c.Op)
		}
		h.do(t, 1, c)
		h.do(t, 1, c)
	}
	var info queue.Info
	if err := h.Read(t.Context(), 1, func(s *sale.State) { info, _ = s.Place(4) }); err != nil || info.Place != place {
		t.Errorf("place %d became %+v: %v", place, info, err)
	}
	for _, c := range []sale.Command{{Op: sale.OpHold}, {Op: sale.OpRefund}, {Op: sale.OpIntentFailed}, {Op: sale.OpOrderOpen}} {
		if event.Repeatable(&c) {
			t.Errorf("op %d without a key is repeated", c.Op)
		}
		c.Key = sale.Key{1}
		if !event.Repeatable(&c) {
			t.Errorf("op %d with a key is not repeated", c.Op)
		}
	}
}
