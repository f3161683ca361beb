package account

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model is the machine once more, with maps and strings and without any index, sweep or bound but those a caller
// can see. It knows the rules; the machine has to follow them through slabs, tables, heap and text records.
type model struct {
	at       int64
	swept    int64
	accounts []Account // by ID - 1; Sessions is not kept
	sessions []modelSession
	events   []Event
	keys     []PublicKey
	audits   int
	epoch    uint32
	known    map[Key]modelKnown
}

type modelSession struct {
	Session

	token [32]byte
}

type modelKnown struct {
	at     int64
	body   string
	result Result
}

func (m *model) begin(at int64) {
	m.at = max(m.at, at)
	for k, v := range m.known {
		if v.at < m.at-keyLife {
			delete(m.known, k)
		}
	}
	if m.at < m.due() {
		return
	}
	m.swept = m.at
	m.sessions = slices.DeleteFunc(m.sessions, func(s modelSession) bool { return s.Expires <= m.at })
}

func (m *model) due() int64 {
	due := int64(Never)
	for _, s := range m.sessions {
		due = min(due, max(s.Expires, m.swept+sweepEvery))
	}
	return due
}

func (m *model) do(c *Command) Result {
	if c.Key == (Key{}) {
		return m.apply(c)
	}
	plain := *c
	plain.Key = Key{}
	body := fmt.Sprint(plain)
	if k, ok := m.known[c.Key]; ok {
		if k.body != body {
			return Result{Refusal: RefusedMismatch}
		}
		k.result.Repeated = true
		return k.result
	}
	r := m.apply(c)
	m.known[c.Key] = modelKnown{m.at, body, r}
	return r
}

func (m *model) live(id ID) *Account {
	if id == 0 || int(id) > len(m.accounts) || m.accounts[id-1].Erased {
		return nil
	}
	return &m.accounts[id-1]
}

func (m *model) may(actor ID, least Role) Refusal {
	if actor == 0 {
		return Done
	}
	a := m.live(actor)
	switch {
	case a == nil:
		return RefusedRole
	case a.Disabled:
		return RefusedDisabled
	case a.Role < least:
		return RefusedRole
	}
	return Done
}

func (m *model) mayTouch(actor ID, a *Account) Refusal {
	switch {
	case actor == a.ID:
		return Done
	case a.Role > RoleFan:
		return m.may(actor, RoleOwner)
	}
	return m.may(actor, RoleOperator)
}

func (m *model) lastOwner(a *Account) bool {
	owners := 0
	for _, o := range m.accounts {
		if o.Role == RoleOwner && !o.Disabled {
			owners++
		}
	}
	return owners == 1 && a.Role == RoleOwner && !a.Disabled
}

func (m *model) drop(id ID, keep [32]byte) uint64 {
	before := len(m.sessions)
	m.sessions = slices.DeleteFunc(m.sessions, func(s modelSession) bool { return s.Account == id && s.token != keep })
	return uint64(before - len(m.sessions))
}

func (m *model) apply(c *Command) Result {
	if c.Check() != nil {
		return refused(RefusedInvalid)
	}
	switch c.Op {
	case OpTick:
		return Result{}
	case OpCreate:
		return m.create(c)
	case OpSessionOpen:
		return m.open(c)
	case OpSessionRevoke:
		for i, s := range m.sessions {
			if s.token == c.TokenHash {
				m.sessions = slices.Delete(m.sessions, i, i+1)
				return Result{Account: s.Account, Number: 1}
			}
		}
		return refused(RefusedUnknown)
	case OpEventPut, OpEventState, OpMintFans:
		return m.event(c)
	case OpAudit:
		if r := m.may(c.Actor, RoleFan); r != Done {
			return refused(r)
		}
		m.audits++
		return Result{Number: uint64(m.audits)}
	case OpKeyPut:
		return m.key(c)
	case OpEpoch:
		return m.raise(c)
	}
	a := m.live(c.Account)
	if a == nil {
		return refused(RefusedUnknown)
	}
	return m.change(c, a)
}

