package account

import (
	"errors"
	"fmt"
	"slices"
)

// verifyBatch checks what the batch touched and the totals that cost nothing to check.
func (s *State) verifyBatch() error {
	for _, n := range s.marks {
		if err := s.verifyAccount(n); err != nil {
			return err
		}
	}
	if int(s.accounts.n) > MaxAccounts || len(s.expiry) > MaxSessions || len(s.audit) > MaxAudit {
		return fmt.Errorf("%d accounts, %d sessions, %d audit entries: over a bound", s.accounts.n, len(s.expiry), len(s.audit))
	}
	if len(s.expiry) != s.tokens.used || len(s.events) != s.slugs.used || int(s.done.n) != s.done.index.used {
		return errors.New("an index has another size than what it indexes")
	}
	if n := len(s.audit); n > 0 && s.audit[n-1].Number != s.auditCount {
		return fmt.Errorf("last audit entry is %d of %d", s.audit[n-1].Number, s.auditCount)
	}
	return nil
}

// Verify checks every invariant of the whole state: it reads all of it. [State.End] checks after each batch what
// the batch touched.
func (s *State) Verify() error {
	if s.at < 0 || s.at > maxTime || s.swept < 0 || s.swept > s.at || s.index > 1<<62 {
		return fmt.Errorf("entry %d, time %d, last sweep %d: out of range", s.index, s.at, s.swept)
	}
	if s.epoch > MaxEpoch {
		return fmt.Errorf("epoch %d of at most %d", s.epoch, MaxEpoch)
	}
	owners, live, sessions := 0, 0, 0
	for n := uint32(1); n <= s.accounts.n; n++ {
		if err := s.verifyAccount(n); err != nil {
			return err
		}
		a := s.accounts.at(n)
		sessions += int(a.sessions)
		if !a.is(flagErased) {
			live++
		}
		if a.role == RoleOwner && !a.is(flagDisabled) {
			owners++
		}
	}
	if owners != s.owners || live != s.emails.used || sessions != len(s.expiry) {
		return fmt.Errorf("%d owners, %d addresses, %d sessions; counted %d, %d, %d",
			s.owners, s.emails.used, len(s.expiry), owners, live, sessions)
	}
	if err := s.verifyExpiry(); err != nil {
		return err
	}
	if err := s.verifyEvents(); err != nil {
		return err
	}
	if err := s.verifyKeys(); err != nil {
		return err
	}
	if err := s.verifyAudit(); err != nil {
		return err
	}
	if err := s.verifyKnown(); err != nil {
		return err
	}
	if err := s.texts.verify(); err != nil {
		return fmt.Errorf("texts: %w", err)
	}
	return s.verifyBatch()
}

func (s *State) verifyAccount(n uint32) error {
	a := s.accounts.at(n)
	email, name, hash := s.texts3(a)
	switch {
	case a.flags > flagDisabled|flagErased|flagVirtual || a.role > RoleOwner || a.lang >= langCount:
		return fmt.Errorf("account %d has flags %d, role %d, lang %d", n, a.flags, a.role, a.lang)
	case a.is(flagErased) && (a.textLen() != 0 || a.sessions != 0 || a.role != RoleFan):
		return fmt.Errorf("account %d is erased and not empty", n)
	case a.is(flagDisabled) && a.sessions != 0:
		return fmt.Errorf("account %d is disabled and has %d sessions", n, a.sessions)
	case a.is(flagVirtual) && (len(hash) != 0 || a.role != RoleFan || a.event == 0 || int(a.event) > len(s.events) || !s.events[a.event-1].rehearsal):
		return fmt.Errorf("account %d is a virtual fan of event %d, which is no rehearsal, or has more than a fan may", n, a.event)
	case !a.is(flagVirtual) && a.event != 0:
		return fmt.Errorf("account %d is no virtual fan and belongs to event %d", n, a.event)
	case a.is(flagErased):
		return nil
	case s.byEmail(string(email)) != n:
		return fmt.Errorf("account %d is not found by its address", n)
	}
	err := first(checkEmail(string(email)), CheckName(string(name)))
	if err == nil && !a.is(flagVirtual) {
		err = CheckHash(string(hash))
	}
	if err != nil {
		return fmt.Errorf("account %d: %w", n, err)
	}
	return s.verifySessions(n, a)
}

