package sale

import (
	"encoding/binary"
	"math/bits"

	"github.com/catraca/catraca/actors/sale/slab"
)

// markAnswers is the most answers of one mark.
const markAnswers = 256

// answers remembers what keyed commands were answered, oldest first, for a time and up to a number. It is state:
// a repeated command gets the first answer from every replica and after every restart.
type answers struct {
	life  int64 // ms
	limit int

	words slab.Log[uint64]
	marks slab.Log[mark]
	start uint64 // of words: the oldest answer kept
	count uint64 // answers there ever were
	keys  answerKeys
}

// mark is the first of up to markAnswers answers which are forgotten together.
type mark struct {
	first uint64 // its first word
	count uint64 // answers before it
	until int64  // unix ms
}

func newAnswers(life int64, limit int) answers {
	return answers{life: life, limit: limit, words: slab.MakeLog[uint64](), marks: slab.MakeLog[mark]()}
}

func (a *answers) len() int {
	kept := a.look()
	return kept.len()
}

// keysOf picks where a command's key is remembered; nil if it needs none. A scan's nonce is kept with its ticket, for ever.
func (s *State) keysOf(c *Command) *answers {
	switch {
	case c.Key == Key{} || c.Op == OpScan || c.Op == OpTick:
		return nil
	case c.Op == OpPayNotice:
		return &s.noticeKeys
	}
	return &s.fanKeys
}

// fingerprint tells bodies of commands apart.
func (s *State) fingerprint(c *Command) uint64 {
	const k = 0x9fb21c651e98df25
	if c.choice() {
		h := fold(uint64(c.Op)<<32^uint64(len(c.Lines)), k)
		h = fold(h^uint64(c.Account), k)
		for _, l := range c.Lines {
			h = fold(h^wordOf(l), k)
		}
		return h
	}
	s.body = appendBody(s.body[:0], c)
	h := uint64(len(s.body)) ^ k
	b := s.body
	for ; len(b) >= 8; b = b[8:] {
		h = fold(h^binary.LittleEndian.Uint64(b), k)
	}
	var rest [8]byte
	copy(rest[:], b)
	return fold(h^binary.LittleEndian.Uint64(rest[:]), k)
}

// choice says whether a command is nothing but an account's choice of units, as most that have a key are.
func (c *Command) choice() bool { return maskOf(c)&^(hasKey|hasAccount|hasLines) == 0 }

// fold multiplies and adds the halves of the product.
func fold(x, k uint64) uint64 {
	hi, lo := bits.Mul64(x|1, k)
	return hi ^ lo ^ x
}

// hash of a key, for finding it.
func (k *Key) hash() uint64 {
	return fold(binary.LittleEndian.Uint64(k[:8])^fold(binary.LittleEndian.Uint64(k[8:]), 0x9e3779b97f4a7c15), 0xa0761d6478bd642f)
}

// answerAt is the words of the first answer at or after a word that is kept, and where that is.
func answerAt(v *slab.LogView[uint64], at uint64) ([]uint64, uint64) {
	words := v.Tail(at)
	if len(words) < leastWords || words[0]|words[1] == 0 { // a gap to the end of the chunk: no key is 0
		at += uint64(len(words))
		words = v.Tail(at)
	}
	return words[:wordsOf(words[answerHead])], at
}

// recall gives an answer again. The slices of the result are scratch.
func (s *State) recall(words []uint64, print uint64, r *Result) {
	if words[2] != print {
		r.Refusal = RefusedMismatch
		return
	}
	r.Units, r.Lines = s.units, s.picked
	readAnswer(words, r)
	s.units, s.picked, r.Repeated = r.Units, r.Lines, true
}

// remember keeps the answer to a key that was not found, at that spot. The oldest make room when there are more than the
// limit, up to markAnswers at once.
func (a *answers) remember(key *Key, hash, print uint64, at spot, until int64, r *Result) {
	head := headOf(r)
	words, n := a.words.Run(wordsOf(head))
	writeAnswer(words, key, print, head, r)
	if a.marks.Start() == a.marks.End() {
		a.start = n
		a.marks.Append(mark{n, a.count, until})
	} else if m := a.marks.Read(a.marks.End() - 1); m.until != until || a.count-m.count == markAnswers {
		a.marks.Append(mark{n, a.count, until})
		for a.count-a.marks.Read(a.marks.Start()+1).count >= uint64(a.limit) {
			a.forget()
		}
	}
	a.count++
	a.put(hash, n, at)
}

// expire forgets what is older than its life. Answers expire in their order, because the clock only moves on.
func (a *answers) expire(now int64) {
	for a.marks.Start() < a.marks.End() && a.marks.Read(a.marks.Start()).until <= now {
		a.forget()
	}
}

// forget forgets the answers of the oldest mark.
func (a *answers) forget() {
	a.marks.Trim(a.marks.Start() + 1)
	a.start = a.words.End()
	if a.marks.Start() < a.marks.End() {
		a.start = a.marks.Read(a.marks.Start()).first
	}
	a.words.Trim(a.start)
}
