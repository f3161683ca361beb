package sequencer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bubble runs a test on fake time; settled inside it means that every goroutine waits.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestCommandsGatherWhileABatchIsOnItsWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		var notes []*note
		for s := range strings.FieldsSeq("a b c d e f") {
			notes = append(notes, put(t, h, s))
			synctest.Wait()
		}
		if got := d.tape.length(); got != 2 {
			t.Fatalf("%d entries on their way, want 2", got)
		}
		for range 3 {
			d.commit()
			synctest.Wait()
		}
		if got, want := lines(t, h), strings.Fields("made a b c d e f"); !cmp.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
		for i, n := range notes {
			if err := n.one(t); err != nil || !cmp.Equal(n.results, []int{i + 2}) {
				t.Errorf("command %d: %v, results %v", i, err, n.results)
			}
		}
		if d.tape.length() != 0 || waiting(h) != 0 || waitingBytes(h) != 0 {
			t.Errorf("%d entries left, %d commands and %d bytes pending", d.tape.length(), waiting(h), waitingBytes(h))
		}
	})
}

func TestBatchesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		for range 5000 {
			put(t, h, "short")
		}
		for range 20 {
			put(t, h, strings.Repeat("x", 20_000))
		}
		large := put(t, h, strings.Repeat("y", 3*MaxBatchBytes))
		put(t, h, "after")
		synctest.Wait()
		for {
			p, index, ok := d.tape.next()
			if !ok {
				break
			}
			head, body, err := DecodeHeader(p.data)
			switch {
			case err != nil:
				t.Fatal(err)
			case head.Count > MaxBatchCommands:
				t.Errorf("%d commands in an entry", head.Count)
			case head.Count > 1 && len(p.data) > MaxBatchBytes:
				t.Errorf("%d bytes in an entry of %d commands", len(p.data), head.Count)
			case bytes.Contains(body, []byte("yyy")) && head.Count != 1:
				t.Errorf("the large command travels with %d others", head.Count-1)
			}
			d.shard.Apply(index, 1, p.data)
			p.done <- nil
			synctest.Wait()
		}
		if err := large.one(t); err != nil {
			t.Error(err)
		}
		if got := lines(t, h); len(got) != 1+5000+20+2 || got[len(got)-1] != "after" {
			t.Errorf("%d lines, the last is %.10q", len(got), got[len(got)-1])
		}
		if err := h.Submit(make([]byte, MaxCommandBytes+1), newNote()); !errors.Is(err, ErrTooLarge) {
			t.Errorf("a command of more than the bound: %v", err)
		}
	})
}

func TestFullIntakeRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, func(o *Options[*ledger, int]) { o.MaxPending = 3 })
		for range 3 {
			put(t, h, "a")
		}
		var busy *BusyError
		if err := h.Submit([]byte("b"), newNote()); !errors.As(err, &busy) || busy.RetryAfter <= 0 {
			t.Fatalf("the fourth command: %v", err)
		}
		if err := h.Read(func(*ledger) { t.Error("read over the bound") }); !errors.As(err, &busy) {
			t.Fatalf("a read beside three commands: %v", err)
		}
		ran := make(chan int, 1)
		h.Post(func(l *ledger) { ran <- len(l.lines) })
		if got := <-ran; got != 1 {
			t.Errorf("housekeeping saw %d lines", got)
		}
		synctest.Wait()
		for d.commit() {
			synctest.Wait()
		}
		if got := lines(t, h); len(got) != 4 {
			t.Errorf("%d lines, want 4", len(got))
		}
	})
}

func TestIntakeIsBoundedByBytesToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		cmd := make([]byte, MaxCommandBytes)
		fit := 0
		for ; fit < 100; fit++ {
			var busy *BusyError
			if err := h.Submit(cmd, newNote()); errors.As(err, &busy) {
				break
			}
		}
		if most := maxPendingBytes/MaxCommandBytes + maxInFlight; fit > most {
			t.Errorf("%d commands of %d bytes got in, want at most %d", fit, len(cmd), most)
		}
		synctest.Wait()
		for d.commit() {
			synctest.Wait()
		}
		if got := waitingBytes(h); got != 0 {
			t.Errorf("%d bytes are still counted", got)
		}
	})
}

func TestLeadershipLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		flying, behind := put(t, h, "flying"), newNote()
		synctest.Wait()
		second := put(t, h, "second")
		synctest.Wait()
		if err := h.Submit([]byte("behind"), behind); err != nil {
			t.Fatal(err)
		}
		d.shard.LeaderLost()
		synctest.Wait()
		for _, n := range []*note{flying, second} {
			if err := n.one(t); !errors.Is(err, ErrUnknown) {
				t.Errorf("in flight when leadership went: %v", err)
			}
		}
		if err := behind.one(t); !errors.Is(err, ErrNotLeader) {
			t.Errorf("only gathered: %v", err)
		}
		if err := put(t, h, "later").one(t); !errors.Is(err, ErrNotLeader) {
			t.Errorf("while another node leads: %v", err)
		}
		d.shard.LeaderReady(2)
		fresh := put(t, h, "fresh")
		synctest.Wait()
		for d.commit() { // the old batches commit late, in the new term, before its own
			synctest.Wait()
		}
		if err := fresh.one(t); err != nil {
			t.Error(err)
		}
		if got, want := lines(t, h), strings.Fields("made flying second fresh"); !cmp.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
		if len(flying.results)+len(second.results)+len(behind.results) != 0 {
			t.Error("somebody who was told to ask again got a result")
		}
		if waiting(h) != 0 {
			t.Errorf("%d pending", waiting(h))
		}
	})
}

func TestBatchesOfAnEarlierTermDoNotBlockTheActor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		block := make(chan struct{})
		d.tape.set(func(l *tape) { l.block = block })
		var old []*note
		for s := range strings.FieldsSeq("one two three") { // one with the proposer, one behind it, one gathering
			old = append(old, put(t, h, s))
			synctest.Wait()
		}
		d.shard.LeaderLost()
		d.shard.LeaderReady(2)
		synctest.Wait()
		fresh := []*note{put(t, h, "four"), put(t, h, "five")}
		synctest.Wait()
		if got := lines(t, h); len(got) != 1 { // the actor still reads
			t.Errorf("%d lines", len(got))
		}
		d.tape.set(func(l *tape) { l.block = nil })
		close(block)
		synctest.Wait()
		for d.commit() {
			synctest.Wait()
		}
		for _, n := range fresh {
			if err := n.one(t); err != nil {
				t.Error(err)
			}
		}
		for i, n := range old {
			if err := n.one(t); !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrNotLeader) {
				t.Errorf("old command %d: %v", i, err)
			}
		}
		got := lines(t, h)
		if last := got[len(got)-2:]; !cmp.Equal(last, strings.Fields("four five")) {
			t.Errorf("lines %v", got)
		}
	})
}

func TestProposalRefusedOrLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, func(o *Options[*ledger, int]) { o.CommitTimeout = 3 * time.Second })
		for _, want := range []error{ErrNotLeader, &BusyError{RetryAfter: time.Second}, ErrStopped} {
			d.tape.set(func(l *tape) { l.refuse = want })
			if err := put(t, h, "refused").one(t); !errors.Is(err, want) {
				t.Errorf("refused with %v, told %v", want, err)
			}
		}
		d.tape.set(func(l *tape) { l.refuse = nil })
		slow := put(t, h, "slow")
		if err := slow.one(t); !errors.Is(err, ErrUnknown) {
			t.Errorf("after the commit timeout: %v", err)
		}
		d.commit() // it was in the log after all
		synctest.Wait()
		if len(slow.answers) != 1 || len(slow.results) != 0 {
			t.Errorf("then told %v with results %v", slow.answers, slow.results)
		}
		if got, want := lines(t, h), strings.Fields("made slow"); !cmp.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
		if len(h.credits) != 0 || waiting(h) != 0 {
			t.Errorf("%d credits out, %d pending", len(h.credits), waiting(h))
		}
	})
}

func TestTimeMovesOnlyWhenDue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		start := time.Now()
		var entries atomic.Int64
		d.tape.set(func(l *tape) {
			l.auto = func(data []byte) {
				index := uint64(100 + entries.Add(1))
				go d.shard.Apply(index, 1, data)
			}
		})
		if err := put(t, h, due(7*time.Second)).one(t); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second)
		if got := entries.Load(); got != 1 {
			t.Errorf("%d entries before anything was due", got)
		}
		time.Sleep(10 * time.Minute)
		var at, empty int64
		h.Post(func(l *ledger) { at, empty = l.clock-start.UnixMilli(), int64(l.empty) })
		synctest.Wait()
		if empty != 1 || at < 7000 || at > 7100 {
			t.Errorf("%d entries without a command, the last at %d ms; want one at 7000", empty, at)
		}
	})
}

// due is the command after which time alone does something.
func due(d time.Duration) string {
	return string(binary.LittleEndian.AppendUint64([]byte("due"), uint64(d.Milliseconds())))
}

func TestTicksAreFew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var always atomic.Bool
		d, h := made(t, nil)
		var entries atomic.Int64
		d.tape.set(func(l *tape) {
			l.auto = func(data []byte) {
				index := uint64(100 + entries.Add(1))
				go func() {
					if always.Load() {
						h.Post(func(l *ledger) { l.again = true })
					}
					d.shard.Apply(index, 1, data)
				}()
			}
		})
		always.Store(true)
		put(t, h, due(0)).one(t)
		time.Sleep(10 * time.Second)
		always.Store(false)
		if got := entries.Load(); got < 100 || got > 202 {
			t.Errorf("%d entries in 10 s, want at most 20 a second", got)
		}
	})
}

