package cluster

import (
	"sync"
	"time"
)

// saidStates is what the log was told of other nodes: each change is told once, not by every shard at every try.
type saidStates map[string]State

// changes tells what is new. The link's goroutine.
func (said saidStates) changes(n *Node) {
	for _, m := range n.known() {
		before, known := said[m.Name]
		said[m.Name] = m.State
		switch {
		case m.Self || m.State == before || m.Seen.IsZero():
		case m.State == StateSuspect:
			n.opt.Logger.Warn("another node does not answer", "node", m.Name, "last_seen", m.Seen.UTC())
		case m.State == StateDead:
			n.opt.Logger.Warn("another node is taken for dead, others get its votes", "node", m.Name, "last_seen", m.Seen.UTC())
		case known && (before == StateSuspect || before == StateDead):
			n.opt.Logger.Info("another node answers again", "node", m.Name, "server", m.ServerID)
		}
	}
}

// sayAgain is how long the same line is kept from the log.
const sayAgain = 30 * time.Second

// lastSaid remembers the last line of a kind.
type lastSaid struct {
	mu   sync.Mutex
	text string
	at   time.Time
}

// worth says whether text is to be told: it is another than the last, or that was a while ago.
func (l *lastSaid) worth(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if text == l.text && time.Since(l.at) < sayAgain {
		return false
	}
	l.text, l.at = text, time.Now()
	return true
}
