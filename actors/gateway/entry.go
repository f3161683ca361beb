package gateway

import (
	"github.com/catraca/catraca/actors/gateway/forecast"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
)

type fanKey struct {
	event   sale.EventID
	account sale.AccountID
}

// entry is one connection. Its worker owns it.
type entry struct {
	room    *room
	account sale.AccountID
	fan     Fan
	info    queue.Info // as the sale's changes say, newer than any picture
	shown   Place
	told    bool // shown was pushed, and the place has not left the line since
	tick    *TickFrame
	due     uint64 // the beat it is planned for, 0: none
	stock   bool
	gone    bool
	sent    bool // to come again, here or elsewhere
}

func (e *entry) key() fanKey { return fanKey{e.room.id, e.account} }

func inLine(s queue.State) bool { return s == queue.Waiting || s == queue.Away }

// moved takes a place's new state. A lease's cap is not in the change: it is the claim, at the sale's clock, and the
// policy's limit.
func (e *entry) moved(c *sale.Change, clock int64) {
	if e.info.Place != c.Place || !inLine(e.info.State) || !inLine(c.State) {
		e.told = false // another wait: what was shown of the last one binds nobody
	}
	e.info.Place, e.info.State, e.info.Deadline, e.info.Cap = c.Place, c.State, c.At, 0
	if v := e.room.view.Load(); v != nil && c.State == queue.Shopping {
		e.info.Cap = clock + v.Queue.Policy.LeaseCapMs
	}
}

// extended lets a lease last as long as the hold does, up to its cap, as the sale did with this change.
func (e *entry) extended(hold int64) bool {
	if e.info.State != queue.Shopping || min(hold, e.info.Cap) <= e.info.Deadline {
		return false
	}
	e.info.Deadline = min(hold, e.info.Cap)
	return true
}

// next is what to show now. While the place waits neither the position nor, without a reason, the estimate rises: the
// picture may be older or newer than what the changes have told.
func (e *entry) next(now int64) Place {
	p := e.room.show(e.info, now)
	if e.told && inLine(p.State) {
		p.Ahead = min(p.Ahead, e.shown.Ahead)
		p.ETA = settle(e.shown.ETA, p.ETA)
	}
	return p
}

// settle keeps a range from rising without a reason.
func settle(shown, next ETA) ETA {
	if !shown.Known || !next.Known {
		return next
	}
	next.Lo, next.Hi = forecast.Settle(shown.Lo, shown.upper(), next.Lo, next.upper(), next.Why)
	next.Beyond = false
	return next.bounded()
}

// differs says whether a fan would see another text.
func differs(a, b Place) bool {
	a.Now, a.Waiting = b.Now, b.Waiting
	return a != b
}

// cadence is the number of beats to the next push: the nearer the turn, the sooner.
func cadence(s queue.State, ahead uint32) int {
	if !inLine(s) {
		return 4
	}
	switch {
	case ahead < 100:
		return 2
	case ahead < 1000:
		return 4
	case ahead < 10000:
		return 12
	default:
		return 40
	}
}
