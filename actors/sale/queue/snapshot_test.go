package queue

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// aged returns a queue with a place in every state and both kinds of waiting.
func aged() *Queue {
	q := New(Policy{RatePerMinute: 60_000, Burst: 100, ActiveCap: 9})
	for a := uint64(1); a <= 20; a++ {
		q.Join(a, int64(1_000+a))
	}
	q.Away(2, 2_000)
	q.Away(5, 2_000)
	q.Advance(2_000, true, 100)
	q.Back(2, 2_100)
	q.Claim(1, 2_200)
	q.Claim(3, 2_200)
	q.Finish(3, 2_300)
	q.Leave(4, 2_300)
	q.Leave(19, 2_300)
	q.Remove(18, 2_300)
	q.Away(20, 2_300)
	q.Advance(130_000, false, 0)
	q.Back(6, 131_000)
	q.Join(3, 131_000)
	q.Advance(140_000, true, 4)
	q.ClearTransitions()
	return q
}

func TestRestoreGivesTheSameQueue(t *testing.T) {
	q := aged()
	for s, n := range q.byState {
		if s > 0 && n == 0 {
			t.Fatalf("the example has no place that is %s", State(s))
		}
	}
	b := q.AppendBinary(nil)
	r, n, err := Restore(b)
	if err != nil || n != len(b) {
		t.Fatalf("restore: %d of %d bytes, %v", n, len(b), err)
	}
	if err := r.Verify(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.AppendBinary(nil), b) {
		t.Fatal("the restored queue is stored differently")
	}
	for _, q := range []*Queue{q, r} {
		q.Advance(200_000, true, 100)
		q.Join(99, 200_001)
		q.Advance(2_000_000, true, 100)
	}
	if !bytes.Equal(r.AppendBinary(nil), q.AppendBinary(nil)) || len(q.Transitions()) != len(r.Transitions()) {
		t.Fatal("the restored queue goes on differently")
	}
}

func TestRestoreAfterLoweringToNothing(t *testing.T) {
	q := aged()
	q.SetRate(0, 0, 150_000)
	r, _, err := Restore(q.AppendBinary(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Policy(); got.ActiveCap != 0 || got.RatePerMinute != 0 {
		t.Errorf("restored policy %+v", got)
	}
	if err := r.Verify(); err != nil {
		t.Error(err)
	}
}

// encoded writes a snapshot by hand: a plain head with a front, then places.
func encoded(front uint64, issued uint64, places ...byte) []byte {
	b := []byte{snapshotVersion}
	for _, v := range []uint64{60, 1, 5, 100, 1_000, 1_000, 1_000, 1_000, 50, 0, front, 0, 0, 0, 0, 0, 0, 0, 0, issued} {
		b = binary.AppendUvarint(b, v)
	}
	return append(b, places...)
}

func TestRestoreRefuses(t *testing.T) {
	const w, o, s, pk, d = byte(Waiting), byte(Offered), byte(Shopping), byte(Parked), byte(Done)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "ends too early"},
		{"version", []byte{2}, "version 2, known is 1"},
		{"head only", []byte{1, 60}, "ends too early"},
		{"long form", []byte{1, 0xbc, 0x80, 0x00}, "shortest form"},
		{"overlong number", append([]byte{1}, bytes.Repeat([]byte{0xff}, 11)...), "shortest form"},
		{"rate", []byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f}, "rate_per_minute is 4294967295, allowed is up to 60000000"},
		{"policy", append([]byte{1, 60, 0}, encoded(0, 0)[3:]...), "policy is outside"},
		{"more places than allowed", encoded(0, 101), "issued is 101, allowed is up to 100"},
		{"fewer places than said", encoded(0, 2, w, 1, 0), "place 1: the snapshot ends"},
		{"front beyond", encoded(2, 1, w, 1, 0), "front is 2 of 1"},
		{"no state", encoded(0, 1, 0, 1, 0), "no state 0"},
		{"unknown state", encoded(0, 1, 9, 1, 0), "no state 9"},
		{"joined later than now", encoded(0, 1, w, 1, 51), "joined_at is 51, allowed is up to 50"},
		{"two live places", encoded(0, 2, w, 1, 0, w, 1, 0), "the account has place 1, which is waiting"},
		{"offered before the front", encoded(0, 1, o, 1, 0, 60), "offered before its turn"},
		{"done before the front", encoded(0, 1, d, 1, 0), "done before its turn"},
		{"no deadline", encoded(1, 1, pk, 1, 0), "ends too early"},
		{"no cap", encoded(1, 1, s, 1, 0, 60), "ends too early"},
		{"too many misses", encoded(1, 1, w|3<<4, 1, 0), "3 lapsed offers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := Restore(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func FuzzRestore(f *testing.F) {
	b := aged().AppendBinary(nil)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add(New(Policy{}).AppendBinary(nil))
	f.Add(encoded(1, 2, byte(Parked), 1, 0, 60, byte(Waiting), 2, 5))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, n, err := Restore(b)
		if err != nil {
			return
		}
		if err := q.Verify(); err != nil {
			t.Fatalf("restored an impossible queue: %v", err)
		}
		if !bytes.Equal(q.AppendBinary(nil), b[:n]) {
			t.Fatal("the restored queue is stored differently")
		}
		for a := range uint64(4) {
			q.Join(a, q.clock+1)
			q.Claim(a, q.clock+1)
		}
		q.Advance(q.clock+10_000, true, 100)
		if err := q.Verify(); err != nil {
			t.Fatalf("after going on: %v", err)
		}
	})
}
