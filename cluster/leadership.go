package cluster

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

const (
	barrierTimeout = 5 * time.Second
	barrierPause   = 20 * time.Millisecond
)

// leadership turns raft's signals into LeaderReady and LeaderLost. Raft blocks while nobody takes a signal, and a
// pump may take its time, so one goroutine only remembers the latest signal and another one acts on it.
type leadership struct {
	mu      sync.Mutex
	changes uint64
	leads   bool
	wake    chan struct{}
	ready   atomic.Uint64 // the term of the last LeaderReady, 0 after LeaderLost
}

// listen remembers signals until stop.
func (l *leadership) listen(signals <-chan bool, stop <-chan struct{}) {
	for {
		select {
		case leads := <-signals:
			l.mu.Lock()
			l.changes++
			l.leads = leads
			l.mu.Unlock()
			select {
			case l.wake <- struct{}{}:
			default:
			}
		case <-stop:
			return
		}
	}
}

func (l *leadership) now() (changes uint64, leads bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changes, l.leads
}

// lead is the goroutine the pump hears of leadership on.
func (g *group) lead(stop <-chan struct{}) {
	defer g.lost()
	var seen uint64
	for {
		select {
		case <-g.leadership.wake:
		case <-stop:
			return
		}
		for {
			changes, leads := g.leadership.now()
			if changes == seen {
				break
			}
			seen = changes
			g.lost()
			g.changes.Inc()
			if leads {
				g.becomeReady(seen, stop)
			}
		}
	}
}

func (g *group) lost() {
	if term := g.leadership.ready.Swap(0); term != 0 {
		g.node.opt.Logger.Debug("shard leadership lost", "shard", g.id, "term", term)
		g.node.links.touch()
		g.pump.LeaderLost()
	}
}

// becomeReady waits until everything older than this term has been applied.
func (g *group) becomeReady(change uint64, stop <-chan struct{}) {
	for {
		term := g.raft.CurrentTerm()
		err := g.raft.Barrier(barrierTimeout).Error()
		if now, _ := g.leadership.now(); now != change {
			return
		}
		switch {
		case err == nil:
			// The term did not move around the barrier and we lead, so the barrier is of this term.
			if leads := g.raft.State() == raft.Leader; !leads || g.raft.CurrentTerm() != term {
				return // the next signal is on its way
			}
			g.leadership.ready.Store(term)
			g.synced.Store(true)
			g.node.links.touch()
			g.node.reconciler.touch()
			g.node.opt.Logger.Debug("shard leadership ready", "shard", g.id, "term", term)
			g.pump.LeaderReady(term)
			return
		case errors.Is(err, raft.ErrEnqueueTimeout), errors.Is(err, raft.ErrLeadershipTransferInProgress):
			select {
			case <-time.After(barrierPause):
			case <-stop:
				return
			}
		default:
			return
		}
	}
}
