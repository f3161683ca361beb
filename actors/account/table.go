package account

import (
	"crypto/sha256"
	"encoding/binary"
)

// table finds the number of a record by a hash of its key: open addressing with linear probing. It keeps hashes
// and not keys, so growing touches no record. Record numbers start at 1; 0 marks an empty slot.
type table struct {
	slots []slot
	used  int
}

type slot struct{ hash, value uint32 }

// find returns the value of that hash for which same is true, or 0.
func (t *table) find(hash uint32, same func(value uint32) bool) uint32 {
	if t.used == 0 {
		return 0
	}
	mask := uint32(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s.value == 0 {
			return 0
		}
		if s.hash == hash && same(s.value) {
			return s.value
		}
	}
}

// insert adds a value that is not in the table.
func (t *table) insert(hash, value uint32) {
	if 4*(t.used+1) > 3*len(t.slots) {
		t.grow()
	}
	t.used++
	t.place(slot{hash, value})
}

func (t *table) place(s slot) {
	mask := uint32(len(t.slots) - 1)
	i := s.hash & mask
	for t.slots[i].value != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]slot, max(16, 2*len(old)))
	for _, s := range old {
		if s.value != 0 {
			t.place(s)
		}
	}
}

// remove takes a value out and moves later slots of its run back, so that there are no tombstones.
func (t *table) remove(hash, value uint32) bool {
	if t.used == 0 {
		return false
	}
	mask := uint32(len(t.slots) - 1)
	i := hash & mask
	for t.slots[i] != (slot{hash, value}) {
		if t.slots[i].value == 0 {
			return false
		}
		i = (i + 1) & mask
	}
	t.used--
	for j := i; ; {
		j = (j + 1) & mask
		s := t.slots[j]
		if s.value == 0 {
			break
		}
		if home := s.hash & mask; (j-home)&mask >= (j-i)&mask {
			t.slots[i] = s
			i = j
		}
	}
	t.slots[i] = slot{}
	return true
}

// hashText spreads e-mail addresses and slugs. SHA-256 costs 0.1 µs more than a fast hash and leaves nobody a
// cheap way to send a million addresses into one run of slots.
func hashText(s string) uint32 {
	var buf [MaxEmail]byte
	n := copy(buf[:], s)
	sum := sha256.Sum256(buf[:n])
	return binary.LittleEndian.Uint32(sum[:])
}

// hashToken needs no work: a token hash is a SHA-256 already.
func hashToken(h *[32]byte) uint32 { return binary.LittleEndian.Uint32(h[:]) }

func hashKey(k *Key) uint32 {
	sum := sha256.Sum256(k[:])
	return binary.LittleEndian.Uint32(sum[:])
}
