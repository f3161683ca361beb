package bench

import (
	"context"
	"errors"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// How often a fan looks at an order by itself: seldom while the live socket tells of it, as the page does, and often when
// there is none.
const (
	lookBeside  = 5 * time.Second
	lookWithout = 250 * time.Millisecond
)

// news waits until the order may have changed: until the live socket says so. A socket that is not open is opened, which the
// page does that a payer comes back to.
func (v *visit) news(ctx context.Context) error {
	if v.link == nil {
		if err := v.reopen(ctx); err != nil {
			return err
		}
		return v.refresh(ctx) // of what happened before nobody tells
	}
	if v.link.pump == nil {
		v.link.watch()
	}
	v.reads = time.Now()
	for until := v.reads.Add(v.every(lookBeside)); ; {
		f, err := v.link.read(time.Until(until))
		switch {
		case err == nil && f.order != nil && f.order.ID == v.out.Order.ID:
			v.told(*f.order)
			return nil
		case err == nil && f.kind == "tick":
			v.pushed(f.now)
		case err == nil:
			v.see(f)
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errQuiet):
			return v.refresh(ctx)
		default:
			v.deaf = over(err)
			v.hangUp()
			return nil
		}
	}
}

// every is the time between two looks at an order.
func (v *visit) every(usual time.Duration) time.Duration {
	if v.s.PollOrder != 0 {
		return v.s.PollOrder
	}
	return usual
}

// reopen opens the live socket once more. Without one it waits until it is time to look.
func (v *visit) reopen(ctx context.Context) error {
	if v.deaf {
		return sleep(ctx, v.every(lookWithout))
	}
	v.begin(&v.connecting, "connect")
	l, err := v.f.dial(ctx)
	v.end(&v.connecting, code(err))
	switch {
	case err == nil:
		v.link = l
		v.sockets(1)
		l.watch()
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	v.deaf = over(err)
	return sleep(ctx, v.every(lookWithout))
}

// learn takes in an order as it was answered. An answer and what the socket tells may cross, so what it told while the
// answer was waited for counts if it is further.
func (v *visit) learn(o wire.Order) {
	if p := v.crossed; p != nil && p.ID == o.ID {
		was, is := orderRank(o.State), orderRank(p.State)
		if is > was && (is < ended || was == orderRank("awaiting")) {
			o = *p
		}
	}
	v.crossed, v.answered = nil, true
	v.out.Order = &o
	v.f.Journal.orderSeen(o)
}

// told takes in an order as the socket told it. It may have been on its way since before the last answer; of two that the
// socket told the second must not be behind the first.
func (v *visit) told(o wire.Order) {
	if v.answered && orderRank(o.State) < orderRank(v.out.Order.State) {
		return
	}
	v.crossed, v.answered = nil, false
	v.out.Order = &o
	v.f.Journal.orderSeen(o)
}