func (m *model) create(c *Command) Result {
	least := RoleOperator
	if c.Role > RoleFan {
		least = RoleOwner
	}
	if r := m.may(c.Actor, least); r != Done {
		return refused(r)
	}
	for _, a := range m.accounts {
		if a.Email == c.Email {
			return refused(RefusedEmailTaken)
		}
	}
	id := ID(len(m.accounts) + 1)
	m.accounts = append(m.accounts, Account{
		ID: id, Email: c.Email, Name: c.Name, Lang: c.Lang, Hash: c.Hash, Role: c.Role, Created: m.at, Changed: m.at,
	})
	if c.Role > RoleFan || c.Actor != 0 {
		m.audits++
	}
	return Result{Account: id}
}

func (m *model) open(c *Command) Result {
	a := m.live(c.Account)
	switch {
	case a == nil:
		return refused(RefusedUnknown)
	case a.Disabled:
		return refused(RefusedDisabled)
	case c.Expires <= m.at:
		return refused(RefusedExpired)
	case c.Expires-m.at > MaxSessionLife:
		return refused(RefusedInvalid)
	}
	var own []int
	for i, s := range m.sessions {
		if s.token == c.TokenHash {
			if s.Account == c.Account && s.Expires == c.Expires {
				return Result{Account: c.Account}
			}
			return refused(RefusedTokenTaken)
		}
		if s.Account == c.Account {
			own = append(own, i)
		}
	}
	if len(own) == MaxSessionsPerAccount {
		m.sessions = slices.Delete(m.sessions, own[0], own[0]+1)
	}
	m.sessions = append(m.sessions, modelSession{Session{c.Account, m.at, c.Expires}, c.TokenHash})
	return Result{Account: c.Account}
}

func (m *model) change(c *Command, a *Account) Result {
	r := Result{Account: a.ID}
	booked := true
	switch c.Op {
	case OpSessionRevokeAll:
		r.Number = m.drop(a.ID, c.TokenHash)
		return r
	case OpLangSet:
		if a.Disabled {
			return refused(RefusedDisabled)
		}
		a.Lang, booked = c.Lang, false
	case OpPasswordSet:
		own := c.Actor == 0 || c.Actor == a.ID
		if no := m.mayTouch(c.Actor, a); no != Done {
			return refused(no)
		}
		if own && a.Disabled {
			return refused(RefusedDisabled)
		}
		if a.Virtual {
			return refused(RefusedState)
		}
		a.Hash, booked = c.Hash, !own
		r.Number = m.drop(a.ID, c.TokenHash)
	case OpRoleSet:
		if no := m.may(c.Actor, RoleOwner); no != Done {
			return refused(no)
		}
		if a.Virtual {
			return refused(RefusedState)
		}
		if c.Role != RoleOwner && m.lastOwner(a) {
			return refused(RefusedLastOwner)
		}
		a.Role = c.Role
	case OpEnable:
		if c.Actor == a.ID {
			return refused(RefusedDisabled)
		}
		if no := m.mayTouch(c.Actor, a); no != Done {
			return refused(no)
		}
		a.Disabled = false
	case OpDisable, OpErase:
		if no := m.mayTouch(c.Actor, a); no != Done {
			return refused(no)
		}
		if m.lastOwner(a) {
			return refused(RefusedLastOwner)
		}
		r.Number = m.drop(a.ID, [32]byte{})
		if c.Op == OpDisable {
			a.Disabled = true
			break
		}
		booked = c.Actor != 0 && c.Actor != a.ID
		*a = Account{ID: a.ID, Lang: langs()[0], Disabled: a.Disabled, Erased: true, Virtual: a.Virtual, Event: a.Event, Created: a.Created}
	}
	a.Changed = m.at
	if booked {
		m.audits++
	}
	return r
}