func (s *State) verifySessions(n uint32, a *account) error {
	count, older := 0, uint32(0)
	for i := a.oldest; i != 0; i = s.sessions.at(i).newer {
		x := s.sessions.at(i)
		if count++; count > MaxSessionsPerAccount {
			return fmt.Errorf("account %d has more than %d sessions", n, MaxSessionsPerAccount)
		}
		switch {
		case x.account != n || x.older != older:
			return fmt.Errorf("session %d of account %d is not linked to it", i, n)
		case s.byToken(&x.token) != i || int(s.places[i-1]) >= len(s.expiry) || s.expiry[s.places[i-1]] != i:
			return fmt.Errorf("session %d of account %d is not found by its token or time", i, n)
		}
		older = i
	}
	if count != int(a.sessions) || older != a.newest {
		return fmt.Errorf("account %d counts %d sessions and has %d", n, a.sessions, count)
	}
	return nil
}

func (s *State) verifyExpiry() error {
	for i := 1; i < len(s.expiry); i++ {
		if s.sooner(s.expiry[i], s.expiry[(i-1)/2]) {
			return fmt.Errorf("session %d ends before the one above it", s.expiry[i])
		}
	}
	return nil
}

func (s *State) verifyEvents() error {
	for i := range s.events {
		e := &s.events[i]
		if err := first(CheckSlug(e.slug), CheckName(e.name), checkState(e.state)); err != nil {
			return fmt.Errorf("event %d: %w", i+1, err)
		}
		if len(e.summary) > MaxSummary || int(e.shard) >= s.shards || !e.rehearsal && e.fans != 0 {
			return fmt.Errorf("event %d: %d bytes of summary, shard %d, %d fans", i+1, len(e.summary), e.shard, e.fans)
		}
		if s.bySlug(e.slug) != uint32(i+1) {
			return fmt.Errorf("event %d is not found by its slug", i+1)
		}
	}
	return nil
}

func (s *State) verifyKeys() error {
	for i := range s.keys {
		k := &s.keys[i]
		if err := CheckSlug(k.Name); err != nil || len(k.Public) == 0 {
			return fmt.Errorf("key %d has a bad name or no bytes", i+1)
		}
		if slices.ContainsFunc(s.keys[:i], func(other PublicKey) bool { return other.Name == k.Name }) {
			return fmt.Errorf("key %s comes twice", k.Name)
		}
	}
	return nil
}

func (s *State) verifyAudit() error {
	if n := uint64(len(s.audit)); n > s.auditCount || n == 0 && s.auditCount != 0 || s.auditCount > 1<<62 {
		return fmt.Errorf("%d audit entries kept of %d", n, s.auditCount)
	}
	if n := len(s.audit); n > 0 && s.audit[0].Number != s.auditCount-uint64(n)+1 {
		return fmt.Errorf("first of %d kept audit entries is %d of %d", n, s.audit[0].Number, s.auditCount)
	}
	if s.auditCount == uint64(len(s.audit)) && s.auditBase != [32]byte{} {
		return errors.New("audit chain does not begin at zero")
	}
	return VerifyAudit(s.auditBase, s.audit)
}

func (s *State) verifyKnown() error {
	last := int64(0)
	for i := range s.done.n {
		k := s.done.at(i)
		if k.at < last || k.at > s.at || k.refusal == RefusedBusy || k.refusal == RefusedMismatch {
			return fmt.Errorf("known result %d is out of order or must not be kept", i)
		}
		last = k.at
	}
	return nil
}
