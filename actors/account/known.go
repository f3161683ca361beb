package account

import "crypto/sha256"

// known keeps results by key, so that a command that comes again is answered and not done again. A key is known
// for a quarter of an hour of log time, or until maxKnownKeys others have come after it. It is a ring in the order
// of coming; record numbers are places in the ring plus one.
type known struct {
	ring  []knownResult
	head  uint32 // place of the oldest
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

func (k *known) at(i uint32) *knownResult { return &k.ring[(k.head+i)&uint32(len(k.ring)-1)] }

func (k *known) find(key *Key, digest *[16]byte) (r Result, same, ok bool) {
	n := k.index.find(hashKey(key), func(n uint32) bool { return k.ring[n-1].key == *key })
	if n == 0 {
		return Result{}, false, false
	}
	e := &k.ring[n-1]
	return Result{Refusal: e.refusal, Account: e.account, Event: e.event, Shard: int(e.shard), Number: e.number},
		e.digest == *digest, true
}

// add keeps a result; when there are most of them the oldest goes.
func (k *known) add(key *Key, digest *[16]byte, at int64, r *Result, most uint32) {
	if k.n >= most {
		k.drop()
	}
	if int(k.n) == len(k.ring) {
		k.grow()
	}
	k.n++
	*k.at(k.n - 1) = knownResult{
		key: *key, digest: *digest, at: at, account: r.Account, number: r.Number, event: r.Event,
		refusal: r.Refusal, shard: uint16(r.Shard),
	}
	k.index.insert(hashKey(key), (k.head+k.n-1)&uint32(len(k.ring)-1)+1)
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

func (k *known) drop() {
	k.index.remove(hashKey(&k.at(0).key), k.head+1)
	*k.at(0) = knownResult{}
	k.head = (k.head + 1) & uint32(len(k.ring)-1)
	k.n--
}

func (k *known) grow() {
	old := *k
	*k = known{ring: make([]knownResult, max(64, 2*len(old.ring)))}
	for i := range old.n {
		e := old.at(i)
		k.ring[i] = *e
		k.index.insert(hashKey(&e.key), i+1)
	}
	k.n = old.n
}
