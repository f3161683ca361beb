package account

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Entry of the audit: one thing an administrator did. Before and After are digests of what was changed, zero
// when there was nothing. Each entry's Hash covers all of it and the Hash of the entry before it, so nothing can
// be changed or left out without changing every later Hash.
type Entry struct {
	Number uint64 // from 1, without gaps
	At     int64  // unix milliseconds
	Actor  ID     // 0: the house itself
	Action string
	Target string
	Reason string
	Detail string
	Before [32]byte
	After  [32]byte
	Prev   [32]byte
	Hash   [32]byte
}

// AuditTail returns the newest n entries, oldest of them first; at most those that are kept.
func (s *State) AuditTail(n int) []Entry {
	n = min(max(n, 0), len(s.audit))
	return append([]Entry(nil), s.audit[len(s.audit)-n:]...)
}

// AuditCount is how many entries were ever made.
func (s *State) AuditCount() uint64 { return s.auditCount }

// AuditBase is the hash of the entry before the oldest kept, zero when all are kept.
func (s *State) AuditBase() [32]byte { return s.auditBase }

// VerifyAudit checks that the entries are a part of one chain that begins after base.
func VerifyAudit(base [32]byte, entries []Entry) error {
	for i := range entries {
		e := &entries[i]
		if i > 0 && e.Number != entries[i-1].Number+1 {
			return fmt.Errorf("verify audit: entry %d follows entry %d", e.Number, entries[i-1].Number)
		}
		if e.Prev != base {
			return fmt.Errorf("verify audit: entry %d does not continue the chain", e.Number)
		}
		if e.digest() != e.Hash {
			return fmt.Errorf("verify audit: entry %d was changed", e.Number)
		}
		base = e.Hash
	}
	return nil
}

func (e *Entry) digest() [32]byte {
	b := append([]byte("catraca audit 1\n"), e.Prev[:]...)
	b = appendEntry(b, e)
	return sha256.Sum256(b)
}

// bookAudit books what was done on another shard.
func (s *State) bookAudit(c *Command) Result {
	if r := s.may(c.Actor, RoleFan); r != Done {
		return refused(r)
	}
	return Result{Number: s.book(c, c.Action, c.Target, c.Before, c.After)}
}

// book appends an entry and returns its number. When too many are kept the older quarter goes; the chain
// remembers it.
func (s *State) book(c *Command, action, target string, before, after [32]byte) uint64 {
	prev := s.auditBase
	if n := len(s.audit); n > 0 {
		prev = s.audit[n-1].Hash
	}
	s.auditCount++
	e := Entry{
		Number: s.auditCount, At: s.at, Actor: c.Actor, Action: action, Target: target, Reason: c.Reason,
		Detail: c.Detail, Before: before, After: after, Prev: prev,
	}
	e.Hash = e.digest()
	if len(s.audit) >= MaxAudit {
		cut := MaxAudit / 4
		s.auditBase = s.audit[cut-1].Hash
		s.audit = append(make([]Entry, 0, MaxAudit), s.audit[cut:]...) // a frozen state may have the old one
	}
	s.audit = append(s.audit, e)
	s.changes = append(s.changes, Change{Kind: ChangeAudit, Account: c.Actor, Number: e.Number})
	return e.Number
}

// digestAccount covers what administrators change. E-mail and name are not in it: an entry outlives an erased
// account, and a digest of an address can be guessed. The password's hash can be in: its salt can't be guessed.
func (s *State) digestAccount(id ID) [32]byte {
	a := s.accounts.at(uint32(id))
	_, _, hash := s.texts3(a)
	b := append(make([]byte, 0, 256), "catraca account 1\n"...)
	b = binary.LittleEndian.AppendUint64(b, uint64(id))
	b = binary.LittleEndian.AppendUint32(b, uint32(a.event))
	b = append(b, byte(a.role), a.flags, a.lang)
	b = append(b, hash...)
	return sha256.Sum256(b)
}

func (s *State) digestEvent(id EventID) [32]byte {
	b := append(make([]byte, 0, 256), "catraca event 1\n"...)
	b = appendEvent(b, &s.events[id-1])
	return sha256.Sum256(b)
}

func digestPublic(b []byte) [32]byte { return sha256.Sum256(b) }
