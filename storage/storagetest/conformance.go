package storagetest

import (
	"bytes"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

func testEmpty(t *testing.T, h *house) {
	s := h.open(t)[0]
	Expect(t, s, nil)
	expectMissing(t, s, 1)
	must(t, s.DeleteRange(1, 10))
	must(t, s.StoreLogs(nil))
	Expect(t, s, nil)
}

func testAppend(t *testing.T, h *house) {
	s := h.open(t)[0]
	logs := Entries(1, 50, 3)
	logs[4].Data, logs[5].Extensions, logs[6].AppendedAt = nil, []byte("ext"), time.Time{}
	logs[7].Data, logs[7].Extensions = nil, []byte("only extensions")
	must(t, s.StoreLog(logs[0]))
	must(t, s.StoreLogs(logs[1:30]))
	must(t, s.StoreLogs(logs[30:]))
	Expect(t, s, logs)
}

func testReopen(t *testing.T, h *house) {
	s := h.open(t)[0]
	logs := Entries(1, 700, 2)
	for i := 0; i < len(logs); i += 70 {
		must(t, s.StoreLogs(logs[i:i+70]))
	}
	s = h.reopen(t)[0]
	Expect(t, s, logs)
	more := Entries(701, 710, 3)
	must(t, s.StoreLogs(more))
	Expect(t, h.reopen(t)[0], append(logs, more...))
}

func testPrefix(t *testing.T, h *house) {
	s := h.open(t)[0]
	logs := Entries(1, 300, 2)
	must(t, s.StoreLogs(logs))
	must(t, s.DeleteRange(1, 100))
	Expect(t, s, logs[100:])
	must(t, s.DeleteRange(1, 50)) // gone already
	must(t, s.DeleteRange(90, 150))
	Expect(t, s, logs[150:])
	s = h.reopen(t)[0]
	Expect(t, s, logs[150:])
	for i := uint64(301); i <= 400; i++ {
		must(t, s.StoreLog(Entry(i, 2)))
	}
	logs = append(logs, Entries(301, 400, 2)...)
	Expect(t, s, logs[150:])
	Expect(t, h.reopen(t)[0], logs[150:])
}

func testSuffix(t *testing.T, h *house) {
	s := h.open(t)[0]
	must(t, s.StoreLogs(Entries(1, 100, 2)))
	must(t, s.DeleteRange(61, 100))
	Expect(t, s, Entries(1, 60, 2))
	must(t, s.StoreLogs(Entries(61, 80, 5)))
	want := append(Entries(1, 60, 2), Entries(61, 80, 5)...)
	Expect(t, s, want)
	must(t, s.DeleteRange(80, 1000))
	Expect(t, h.reopen(t)[0], want[:79])
}

func testWhole(t *testing.T, h *house) {
	s := h.open(t)[0]
	must(t, s.StoreLogs(Entries(1, 500, 2)))
	must(t, s.DeleteRange(1, 500))
	Expect(t, s, nil)
	s = h.reopen(t)[0]
	Expect(t, s, nil)
	must(t, s.StoreLogs(Entries(200, 210, 4))) // below the old end
	Expect(t, s, Entries(200, 210, 4))
	Expect(t, h.reopen(t)[0], Entries(200, 210, 4))
}

func testLarge(t *testing.T, h *house) {
	s := h.open(t)[0]
	logs := Entries(1, 60, 2)
	for i, l := range logs {
		l.Data = bytes.Repeat(l.Data[:1], 100<<(i%12))
	}
	for i := 0; i < len(logs); i += 4 {
		must(t, s.StoreLogs(logs[i:i+4]))
	}
	Expect(t, s, logs)
	s = h.reopen(t)[0]
	Expect(t, s, logs)
	must(t, s.DeleteRange(1, 20))
	must(t, s.DeleteRange(51, 60))
	Expect(t, s, logs[20:50])
	small := Entries(51, 60, 3)
	must(t, s.StoreLogs(small))
	Expect(t, h.reopen(t)[0], append(slices.Clone(logs[20:50]), small...))
}

func testGap(t *testing.T, h *house) {
	s := h.open(t)[0]
	must(t, s.StoreLogs(Entries(1, 10, 2)))
	must(t, s.StoreLogs(Entries(501, 510, 3))) // as after the installation of a snapshot
	want := append(Entries(1, 10, 2), Entries(501, 510, 3)...)
	Expect(t, s, want)
	s = h.reopen(t)[0]
	Expect(t, s, want)
	must(t, s.DeleteRange(1, 300))
	Expect(t, s, want[10:])
	must(t, s.StoreLogs(Entries(600, 600, 3)))
	must(t, s.DeleteRange(550, 600))
	Expect(t, s, want[10:])
	Expect(t, h.reopen(t)[0], want[10:])
}

func testDisorder(t *testing.T, h *house) {
	s := h.open(t)[0]
	must(t, s.StoreLogs(Entries(5, 10, 2)))
	for _, logs := range [][]*raft.Log{
		{Entry(10, 3)}, {Entry(1, 3)}, {Entry(0, 3)},
		{Entry(11, 3), Entry(11, 3)}, {Entry(12, 3), Entry(11, 3)},
	} {
		if err := s.StoreLogs(logs); err == nil {
			t.Errorf("entry %d accepted behind 10", logs[len(logs)-1].Index)
		}
	}
	if err := s.DeleteRange(6, 8); err == nil {
		t.Error("a hole in the middle accepted")
	}
	Expect(t, s, Entries(5, 10, 2))
	must(t, s.StoreLogs(Entries(11, 11, 2))) // a refusal does no harm
	Expect(t, h.reopen(t)[0], Entries(5, 11, 2))
}

func testShardsApart(t *testing.T, h *house) {
	s := h.open(t)
	must(t, s[0].StoreLogs(Entries(1, 20, 1)))
	must(t, s[1].StoreLogs(Entries(1, 5, 9)))
	must(t, s[0].Set([]byte("k"), []byte("zero")))
	must(t, s[0].DeleteRange(1, 10))
	s = h.reopen(t)
	Expect(t, s[0], Entries(11, 20, 1))
	Expect(t, s[1], Entries(1, 5, 9))
	if v, err := s[1].Get([]byte("k")); !isNone(err) || len(v) != 0 {
		t.Errorf("other shard's value: %q, %v", v, err)
	}
}

// isNone: raft takes no error and no value, or an error of this text.
func isNone(err error) bool { return err == nil || err.Error() == "not found" }

func testStable(t *testing.T, h *house) {
	s := h.open(t)[0]
	if v, err := s.Get([]byte("none")); !isNone(err) || len(v) != 0 {
		t.Errorf("missing value: %q, %v", v, err)
	}
	if v, err := s.GetUint64([]byte("none")); !isNone(err) || v != 0 {
		t.Errorf("missing number: %d, %v", v, err)
	}
	val := []byte("value")
	must(t, s.Set([]byte("a"), val))
	val[0] = 'X' // the store has its own copy
	must(t, s.Set([]byte("a"), []byte("value")))
	must(t, s.SetUint64([]byte("CurrentTerm"), 7))
	must(t, s.SetUint64([]byte("CurrentTerm"), 8))
	for range 2 {
		if v, err := s.Get([]byte("a")); err != nil || string(v) != "value" {
			t.Errorf("value: %q, %v", v, err)
		}
		if v, err := s.GetUint64([]byte("CurrentTerm")); err != nil || v != 8 {
			t.Errorf("number: %d, %v", v, err)
		}
		s = h.reopen(t)[0]
	}
}

// testVote crashes, as far as a test can, between raft's two writes of a vote.
func testVote(t *testing.T, h *house) {
	term, cand := []byte("LastVoteTerm"), []byte("LastVoteCand")
	s := h.open(t)[0]
	must(t, s.SetUint64(term, 4))
	must(t, s.Set(cand, []byte("a")))
	must(t, s.SetUint64(term, 5))
	s = h.reopen(t)[0]
	expectVote(t, s, 4, "a")
	must(t, s.SetUint64(term, 6))
	must(t, s.Set(cand, []byte("a"))) // the same candidate again
	expectVote(t, s, 6, "a")
	s = h.reopen(t)[0]
	expectVote(t, s, 6, "a")
}

func expectVote(t *testing.T, s Store, term uint64, cand string) {
	t.Helper()
	got, err := s.GetUint64([]byte("LastVoteTerm"))
	must(t, err)
	who, err := s.Get([]byte("LastVoteCand"))
	must(t, err)
	if got != term || string(who) != cand {
		t.Fatalf("vote is for %q in %d, want %q in %d", who, got, cand, term)
	}
}

func testWriters(t *testing.T, h *house) {
	shards := h.open(t)
	var wg sync.WaitGroup
	for _, s := range shards {
		wg.Add(2)
		go func() {
			defer wg.Done()
			for i := uint64(1); i <= 200; i += 4 {
				if err := s.StoreLogs(Entries(i, i+3, 1)); err != nil {
					t.Error(err)
					return
				}
				var l raft.Log
				if err := s.GetLog(i+3, &l); err != nil {
					t.Errorf("get %d: %v", i+3, err)
				}
			}
		}()
		go func() { // raft cuts prefixes off on another goroutine
			defer wg.Done()
			for {
				last, err := s.LastIndex()
				if err != nil || last == 200 {
					return
				}
				if last > 20 {
					if err := s.DeleteRange(1, last-20); err != nil {
						t.Error(err)
						return
					}
				}
			}
		}()
	}
	wg.Wait()
	shards = h.reopen(t)
	for _, s := range shards {
		first, err := s.FirstIndex()
		must(t, err)
		if first > 180 {
			t.Fatalf("first is %d", first)
		}
		Expect(t, s, Entries(first, 200, 1))
	}
}
