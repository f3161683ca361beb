package account

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"
)

const (
	day      = int64(24 * 3600 * 1000)
	testHash = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
)

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// apply runs one batch of commands as the sequencer does: encoded.
func apply(t fataler, s *State, at int64, cmds ...Command) []Result {
	t.Helper()
	s.Begin(s.Index()+1, at)
	results := make([]Result, len(cmds))
	for i := range cmds {
		r, err := s.Command(AppendCommand(nil, &cmds[i]))
		if err != nil {
			t.Fatalf("command %d: %v", i, err)
		}
		results[i] = r
	}
	if err := s.End(); err != nil {
		t.Fatalf("end: %v", err)
	}
	return results
}

// done runs one batch and fails unless every command is done.
func done(t fataler, s *State, at int64, cmds ...Command) []Result {
	t.Helper()
	results := apply(t, s, at, cmds...)
	for i, r := range results {
		if r.Refusal != Done {
			t.Fatalf("command %d (op %d) refused: %v", i, cmds[i].Op, r.Refusal)
		}
	}
	return results
}

func refusedWith(t *testing.T, s *State, want Refusal, c Command) {
	t.Helper()
	if r := apply(t, s, s.Clock(), c)[0]; r.Refusal != want {
		t.Errorf("op %d: %v, want %v", c.Op, r.Refusal, want)
	}
}

// reborn is the state after a snapshot and a restore, which must be the same.
func reborn(t fataler, s *State) *State {
	t.Helper()
	snap := s.AppendSnapshot(nil)
	if got, want := s.Hash(), sha256.Sum256(snap); got != want {
		t.Fatalf("hash %x is not the snapshot's %x", got, want)
	}
	again, err := Restore(snap)
	if err != nil {
		t.Fatalf("restore: %v", err)
	}
	if !bytes.Equal(again.AppendSnapshot(nil), snap) {
		t.Fatalf("the restored state has another snapshot")
	}
	return again
}

func verified(t fataler, s *State) {
	t.Helper()
	if err := s.Verify(); err != nil {
		t.Fatalf("verify: %v", err)
	}
}

func person(n int) Command {
	return Command{Op: OpCreate, Email: fmt.Sprintf("p%d@example.org", n), Name: fmt.Sprintf("Person %d", n), Lang: "en", Hash: testHash}
}

func token(n int) [32]byte { return sha256.Sum256(fmt.Appendf(nil, "token %d", n)) }

func rehearsal() Command {
	return Command{Op: OpEventPut, Slug: "ensaio", Name: "Ensaio", Rehearsal: true, State: EventListed}
}
