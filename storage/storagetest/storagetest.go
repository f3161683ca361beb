// Package storagetest is what any log and stable store under Catraca must pass: a test calls Run with a way to open
// it, a benchmark Bench. Faults makes a store's disk fail. Deliberately absent: what only one implementation promises,
// such as file names or error texts.
package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/raft"
)

// Store is the log and the stable store of one shard.
type Store interface {
	raft.LogStore
	raft.StableStore
}

// Factory opens what is to be tested.
type Factory struct {
	// Open returns the shards of the store in dir, at least two, creating it when dir is empty, and what closes it so
	// that it can be opened again.
	Open func(dir string) (shards []Store, closeStore func() error, err error)
	// Skip has reasons why tests of these names do not apply: what raft can live without.
	Skip map[string]string
}

// house is a store being tested.
type house struct {
	f     Factory
	dir   string
	close func() error
}

func (h *house) open(t testing.TB) []Store {
	t.Helper()
	shards, closeStore, err := h.f.Open(h.dir)
	must(t, err)
	h.close = closeStore
	return shards
}

func (h *house) reopen(t testing.TB) []Store {
	t.Helper()
	must(t, h.close())
	return h.open(t)
}

// Run runs the suite, each test on a fresh folder, and the crash test if TestMain calls Child.
func Run(t *testing.T, f Factory) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, h *house)
	}{
		{"empty", testEmpty},
		{"append and read", testAppend},
		{"survives reopening", testReopen},
		{"prefix", testPrefix},
		{"suffix", testSuffix},
		{"whole log", testWhole},
		{"large entries", testLarge},
		{"gap", testGap},
		{"refuses disorder", testDisorder},
		{"shards are apart", testShardsApart},
		{"stable values", testStable},
		{"vote in one step", testVote},
		{"many writers", testWriters},
		{"killed", testKilled},
	} {
		t.Run(c.name, func(t *testing.T) {
			if reason := f.Skip[c.name]; reason != "" {
				t.Skip(reason)
			}
			h := &house{f: f, dir: t.TempDir()}
			c.run(t, h)
			must(t, h.close())
		})
	}
}

// Entry makes an entry whose content follows from its index and term.
func Entry(index, term uint64) *raft.Log {
	return &raft.Log{
		Index: index, Term: term, Type: raft.LogType(index % 2),
		Data:       bytes.Repeat(fmt.Appendf(nil, "%d/%d ", index, term), int(index%7)+1),
		AppendedAt: time.Unix(1_700_000_000, int64(index)).UTC(),
	}
}

// Entries makes the entries from first to last.
func Entries(first, last, term uint64) []*raft.Log {
	var logs []*raft.Log
	for i := first; i <= last; i++ {
		logs = append(logs, Entry(i, term))
	}
	return logs
}

// Expect checks that s holds exactly the wanted entries.
func Expect(t testing.TB, s raft.LogStore, want []*raft.Log) {
	t.Helper()
	first, err := s.FirstIndex()
	must(t, err)
	last, err := s.LastIndex()
	must(t, err)
	if len(want) == 0 {
		if first != 0 || last != 0 {
			t.Fatalf("log has entries %d to %d, want none", first, last)
		}
		return
	}
	if first != want[0].Index || last != want[len(want)-1].Index {
		t.Fatalf("log has entries %d to %d, want %d to %d", first, last, want[0].Index, want[len(want)-1].Index)
	}
	held := make(map[uint64]bool)
	for _, w := range want {
		held[w.Index] = true
		var got raft.Log
		if err := s.GetLog(w.Index, &got); err != nil {
			t.Fatalf("get %d: %v", w.Index, err)
		}
		if same := bytes.Equal(got.Data, w.Data) && got.Index == w.Index && got.Term == w.Term && got.Type == w.Type &&
			bytes.Equal(got.Extensions, w.Extensions) && got.AppendedAt.Equal(w.AppendedAt); same {
			continue
		}
		if d := cmp.Diff(*w, got); d != "" {
			t.Fatalf("entry %d (-want +got):\n%s", w.Index, d)
		}
	}
	for i := max(first, 2) - 1; i <= last+1; i++ {
		if !held[i] {
			expectMissing(t, s, i)
		}
	}
}

func expectMissing(t testing.TB, s raft.LogStore, index uint64) {
	t.Helper()
	if err := s.GetLog(index, new(raft.Log)); !errors.Is(err, raft.ErrLogNotFound) {
		t.Fatalf("get %d: %v, want ErrLogNotFound", index, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
