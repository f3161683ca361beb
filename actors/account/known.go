package account

import "crypto/sha256"

// known keeps results by key, so that a command that comes again is answered and not done again. A key is known
// for a quarter of an hour of log time, or until maxKnownKeys others have come after it. It is a ring in the order
// of coming; record numbers are places in the ring plus one.
type known struct {
	ring  slab[knownResult] // as many records as a power of two
	head  uint32            // place of the oldest
	n     uint32
	index table // derived
}

type knownResult struct {
	key     Key
	digest  [16]byte
	at      int64
	account ID
	number  uint64
	event   EventID
	refusal Refusal
	shard   uint16
}

// bodyDigest is what two commands with one key are compared by.
func bodyDigest(c *Command) [16]byte {
	var buf [1024]byte
	if c.Body != [16]byte{} {
		sum := sha256.Sum256(append(append(buf[:0], byte(c.Op)), c.Body[:]...))
		return [16]byte(sum[:16])
	}
	plain := *c
	plain.Key = Key{}
	sum := sha256.Sum256(AppendCommand(buf[:0], &plain))
	return [16]byte(sum[:16])
}

// at returns the i-th oldest, to read it.
func (k *known) at(i uint32) *knownResult { return k.ring.at(k.place(i)) }

// place is the record number of the i-th oldest.
func (k *known) place(i uint32) uint32 { return (k.head+i)&(k.ring.n-1) + 1 }

func (k *known) find(key *Key, digest *[16]byte) (r Result, same, ok bool) {
	n := k.index.find(hashKey(key), func(n uint32) bool { return k.ring.at(n).key == *key })
	if n == 0 {
		return Result{}, false, false
	}
	e := k.ring.at(n)
	return Result{Refusal: e.refusal, Account: e.account, Event: e.event, Shard: int(e.shard), Number: e.number},
		e.digest == *digest, true
}

// add keeps a result; when there are most of them the oldest goes.
func (k *known) add(key *Key, digest *[16]byte, at int64, r *Result, most uint32) {
	if k.n >= most {
		k.drop()
	}
	if k.n == k.ring.n {
		k.grow()
	}
	k.n++
	n := k.place(k.n - 1)
	*k.ring.edit(n) = knownResult{
		key: *key, digest: *digest, at: at, account: r.Account, number: r.Number, event: r.Event,
		refusal: r.Refusal, shard: uint16(r.Shard),
	}
	k.index.insert(hashKey(key), n)
}

// forget drops what came before that time, a bounded number at once. The ring stays as large as it once was.
func (k *known) forget(before int64) {
	for range forgetAtOnce {
		if k.n == 0 || k.at(0).at >= before {
			return
		}
		k.drop()
	}
}

// drop forgets the oldest. Its record stays as it is until the ring comes round to it.
func (k *known) drop() {
	k.index.remove(hashKey(&k.at(0).key), k.place(0))
	k.head = (k.head + 1) & (k.ring.n - 1)
	k.n--
}

func (k *known) grow() {
	old := *k
	*k = known{}
	for range max(64, 2*old.ring.n) {
		k.ring.add()
	}
	for i := range old.n {
		e := old.at(i)
		*k.ring.edit(i + 1) = *e
		k.index.insert(hashKey(&e.key), i+1)
	}
	k.n = old.n
}

// freeze returns the results as they are, to be written.
func (k *known) freeze() known { return known{ring: k.ring.freeze(), head: k.head, n: k.n} }
