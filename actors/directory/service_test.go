package directory

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/relay"
	"github.com/catraca/catraca/actors/sequencer"
)

const phc = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZWhhc2hzb21laGFzaHNvbWVoYXNoc29tZWhhc2g"

// signUp makes an account and opens a session.
func signUp(t testing.TB, h *house, name string) (account.ID, string) {
	t.Helper()
	res := h.do(t, account.Command{
		Op: account.OpCreate, Email: name + "@example.org", Name: name, Lang: "en", Hash: phc, Key: account.Key{1, name[0]},
	})
	return res.Account, signIn(t, h, res.Account, time.Hour)
}

func signIn(t testing.TB, h *house, id account.ID, life time.Duration) string {
	t.Helper()
	token, hash := NewToken()
	h.do(t, account.Command{Op: account.OpSessionOpen, Account: id, TokenHash: hash, Expires: h.now() + life.Milliseconds()})
	return token
}

func knows(t testing.TB, h *house, token string) bool {
	t.Helper()
	_, err := h.Authenticate(t.Context(), token)
	if err != nil && !errors.Is(err, ErrNoSession) {
		t.Fatal(err)
	}
	return err == nil
}

func TestWhoIsKnownChangesAtOnce(t *testing.T) {
	h := ready(t, t.TempDir())
	ana, token := signUp(t, h, "ana")
	p, err := h.Authenticate(t.Context(), token)
	if err != nil || p.Account != ana || p.Email != "ana@example.org" || p.Role != account.RoleFan || p.Expires <= h.now() {
		t.Fatalf("%+v, %v", p, err)
	}
	h.do(t, account.Command{Op: account.OpLangSet, Account: ana, Lang: "es"})
	if p, _ = h.Authenticate(t.Context(), token); p.Lang != "es" {
		t.Errorf("the language is %q after it was set", p.Lang)
	}
	h.do(t, account.Command{Op: account.OpRoleSet, Account: ana, Role: account.RoleOperator})
	if p, _ = h.Authenticate(t.Context(), token); p.Role != account.RoleOperator {
		t.Errorf("the role is %v after it was set", p.Role)
	}

	second := signIn(t, h, ana, time.Hour)
	h.do(t, account.Command{Op: account.OpSessionRevoke, TokenHash: p.Token})
	if knows(t, h, token) || !knows(t, h, second) {
		t.Error("after one session was revoked: the wrong one is known")
	}
	if held, err := h.Holds(t.Context(), p); err != nil || held {
		t.Errorf("the revoked session holds: %t, %v", held, err)
	}
	h.do(t, account.Command{Op: account.OpDisable, Account: ana})
	if knows(t, h, second) {
		t.Error("a disabled account is let in")
	}
	if _, ok, err := h.Person(t.Context(), ana); ok || err != nil {
		t.Errorf("a disabled account is found: %v", err)
	}
	h.do(t, account.Command{Op: account.OpEnable, Account: ana})
	if knows(t, h, second) {
		t.Error("enabling brings revoked sessions back")
	}
	third := signIn(t, h, ana, time.Hour)
	if who, ok, err := h.Person(t.Context(), ana); !ok || err != nil || who.Name != "ana" {
		t.Errorf("person %+v, %t, %v", who, ok, err)
	}
	h.do(t, account.Command{Op: account.OpErase, Account: ana})
	if knows(t, h, third) {
		t.Error("an erased account is let in")
	}
	if _, ok, err := h.Person(t.Context(), ana); ok || err != nil {
		t.Errorf("an erased account is found: %v", err)
	}
}

func TestSessionsExpire(t *testing.T) {
	h := ready(t, t.TempDir())
	ana, long := signUp(t, h, "ana")
	short := signIn(t, h, ana, 10*time.Minute)
	p, err := h.Authenticate(t.Context(), short)
	if err != nil {
		t.Fatal(err)
	}
	h.skew.Store((10*time.Minute - time.Second).Milliseconds())
	if held, err := h.Holds(t.Context(), p); !knows(t, h, short) || !held || err != nil {
		t.Errorf("a second before its end: %t, %v", held, err)
	}
	h.skew.Store((10*time.Minute + time.Second).Milliseconds())
	if held, err := h.Holds(t.Context(), p); knows(t, h, short) || held || err != nil || !knows(t, h, long) {
		t.Errorf("a second after its end: %t, %v", held, err)
	}
}

func TestNobodyIsKnownByAnythingElse(t *testing.T) {
	h := ready(t, t.TempDir())
	_, token := signUp(t, h, "ana")
	other, _ := NewToken()
	for _, s := range []string{"", "x", other, token[1:], token + "A", token[:len(token)-1] + "=", token[:42] + "_", "\x00" + token[1:]} {
		if s != token && knows(t, h, s) {
			t.Errorf("%q is let in", s)
		}
	}
	n := 0
	h.index.sessions.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d sessions in the index: guesses cost memory", n)
	}
}

func TestCatalogueAndKeys(t *testing.T) {
	h := ready(t, t.TempDir())
	if len(h.Events())+len(h.Keys()) != 0 {
		t.Error("a new directory is not empty")
	}
	h.do(t, account.Command{Op: account.OpEventPut, Slug: "aurora", Name: "Aurora", State: account.EventListed})
	e, ok := h.EventBySlug("aurora")
	if !ok || e.Shard != 1 || len(h.Events()) != 1 {
		t.Errorf("event %+v, %t", e, ok)
	}
	if _, ok := h.EventBySlug("boreal"); ok {
		t.Error("found what was never put")
	}
	h.do(t, account.Command{Op: account.OpKeyPut, Slug: "k1", Public: make([]byte, 32)})
	if keys := h.Keys(); len(keys) != 1 || keys[0].Name != "k1" {
		t.Errorf("keys %+v", keys)
	}
}