func (m *model) key(c *Command) Result {
	if r := m.may(c.Actor, RoleOwner); r != Done {
		return refused(r)
	}
	for _, k := range m.keys {
		if k.Name == c.Slug {
			if string(k.Public) == string(c.Public) {
				return Result{}
			}
			return refused(RefusedState)
		}
	}
	m.keys = append(m.keys, PublicKey{c.Slug, c.Public, m.at})
	m.audits++
	return Result{Number: uint64(len(m.keys))}
}

func (m *model) raise(c *Command) Result {
	switch {
	case c.Actor != 0:
		return refused(RefusedRole)
	case c.Count <= m.epoch:
		return Result{Refusal: RefusedState, Number: uint64(m.epoch)}
	}
	m.epoch = c.Count
	m.audits++
	return Result{Number: uint64(m.epoch)}
}

func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, m := New(4), &model{known: map[Key]modelKnown{}}
		at := int64(1)
		prelude(t, s, m)
		for range rapid.IntRange(5, 40).Draw(t, "batches") {
			at += rapid.SampledFrom([]int64{-5, 0, 1, 1000, 61_000, keyLife + 1, day}).Draw(t, "later")
			cmds := rapid.SliceOfN(anyCommand(s, max(at, 1)), 0, 12).Draw(t, "commands")
			m.begin(at)
			for i, r := range apply(t, s, at, cmds...) {
				if want := m.do(&cmds[i]); r != want {
					t.Fatalf("%+v\nmachine %+v\nmodel   %+v", cmds[i], r, want)
				}
			}
			compare(t, s, m)
			verified(t, s)
			switch rapid.IntRange(0, 3).Draw(t, "then") {
			case 0:
				s = reborn(t, s)
			case 1:
				s.Freeze() // the next batch copies what it writes to
			}
		}
	})
}

// prelude gives the house an owner, some people, a rehearsal and a real event, so that most commands have a chance.
func prelude(t *rapid.T, s *State, m *model) {
	owner := person(1)
	owner.Role = RoleOwner
	cmds := []Command{
		owner, person(2), person(3), rehearsal(), {Op: OpEventPut, Slug: "show", Name: "Show", State: EventListed, Summary: []byte("x")},
	}
	m.begin(1)
	for i := range done(t, s, 1, cmds...) {
		m.do(&cmds[i])
	}
}

func compare(t *rapid.T, s *State, m *model) {
	if s.Clock() != m.at || s.Due() != m.due() || s.Sessions() != len(m.sessions) || s.AuditCount() != uint64(m.audits) {
		t.Fatalf("clock %d due %d sessions %d audit %d; model %d %d %d %d", s.Clock(), s.Due(), s.Sessions(),
			s.AuditCount(), m.at, m.due(), len(m.sessions), m.audits)
	}
	if uint32(s.Epoch()) != m.epoch {
		t.Fatalf("epoch %d; model %d", s.Epoch(), m.epoch)
	}
	for _, want := range m.accounts {
		for _, x := range m.sessions {
			if x.Account == want.ID {
				want.Sessions++
			}
		}
		if got, ok := s.Account(want.ID); !ok || got != want {
			t.Fatalf("account %+v\nmodel   %+v", got, want)
		}
		if got, ok := s.ByEmail(want.Email); ok != !want.Erased || ok && got != want {
			t.Fatalf("by e-mail %q: %+v %v", want.Email, got, ok)
		}
	}
	for _, want := range m.sessions {
		if got, ok := s.Session(want.token); ok != (want.Expires > m.at) || ok && got != want.Session {
			t.Fatalf("session %+v %v, model %+v", got, ok, want.Session)
		}
	}
	if got := fmt.Sprint(s.Events()); got != fmt.Sprint(m.events) {
		t.Fatalf("events %s\nmodel  %v", got, m.events)
	}
	if got := fmt.Sprint(s.Keys()); got != fmt.Sprint(m.keys) {
		t.Fatalf("keys %s, model %v", got, m.keys)
	}
}
