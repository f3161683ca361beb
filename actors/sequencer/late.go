package sequencer

import (
	"sync/atomic"
	"time"
)

// Late is a proposer that comes later: a cluster needs its pumps before it exists, and the pumps propose to it.
type Late struct{ p atomic.Pointer[Proposer] }

// Set gives the proposer, once.
func (l *Late) Set(p Proposer) { l.p.Store(&p) }

// Propose refuses until the proposer is there: the entry is surely not in the log.
func (l *Late) Propose(shard int, data []byte, timeout time.Duration) (Pending, error) {
	p := l.p.Load()
	if p == nil {
		return nil, ErrNotLeader
	}
	return (*p).Propose(shard, data, timeout)
}
