package sale

import (
	"encoding/binary"
	"math/bits"

	"github.com/catraca/catraca/actors/sale/queue"
)

// An answer is kept in as few words as it needs, because there may be a quarter of a million of them, more than any cache
// has: what is written for each is what remembering it costs.
//
//	key (2) | fingerprint of the command | head | the words that the head tells of, in their order | units | lines
//
// A unit is a word; a line is one too, or half of one when every line is of one place.
const (
	answerHead = 3 // index of the head
	leastWords = answerHead + 1
)

// The head: refusal, flags, number of units and of lines, 16 bits each.
const (
	flagAt uint64 = 1 << (16 + iota)
	flagCap
	flagAmount
	flagHold   // hold and number
	flagPlace  // place and order
	flagTicket // ticket
	flagRepeated
	flagBeside
	flagSeats // every line is of one place

	flagsOfWords = flagRepeated - flagAt
)

// headOf says what has to be kept of a result, and wordsOf how many words that are.
func headOf(r *Result) uint64 {
	head := uint64(r.Refusal) | uint64(len(r.Units))<<32 | uint64(len(r.Lines))<<48
	set := func(there bool, flag uint64) {
		if there {
			head |= flag
		}
	}
	set(r.At != 0, flagAt)
	set(r.Cap != 0, flagCap)
	set(r.Amount != 0, flagAmount)
	set(uint32(r.Hold)|r.Number != 0, flagHold)
	set(uint32(r.Place)|uint32(r.Order) != 0, flagPlace)
	set(r.Ticket != 0, flagTicket)
	set(r.Repeated, flagRepeated)
	set(r.Adjacent, flagBeside)
	places := uint32(1)
	for _, l := range r.Lines {
		places |= l.Count ^ 1
	}
	set(places == 1, flagSeats)
	return head
}

func wordsOf(head uint64) int {
	lines := int(head >> 48)
	if head&flagSeats != 0 {
		lines = (lines + 1) / 2
	}
	return leastWords + bits.OnesCount64(head&flagsOfWords) + int(head>>32&0xffff) + lines
}

// writeAnswer fills dst, which has wordsOf the head.
func writeAnswer(dst []uint64, key *Key, print, head uint64, r *Result) {
	dst[0], dst[1] = binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:])
	dst[2], dst[answerHead] = print, head
	dst = dst[leastWords:]
	if head&flagAt != 0 {
		dst[0], dst = uint64(r.At), dst[1:]
	}
	if head&flagCap != 0 {
		dst[0], dst = uint64(r.Cap), dst[1:]
	}
	if head&flagAmount != 0 {
		dst[0], dst = uint64(r.Amount), dst[1:]
	}
	if head&flagHold != 0 {
		dst[0], dst = uint64(r.Hold)<<32|uint64(r.Number), dst[1:]
	}
	if head&flagPlace != 0 {
		dst[0], dst = uint64(r.Place)<<32|uint64(r.Order), dst[1:]
	}
	if head&flagTicket != 0 {
		dst[0], dst = uint64(r.Ticket), dst[1:]
	}
	for i, u := range r.Units {
		dst[i] = uint64(u)
	}
	dst = dst[len(r.Units):]
	if head&flagSeats == 0 {
		for i, l := range r.Lines {
			dst[i] = wordOf(l)
		}
		return
	}
	for i := 0; i < len(r.Lines); i += 2 {
		dst[i/2] = uint64(r.Lines[i].Unit)
		if i+1 < len(r.Lines) {
			dst[i/2] |= uint64(r.Lines[i+1].Unit) << 32
		}
	}
}

// readAnswer is the opposite, without key and fingerprint. It appends units and lines to what r has room for.
func readAnswer(words []uint64, r *Result) {
	head, words := words[answerHead], words[leastWords:]
	next := func(flag uint64) (word uint64) {
		if head&flag != 0 {
			word, words = words[0], words[1:]
		}
		return word
	}
	*r = Result{Refusal: Refusal(head), Repeated: head&flagRepeated != 0, Adjacent: head&flagBeside != 0, Units: r.Units[:0], Lines: r.Lines[:0]}
	r.At, r.Cap, r.Amount = int64(next(flagAt)), int64(next(flagCap)), int64(next(flagAmount))
	both := next(flagHold)
	r.Hold, r.Number = HoldID(both>>32), uint32(both)
	both = next(flagPlace)
	r.Place, r.Order = queue.Place(both>>32), OrderID(both)
	r.Ticket = TicketID(next(flagTicket))
	units, lines := int(head>>32&0xffff), int(head>>48)
	for _, u := range words[:units] {
		r.Units = append(r.Units, UnitID(u))
	}
	words = words[units:]
	for i := range lines {
		if head&flagSeats != 0 {
			r.Lines = append(r.Lines, Line{Unit: UnitID(words[i/2] >> (i % 2 * 32)), Count: 1})
		} else {
			r.Lines = append(r.Lines, Line{Unit: UnitID(words[i] >> 32), Count: uint32(words[i])})
		}
	}
}

// wordOf makes one word of a line.
func wordOf(l Line) uint64 { return uint64(l.Unit)<<32 | uint64(l.Count) }

// keyOf is the key of a kept answer.
func keyOf(words []uint64) (k Key) {
	binary.LittleEndian.PutUint64(k[:8], words[0])
	binary.LittleEndian.PutUint64(k[8:], words[1])
	return k
}
