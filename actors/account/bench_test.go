package account

import (
	"fmt"
	"testing"
)

// crowd is a state with so many accounts, each with a password and one session.
func crowd(b *testing.B, n int) *State {
	b.Helper()
	s := New(16)
	for i := 0; i < n; {
		s.Begin(s.Index()+1, 1000)
		for range min(1024, n-i) {
			i++
			c := Command{Op: OpCreate, Email: fmt.Sprintf("somebody.%d@example.org", i), Name: "Some Body", Lang: "en", Hash: testHash}
			s.Do(&c)
			s.Do(&Command{Op: OpSessionOpen, Account: ID(i), TokenHash: token(i), Expires: 1000 + day})
		}
		if err := s.End(); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func BenchmarkMillionAccounts(b *testing.B) {
	s := crowd(b, 1_000_000)
	b.Run("bysession", func(b *testing.B) {
		i := 0
		for b.Loop() {
			i = (i + 7919) % 1_000_000
			if _, ok := s.Session(s.sessions.at(uint32(i + 1)).token); !ok {
				b.Fatal("not found")
			}
		}
	})
	b.Run("byemail", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			i = (i + 7919) % 1_000_000
			if _, ok := s.ByEmail(fmt.Sprintf("somebody.%d@example.org", i+1)); !ok {
				b.Fatal("not found")
			}
		}
	})
	b.Run("snapshot", func(b *testing.B) {
		for b.Loop() {
			b.SetBytes(int64(len(s.AppendSnapshot(nil))))
		}
	})
	b.Run("freeze", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Freeze()
		}
	})
	b.Run("after-freeze", func(b *testing.B) { // one sign-in, the first since a freeze
		i := 0
		for b.Loop() {
			i++
			s.Freeze()
			s.Begin(s.Index()+1, 2000)
			s.Do(&Command{Op: OpSessionOpen, Account: ID(i*7919%1_000_000 + 1), TokenHash: token(5_000_000 + i), Expires: 2000 + day})
			if err := s.End(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("hash", func(b *testing.B) {
		for b.Loop() {
			s.Hash()
		}
	})
	snap := s.AppendSnapshot(nil)
	b.Run("restore", func(b *testing.B) {
		b.SetBytes(int64(len(snap)))
		for b.Loop() {
			if _, err := Restore(snap); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSignIn(b *testing.B) {
	s := crowd(b, 100_000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		s.Begin(s.Index()+1, 2000)
		c := Command{Op: OpSessionOpen, Account: ID(i%100_000 + 1), TokenHash: token(1_000_000 + i), Expires: day}
		if _, err := s.Command(AppendCommand(nil, &c)); err != nil {
			b.Fatal(err)
		}
		if err := s.End(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMint(b *testing.B) {
	s := New(4)
	s.Begin(1, 1000)
	put := rehearsal()
	s.Do(&put)
	if err := s.End(); err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		if n++; n == 400 {
			b.Fatal("the machine is full")
		}
		s.Begin(s.Index()+1, 1000)
		s.Do(&Command{Op: OpMintFans, Event: 1, Count: MaxMint, Seed: token(n), Lang: "en", Expires: day})
		if err := s.End(); err != nil {
			b.Fatal(err)
		}
	}
}
