package sequencer

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAwait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		if err := h.Await(t.Context(), h.Applied()); err != nil || h.Applied() == 0 {
			t.Fatalf("what is there already (%d): %v", h.Applied(), err)
		}
		first := h.Applied() + 1
		var reached [4]atomic.Int64
		for i := range reached {
			for range 3 {
				go func() {
					if err := h.Await(context.Background(), first+uint64(i)); err != nil {
						t.Error(err)
					}
					reached[i].Add(1)
				}()
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.Await(ctx, first+100); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("what does not come: %v", err)
		}
		for i := range reached {
			put(t, h, "a")
			synctest.Wait()
			d.commit()
			synctest.Wait()
			for j := range reached {
				if got, want := reached[j].Load(), map[bool]int64{true: 3}[j <= i]; got != want {
					t.Errorf("at entry %d: %d of those who wait for entry %d have been told", i, got, j)
				}
			}
		}
		told := make(chan error, 1)
		go func() { told <- h.Await(context.Background(), first+200) }()
		synctest.Wait()
		d.shard.Close()
		if err := errors.Join(<-told); !errors.Is(err, ErrStopped) {
			t.Errorf("when the machine stopped: %v", err)
		}
		if err := h.Await(t.Context(), first+200); !errors.Is(err, ErrStopped) {
			t.Errorf("after it stopped: %v", err)
		}
		if err := h.Await(t.Context(), first); err != nil {
			t.Errorf("what it reached before it stopped: %v", err)
		}
	})
}

func TestAwaitIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, h := made(t, nil)
		h.applied.others.Store(maxAwaiting)
		var busy *BusyError
		if err := h.Await(t.Context(), 99); !errors.As(err, &busy) || busy.RetryAfter <= 0 {
			t.Errorf("one too many: %v", err)
		}
		h.applied.others.Store(0)
	})
}

// TestAnswerComesWithItsIndex: whoever has the answer to a command need not wait for its index.
func TestAnswerComesWithItsIndex(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		d.script()
		for range 20 {
			_, index, err := Ask(t.Context(), h, []byte("a"), false, itself)
			if err != nil || index == 0 || h.Applied() < index {
				t.Fatalf("answered with entry %d, applied %d: %v", index, h.Applied(), err)
			}
		}
	})
}
