package account

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
)

func TestTheOldestSessionMakesRoom(t *testing.T) {
	s := New(1)
	done(t, s, 1000, person(1))
	for i := range MaxSessionsPerAccount + 1 {
		done(t, s, 1000, Command{Op: OpSessionOpen, Account: 1, TokenHash: token(i), Expires: 90_000 - int64(i)})
	}
	if _, ok := s.Session(token(0)); ok {
		t.Error("the first session is still there")
	}
	if a, _ := s.Account(1); a.Sessions != MaxSessionsPerAccount || s.Sessions() != MaxSessionsPerAccount {
		t.Errorf("%d sessions", a.Sessions)
	}
	for i := range MaxSessionsPerAccount {
		if x, ok := s.Session(token(i + 1)); !ok || x.Account != 1 {
			t.Errorf("session %d is gone", i+1)
		}
	}
}

func TestMintedTokensCanBeComputed(t *testing.T) {
	s := New(4)
	done(t, s, 1000, rehearsal())
	seed := token(7)
	r := done(t, s, 1000, Command{Op: OpMintFans, Event: 1, Count: MaxMint, Seed: seed, Lang: "es", Expires: 90_000})[0]
	if r.Number != 1 || r.Account != 1 {
		t.Fatalf("%+v", r)
	}
	for _, i := range []uint32{0, 1, 4095, 4096, MaxMint - 1} {
		secret := FanToken(seed, i)
		if _, ok := s.Session(secret); ok {
			t.Error("the state has the token itself")
		}
		x, ok := s.Session(sha256.Sum256(secret[:]))
		if !ok || x.Account != r.Account+ID(i) || x.Expires != 90_000 {
			t.Fatalf("fan %d: %+v %v", i, x, ok)
		}
		a, ok := s.ByEmail(FanEmail(1, uint64(i)+1))
		if !ok || a.ID != x.Account || !a.Virtual || a.Event != 1 || a.Hash != "" || a.Lang != "es" {
			t.Fatalf("fan %d: %+v %v", i, a, ok)
		}
	}
	verified(t, s)
}

func TestOneEntryMintsABoundedCrowd(t *testing.T) {
	s := New(4)
	done(t, s, 1000, rehearsal())
	mint := func(n int) Command {
		return Command{Op: OpMintFans, Key: Key{byte(n)}, Event: 1, Count: MaxMint, Seed: token(n), Lang: "en", Expires: 90_000}
	}
	r := apply(t, s, 1000, mint(1), mint(2), mint(3))
	if r[0].Refusal != Done || r[1].Refusal != Done || r[2].Refusal != RefusedBusy {
		t.Fatalf("%+v", r)
	}
	if r := apply(t, s, 1000, mint(3))[0]; r.Refusal != Done || r.Repeated || r.Number != 2*MaxMint+1 {
		t.Fatalf("the same command in the next entry: %+v", r)
	}
	// They all end together; one entry sweeps a bounded number of them, once a minute.
	left := 3 * MaxMint
	for at := int64(90_000); left > 0; at += sweepEvery {
		if s.Due() != at {
			t.Fatalf("due %d, want %d", s.Due(), at)
		}
		done(t, s, at, Command{Op: OpTick})
		left = max(left-sweepAtOnce, 0)
		if s.Sessions() != left {
			t.Fatalf("%d sessions left, want %d", s.Sessions(), left)
		}
		done(t, s, at+1, Command{Op: OpTick})
		if s.Sessions() != left {
			t.Fatal("swept twice in a minute")
		}
	}
	verified(t, s)
}

func TestCatalogueAndKeysAreBounded(t *testing.T) {
	s := New(3)
	for i := range MaxEvents {
		done(t, s, 1000, Command{Op: OpEventPut, Slug: fmt.Sprintf("e-%d", i), Name: "E"})
	}
	refusedWith(t, s, RefusedFull, Command{Op: OpEventPut, Slug: "one-more", Name: "E"})
	done(t, s, 1000, Command{Op: OpEventPut, Slug: "e-7", Name: "Still changes"})
	if e, ok := s.EventBySlug("e-7"); !ok || e.Name != "Still changes" || e.ID != 8 {
		t.Errorf("%+v %v", e, ok)
	}
	if _, ok := s.EventBySlug("e-x"); ok {
		t.Error("found what is not there")
	}
	for i := range MaxKeys {
		done(t, s, 1000, Command{Op: OpKeyPut, Slug: fmt.Sprintf("k-%d", i), Public: []byte{1}})
	}
	refusedWith(t, s, RefusedFull, Command{Op: OpKeyPut, Slug: "one-more", Public: []byte{1}})
	verified(t, s)
}

