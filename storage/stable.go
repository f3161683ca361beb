package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Keys raft uses. The vote is two of them, and raft writes them one after the other; a crash in between would leave
// the new term with the old candidate, who would then be granted a second vote without a look at their log
// (hashicorp/raft issue 661). So the term is held back until the candidate comes, and both go into one transaction.
const (
	keyVoteTerm      = "LastVoteTerm"
	keyVoteCandidate = "LastVoteCand"
)

type pair struct {
	key string
	val []byte
}

// Set stores a value and returns when it is on the disk. A value that is there already costs nothing.
func (sh *Shard) Set(key, val []byte) error {
	k := string(key)
	pairs := []pair{{k, bytes.Clone(val)}}
	sh.mu.Lock()
	if k == keyVoteCandidate && sh.held != nil {
		pairs = append(pairs, pair{keyVoteTerm, sh.held})
	}
	same := true
	for _, p := range pairs {
		old, ok := sh.stable[p.key]
		same = same && ok && bytes.Equal(old, p.val)
	}
	sh.mu.Unlock()
	if !same {
		o := newOp(opStable, sh)
		o.pairs = pairs
		for _, p := range pairs {
			o.bytes += len(p.key) + len(p.val)
		}
		if err := sh.s.do(o); err != nil {
			return err
		}
	}
	if k == keyVoteCandidate {
		sh.mu.Lock()
		sh.held = nil
		sh.mu.Unlock()
	}
	return nil
}

// Get returns a copy of the value, nil when there is none.
func (sh *Shard) Get(key []byte) ([]byte, error) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return bytes.Clone(sh.stable[string(key)]), nil
}

// SetUint64 is Set for a number, except for LastVoteTerm, which waits for the next Set of LastVoteCand.
func (sh *Shard) SetUint64(key []byte, val uint64) error {
	v := binary.BigEndian.AppendUint64(nil, val)
	if string(key) == keyVoteTerm {
		sh.mu.Lock()
		sh.held = v
		sh.mu.Unlock()
		return nil
	}
	return sh.Set(key, v)
}

// GetUint64 returns the number, 0 when there is none.
func (sh *Shard) GetUint64(key []byte) (uint64, error) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	v, ok := sh.stable[string(key)]
	if !ok {
		return 0, nil
	}
	if len(v) != 8 {
		return 0, fmt.Errorf("storage: shard %d: %s has %d bytes and is no number", sh.id, key, len(v))
	}
	return binary.BigEndian.Uint64(v), nil
}
