package account

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// text keeps the variable-length fields of all accounts outside the collector's sight: a million accounts are a
// few thousand pointers instead of three million. Records are a multiple of textUnit bytes in large chunks; a freed
// record is wiped and kept for the next of its size, so what was erased is gone from memory.
//
// Where a record lies differs between a replayed and a restored state, and nothing depends on it.
type text struct {
	chunks []chunk[byte]
	epoch  uint64
	next   uint32                    // first unit never used
	free   [maxTextUnits + 1]textRef // by units: head of a list threaded through the first bytes of the records
	used   int                       // units in live records
}

// textRef is the unit a record begins at; 0 means none.
type textRef uint32

const (
	textUnit      = 16
	textChunk     = 64 << 10
	unitsPerChunk = textChunk / textUnit
	maxTextUnits  = (MaxEmail + MaxName + MaxHash + textUnit - 1) / textUnit
)

func textUnits(n int) int { return (n + textUnit - 1) / textUnit }

// put stores the concatenation of parts; an empty one needs no record.
func (t *text) put(parts ...string) textRef {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if n == 0 {
		return 0
	}
	ref := t.take(textUnits(n))
	b := t.edit(ref, n)
	for _, p := range parts {
		b = b[copy(b, p):]
	}
	return ref
}

func (t *text) take(units int) textRef {
	t.used += units
	if ref := t.free[units]; ref != 0 {
		head := t.edit(ref, 4)
		t.free[units] = textRef(binary.LittleEndian.Uint32(head))
		clear(head)
		return ref
	}
	if t.next == 0 {
		t.next = 1 // unit 0 is nobody's, so that 0 can mean none
	}
	if left := (unitsPerChunk - int(t.next)%unitsPerChunk) % unitsPerChunk; left != 0 && left < units {
		t.give(textRef(t.next), left)
		t.next += uint32(left)
	}
	for int(t.next)+units > len(t.chunks)*unitsPerChunk {
		t.chunks = append(t.chunks, chunk[byte]{make([]byte, textChunk), t.epoch})
	}
	ref := textRef(t.next)
	t.next += uint32(units)
	return ref
}

// bytes of a record, to be read; valid until anything is put or dropped.
func (t *text) bytes(ref textRef, n int) []byte {
	if n == 0 {
		return nil
	}
	off := int(ref) % unitsPerChunk * textUnit
	return t.chunks[int(ref)/unitsPerChunk].items[off : off+n : off+n]
}

// edit returns the bytes of a record to be written.
func (t *text) edit(ref textRef, n int) []byte {
	t.chunks[int(ref)/unitsPerChunk].own(t.epoch)
	return t.bytes(ref, n)
}

// freeze returns the texts as they are, to be read.
func (t *text) freeze() text {
	t.epoch++
	return text{chunks: slices.Clone(t.chunks), used: t.used}
}

// drop wipes and frees a record of n bytes.
func (t *text) drop(ref textRef, n int) {
	if ref == 0 {
		return
	}
	units := textUnits(n)
	t.used -= units
	clear(t.edit(ref, units*textUnit))
	t.give(ref, units)
}

func (t *text) give(ref textRef, units int) {
	binary.LittleEndian.PutUint32(t.edit(ref, 4), uint32(t.free[units]))
	t.free[units] = ref
}

// verify counts every unit once: live, free or not yet used.
func (t *text) verify() error {
	spare := 0
	for units, ref := range t.free {
		for seen := 0; ref != 0; seen++ {
			if seen > int(t.next) || uint32(ref) >= t.next {
				return fmt.Errorf("free list of %d units is broken at %d", units, ref)
			}
			spare += units
			ref = textRef(binary.LittleEndian.Uint32(t.bytes(ref, 4)))
		}
	}
	if t.next > 0 && t.used+spare+1 != int(t.next) {
		return fmt.Errorf("%d units live and %d free of %d", t.used, spare, t.next-1)
	}
	return nil
}
