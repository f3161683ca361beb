package sale

import (
	"encoding/binary"
	"math/bits"

	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/slab"
)

// answers remembers what keyed commands were answered, oldest first, for a time and up to a number. It is state:
// a repeated command gets the first answer from every replica and after every restart.
type answers struct {
	life  int64 // ms
	limit int

	kept slab.Log[answer]
	tail slab.Log[uint32] // units and lines of the answers, in their order
	keys answerKeys
}

// answer is a Result in 96 bytes. Its slices are in tail.
type answer struct {
	key              Key
	print            uint64 // of the command's body
	until            int64  // unix ms
	at, cap, amount  int64
	tail             uint64 // number of the first word
	place            queue.Place
	hold             HoldID
	order            OrderID
	ticket           TicketID
	number           uint32
	units, lines     uint16
	refusal          Refusal
	repeated, beside bool
}

func newAnswers(life int64, limit int) answers {
	return answers{life: life, limit: limit, kept: slab.MakeLog[answer](), tail: slab.MakeLog[uint32]()}
}

func (a *answers) len() int { return int(a.kept.End() - a.kept.Start()) }

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
	s.body = appendBody(s.body[:0], c)
	const k = 0x9fb21c651e98df25
	h := uint64(len(s.body)) ^ k
	b := s.body
	for ; len(b) >= 8; b = b[8:] {
		h = fold(h^binary.LittleEndian.Uint64(b), k)
	}
	var rest [8]byte
	copy(rest[:], b)
	return fold(h^binary.LittleEndian.Uint64(rest[:]), k)
}

// fold multiplies and adds the halves of the product.
func fold(x, k uint64) uint64 {
	hi, lo := bits.Mul64(x|1, k)
	return hi ^ lo ^ x
}

// hash of a key, for finding it.
func (k *Key) hash() uint64 {
	return fold(binary.LittleEndian.Uint64(k[:8])^fold(binary.LittleEndian.Uint64(k[8:]), 0x9e3779b97f4a7c15), 0xa0761d6478bd642f)
}

// find returns the answer to a key, or nil.
func (a *answers) find(key *Key, hash uint64) *answer {
	for _, table := range [...]keyTable{a.keys.cur, a.keys.old} {
		if table == nil {
			continue
		}
		for i, tag := table.home(hash), hash&^cellLow; table[i] != 0; i = (i + 1) & (len(table) - 1) {
			if table[i]&^cellLow != tag {
				continue
			}
			if x := a.kept.Read(a.keys.number(table[i])); x.key == *key {
				return x
			}
		}
	}
	return nil
}

// recall gives the answer to a key. The slices of the result are scratch.
func (s *State) recall(a *answers, key *Key, hash, print uint64) (Result, bool) {
	got := a.find(key, hash)
	if got == nil {
		return Result{}, false
	}
	if got.print != print {
		return refuse(RefusedMismatch), true
	}
	at := got.tail
	for range got.units {
		s.units = append(s.units, UnitID(a.tail.Get(at)))
		at++
	}
	for range got.lines {
		s.picked = append(s.picked, Line{Unit: UnitID(a.tail.Get(at)), Count: a.tail.Get(at + 1)})
		at += 2
	}
	return Result{
		Refusal: got.refusal, Repeated: true, Place: got.place, Hold: got.hold, Order: got.order, Ticket: got.ticket,
		At: got.at, Cap: got.cap, Amount: got.amount, Number: got.number, Adjacent: got.beside,
		Units: s.units[:got.units:got.units], Lines: s.picked[:got.lines:got.lines],
	}, true
}

// remember keeps an answer; the oldest makes room when there are too many.
func (a *answers) remember(key *Key, hash, print uint64, now int64, r *Result) {
	if a.len() >= a.limit {
		a.drop()
	}
	a.add(hash, &answer{
		key: *key, print: print, until: now + a.life, at: r.At, cap: r.Cap, amount: r.Amount, tail: a.tail.End(),
		place: r.Place, hold: r.Hold, order: r.Order, ticket: r.Ticket, number: r.Number,
		units: uint16(len(r.Units)), lines: uint16(len(r.Lines)),
		refusal: r.Refusal, repeated: r.Repeated, beside: r.Adjacent,
	})
	for _, u := range r.Units {
		a.tail.Append(uint32(u))
	}
	for _, l := range r.Lines {
		a.tail.Append(uint32(l.Unit))
		a.tail.Append(l.Count)
	}
}

func (a *answers) add(hash uint64, x *answer) { a.keys.put(hash, a.kept.Append(*x)) }

// expire forgets what is older than its life. Answers expire in their order, because the clock only moves on.
func (a *answers) expire(now int64) {
	for a.len() > 0 && a.kept.Read(a.kept.Start()).until <= now {
		a.drop()
	}
}

// drop forgets the oldest answer.
func (a *answers) drop() {
	n := a.kept.Start()
	x := a.kept.Read(n)
	a.keys.remove(x.key.hash(), n)
	a.tail.Trim(x.tail + uint64(x.units) + 2*uint64(x.lines))
	a.kept.Trim(n + 1)
}
