package account

import "fmt"

// Begin opens a batch: time moves to at or stays, sessions that are due expire. Index is the entry's place in
// the log and must rise.
func (s *State) Begin(index uint64, at int64) {
	if index <= s.index && s.fault == nil {
		s.fault = fmt.Errorf("begin: entry %d comes after entry %d", index, s.index)
	}
	s.index = index
	s.at = min(max(s.at, at), maxTime)
	s.changes = s.changes[:0]
	s.marks = s.marks[:0]
	s.minted = 0
	s.done.forget(s.at - keyLife)
	s.sweep()
}

// Do carries out one command. It refuses rather than fails, whatever the command holds.
func (s *State) Do(c *Command) Result {
	if c.Key == (Key{}) {
		return s.apply(c)
	}
	digest := bodyDigest(c)
	if r, same, ok := s.done.find(&c.Key, &digest); ok {
		if !same {
			return Result{Refusal: RefusedMismatch}
		}
		r.Repeated = true
		return r
	}
	r := s.apply(c)
	if r.Refusal != RefusedBusy {
		s.done.add(&c.Key, &digest, s.at, &r, maxKnownKeys)
	}
	return r
}

// Command decodes one command and does it. An error means that the bytes are no command this binary knows.
func (s *State) Command(b []byte) (Result, error) {
	var d Decoder
	c, err := d.Decode(b)
	if err != nil {
		return Result{}, err
	}
	return s.Do(c), nil
}

// End closes the batch and checks what it touched. An error is a violated invariant: the state must not be used.
func (s *State) End() error {
	if s.fault != nil {
		return s.fault
	}
	if err := s.verifyBatch(); err != nil {
		s.fault = fmt.Errorf("end of entry %d: %w", s.index, err)
	}
	return s.fault
}

// Never is what Due returns when an empty batch would do nothing at any time.
const Never = 1<<63 - 1

// Due is the earliest instant at which an empty batch would do something, [Never] when there is none: the first
// session's expiry, but not sooner than a minute after the last sweep.
func (s *State) Due() int64 {
	if len(s.expiry) == 0 {
		return Never
	}
	return max(s.sessions.at(s.expiry[0]).expires, s.swept+sweepEvery)
}

func (s *State) apply(c *Command) Result {
	if c.Check() != nil {
		return Result{Refusal: RefusedInvalid}
	}
	switch c.Op {
	case OpTick:
		return Result{}
	case OpCreate:
		return s.create(c)
	case OpSessionOpen:
		return s.openSession(c)
	case OpSessionRevoke:
		return s.revokeSession(c)
	case OpSessionRevokeAll:
		return s.revokeAll(c)
	case OpPasswordSet:
		return s.setPassword(c)
	case OpLangSet:
		return s.setLang(c)
	case OpRoleSet:
		return s.setRole(c)
	case OpDisable:
		return s.disable(c)
	case OpEnable:
		return s.enable(c)
	case OpErase:
		return s.erase(c)
	case OpEventPut:
		return s.putEvent(c)
	case OpEventState:
		return s.setEventState(c)
	case OpMintFans:
		return s.mintFans(c)
	case OpAudit:
		return s.bookAudit(c)
	case OpKeyPut:
		return s.putKey(c)
	case OpEpoch:
		return s.raiseEpoch(c)
	default:
		return Result{Refusal: RefusedInvalid}
	}
}

func refused(r Refusal) Result { return Result{Refusal: r} }

// may says whether the actor's role allows something that takes at least that role.
func (s *State) may(actor ID, least Role) Refusal {
	if actor == 0 {
		return Done
	}
	a := s.find(actor)
	switch {
	case a == nil:
		return RefusedRole
	case a.is(flagDisabled):
		return RefusedDisabled
	case a.role < least:
		return RefusedRole
	}
	return Done
}

// mayTouch says whether the actor may change that account: oneself always, a fan's as an operator, staff's as
// an owner.
func (s *State) mayTouch(actor, id ID, a *account) Refusal {
	if actor == id {
		return Done
	}
	if a.role > RoleFan {
		return s.may(actor, RoleOwner)
	}
	return s.may(actor, RoleOperator)
}
