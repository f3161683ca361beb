package sale

import "math/bits"

const (
	groupKeys    = 8 // of a word of tags
	leastGroups  = 16
	clearPerPut  = 4 // groups of a table that is to be used again
	everyTag     = 0x0101010101010101
	topOfEachTag = 0x80 * everyTag
)

// keyTable finds the numbers of answers by the hash of their key. It is a power of two of groups; a group is a word with
// a tag of eight bits for each of its keys, 0 where there is none, and their numbers apart. A key is in the first group from
// that of its hash on which had room, so whoever looks for it compares the tags of a group at once, and mostly reads
// nothing else. After Abseil's "Swiss tables" (Kulukundis and others, 2017), without removal.
type keyTable struct {
	tags    []uint64
	numbers []uint32 // the lower half of each
}

func makeKeyTable(groups int) keyTable {
	return keyTable{make([]uint64, groups), make([]uint32, groups*groupKeys)}
}

// home is the group where the search for a hash begins.
func (t *keyTable) home(hash uint64) int {
	return int(hash >> (uint(64-bits.TrailingZeros(uint(len(t.tags)))) & 63))
}

func (t *keyTable) after(group int) int { return (group + 1) & (len(t.tags) - 1) }

// tagOf is never 0.
func tagOf(hash uint64) uint64 { return max(1, hash&0xff) }

// withTag marks the keys of a group that have a tag, each by a bit, and perhaps some that have not.
func withTag(tags, tag uint64) uint64 { return withoutTag(tags ^ tag*everyTag) }

// withoutTag marks where a group has no key: the lowest mark is right, and there is one if there is such a place.
func withoutTag(tags uint64) uint64 { return (tags - everyTag) &^ tags & topOfEachTag }

// lane is the place in its group of the lowest mark.
func lane(marks uint64) int { return bits.TrailingZeros64(marks) / 8 }

// insert adds a key; from is its home, or a group after it up to which all are full.
func (t *keyTable) insert(hash, number uint64, from int) {
	free := withoutTag(t.tags[from])
	for free == 0 {
		from = t.after(from)
		free = withoutTag(t.tags[from])
	}
	i := lane(free)
	t.tags[from] |= tagOf(hash) << (8 * i & 63)
	t.numbers[from*groupKeys+i] = uint32(number)
}

// answerKeys finds the answers that are kept by their keys. Like lookup, it is derived state.
//
// Answers are forgotten in their order, so nothing is ever taken out of a table: new answers go into one until it is half
// full, then into the next, and a table goes as a whole when the last answer in it is forgotten. Who finds a number
// has to ask whether its answer is kept still. If the table before the last has answers that are kept when the next is
// begun, there are more than there were: the next is twice as large, and takes those over, a few with each put.
type answerKeys struct {
	cur, last, older keyTable
	curFirst         uint64 // number of the first answer that was put into cur
	lastFirst        uint64
	used             int    // keys in cur
	moved            uint64 // number of the next answer of older to go into cur
	spare            keyTable
	cleared          int // groups of spare before this one are empty
	newest           uint64
}

// number widens what a table keeps of a number: no answer is 2^32 older than the newest.
func (k *answerKeys) number(low uint32) uint64 { return k.newest - uint64(uint32(k.newest)-low) }

// spot is the group where the search for a key ended in the current table, if it is that table still.
type spot struct{ group, groups int }

// find returns the words of the answer to a key or, if there is none, where the key belongs.
func (a *answers) find(key *Key, hash uint64) ([]uint64, spot) {
	k := &a.keys
	if k.cur.tags == nil {
		return nil, spot{}
	}
	words, group := a.findIn(&k.cur, key, hash)
	if words == nil && k.last.tags != nil {
		words, _ = a.findIn(&k.last, key, hash)
	}
	if words == nil && k.older.tags != nil {
		words, _ = a.findIn(&k.older, key, hash)
	}
	return words, spot{group, len(k.cur.tags)}
}

// findIn returns the answer to a key that is in the table, or the group where the search for it ended.
func (a *answers) findIn(t *keyTable, key *Key, hash uint64) ([]uint64, int) {
	for g := t.home(hash); ; g = t.after(g) {
		tags := t.tags[g]
		for m := withTag(tags, tagOf(hash)); m != 0; m &= m - 1 {
			if n := a.keys.number(t.numbers[g*groupKeys+lane(m)]); n >= a.start {
				if words, _ := answerAt(&a.words.LogView, n); keyOf(words) == *key {
					return words, g
				}
			}
		}
		if withoutTag(tags) != 0 {
			return nil, g
		}
	}
}

// put adds the newest answer, whose key was not found and belongs at the spot.
func (a *answers) put(hash, number uint64, at spot) {
	k := &a.keys
	k.newest = number
	if (k.used+1)*2 > len(k.cur.numbers) {
		a.nextTable(number)
		at = spot{}
	}
	if at.groups != len(k.cur.tags) {
		at.group = k.cur.home(hash)
	}
	k.cur.insert(hash, number, at.group)
	k.used++
	if k.older.tags != nil {
		a.move()
	}
	if k.cleared < len(k.spare.tags) {
		to := min(k.cleared+clearPerPut, len(k.spare.tags))
		clear(k.spare.tags[k.cleared:to])
		k.cleared = to
	}
}

// nextTable begins a table with an answer.
func (a *answers) nextTable(number uint64) {
	k := &a.keys
	for k.older.tags != nil {
		a.move()
	}
	groups := max(leastGroups, len(k.cur.tags))
	switch {
	case k.last.tags == nil:
	case a.start < k.curFirst: // some of last are kept
		k.older, k.moved = k.last, a.start
		groups *= 2
	default:
		k.spare, k.cleared = k.last, 0
	}
	k.last, k.lastFirst = k.cur, k.curFirst
	k.cur, k.used, k.curFirst = k.empty(groups), 0, number
}

// empty is an empty table.
func (k *answerKeys) empty(groups int) keyTable {
	t := k.spare
	k.spare = keyTable{}
	if len(t.tags) != groups {
		return makeKeyTable(groups)
	}
	clear(t.tags[k.cleared:])
	return t
}

// move takes a few answers of the table before the last over.
func (a *answers) move() {
	k := &a.keys
	k.moved = max(k.moved, a.start)
	for range movePerPut {
		if k.moved >= k.lastFirst {
			k.older = keyTable{}
			return
		}
		words, at := answerAt(&a.words.LogView, k.moved)
		key := keyOf(words)
		hash := key.hash()
		k.cur.insert(hash, at, k.cur.home(hash))
		k.used++
		k.moved = at + uint64(len(words))
	}
}

// foresee fetches the groups where the search for a key begins.
func (a *answers) foresee(hash uint64) uint64 {
	k := &a.keys
	if k.cur.tags == nil {
		return 0
	}
	g := k.cur.home(hash)
	seen := k.cur.tags[g] ^ uint64(k.cur.numbers[g*groupKeys])
	if k.last.tags != nil {
		seen ^= k.last.tags[k.last.home(hash)]
	}
	return seen
}
