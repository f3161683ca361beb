package account

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// The magic names the format and its version. A snapshot in the first epoch is of version 1. In a later one it is of
// version 2 and has the epoch right behind the magic. Both are of one length.
const (
	snapshotMagic       = "catraca accounts 1\n"
	snapshotMagicEpochs = "catraca accounts 2\n"
)

// The snapshot is a function of the state alone: sessions are written with their accounts, oldest first, so the
// numbers of records, which differ between replicas, are not in it. Equal states have equal bytes.

// AppendSnapshot appends the whole state. It takes about 250 bytes for each account.
func (s *State) AppendSnapshot(b []byte) []byte { return s.appendSnapshot(b, len(s.expiry)) }

func (s *State) appendSnapshot(b []byte, sessions int) []byte {
	w := writer{b: slices.Grow(b, s.snapshotSize(sessions))}
	s.write(&w)
	return w.b
}

// snapshotSize is about how long the snapshot will be: growing through hundreds of megabytes would copy them
// several times.
func (s *State) snapshotSize(sessions int) int {
	n := 1<<12 + 40*int(s.accounts.n) + textUnit*s.texts.used + 48*sessions + 80*int(s.done.n)
	for i := range s.events {
		n += 64 + len(s.events[i].slug) + len(s.events[i].name) + len(s.events[i].summary)
	}
	for i := range s.audit {
		e := &s.audit[i]
		n += 128 + len(e.Action) + len(e.Target) + len(e.Reason) + len(e.Detail)
	}
	for i := range s.keys {
		n += 80 + len(s.keys[i].Public)
	}
	return n
}

// Hash is the SHA-256 of the snapshot, made without holding one.
func (s *State) Hash() (sum [32]byte) {
	h := sha256.New()
	w := writer{flush: func(b []byte) error { h.Write(b); return nil }} // never fails
	s.write(&w)
	_ = w.end()
	h.Sum(sum[:0])
	return sum
}

// writer gathers bytes, and when it has a flush hands them on in pieces.
type writer struct {
	b     []byte
	flush func([]byte) error
	err   error
}

const flushAt = 64 << 10

// rest is called between records.
func (w *writer) rest() {
	if w.flush != nil && len(w.b) >= flushAt {
		_ = w.end()
	}
}

// end hands on what is left and returns the first error.
func (w *writer) end() error {
	if w.err == nil {
		w.err = w.flush(w.b)
	}
	w.b = w.b[:0]
	return w.err
}

func (s *State) write(w *writer) {
	if s.epoch == 0 {
		w.b = append(w.b, snapshotMagic...)
	} else {
		w.b = append(append(w.b, snapshotMagicEpochs...), s.epoch)
	}
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(s.shards))
	w.b = binary.LittleEndian.AppendUint64(w.b, s.index)
	w.b = binary.LittleEndian.AppendUint64(w.b, uint64(s.at))
	w.b = binary.LittleEndian.AppendUint64(w.b, uint64(s.swept))

	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(len(s.events)))
	for i := range s.events {
		w.b = appendEvent(w.b, &s.events[i])
		w.rest()
	}
	w.b = binary.LittleEndian.AppendUint32(w.b, s.accounts.n)
	for n := uint32(1); n <= s.accounts.n && w.err == nil; n++ {
		w.b = s.appendAccount(w.b, n)
		w.rest()
	}
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(len(s.keys)))
	for i := range s.keys {
		k := &s.keys[i]
		w.b = binary.LittleEndian.AppendUint64(appendText(appendText(w.b, k.Name), k.Public), uint64(k.At))
	}
	w.b = append(w.b, s.auditBase[:]...)
	w.b = binary.LittleEndian.AppendUint64(w.b, s.auditCount)
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(len(s.audit)))
	for i := range s.audit {
		e := &s.audit[i]
		w.b = append(appendEntry(w.b, e), e.Hash[:]...) // Number and Prev follow from the one before
		w.rest()
	}
	w.b = binary.LittleEndian.AppendUint32(w.b, s.done.n)
	for i := range s.done.n {
		w.b = appendKnown(w.b, s.done.at(i))
		w.rest()
	}
}

func (s *State) appendAccount(b []byte, n uint32) []byte {
	a := s.accounts.at(n)
	email, name, hash := s.texts3(a)
	b = append(b, a.flags, byte(a.role), a.lang)
	b = binary.AppendUvarint(b, uint64(a.event))
	b = binary.LittleEndian.AppendUint64(b, uint64(a.created))
	b = binary.LittleEndian.AppendUint64(b, uint64(a.changed))
	b = appendText(appendText(appendText(b, email), name), hash)
	b = append(b, a.sessions)
	for n := a.oldest; n != 0; {
		x := s.sessions.at(n)
		b = append(b, x.token[:]...)
		b = binary.LittleEndian.AppendUint64(b, uint64(x.opened))
		b = binary.LittleEndian.AppendUint64(b, uint64(x.expires))
		n = x.newer
	}
	return b
}

func appendEvent(b []byte, e *event) []byte {
	b = appendText(appendText(appendText(b, e.slug), e.name), e.summary)
	b = appendFlag(append(b, byte(e.state)), e.rehearsal)
	b = binary.AppendUvarint(b, uint64(e.shard))
	b = binary.AppendUvarint(b, uint64(e.fans))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.created))
	return binary.LittleEndian.AppendUint64(b, uint64(e.changed))
}

// appendEntry is what an entry's hash covers, beside the hash of the one before.
func appendEntry(b []byte, e *Entry) []byte {
	b = binary.LittleEndian.AppendUint64(b, e.Number)
	b = binary.LittleEndian.AppendUint64(b, uint64(e.At))
	b = binary.AppendUvarint(b, uint64(e.Actor))
	b = appendText(appendText(appendText(appendText(b, e.Action), e.Target), e.Reason), e.Detail)
	return append(append(b, e.Before[:]...), e.After[:]...)
}

func appendKnown(b []byte, k *knownResult) []byte {
	b = append(append(b, k.key[:]...), k.digest[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(k.at))
	b = binary.AppendUvarint(b, uint64(k.account))
	b = binary.AppendUvarint(b, k.number)
	b = binary.AppendUvarint(b, uint64(k.event))
	b = binary.AppendUvarint(b, uint64(k.refusal))
	return binary.AppendUvarint(b, uint64(k.shard))
}
