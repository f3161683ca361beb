package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
)

const (
	// presenceLanes tell the sales who came and went. Each waits for its commit, so a storm of a hundred thousand
	// disconnects becomes a steady stream and never a flood of the intake.
	presenceLanes = 16
	// maxUntold accounts may wait in one lane.
	maxUntold = 1 << 16
	// presencePause is how long a lane waits for a sale without a leader.
	presencePause = time.Second
)

// lane tells the presence of its accounts, of each only the newest: who comes and goes many times while the sale is busy
// costs it one command, and an older word never arrives after a newer one.
type lane struct {
	mu     sync.Mutex
	newest map[fanKey]sale.Op
	order  []fanKey
	wake   chan struct{}
}

func newLane() *lane { return &lane{newest: make(map[fanKey]sale.Op), wake: make(chan struct{}, 1)} }

// say queues "this account is here" (OpBack) or "its last connection is gone" (OpAway). When a storm fills the lane,
// the sale keeps believing what it believed: a fan counted as connected is parked when it misses its turn, and one
// counted as away is said to be back with every push.
func (g *Gateway) say(k fanKey, op sale.Op) {
	if !g.lanes[spread(k.account)%presenceLanes].put(k, op, true) {
		g.metrics.presenceDropped.Inc()
	}
}

// put returns false when there is no room. Without replace an older word does not displace a newer one.
func (l *lane) put(k fanKey, op sale.Op, replace bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, waits := l.newest[k]
	switch {
	case waits && !replace:
		return true
	case waits:
		l.newest[k] = op
		return true
	case len(l.newest) >= maxUntold:
		return false
	}
	l.newest[k] = op
	l.order = append(l.order, k)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

func (l *lane) take() (k fanKey, op sale.Op, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.order) == 0 {
		l.order = nil
		return fanKey{}, 0, false
	}
	k = l.order[0]
	l.order = l.order[1:]
	op = l.newest[k]
	delete(l.newest, k)
	return k, op, true
}

// tellPresence empties a lane until the gateway closes.
func (g *Gateway) tellPresence(l *lane) {
	for {
		k, op, ok := l.take()
		if !ok {
			select {
			case <-g.ctx.Done():
				return
			case <-l.wake:
				continue
			}
		}
		if pause := g.tell(k, op); pause > 0 {
			l.put(k, op, false)
			select {
			case <-g.ctx.Done():
				return
			case <-time.After(pause):
			}
		}
		if g.ctx.Err() != nil {
			return
		}
	}
}

// tell says one presence to its sale. It returns how long to wait before saying it again, 0 when that is of no use.
func (g *Gateway) tell(k fanKey, op sale.Op) time.Duration {
	ctx, cancel := context.WithTimeout(g.ctx, 10*time.Second)
	defer cancel()
	_, err := g.o.Sales.Submit(ctx, k.event, &sale.Command{Op: op, Account: k.account})
	var busy *event.BusyError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &busy):
		return busy.RetryAfter
	case errors.Is(err, event.ErrUnavailable):
		return presencePause
	case g.ctx.Err() == nil:
		g.o.Logger.Warn("presence not recorded", slog.Int("event", int(k.event)), slog.Any("error", err))
	}
	return 0
}
