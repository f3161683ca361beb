package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sequencer"
)

// Person is who a request comes from.
type Person struct {
	Account account.ID
	Email   string
	Name    string
	Lang    string
	Role    account.Role
	Virtual bool
	Event   account.EventID // of a virtual fan: the only event it may act on
	Token   [32]byte        // hash of the session's token
	Expires int64           // of the session, unix ms
}

// ErrNoSession means the token opens nothing: it was never given out, has run out or was revoked.
var ErrNoSession = errors.New("no such session")

// index answers who and what without the machine's mailbox. It is filled on demand and corrected by the machine's
// changes, both on the machine's goroutine, so that an older answer never replaces a newer one.
type index struct {
	sessions sync.Map // [32]byte -> session
	people   sync.Map // account.ID -> *Person without session
	events   atomic.Pointer[[]account.Event]
	keys     atomic.Pointer[[]account.PublicKey]
}

type session struct {
	account account.ID
	expires int64
}

func (x *index) start(s *account.State) {
	x.sessions.Clear()
	x.people.Clear()
	x.catalogue(s)
}

func (x *index) catalogue(s *account.State) {
	events, keys := s.Events(), s.Keys()
	x.events.Store(&events)
	x.keys.Store(&keys)
}

func (x *index) update(s *account.State) {
	reread := false
	for _, c := range s.Changes() {
		switch c.Kind {
		case account.ChangeSessionOpened:
			x.sessions.Store(c.TokenHash, session{account: c.Account, expires: c.Expires})
		case account.ChangeSessionRevoked:
			x.sessions.Delete(c.TokenHash)
		case account.ChangeAccount:
			x.people.Delete(c.Account)
		case account.ChangeEvent, account.ChangeKey:
			reread = true
		case account.ChangeAudit: // nothing to look up
		}
	}
	if reread || x.events.Load() == nil {
		x.catalogue(s)
	}
}

// learn reads a session and its account from the machine. The machine's goroutine.
func (x *index) learn(s *account.State, token [32]byte) (Person, bool) {
	got, ok := s.Session(token)
	if !ok {
		return Person{}, false
	}
	x.sessions.Store(token, session{account: got.Account, expires: got.Expires})
	who, ok := x.meet(s, got.Account)
	return who.in(token, got.Expires), ok
}

// meet reads an account from the machine. The machine's goroutine.
func (x *index) meet(s *account.State, id account.ID) (Person, bool) {
	a, ok := s.Account(id)
	if !ok || a.Erased || a.Disabled {
		return Person{}, false
	}
	who := Person{
		Account: a.ID, Email: a.Email, Name: a.Name, Lang: a.Lang, Role: a.Role, Virtual: a.Virtual, Event: a.Event,
	}
	x.people.Store(id, &who)
	return who, true
}

// in is the person in one session.
func (p Person) in(token [32]byte, expires int64) Person {
	p.Token, p.Expires = token, expires
	return p
}

// NewToken makes a session's token and what the machine stores of it.
func NewToken() (token string, hash [32]byte) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	return EncodeToken(raw), sha256.Sum256(raw)
}

// EncodeToken is a token as cookies and headers carry it.
func EncodeToken(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// Authenticate tells who a token belongs to, or [ErrNoSession].
func (s *Service) Authenticate(ctx context.Context, token string) (Person, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 32 {
		return Person{}, ErrNoSession
	}
	hash := sha256.Sum256(raw)
	p, ok, err := s.session(ctx, hash)
	if err == nil && !ok && s.o.Forward != nil && !s.shard.Leading() {
		// Somebody who signed in at another node a moment ago may be unknown here. All who ask at once share one look, so
		// made-up tokens cost the leader nothing more.
		if err = s.catchUp(ctx); err == nil {
			p, ok, err = s.session(ctx, hash)
		}
	}
	if err != nil {
		return Person{}, fmt.Errorf("authenticate: %w", err)
	}
	if !ok {
		return Person{}, ErrNoSession
	}
	return p, nil
}

// session finds who a session belongs to. What the machine says is taken as it is: between its answer and a second
// look at the index a change of the account may have emptied that.
func (s *Service) session(ctx context.Context, hash [32]byte) (p Person, ok bool, err error) {
	if p, ok = s.cached(hash); ok {
		return p, true, nil
	}
	err = s.Read(ctx, func(st *account.State) { p, ok = s.index.learn(st, hash) })
	return p, ok && p.Expires > s.o.Now(), err
}

func (s *Service) cached(hash [32]byte) (Person, bool) {
	got, ok := s.index.sessions.Load(hash)
	if !ok {
		return Person{}, false
	}
	sess := got.(session)
	if sess.expires <= s.o.Now() {
		return Person{}, false
	}
	who, ok := s.index.people.Load(sess.account)
	if !ok {
		return Person{}, false
	}
	return who.(*Person).in(hash, sess.expires), true
}

// Holds says whether a person's session is still open. A node that cannot ask answers with the error.
func (s *Service) Holds(ctx context.Context, p Person) (bool, error) {
	if p.Expires <= s.o.Now() {
		return false, nil
	}
	_, ok, err := s.session(ctx, p.Token)
	if err != nil {
		return false, fmt.Errorf("check session: %w", err)
	}
	return ok, nil
}

// Person reads an account that is neither erased nor disabled; false when there is none.
func (s *Service) Person(ctx context.Context, id account.ID) (who Person, ok bool, err error) {
	if known, ok := s.index.people.Load(id); ok {
		return *known.(*Person), true, nil
	}
	if err := s.Read(ctx, func(st *account.State) { who, ok = s.index.meet(st, id) }); err != nil {
		return Person{}, false, fmt.Errorf("read account: %w", err)
	}
	return who, ok, nil
}

// Events returns the catalogue as of the last batch. The slice may not be changed.
func (s *Service) Events() []account.Event {
	if e := s.index.events.Load(); e != nil {
		return *e
	}
	return nil
}

// EventBySlug finds an event of the catalogue.
func (s *Service) EventBySlug(slug string) (account.Event, bool) {
	for _, e := range s.Events() {
		if e.Slug == slug {
			return e, true
		}
	}
	return account.Event{}, false
}

// EventBySlugStrict is [Service.EventBySlug] in a catalogue that has everything which was acknowledged before the call.
func (s *Service) EventBySlugStrict(ctx context.Context, slug string) (e account.Event, ok bool, err error) {
	if e, ok = s.EventBySlug(slug); ok || s.o.Forward == nil {
		return e, ok, nil
	}
	if err := s.ReadStrict(ctx, func(*account.State) {}); err != nil {
		return account.Event{}, false, err
	}
	e, ok = s.EventBySlug(slug)
	return e, ok, nil
}

// Keys returns the published verification keys as of the last batch.
func (s *Service) Keys() []account.PublicKey {
	if k := s.index.keys.Load(); k != nil {
		return *k
	}
	return nil
}

// IsBusy says whether an error is a refusal because too much is waiting, and if so when to come back.
func IsBusy(err error) (*sequencer.BusyError, bool) {
	var busy *sequencer.BusyError
	ok := errors.As(err, &busy)
	return busy, ok
}
