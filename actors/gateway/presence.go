package gateway

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
)

// presenceWorkers tell the sales who came and went. Each waits for its commit, so a storm of a hundred thousand
// disconnects becomes a steady stream and never a flood of the intake.
const presenceWorkers = 16

// presence is "this account is connected again" or "its last connection is gone".
type presence struct {
	key fanKey
	op  sale.Op
}

// say queues one presence. When a storm fills the queue, the sale keeps believing what it believed: a fan counted
// as connected is parked when it misses its turn, a fan counted as away is offered its turn when it is back.
func (g *Gateway) say(p presence) {
	select {
	case g.presence <- p:
	default:
		g.metrics.presenceDropped.Inc()
	}
}

func (g *Gateway) tellPresence() {
	for {
		select {
		case <-g.stop:
			return
		case p := <-g.presence:
			g.tell(p)
		}
	}
}

func (g *Gateway) tell(p presence) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := g.o.Sales.Submit(ctx, p.key.event, &sale.Command{Op: p.op, Account: p.key.account})
	var busy *event.BusyError
	switch {
	case err == nil:
	case errors.As(err, &busy):
		select {
		case <-time.After(busy.RetryAfter):
			g.say(p)
		case <-g.stop:
		}
	default:
		g.o.Logger.Warn("presence not recorded", slog.Any("error", err))
	}
}
