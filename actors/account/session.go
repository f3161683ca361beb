package account

import "slices"

// Session as read by the outside.
type Session struct {
	Account ID
	Opened  int64 // unix milliseconds
	Expires int64
}

// Session finds a live session by the SHA-256 of its token. One that is past its time is not found, swept or not.
func (s *State) Session(tokenHash [32]byte) (Session, bool) {
	n := s.byToken(&tokenHash)
	if n == 0 {
		return Session{}, false
	}
	x := s.sessions.at(n)
	if x.expires <= s.at {
		return Session{}, false
	}
	return Session{Account: ID(x.account), Opened: x.opened, Expires: x.expires}, true
}

// Sessions is how many sessions are kept, expired ones included until they are swept.
func (s *State) Sessions() int { return len(s.expiry) }

func (s *State) byToken(hash *[32]byte) uint32 {
	return s.tokens.find(hashToken(hash), func(n uint32) bool { return s.sessions.at(n).token == *hash })
}

func (s *State) openSession(c *Command) Result {
	a := s.find(c.Account)
	switch {
	case a == nil:
		return refused(RefusedUnknown)
	case a.is(flagDisabled):
		return refused(RefusedDisabled)
	case c.Expires <= s.at:
		return refused(RefusedExpired)
	case c.Expires-s.at > MaxSessionLife:
		return refused(RefusedInvalid)
	}
	if n := s.byToken(&c.TokenHash); n != 0 {
		if x := s.sessions.at(n); x.account == uint32(c.Account) && x.expires == c.Expires {
			return Result{Account: c.Account} // the same once more
		}
		return refused(RefusedTokenTaken)
	}
	if a.sessions >= MaxSessionsPerAccount {
		s.dropSession(a.oldest)
	} else if len(s.expiry) >= MaxSessions {
		return refused(RefusedFull)
	}
	s.addSession(uint32(c.Account), &c.TokenHash, s.at, c.Expires)
	return Result{Account: c.Account}
}

func (s *State) revokeSession(c *Command) Result {
	n := s.byToken(&c.TokenHash)
	if n == 0 {
		return refused(RefusedUnknown)
	}
	id := ID(s.sessions.at(n).account)
	s.dropSession(n)
	return Result{Account: id, Number: 1}
}

func (s *State) revokeAll(c *Command) Result {
	if s.find(c.Account) == nil {
		return refused(RefusedUnknown)
	}
	return Result{Account: c.Account, Number: uint64(s.dropSessions(uint32(c.Account), &c.TokenHash))}
}

// addSession links a new session as its account's newest.
func (s *State) addSession(id uint32, token *[32]byte, opened, expires int64) {
	n := s.spare
	if n != 0 {
		s.spare = s.sessions.at(n).newer
	} else {
		n = s.sessions.add()
		s.places = append(s.places, 0)
	}
	a := s.accounts.edit(id)
	*s.sessions.edit(n) = session{token: *token, account: id, older: a.newest, opened: opened, expires: expires}
	if a.newest != 0 {
		s.sessions.edit(a.newest).newer = n
	} else {
		a.oldest = n
	}
	a.newest = n
	a.sessions++
	s.tokens.insert(hashToken(token), n)
	s.expiryPush(n)
	s.marks = append(s.marks, id)
	s.changes = append(s.changes, Change{Kind: ChangeSessionOpened, Account: ID(id), Expires: expires, TokenHash: *token})
}

func (s *State) dropSession(n uint32) {
	x := s.sessions.edit(n)
	a := s.accounts.edit(x.account)
	if x.older != 0 {
		s.sessions.edit(x.older).newer = x.newer
	} else {
		a.oldest = x.newer
	}
	if x.newer != 0 {
		s.sessions.edit(x.newer).older = x.older
	} else {
		a.newest = x.older
	}
	a.sessions--
	s.tokens.remove(hashToken(&x.token), n)
	s.expiryRemove(s.places[n-1])
	s.marks = append(s.marks, x.account)
	s.changes = append(s.changes, Change{Kind: ChangeSessionRevoked, Account: ID(x.account), TokenHash: x.token})
	*x = session{newer: s.spare}
	s.spare = n
}

// dropSessions revokes all sessions of an account but the one of keep, oldest first.
func (s *State) dropSessions(id uint32, keep *[32]byte) int {
	dropped := 0
	for n := s.accounts.at(id).oldest; n != 0; {
		x := s.sessions.at(n)
		next := x.newer
		if keep == nil || x.token != *keep {
			s.dropSession(n)
			dropped++
		}
		n = next
	}
	return dropped
}

// sweep removes sessions whose time is over, at most once a minute and a bounded number at once: a crowd whose
// sessions end together must not make one entry slow. Until it is swept an expired session only takes memory.
func (s *State) sweep() {
	if s.at < s.Due() {
		return
	}
	s.swept = s.at
	for range sweepAtOnce {
		if len(s.expiry) == 0 {
			return
		}
		n := s.expiry[0]
		if s.sessions.at(n).expires > s.at {
			return
		}
		s.dropSession(n)
	}
}

// sooner orders sessions by expiry and then by token, which differs: the order in which they go is the same on
// every replica, though the heap and the record numbers may not be.
func (s *State) sooner(a, b uint32) bool {
	x, y := s.sessions.at(a), s.sessions.at(b)
	if x.expires != y.expires {
		return x.expires < y.expires
	}
	return slices.Compare(x.token[:], y.token[:]) < 0
}

func (s *State) expiryPush(n uint32) {
	s.expiry = append(s.expiry, n)
	s.expiryUp(uint32(len(s.expiry) - 1))
}

func (s *State) expiryRemove(i uint32) {
	last := uint32(len(s.expiry) - 1)
	moved := s.expiry[last]
	s.expiry = s.expiry[:last]
	if i == last {
		return
	}
	s.expirySet(i, moved)
	if s.expiryUp(i) == i {
		s.expiryDown(i)
	}
}

func (s *State) expirySet(i, n uint32) {
	s.expiry[i] = n
	s.places[n-1] = i
}

func (s *State) expiryUp(i uint32) uint32 {
	n := s.expiry[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !s.sooner(n, s.expiry[parent]) {
			break
		}
		s.expirySet(i, s.expiry[parent])
		i = parent
	}
	s.expirySet(i, n)
	return i
}

func (s *State) expiryDown(i uint32) {
	n := s.expiry[i]
	for {
		child := 2*i + 1
		if int(child) >= len(s.expiry) {
			break
		}
		if int(child)+1 < len(s.expiry) && s.sooner(s.expiry[child+1], s.expiry[child]) {
			child++
		}
		if !s.sooner(s.expiry[child], n) {
			break
		}
		s.expirySet(i, s.expiry[child])
		i = child
	}
	s.expirySet(i, n)
}
