package account

import "slices"

// PublicKey is a published verification key. It never changes and never goes: what it signed must stay
// verifiable. Public is shared with the machine: read it only.
type PublicKey struct {
	Name   string
	Public []byte
	At     int64 // unix milliseconds
}

// Keys lists the published keys in the order they came.
func (s *State) Keys() []PublicKey { return append([]PublicKey(nil), s.keys...) }

func (s *State) putKey(c *Command) Result {
	if r := s.may(c.Actor, RoleOwner); r != Done {
		return refused(r)
	}
	for i := range s.keys {
		if s.keys[i].Name != c.Slug {
			continue
		}
		if slices.Equal(s.keys[i].Public, c.Public) {
			return Result{}
		}
		return refused(RefusedState)
	}
	if len(s.keys) >= MaxKeys {
		return refused(RefusedFull)
	}
	s.keys = append(s.keys, PublicKey{Name: c.Slug, Public: append([]byte(nil), c.Public...), At: s.at})
	s.changes = append(s.changes, Change{Kind: ChangeKey, Number: uint64(len(s.keys))})
	s.book(c, "key.publish", "key/"+c.Slug, [32]byte{}, digestPublic(c.Public))
	return Result{Number: uint64(len(s.keys))}
}
