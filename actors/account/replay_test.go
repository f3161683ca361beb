package account

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A log replayed from its beginning and one replayed from a snapshot give the same answers, changes and hash.
func TestReplayFromSnapshot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, second := New(4), New(4)
		at := int64(1)
		for range rapid.IntRange(1, 15).Draw(t, "batches") {
			at += rapid.SampledFrom([]int64{0, 1000, 61_000, keyLife + 1}).Draw(t, "later")
			cmds := rapid.SliceOfN(anyCommand(first, at), 0, 10).Draw(t, "commands")
			if rapid.Bool().Draw(t, "from snapshot") {
				second = reborn(t, second)
			}
			a, b := apply(t, first, at, cmds...), apply(t, second, at, cmds...)
			if !slices.Equal(a, b) {
				t.Fatalf("answers\n%+v\n%+v", a, b)
			}
			if !slices.Equal(first.Changes(), second.Changes()) {
				t.Fatalf("changes\n%+v\n%+v", first.Changes(), second.Changes())
			}
			if first.Hash() != second.Hash() || first.Due() != second.Due() {
				t.Fatalf("the states differ")
			}
		}
	})
}

// Sessions that end together go in one order whatever the heap and the record numbers are.
func TestSweepOrderAfterRestore(t *testing.T) {
	s := New(2)
	done(t, s, 1000, person(1), person(2), person(3))
	for i := range 40 {
		id := ID(i%3 + 1)
		done(t, s, 1000, Command{Op: OpSessionOpen, Account: id, TokenHash: token(i), Expires: 100_000})
		if i%4 == 3 {
			done(t, s, 1000, Command{Op: OpSessionRevoke, TokenHash: token(i - 2)})
		}
	}
	again := reborn(t, s)
	done(t, s, 100_000, Command{Op: OpTick})
	done(t, again, 100_000, Command{Op: OpTick})
	if !slices.Equal(s.Changes(), again.Changes()) || s.Sessions() != 0 {
		t.Fatalf("swept\n%v\n%v", s.Changes(), again.Changes())
	}
}