func TestDirectorySurvivesARestart(t *testing.T) {
	for _, snapshot := range []bool{false, true} {
		t.Run(fmt.Sprintf("snapshot=%t", snapshot), func(t *testing.T) {
			dir := t.TempDir()
			h := ready(t, dir)
			ana, token := signUp(t, h, "ana")
			_, gone := signUp(t, h, "bia")
			p, err := h.Authenticate(t.Context(), gone)
			if err != nil {
				t.Fatal(err)
			}
			if snapshot {
				if err := h.node.Snapshot(Shard); err != nil {
					t.Fatal(err)
				}
			}
			h.do(t, account.Command{Op: account.OpSessionRevoke, TokenHash: p.Token})
			h.do(t, account.Command{Op: account.OpEventPut, Slug: "aurora", Name: "Aurora", State: account.EventListed})
			before := h.hash(t)
			h.stop()

			h = ready(t, dir)
			if h.hash(t) != before {
				t.Error("the state is another")
			}
			if !knows(t, h, token) || knows(t, h, gone) {
				t.Error("the wrong sessions are known")
			}
			if _, ok := h.EventBySlug("aurora"); !ok {
				t.Error("the catalogue is lost")
			}
			again := h.do(t, account.Command{
				Op: account.OpCreate, Email: "ana@example.org", Name: "ana", Lang: "en", Hash: phc, Key: account.Key{1, 'a'},
			})
			if again.Account != ana {
				t.Errorf("the repeated command made account %d, it was %d", again.Account, ana)
			}
			if err := h.Ensure(t.Context()); err != nil || h.hash(t) == [32]byte{} {
				t.Errorf("ensure again: %v", err)
			}
		})
	}
}

func TestEnsure(t *testing.T) {
	dir := t.TempDir()
	h := openHouse(t, dir)
	if _, err := h.Submit(t.Context(), &account.Command{Op: account.OpTick}); err != nil && !errors.Is(err, sequencer.ErrUnavailable) {
		t.Errorf("before it is there: %v", err)
	}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if err := h.Ensure(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	before := h.hash(t)
	if err := h.Ensure(t.Context()); err != nil || h.hash(t) != before {
		t.Errorf("once more: %v", err)
	}
	h.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.Ensure(ctx); err == nil {
		t.Error("a closed directory is there")
	}
	if _, err := h.Authenticate(t.Context(), EncodeToken(make([]byte, 32))); !errors.Is(err, sequencer.ErrStopped) {
		t.Errorf("asked after the end: %v", err)
	}
}

func TestFollowerEndsEnsure(t *testing.T) {
	h := ready(t, t.TempDir())
	h.Pump().LeaderLost() // as on a node that another one leads
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := h.Ensure(ctx); err != nil {
		t.Error(err)
	}
}

func TestManyAskWhileManyChange(t *testing.T) {
	h := ready(t, t.TempDir())
	ana, token := signUp(t, h, "ana")
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.Gosched()
				}
				if p, err := h.Authenticate(context.Background(), token); err != nil || p.Account != ana {
					t.Errorf("%+v, %v", p, err)
					return
				}
			}
		})
	}
	langs := account.Langs()
	for i := range 80 {
		h.do(t, account.Command{Op: account.OpLangSet, Account: ana, Lang: langs[i%len(langs)]})
		if p, err := h.Authenticate(t.Context(), token); err != nil || p.Lang != langs[i%len(langs)] {
			t.Errorf("round %d: %q, %v", i, p.Lang, err)
		}
	}
	close(stop)
	wg.Wait()
}

// TestBehindTheLeader is a node that another one has done something for, and that does not hear of it.
func TestBehindTheLeader(t *testing.T) {
	h := ready(t, t.TempDir())
	m, _ := h.shard.Get(machineID)
	once, again := &account.Command{Op: account.OpCreate}, &account.Command{Op: account.OpCreate, Key: account.Key{1}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := relay.Follow(ctx, 0, &relay.Question[machine, account.Result]{Repeatable: repeatable(again), Handle: m}, m.Applied()+9); !errors.Is(err, sequencer.ErrUnavailable) {
		t.Errorf("an entry that is not here, of a command that may be done again: %v", err)
	}
	if err := relay.Follow(ctx, 0, &relay.Question[machine, account.Result]{Repeatable: repeatable(once), Handle: m}, m.Applied()+9); err != nil {
		t.Errorf("of a command that may not be done again: %v", err)
	}
	if err := relay.Follow(ctx, 0, &relay.Question[machine, account.Result]{Repeatable: repeatable(again), Handle: m}, m.Applied()); err != nil {
		t.Errorf("an entry that is here: %v", err)
	}
}

func TestIsBusy(t *testing.T) {
	err := fmt.Errorf("submit: %w", &sequencer.BusyError{RetryAfter: time.Second})
	if busy, ok := IsBusy(err); !ok || busy.RetryAfter != time.Second {
		t.Errorf("%v, %t", busy, ok)
	}
	if _, ok := IsBusy(ErrNoSession); ok {
		t.Error("no session is taken for busy")
	}
}
