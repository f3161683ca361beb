package account

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
)

// FanToken is the session token of the i-th fan (from 0) that a MintFans with that seed makes. The state has
// only its SHA-256, so whoever has the seed, and nobody else, can act as these fans.
func FanToken(seed [32]byte, i uint32) [32]byte {
	var b [36]byte
	copy(b[:], seed[:])
	binary.BigEndian.PutUint32(b[32:], i)
	return sha256.Sum256(b[:])
}

// FanEmail is the address of an event's n-th virtual fan, from 1.
func FanEmail(event EventID, n uint64) string {
	return "fan-" + strconv.FormatUint(uint64(event), 10) + "-" + strconv.FormatUint(n, 10) + "@" + rehearsalDomain
}

func fanName(n uint64) string { return "Fan " + strconv.FormatUint(n, 10) }

// mintFans makes Count accounts, each with one session, all or none. They have no password.
func (s *State) mintFans(c *Command) Result {
	if c.Event == 0 || int(c.Event) > len(s.events) {
		return refused(RefusedUnknown)
	}
	if r := s.may(c.Actor, RoleOperator); r != Done {
		return refused(r)
	}
	e := &s.events[c.Event-1]
	switch count := int(c.Count); {
	case !e.rehearsal:
		return refused(RefusedNotRehearsal)
	case e.state >= EventClosed:
		return refused(RefusedState)
	case c.Expires <= s.at:
		return refused(RefusedExpired)
	case c.Expires-s.at > MaxSessionLife:
		return refused(RefusedInvalid)
	case int(s.accounts.n)+count > MaxAccounts, len(s.expiry)+count > MaxSessions:
		return refused(RefusedFull)
	case s.minted+count > MaxMintPerBatch:
		return refused(RefusedBusy)
	}
	if !s.hashTokens(c) {
		return refused(RefusedTokenTaken)
	}
	lang, _ := langCode(c.Lang)
	before := s.digestEvent(c.Event)
	firstFan, firstID := uint64(e.fans)+1, ID(s.accounts.n)+1
	for i := range uint64(c.Count) {
		n := firstFan + i
		id := s.newAccount(FanEmail(c.Event, n), fanName(n), "")
		a := s.accounts.edit(uint32(id))
		a.lang, a.flags, a.event = lang, flagVirtual, c.Event
		s.touched(id)
		s.addSession(uint32(id), &s.tokenAt[i], s.at, c.Expires)
	}
	e = s.editEvent(c.Event)
	e.fans += c.Count
	e.changed = s.at
	s.minted += int(c.Count)
	s.changes = append(s.changes, Change{Kind: ChangeEvent, Event: c.Event})
	s.book(c, "event.mint", c.Event.String(), before, s.digestEvent(c.Event))
	return Result{Account: firstID, Event: c.Event, Shard: int(e.shard), Number: firstFan}
}

// hashTokens fills the scratch with the token hashes of a MintFans; false when one is in use, as when a seed
// comes a second time.
func (s *State) hashTokens(c *Command) bool {
	s.tokenAt = s.tokenAt[:0]
	for i := range c.Count {
		token := FanToken(c.Seed, i)
		hash := sha256.Sum256(token[:])
		if s.byToken(&hash) != 0 {
			return false
		}
		s.tokenAt = append(s.tokenAt, hash)
	}
	return true
}
