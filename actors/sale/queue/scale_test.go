package queue

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"
)

// TestManyPlaces crosses the borders of chunks, blocks, pages and growing tables, and compares with counting.
func TestManyPlaces(t *testing.T) {
	const n = 150_000
	rnd := rand.New(rand.NewPCG(1, 2))
	q := New(Policy{RatePerMinute: MaxRate, Burst: MaxBurst, ActiveCap: 40_000})
	inLine := make([]bool, n)
	for i := range inLine {
		if p, r := q.Join(uint64(i)*7, int64(i)); p != Place(i+1) || r != None {
			t.Fatalf("join %d: place %d, refusal %d", i, p, r)
		}
		inLine[i] = true
		if j := rnd.IntN(i + 1); i%3 == 0 && q.Leave(uint64(j)*7, int64(i)) {
			inLine[j] = false
		}
	}
	q.Advance(n, true, 30_000)
	first := 0
	for left := 30_000; left > 0; first++ {
		if inLine[first] {
			inLine[first] = false
			left--
		}
	}
	if got := q.View().Front; got != Place(first) {
		t.Errorf("front is %d, want %d", got, first)
	}
	var want uint32
	for i, in := range inLine {
		if got := q.Ahead(Place(i + 1)); got != want {
			t.Fatalf("ahead of %d: got %d, want %d", i+1, got, want)
		}
		if in {
			want++
		}
		if info, ok := q.Lookup(uint64(i) * 7); !ok || info.Place != Place(i+1) {
			t.Fatalf("lookup of the account of place %d: %+v", i+1, info)
		}
	}
	if err := q.Verify(); err != nil {
		t.Fatal(err)
	}
	b := q.AppendBinary(nil)
	r, _, err := Restore(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(); err != nil || !bytes.Equal(r.AppendBinary(nil), b) {
		t.Fatalf("the restored queue differs: %v", err)
	}
}

// TestEmptiedLine gives the turn to everybody, so that finding the first has to skip whole blocks and pages.
func TestEmptiedLine(t *testing.T) {
	const n = 140_000
	q := New(Policy{RatePerMinute: MaxRate, Burst: MaxBurst, ActiveCap: 1})
	for a := range uint64(n) {
		q.Join(a, 0)
	}
	for a := range uint64(n) {
		if a != 0 && a != 1_024 && a != 70_000 && a != n-1 {
			q.Leave(a, 0)
		}
	}
	for _, a := range []uint64{0, 1_024, 70_000, n - 1} {
		q.Advance(0, true, 1)
		if i, _ := q.Lookup(a); i.State != Offered {
			t.Fatalf("account %d is %s at its turn", a, i.State)
		}
		q.Leave(a, 0)
	}
	q.Advance(0, true, 1)
	if c := q.Counts(); c.Left != n {
		t.Errorf("counts %+v", c)
	}
}

// TestViewStays reads views on other goroutines while the queue goes on.
func TestViewStays(t *testing.T) {
	q := New(Policy{RatePerMinute: MaxRate, Burst: MaxBurst, ActiveCap: 100})
	const n = 70_000
	for a := range uint64(n) {
		q.Join(a, 0)
	}
	var readers sync.WaitGroup
	for round := range 5 {
		v := q.View()
		want := make([]uint32, 0, n/100)
		for p := Place(1); p <= n; p += 100 {
			want = append(want, q.Ahead(p))
		}
		readers.Go(func() {
			for i, w := range want {
				if got := v.Ahead(Place(1 + i*100)); got != w {
					t.Errorf("round %d: ahead of %d: got %d, want %d", round, 1+i*100, got, w)
					return
				}
			}
		})
		for a := uint64(round); a < n; a += 97 {
			q.Leave(a, int64(round))
		}
		q.Advance(int64(round), true, 100)
		for a := range uint64(500) {
			q.Join(n+uint64(round)*500+a, int64(round))
		}
		if v.Counts == q.Counts() || v.Ahead(n+10_000) != v.Counts.Waiting {
			t.Errorf("round %d: the view moved: %+v", round, v.Counts)
		}
	}
	readers.Wait()
}

// TestRejoinWhileTablesMove lets accounts come again while the account table is being emptied into a larger one.
func TestRejoinWhileTablesMove(t *testing.T) {
	q := New(Policy{})
	newest := map[uint64]Place{}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		a := rnd.Uint64N(9_000)
		q.Leave(a, 0)
		p, r := q.Join(a, 0)
		if r != None {
			t.Fatalf("join: refusal %d", r)
		}
		newest[a] = p
	}
	for a := range uint64(9_000) {
		if i, _ := q.Lookup(a); i.Place != newest[a] {
			t.Fatalf("account %d has place %d, want %d", a, i.Place, newest[a])
		}
	}
	if err := q.Verify(); err != nil {
		t.Fatal(err)
	}
}

// TestReplay: the same calls give the same bytes, whenever the snapshots were taken.
func TestReplay(t *testing.T) {
	run := func(restoreEvery int) []byte {
		rnd := rand.New(rand.NewPCG(5, 6))
		q := New(Policy{RatePerMinute: 6_000, ActiveCap: 20, ClaimMs: 1_000, LeaseMs: 3_000, ParkGraceMs: 5_000})
		now := int64(1_700_000_000_000)
		for i := range 20_000 {
			now += rnd.Int64N(20)
			a := rnd.Uint64N(3_000)
			switch rnd.IntN(8) {
			case 0, 1, 2:
				q.Join(a, now)
			case 3:
				q.Away(a, now)
			case 4:
				q.Back(a, now)
			case 5:
				for a := range uint64(30) {
					q.Claim(a*100+a, now)
				}
			case 6:
				q.Leave(a, now)
			case 7:
				q.Advance(now, i%1_000 > 100, uint32(i))
			}
			if restoreEvery > 0 && i%restoreEvery == 0 {
				q.ClearTransitions()
				r, _, err := Restore(q.AppendBinary(nil))
				if err != nil {
					t.Fatal(err)
				}
				q = r
			}
		}
		return q.AppendBinary(nil)
	}
	want := run(0)
	if !bytes.Equal(run(0), want) {
		t.Error("two runs differ")
	}
	if !bytes.Equal(run(777), want) {
		t.Error("a run with snapshots differs")
	}
}

// TestStrangeTimes: no time makes anything overflow or go back.
func TestStrangeTimes(t *testing.T) {
	q := New(Policy{})
	for _, now := range []int64{-5, 1_000, Never, -Never - 1, 0} {
		q.Join(uint64(now), now)
		q.Advance(now, true, 100)
		q.Claim(uint64(now), now)
		q.Touch(uint64(now), now, Never)
		if err := q.Verify(); err != nil {
			t.Fatalf("at %d: %v", now, err)
		}
	}
	if i, _ := q.Lookup(^uint64(0) >> 1); i.Deadline > i.Cap || i.Cap > maxClock+MaxDurationMs {
		t.Errorf("at the end of time: %+v", i)
	}
	if b := q.AppendBinary(nil); b != nil {
		if _, _, err := Restore(b); err != nil {
			t.Error(err)
		}
	}
}

func TestTransitionsMemoryIsBounded(t *testing.T) {
	q := New(Policy{})
	for a := range uint64(2 * keptTransitions) {
		q.Join(a, 0)
	}
	q.ClearTransitions()
	if c := cap(q.Transitions()); c > keptTransitions {
		t.Errorf("room for %d transitions is kept", c)
	}
}