func TestAuditIsAChain(t *testing.T) {
	s := New(1)
	for i := range MaxAudit + 100 {
		done(t, s, int64(1000+i), Command{Op: OpAudit, Action: "sale.rate", Target: "event/1", Reason: fmt.Sprint("reason ", i)})
	}
	all := s.AuditTail(MaxAudit)
	if len(all) != MaxAudit-MaxAudit/4+100 || s.AuditCount() != MaxAudit+100 || all[len(all)-1].Number != s.AuditCount() {
		t.Fatalf("%d kept of %d", len(all), s.AuditCount())
	}
	if err := VerifyAudit(s.AuditBase(), all); err != nil {
		t.Fatal(err)
	}
	verified(t, s)
	s = reborn(t, s)
	if !slices.Equal(s.AuditTail(MaxAudit), all) {
		t.Fatal("restored entries differ")
	}
	if tail := s.AuditTail(3); len(tail) != 3 || tail[2] != all[len(all)-1] || len(s.AuditTail(-1)) != 0 {
		t.Errorf("tail %+v", tail)
	}
	for what, change := range map[string]func([]Entry) []Entry{
		"a reason":       func(e []Entry) []Entry { e[5].Reason += "!"; return e },
		"a time":         func(e []Entry) []Entry { e[5].At++; return e },
		"an actor":       func(e []Entry) []Entry { e[5].Actor++; return e },
		"a digest":       func(e []Entry) []Entry { e[5].After[0]++; return e },
		"a text's place": func(e []Entry) []Entry { e[5].Action, e[5].Target = "sale.rateevent", "/1"; return e },
		"one left out":   func(e []Entry) []Entry { return slices.Delete(e, 5, 6) },
		"two swapped":    func(e []Entry) []Entry { e[5], e[6] = e[6], e[5]; return e },
		"one made up": func(e []Entry) []Entry {
			e[5].Reason = "made up"
			e[5].Hash = e[5].digest()
			return e
		},
	} {
		if err := VerifyAudit(s.AuditBase(), change(slices.Clone(all))); err == nil {
			t.Errorf("%s was changed and nobody saw", what)
		}
	}
}

func TestVerifySeesBrokenStates(t *testing.T) {
	for what, breakIt := range map[string]func(*State){
		"an address":         func(s *State) { s.texts.bytes(s.accounts.at(2).text, 1)[0] = 'z' },
		"a role":             func(s *State) { s.accounts.at(2).role = 9 },
		"an owner":           func(s *State) { s.accounts.at(2).role = RoleOwner },
		"a session count":    func(s *State) { s.accounts.at(2).sessions++ },
		"a session's owner":  func(s *State) { s.sessions.at(s.accounts.at(2).oldest).account = 1 },
		"a token":            func(s *State) { s.sessions.at(s.accounts.at(2).oldest).token[0]++ },
		"the heap":           func(s *State) { s.sessions.at(s.expiry[0]).expires = 1 << 60 },
		"a disabled account": func(s *State) { s.accounts.at(2).flags |= flagDisabled },
		"an erased account":  func(s *State) { s.accounts.at(2).flags |= flagErased },
		"a virtual fan":      func(s *State) { s.accounts.at(3).event = 2 },
		"a slug":             func(s *State) { s.events[0].slug = "other" },
		"a shard":            func(s *State) { s.events[0].shard = 77 },
		"a real event":       func(s *State) { s.events[0].rehearsal = false },
		"a key's name":       func(s *State) { s.keys[0].Name = "" },
		"the audit":          func(s *State) { s.audit[1].Actor++ },
		"the audit's count":  func(s *State) { s.auditCount++ },
		"a known result":     func(s *State) { s.done.at(0).at = 1 << 40 },
		"the clock":          func(s *State) { s.at = -1 },
		"the texts":          func(s *State) { s.texts.used++ },
	} {
		s := full(t)
		breakIt(s)
		if err := s.Verify(); err == nil {
			t.Errorf("%s is broken and Verify is content", what)
		}
	}
}

func TestEndSeesWhatTheBatchBroke(t *testing.T) {
	s := full(t)
	s.Begin(s.Index()+1, s.Clock())
	s.Do(&Command{Op: OpLangSet, Account: 2, Lang: "es"})
	s.accounts.at(2).sessions++
	for range 2 { // it stays broken
		if s.End() == nil {
			t.Fatal("End is content with a broken account")
		}
	}
	s = full(t)
	s.Begin(s.Index(), s.Clock())
	if s.End() == nil {
		t.Fatal("an entry was applied twice and End is content")
	}
}

func TestSnapshotSizeIsEnough(t *testing.T) {
	s := full(t)
	for i := range 3000 {
		done(t, s, s.Clock(), person(i+10), Command{Op: OpAudit, Key: Key{byte(i), byte(i >> 8), 1}, Action: "a", Target: "b"})
	}
	if n := len(s.AppendSnapshot(nil)); n > s.snapshotSize(s.Sessions()) || s.snapshotSize(s.Sessions()) > 2*n {
		t.Errorf("snapshot has %d bytes, foreseen were %d", n, s.snapshotSize(s.Sessions()))
	}
}

func TestTimeDoesNotGoBack(t *testing.T) {
	s := New(1)
	done(t, s, 5000, person(1))
	done(t, s, 4000, person(2))
	if a, _ := s.Account(2); a.Created != 5000 || s.Clock() != 5000 {
		t.Errorf("created %d, clock %d", a.Created, s.Clock())
	}
	done(t, s, 1<<62, person(3))
	verified(t, s)
}
