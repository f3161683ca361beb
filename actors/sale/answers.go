package sale

import (
	"encoding/binary"
	"math/bits"
)

// answers remembers what keyed commands were answered, oldest first, for a time and up to a number. It is state:
// a repeated command gets the first answer from every replica and after every restart.
type answers struct {
	life  int64 // ms
	limit int

	kept []answer // kept[head:] are remembered
	head int
	base uint64 // number of kept[0] since the start

	tail     []uint32 // units and lines of the answers, in their order
	tailBase uint64   // number of tail[0] since the start

	cells []uint64 // open addressing by key: number of the answer + 1, 0 empty; a power of two
}

// answer is a Result without its slices; those are in tail.
type answer struct {
	key   Key
	print uint64 // of the command's body
	until int64  // unix ms
	res   Result
	tail  uint64
	units uint32
	lines uint32
}

func (a *answers) len() int { return len(a.kept) - a.head }

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

// recall finds the answer to a key. The slices of the result are scratch.
func (s *State) recall(a *answers, key Key, print uint64) (Result, bool) {
	got := a.find(key)
	if got == nil {
		return Result{}, false
	}
	if got.print != print {
		return refuse(RefusedMismatch), true
	}
	r := got.res
	r.Repeated = true
	words := a.tail[got.tail-a.tailBase:]
	for _, u := range words[:got.units] {
		s.units = append(s.units, UnitID(u))
	}
	words = words[got.units:]
	for i := range got.lines {
		s.picked = append(s.picked, Line{Unit: UnitID(words[2*i]), Count: words[2*i+1]})
	}
	r.Units, r.Lines = s.units[:got.units:got.units], s.picked[:got.lines:got.lines]
	return r, true
}

// remember keeps an answer; the oldest makes room when there are too many.
func (a *answers) remember(key Key, print uint64, now int64, r Result) {
	if a.len() >= a.limit {
		a.drop()
	}
	x := answer{
		key: key, print: print, until: now + a.life, res: r, tail: a.tailBase + uint64(len(a.tail)),
		units: uint32(len(r.Units)), lines: uint32(len(r.Lines)),
	}
	x.res.Units, x.res.Lines = nil, nil
	for _, u := range r.Units {
		a.tail = append(a.tail, uint32(u))
	}
	for _, l := range r.Lines {
		a.tail = append(a.tail, uint32(l.Unit), l.Count)
	}
	a.add(x)
}

func (a *answers) add(x answer) {
	if 2*(a.len()+1) > len(a.cells) {
		a.grow()
	}
	a.kept = append(a.kept, x)
	a.place(a.base + uint64(len(a.kept)))
}

// expire forgets what is older than its life. Answers expire in their order, because the clock only moves on.
func (a *answers) expire(now int64) {
	for a.head < len(a.kept) && a.kept[a.head].until <= now {
		a.drop()
	}
}

// drop forgets the oldest answer, and from time to time moves the rest to the front of the memory.
func (a *answers) drop() {
	a.unplace(a.base + uint64(a.head) + 1)
	a.kept[a.head] = answer{}
	a.head++
	if a.head < 1024 || a.head < len(a.kept)/2 {
		return
	}
	a.base += uint64(a.head)
	a.kept = a.kept[:copy(a.kept, a.kept[a.head:])]
	a.head = 0
	from := a.tailBase + uint64(len(a.tail))
	if len(a.kept) > 0 {
		from = a.kept[0].tail
	}
	a.tail = a.tail[:copy(a.tail, a.tail[from-a.tailBase:])]
	a.tailBase = from
}

func (a *answers) home(key *Key) int {
	h := fold(binary.LittleEndian.Uint64(key[:8])^fold(binary.LittleEndian.Uint64(key[8:]), 0x9e3779b97f4a7c15), 0xa0761d6478bd642f)
	return int(h) & (len(a.cells) - 1)
}

func (a *answers) at(number uint64) *answer { return &a.kept[number-1-a.base] }

func (a *answers) find(key Key) *answer {
	if len(a.cells) == 0 {
		return nil
	}
	for i := a.home(&key); a.cells[i] != 0; i = (i + 1) & (len(a.cells) - 1) {
		if x := a.at(a.cells[i]); x.key == key {
			return x
		}
	}
	return nil
}

func (a *answers) place(number uint64) {
	i := a.home(&a.at(number).key)
	for a.cells[i] != 0 {
		i = (i + 1) & (len(a.cells) - 1)
	}
	a.cells[i] = number
}

func (a *answers) unplace(number uint64) {
	mask := len(a.cells) - 1
	gap := a.home(&a.at(number).key)
	for a.cells[gap] != number {
		gap = (gap + 1) & mask
	}
	for i := (gap + 1) & mask; a.cells[i] != 0; i = (i + 1) & mask {
		if home := a.home(&a.at(a.cells[i]).key); (i-home)&mask >= (i-gap)&mask {
			a.cells[gap] = a.cells[i]
			gap = i
		}
	}
	a.cells[gap] = 0
}

func (a *answers) grow() {
	a.cells = make([]uint64, max(64, 2*len(a.cells)))
	for i := a.head; i < len(a.kept); i++ {
		a.place(a.base + uint64(i) + 1)
	}
}