func TestWallClockJumps(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var skew atomic.Int64
		d, h := made(t, func(o *Options[*ledger, int]) {
			o.Now = func() int64 { return time.Now().UnixMilli() + skew.Load() }
		})
		d.tape.set(func(l *tape) {
			l.auto = func(data []byte) { go d.shard.Apply(uint64(time.Now().UnixNano()), 1, data) }
		})
		put(t, h, due(30*time.Minute)).one(t)
		skew.Store(time.Hour.Milliseconds()) // somebody sets the clock: it is due now
		time.Sleep(2 * lookAgain)
		var first, second int64
		h.Post(func(l *ledger) { first = l.clock; l.due = l.clock + 1000 })
		put(t, h, "arm").one(t)
		skew.Store(-time.Hour.Milliseconds()) // and back: time waits, it never goes back
		time.Sleep(time.Minute)
		put(t, h, "late").one(t)
		h.Post(func(l *ledger) { second = l.clock })
		synctest.Wait()
		if want := time.Now().UnixMilli() + time.Hour.Milliseconds(); first < want-5*60_000 || first > want {
			t.Errorf("the jump forward was noticed at %d, want about %d", first, want)
		}
		if second < first {
			t.Errorf("the clock went from %d back to %d", first, second)
		}
	})
}

func TestBrokenMachineStopsTheProcessOnce(t *testing.T) {
	for _, c := range []struct{ cmd, say string }{
		{"panic", "panicked: told to"}, {"unknown", "command 1: unknown command"}, {"violate", "invariant violated"},
	} {
		t.Run(c.cmd, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, h := made(t, nil)
				first := put(t, h, "first")
				synctest.Wait()
				second := put(t, h, "second")
				synctest.Wait()
				// Two are on their way; the next three travel together.
				notes := []*note{put(t, h, "before"), put(t, h, c.cmd), put(t, h, "after")}
				synctest.Wait()
				d.commit()
				synctest.Wait()
				d.commit()
				synctest.Wait()
				notes = append(notes, put(t, h, "behind"))
				synctest.Wait()
				d.commit()
				synctest.Wait()
				if got := d.fatal(); len(got) != 1 || !strings.Contains(got[0].Error(), c.say) {
					t.Fatalf("told to stop with %v", got)
				}
				if err := errors.Join(first.one(t), second.one(t)); err != nil {
					t.Error(err)
				}
				for i, n := range notes {
					if err := n.one(t); err == nil {
						t.Errorf("command %d was told that it succeeded", i)
					}
				}
				if err := h.Submit([]byte("late"), newNote()); !errors.Is(err, ErrStopped) {
					t.Errorf("a command to the dead: %v", err)
				}
				if err := Look(t.Context(), h, func(*ledger) {}); !errors.Is(err, ErrStopped) {
					t.Errorf("a read of the dead: %v", err)
				}
				if _, err := d.shard.Snapshot(); !errors.Is(err, ErrStopped) {
					t.Errorf("a snapshot with a dead machine: %v", err)
				}
				for range 2 * maxCommitted { // raft's goroutine never waits for the dead
					d.shard.Apply(50, 1, EncodeEntry(Header{Kind: KindBatch, Machine: 1}))
				}
				d.commit()
				if waiting(h) != 0 {
					t.Errorf("%d pending", waiting(h))
				}
			})
		})
	}
}

func TestStopAnswersEverybody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		hold := make(chan struct{})
		h.Post(func(*ledger) { <-hold }) // the mailbox fills
		var notes []*note
		for range 100 {
			notes = append(notes, put(t, h, "a"))
		}
		looked := make(chan error, 1)
		go func() { looked <- Look(context.Background(), h, func(*ledger) {}) }()
		synctest.Wait()
		closed := make(chan struct{})
		go func() { d.shard.Close(); close(closed) }()
		synctest.Wait()
		late := newNote()
		if err := h.Submit([]byte("late"), late); err == nil {
			notes = append(notes, late)
		}
		close(hold)
		<-closed
		for i, n := range notes {
			if err := n.one(t); !errors.Is(err, ErrStopped) && !errors.Is(err, ErrUnknown) {
				t.Fatalf("command %d: %v", i, err)
			}
		}
		if err := <-looked; err != nil && !errors.Is(err, ErrStopped) {
			t.Errorf("a read while stopping: %v", err)
		}
		if waiting(h) != 0 {
			t.Errorf("%d pending", waiting(h))
		}
		for range 2 * maxCommitted { // the cluster may still be closing
			d.shard.Apply(99, 1, EncodeEntry(Header{Kind: KindBatch, Machine: 1}))
		}
		d.shard.Apply(100, 1, EncodeEntry(Header{Kind: KindCreate, Machine: 7}, []byte("seven")))
		d.shard.LeaderLost()
		if _, ok := d.shard.Get(7); ok || len(d.fatal()) > 0 {
			t.Errorf("a closed shard made a machine or failed: %v", d.fatal())
		}
		d.shard.Close()
	})
}
