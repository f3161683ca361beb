package eventtest

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
)

// Log commits every proposal at once, in memory. The zero value is empty.
type Log struct {
	mu      sync.Mutex
	entries [][]byte
	applied int // entries the pump has
	pump    cluster.Pump
	term    uint64
	lose    int
}

// Entries is how many there are.
func (l *Log) Entries() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// Lose makes the next n proposals end in an unknown outcome although they are committed: the service learns of them
// only with the entry after them.
func (l *Log) Lose(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lose = n
}

// Lead takes leadership from the service or gives it back, in a new term.
func (l *Log) Lead(leads bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !leads {
		l.pump.LeaderLost()
		return
	}
	l.term++
	l.pump.LeaderReady(l.term)
}

// serve hands the log to a pump; nil takes it away.
func (l *Log) serve(p cluster.Pump) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pump != nil {
		l.pump.LeaderLost()
	}
	l.pump = p
	if p == nil {
		return
	}
	l.applied = 0
	l.catchUp()
	l.term++
	p.LeaderReady(l.term)
}

func (l *Log) catchUp() {
	for ; l.applied < len(l.entries); l.applied++ {
		l.pump.Apply(uint64(l.applied+1), l.term, l.entries[l.applied])
	}
}

// Propose implements [sequencer.Proposer].
func (l *Log) Propose(_ int, data []byte, _ time.Duration) (sequencer.Pending, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pump == nil {
		return nil, sequencer.ErrNotLeader
	}
	l.entries = append(l.entries, bytes.Clone(data))
	if l.lose > 0 {
		l.lose--
		return done{sequencer.ErrUnknown}, nil
	}
	l.catchUp()
	return done{}, nil
}

type done struct{ err error }

func (d done) Wait(context.Context) error { return d.err }
