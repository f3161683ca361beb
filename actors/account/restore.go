package account

import "fmt"

// Restore makes the state that [State.AppendSnapshot] wrote. The bytes may be anybody's: an error wraps
// [ErrEncoding] or names the invariant that does not hold, and no state is returned.
func Restore(b []byte) (*State, error) {
	r := &reader{b: b}
	s := New(1)
	switch string(r.take("magic", len(snapshotMagic))) {
	case snapshotMagic:
	case snapshotMagicEpochs:
		if s.epoch = r.u8("epoch"); r.err == nil && (s.epoch < 1 || s.epoch > MaxEpoch) {
			r.fail("epoch", "is %d, 1 to %d are allowed", s.epoch, MaxEpoch)
		}
	default:
		r.fail("magic", "is neither %q nor %q", snapshotMagic, snapshotMagicEpochs)
	}
	if s.shards = int(r.u32("shards")); r.err == nil && (s.shards < 1 || s.shards > MaxShards) {
		r.fail("shards", "is %d, 1 to %d are allowed", s.shards, MaxShards)
	}
	s.index = uint64(r.i64("index"))
	s.at = r.i64("at")
	s.swept = r.i64("swept")
	s.readEvents(r)
	s.readAccounts(r)
	s.readKeys(r)
	s.readAudit(r)
	s.readKnown(r)
	r.end()
	if r.err != nil {
		return nil, fmt.Errorf("restore accounts: %w", r.err)
	}
	s.changes, s.marks = nil, nil
	if err := s.Verify(); err != nil {
		return nil, fmt.Errorf("restore accounts: %w", err)
	}
	return s, nil
}

// count reads how many records follow. Records are not made before their bytes are there.
func (r *reader) count(field string, most uint32) uint32 {
	n := r.u32(field)
	if n > most {
		r.fail(field, "is %d, at most %d is allowed", n, most)
		return 0
	}
	return n
}

func (s *State) readEvents(r *reader) {
	for n := r.count("events", MaxEvents); n > 0 && r.err == nil; n-- {
		e := event{
			slug:      string(r.text("event slug", MaxSlug)),
			name:      string(r.text("event name", MaxName)),
			summary:   append([]byte(nil), r.text("event summary", MaxSummary)...),
			state:     EventState(r.u8("event state")),
			rehearsal: r.flag("event rehearsal"),
			shard:     uint16(r.uvarint("event shard", MaxShards-1)),
			fans:      uint32(r.uvarint("event fans", MaxAccounts)),
			created:   r.i64("event created"),
			changed:   r.i64("event changed"),
		}
		if r.err != nil {
			return
		}
		if s.bySlug(e.slug) != 0 {
			r.fail("event slug", "%q comes twice", e.slug)
			return
		}
		s.events = append(s.events, e)
		s.slugs.insert(hashText(e.slug), uint32(len(s.events)))
	}
}

func (s *State) readAccounts(r *reader) {
	for n := r.count("accounts", MaxAccounts); n > 0 && r.err == nil; n-- {
		flags, role, lang := r.u8("account flags"), r.u8("account role"), r.u8("account lang")
		event := EventID(r.uvarint("account event", MaxEvents))
		created, changed := r.i64("account created"), r.i64("account changed")
		email := string(r.text("account email", MaxEmail))
		name := string(r.text("account name", MaxName))
		hash := string(r.text("account hash", MaxHash))
		sessions := r.u8("account sessions")
		if r.err != nil {
			return
		}
		if lang >= langCount || sessions > MaxSessionsPerAccount {
			r.fail("account", "lang %d or %d sessions are not allowed", lang, sessions)
			return
		}
		if email != "" && s.byEmail(email) != 0 {
			r.fail("account email", "comes twice")
			return
		}
		id := s.accounts.add()
		a := s.accounts.edit(id)
		a.flags, a.role, a.lang, a.event, a.created, a.changed = flags, Role(role), lang, event, created, changed
		s.setText(a, email, name, hash)
		if !a.is(flagErased) {
			s.emails.insert(hashText(email), id)
			s.countOwner(a, 1)
		}
		s.readSessions(r, id, int(sessions))
	}
}

func (s *State) readSessions(r *reader, id uint32, count int) {
	for range count {
		token := r.hash("session token")
		opened, expires := r.i64("session opened"), r.i64("session expires")
		if r.err != nil {
			return
		}
		if s.byToken(&token) != 0 {
			r.fail("session token", "comes twice")
			return
		}
		s.addSession(id, &token, opened, expires)
		s.changes = s.changes[:0]
	}
}

func (s *State) readKeys(r *reader) {
	for n := r.count("keys", MaxKeys); n > 0 && r.err == nil; n-- {
		s.keys = append(s.keys, PublicKey{
			Name:   string(r.text("key name", MaxSlug)),
			Public: append([]byte(nil), r.text("key public", MaxPublicKey)...),
			At:     r.i64("key at"),
		})
	}
}

func (s *State) readAudit(r *reader) {
	s.auditBase = r.hash("audit base")
	s.auditCount = uint64(r.i64("audit count"))
	prev := s.auditBase
	for n := r.count("audit", MaxAudit); n > 0 && r.err == nil; n-- {
		e := Entry{
			Number: uint64(r.i64("entry number")),
			At:     r.i64("entry at"),
			Actor:  ID(r.uvarint("entry actor", 1<<64-1)),
			Action: string(r.text("entry action", MaxAction)),
			Target: string(r.text("entry target", MaxTarget)),
			Reason: string(r.text("entry reason", MaxReason)),
			Detail: string(r.text("entry detail", MaxDetail)),
			Before: r.hash("entry before"),
			After:  r.hash("entry after"),
			Prev:   prev,
			Hash:   r.hash("entry hash"),
		}
		prev = e.Hash
		s.audit = append(s.audit, e)
	}
}

func (s *State) readKnown(r *reader) {
	for n := r.count("known", maxKnownKeys); n > 0 && r.err == nil; n-- {
		var k knownResult
		copy(k.key[:], r.take("known key", len(k.key)))
		copy(k.digest[:], r.take("known digest", len(k.digest)))
		k.at = r.i64("known at")
		k.account = ID(r.uvarint("known account", 1<<64-1))
		k.number = r.uvarint("known number", 1<<64-1)
		k.event = EventID(r.uvarint("known event", 1<<32-1))
		k.refusal = Refusal(r.uvarint("known refusal", 1<<16-1))
		k.shard = uint16(r.uvarint("known shard", 1<<16-1))
		if r.err != nil {
			return
		}
		if _, _, ok := s.done.find(&k.key, &k.digest); ok || k.key == (Key{}) {
			r.fail("known key", "comes twice or is zero")
			return
		}
		s.done.add(&k.key, &k.digest, k.at, &Result{
			Refusal: k.refusal, Account: k.account, Event: k.event, Shard: int(k.shard), Number: k.number,
		}, maxKnownKeys)
	}
}
