package account

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// frozenAt is a frozen state and what its bytes have to be for ever.
type frozenAt struct {
	frozen *Frozen
	bytes  []byte
}

func freezeNow(t fataler, s *State) frozenAt {
	t.Helper()
	f := frozenAt{s.Freeze(), s.AppendSnapshot(nil)}
	f.check(t)
	return f
}

func (f frozenAt) check(t fataler) {
	t.Helper()
	if !bytes.Equal(f.frozen.AppendSnapshot(nil), f.bytes) {
		t.Fatalf("a frozen state has changed")
	}
}

// Whatever happens to the machine, what was frozen stays as it was, and the machine is none the worse for it.
func TestFrozenStaysAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, never := New(4), New(4) // the second is never frozen
		at := int64(1)
		var kept []frozenAt
		for range rapid.IntRange(1, 30).Draw(t, "batches") {
			at += rapid.SampledFrom([]int64{0, 1, 1000, 61_000, keyLife + 1, day}).Draw(t, "later")
			cmds := rapid.SliceOfN(anyCommand(s, at), 0, 12).Draw(t, "commands")
			apply(t, s, at, cmds...)
			apply(t, never, at, cmds...)
			if rapid.IntRange(0, 2).Draw(t, "freeze") == 0 {
				kept = append(kept, freezeNow(t, s))
			}
			for _, f := range kept {
				f.check(t)
			}
			verified(t, s)
			if s.Hash() != never.Hash() {
				t.Fatalf("a machine that was frozen has become another")
			}
		}
	})
}

// grow makes a house of several chunks of everything: people with names, sessions, results and audit entries.
func grow(t fataler, s *State, from, to int) {
	t.Helper()
	for n := from; n < to; n += 50 {
		var cmds []Command
		for i := n; i < min(n+50, to); i++ {
			c := person(i)
			c.Key = key(i)
			cmds = append(cmds, c, Command{Op: OpSessionOpen, Account: ID(i), TokenHash: token(i), Expires: s.Clock() + 1000 + int64(i%97)})
		}
		done(t, s, s.Clock(), cmds...)
	}
}

// churn changes something everywhere: names go, sessions end and begin, the oldest results are forgotten.
func churn(t fataler, s *State, people, round int) {
	t.Helper()
	var cmds []Command
	for i := round%7 + 1; i < people; i += 7 {
		id := ID(i)
		switch (i + round) % 4 {
		case 0:
			cmds = append(cmds, Command{Op: OpSessionOpen, Account: id, TokenHash: token(100_000*(round+1) + i), Expires: s.Clock() + 90_000})
		case 1:
			cmds = append(cmds, Command{Op: OpErase, Account: id})
		case 2:
			cmds = append(cmds, Command{Op: OpPasswordSet, Account: id, Hash: testHash, Key: key(-round*people - i)})
		case 3:
			cmds = append(cmds, Command{Op: OpAudit, Action: "sale.open", Target: "event/1"}, Command{Op: OpLangSet, Account: id, Lang: "es"})
		}
	}
	apply(t, s, s.Clock()+keyLife/3, cmds...)
}

// A frozen state is read on another goroutine while the machine goes on; the race detector looks on.
func TestFrozenIsReadBesideTheMachine(t *testing.T) {
	const people = 3 * slabChunk
	s := New(3)
	done(t, s, 1000, rehearsal(), Command{Op: OpEventPut, Slug: "show", Name: "Show", Summary: []byte("s")},
		Command{Op: OpKeyPut, Slug: "k", Public: []byte("public")})
	grow(t, s, 1, people)
	var readers sync.WaitGroup
	for round := range 8 {
		f := frozenAt{s.Freeze(), s.AppendSnapshot(nil)}
		readers.Go(func() {
			for range 3 {
				if !bytes.Equal(f.frozen.AppendSnapshot(nil), f.bytes) {
					t.Error("a frozen state has changed")
				}
			}
			var all []byte
			if err := f.frozen.EachPart(func(p []byte) error { all = append(all, p...); return nil }); err != nil || !bytes.Equal(all, f.bytes) {
				t.Errorf("%d bytes in pieces, want %d: %v", len(all), len(f.bytes), err)
			}
		})
		churn(t, s, people, round)
		done(t, s, s.Clock(), Command{Op: OpMintFans, Event: 1, Count: 100, Seed: token(round), Lang: "en", Expires: s.Clock() + day},
			Command{Op: OpEventPut, Slug: "show", Name: "Show", State: EventListed, Summary: []byte{byte(round)}})
	}
	readers.Wait()
	verified(t, s)
	reborn(t, s)
}

func TestFrozenAuditOutlivesTheCut(t *testing.T) {
	s := New(1)
	var f frozenAt
	for n := 0; n < MaxAudit+10; n += 1000 {
		var cmds []Command
		for range 1000 {
			cmds = append(cmds, Command{Op: OpAudit, Action: "sale.open", Target: "event/1"})
		}
		if n+1000 > MaxAudit && f.frozen == nil {
			f = freezeNow(t, s)
		}
		done(t, s, 1000, cmds...)
	}
	if s.AuditBase() == [32]byte{} {
		t.Fatal("nothing was cut off")
	}
	f.check(t)
}

func TestPiecesEndWithTheFirstError(t *testing.T) {
	s := New(1)
	grow(t, s, 1, 2000)
	whole := len(s.AppendSnapshot(nil))
	stop := errors.New("enough")
	for _, after := range []int{0, 1, 3} {
		calls := 0
		err := s.Freeze().EachPart(func(p []byte) error {
			if len(p) > 2*flushAt {
				t.Errorf("a piece of %d bytes", len(p))
			}
			if calls++; calls > after {
				return stop
			}
			return nil
		})
		if !errors.Is(err, stop) || calls != after+1 {
			t.Errorf("stopped after %d: %d calls of about %d, %v", after, calls, whole/flushAt, err)
		}
	}
}

// What was erased is in no chunk of the machine, shared or not.
func TestErasedIsGoneAlthoughFrozen(t *testing.T) {
	s := New(1)
	c := person(1)
	c.Email = "somebody.special@example.org"
	done(t, s, 1000, c)
	f := s.Freeze()
	done(t, s, 1000, Command{Op: OpErase, Account: 1})
	for _, x := range s.texts.chunks {
		if bytes.Contains(x.items, []byte("special")) {
			t.Error("an erased address is still there")
		}
	}
	if !bytes.Contains(f.AppendSnapshot(nil), []byte("special")) {
		t.Error("the frozen state has lost it")
	}
}

func key(n int) Key {
	h := token(n)
	return Key(h[:16])
}
