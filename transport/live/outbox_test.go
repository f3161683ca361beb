package live

import (
	"testing"

	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// While the writer waits for a slow peer the outbox stays small: of what may be missed the newest stays.
func TestOutboxIsBounded(t *testing.T) {
	c := &conn{writing: true} // a writer runs, and does not come back
	for i := range 1000 {
		c.Push(gateway.PlaceFrame{Place: gateway.Place{Ahead: uint32(i)}})
		c.Push(&gateway.TickFrame{Waiting: uint32(i)})
		c.Push(gateway.HoldChanged{Hold: 1, Gone: i%2 == 1})
		c.Push(gateway.OrderChanged{Order: sale.OrderID(i % 3)})
	}
	if o := &c.out; o.place.Ahead != 999 || o.tick.Waiting != 999 || !o.hold || !o.gone || len(o.orders) != 3 || o.reset {
		t.Errorf("outbox is %+v", o)
	}
	for range maxStock {
		c.Push(&gateway.StockFrame{})
	}
	if len(c.out.stock) != maxStock || c.out.reset {
		t.Errorf("%d seat map frames wait, reset %t", len(c.out.stock), c.out.reset)
	}
	for range 3 { // too many: the page reads the map anew, and no frame of before or after the gap misleads it
		c.Push(&gateway.StockFrame{})
	}
	if len(c.out.stock) != 0 || !c.out.reset {
		t.Errorf("%d seat map frames wait, reset %t", len(c.out.stock), c.out.reset)
	}
	for range maxQueue {
		c.reply(1, 200, nil)
	}
	if c.out.code != 0 {
		t.Errorf("closed with %d too early", c.out.code)
	}
	c.problem(wire.NewProblem(wire.Busy, "en"))
	if len(c.out.queue) != maxQueue || c.out.code != wire.CloseSlow {
		t.Errorf("%d replies wait, close code %d", len(c.out.queue), c.out.code)
	}
	c.Close(gateway.Restarting)
	if c.out.code != wire.CloseSlow {
		t.Errorf("close code %d: the first reason counts", c.out.code)
	}
}

func TestNothingFollowsAGoodbye(t *testing.T) {
	c := &conn{writing: true}
	c.reply(1, 200, nil)
	c.bye(wire.CloseRestart, "restarting")
	o, ok := c.take()
	if !ok || len(o.queue) != 1 || o.code != wire.CloseRestart {
		t.Errorf("taken %+v, %t", o, ok)
	}
	c.reply(2, 200, nil)
	if o, ok := c.take(); ok {
		t.Errorf("taken %+v after the goodbye", o)
	}
}
