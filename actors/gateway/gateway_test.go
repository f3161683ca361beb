package gateway

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/event/eventtest"
	"github.com/catraca/catraca/actors/gateway/forecast"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
)

func TestAFanWaitsAndIsLetIn(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.join(1, 10) // 1 and 2 take the slots, one a second
		fan := h.connect(50)
		if frames := take[PlaceFrame](fan); len(frames) != 0 {
			t.Errorf("before joining it heard of %+v", frames)
		}
		h.do(sale.OpJoin, 50)
		p := fan.last(t)
		if p.Number != 11 || p.State != queue.Waiting || p.Event != 1 || p.Phase != sale.PhaseOpen || p.Ahead < 8 || p.Ahead > 10 {
			t.Fatalf("after joining %+v", p)
		}
		time.Sleep(3 * time.Second)
		if p = fan.last(t); p.Ahead != 8 {
			t.Errorf("with two let in %d are ahead", p.Ahead)
		}
		for a := sale.AccountID(1); a <= 9; a++ {
			h.do(sale.OpLeave, a)
			time.Sleep(1200 * time.Millisecond)
		}
		places := take[PlaceFrame](fan)
		for i, f := range places[1:] {
			if f.Place.State == queue.Waiting && f.Place.Ahead > places[i].Place.Ahead {
				t.Errorf("%d ahead, then %d", places[i].Place.Ahead, f.Place.Ahead)
			}
		}
		p = places[len(places)-1].Place
		if p.State != queue.Offered || p.Ahead != 0 || p.Deadline <= p.Now {
			t.Fatalf("at its turn %+v", p)
		}
		h.do(sale.OpClaim, 50)
		if p = fan.last(t); p.State != queue.Shopping || p.Deadline <= p.Now || p.Cap < p.Deadline {
			t.Fatalf("after the claim %+v", p)
		}
		if info := h.state(50); info.Deadline != p.Deadline || info.Cap != p.Cap {
			t.Errorf("shown %d up to %d, the sale says %d up to %d", p.Deadline, p.Cap, info.Deadline, info.Cap)
		}
		time.Sleep(9 * time.Minute)
		take[PlaceFrame](fan)
		hold := h.command(sale.Command{Op: sale.OpHold, Account: 50, Lines: []sale.Line{{Unit: 3, Count: 1}}})
		synctest.Wait()
		if info := h.state(50); info.Deadline != fan.last(t).Deadline {
			t.Error("the hold extends the lease, and the fan is shown another end of it")
		}
		order := h.command(sale.Command{Op: sale.OpOrderOpen, Account: 50, Hold: hold.Hold, Text: "en"})
		synctest.Wait()
		fan.mu.Lock()
		var got []Frame
		for _, f := range fan.frames {
			switch x := f.Frame.(type) {
			case HoldChanged:
				if x.Index == 0 {
					t.Error("the hold changed in no entry")
				}
				got = append(got, HoldChanged{Hold: x.Hold, Gone: x.Gone})
			case OrderChanged:
				got = append(got, x)
			}
		}
		fan.mu.Unlock()
		if len(got) == 0 || got[len(got)-1] != (HoldChanged{Hold: hold.Hold}) && got[len(got)-1] != (OrderChanged{Order: order.Order}) {
			t.Errorf("of the order it heard %v", got)
		}
		h.command(sale.Command{Op: sale.OpOrderCancel, Account: 50, Order: order.Order})
		h.do(sale.OpLeave, 50)
		if p = fan.last(t); p.State != queue.Left {
			t.Errorf("after leaving %+v", p)
		}
	})
}

func TestAFanIsToldAgainWhenItAsks(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.join(1, 5)
		h.command(sale.Command{Op: sale.OpPause, Text: "rain"})
		fan, tab, stranger := h.connect(5), h.connect(5), h.connect(9)
		before := fan.last(t)
		take[PlaceFrame](tab)
		h.g.Again(1, 5, fan)
		h.g.Again(1, 9, stranger)
		if again := fan.last(t); again.Number != before.Number || again.Ahead != before.Ahead {
			t.Errorf("it was told %+v, and then %+v", before, again)
		}
		if n := len(take[PlaceFrame](tab)) + len(take[PlaceFrame](stranger)); n != 0 {
			t.Errorf("others were told %d times", n)
		}
		fan.detach()
		h.g.Again(1, 5, fan)
		if n := len(take[PlaceFrame](fan)); n != 0 {
			t.Errorf("a connection that is gone was told %d times", n)
		}
	})
}

func TestOfferIsPushedAtOnce(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.join(1, 3)
		time.Sleep(3 * time.Second) // 1 and 2 are inside
		fan := h.connect(3)
		synctest.Wait()
		take[PlaceFrame](fan)
		h.do(sale.OpLeave, 1)
		synctest.Wait()
		start := time.Now()
		time.Sleep(time.Second)
		synctest.Wait()
		fan.mu.Lock()
		defer fan.mu.Unlock()
		for _, f := range fan.frames {
			if p, ok := f.Frame.(PlaceFrame); ok && p.Place.State == queue.Offered {
				offered := time.UnixMilli(p.Place.Deadline).Add(-2 * time.Minute)
				if late := f.at.Sub(offered); late > time.Millisecond {
					t.Errorf("the offer was pushed %v late", late)
				}
				return
			}
		}
		t.Errorf("no offer within %v: %v", time.Since(start), fan.frames)
	})
}

func TestCadenceAndCoalescing(t *testing.T) {
	bubble(t, func(c *sale.Config, _ *Options) {
		*c = *eventtest.Config(1, 4000, 0, time.Now())
		c.Queue = queue.Policy{RatePerMinute: 60, Burst: 1, ActiveCap: 10_000}.WithDefaults()
	}, func(t *testing.T, h *house) {
		h.join(1, 2000)
		near, far := h.connect(40), h.connect(2000)
		synctest.Wait()
		take[PlaceFrame](near)
		take[PlaceFrame](far)
		time.Sleep(15 * time.Second) // the line moves by one a second
		if n := len(take[PlaceFrame](far)); n < 4 || n > 6 {
			t.Errorf("far back it was told %d times in 15 s, want every 3 s", n)
		}
		if n := len(take[PlaceFrame](near)); n < 12 || n > 17 {
			t.Errorf("in front it was told %d times in 15 s, want at each change", n)
		}
		// Suddenly the turn of the one far back is near: it does not sleep through it.
		h.command(sale.Command{Op: sale.OpRate, Amount: 6_000_000, Limit: 1990})
		time.Sleep(3500 * time.Millisecond)
		if p := far.last(t); p.Ahead > 10 {
			t.Fatalf("the fan believes that %d are ahead", p.Ahead)
		}
		h.command(sale.Command{Op: sale.OpRate, Amount: 60, Limit: 3000})
		time.Sleep(5 * time.Second)
		if n := len(take[PlaceFrame](far)); n < 4 {
			t.Errorf("near its turn it was told %d times in 5 s", n)
		}
		h.command(sale.Command{Op: sale.OpPause, Text: "rain"})
		time.Sleep(2 * time.Second)
		take[PlaceFrame](far)
		time.Sleep(10 * time.Second)
		if n := len(take[PlaceFrame](far)); n != 0 {
			t.Errorf("while nothing moves it was told %d times", n)
		}
	})
}

func TestTicksAreSharedAndRare(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.join(1, 5)
		one, other := h.connect(4), h.connect(99) // 99 has no place
		time.Sleep(10 * time.Second)
		ticks, others := take[*TickFrame](one), take[*TickFrame](other)
		if n := len(ticks); n < 9 || n > 11 {
			t.Fatalf("%d ticks in ten seconds", n)
		}
		if last := ticks[len(ticks)-1]; last.Waiting != 3 || last.Shopping != 2 || last.Front != 2 || last.Rate != 60 ||
			last.Phase != sale.PhaseOpen || last.Stock[0].Free != 230 || last.Config.Slug != "event-1" {
			t.Errorf("tick %+v", last)
		}
		shared := 0
		for _, a := range ticks {
			for _, b := range others {
				if a == b {
					shared++
				}
			}
		}
		if shared < 8 {
			t.Errorf("only %d of %d and %d ticks are the same", shared, len(ticks), len(others))
		}
		if got, err := h.g.Tick(t.Context(), 1); err != nil || got.Waiting != 3 {
			t.Errorf("asked for: %+v, %v", got, err)
		}
	})
}

func TestSeatMapOnlyForThoseWhoAsk(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		h.join(1, 3)
		h.do(sale.OpClaim, 1)
		asks, asksNot, stops := h.connect(1), h.connect(2), h.connect(3)
		tab := h.connect(1) // another tab of the same fan, on the queue's page
		h.g.Stock(1, 1, asks, true)
		h.g.Stock(1, 3, stops, true)
		h.g.Stock(1, 3, stops, false)
		h.g.Stock(1, 2, asks, true) // not its connection
		time.Sleep(time.Second)
		hold := h.command(sale.Command{Op: sale.OpHold, Account: 1, Lines: []sale.Line{{Unit: 7, Count: 1}, {Unit: 200, Count: 2}}})
		h.command(sale.Command{Op: sale.OpHoldRelease, Account: 1, Hold: hold.Hold})
		version := uint64(h.log.Entries())
		time.Sleep(2 * beatEvery)
		frames := take[*StockFrame](asks)
		if len(frames) != 1 {
			t.Fatalf("%d frames", len(frames))
		}
		want := &StockFrame{
			Event: 1, Version: version, Units: []sale.UnitID{7, 7}, Status: []sale.UnitStatus{sale.UnitHeld, sale.UnitFree},
			Areas: []AreaFree{{Unit: 200, Free: 28}, {Unit: 200, Free: 30}},
		}
		if diff := cmp.Diff(want, frames[0]); diff != "" {
			t.Error(diff)
		}
		for _, e := range []*ear{asksNot, stops, tab} {
			if n := len(take[*StockFrame](e)); n != 0 {
				t.Errorf("a connection of account %d that does not ask heard %d frames", e.who, n)
			}
		}
		asks.detach()
		synctest.Wait()
		for _, w := range h.g.workers {
			if len(w.watchers) != 0 {
				t.Error("a connection that is gone is still on the list")
			}
		}
	})
}

func TestAwayAndBack(t *testing.T) {
	bubble(t, func(c *sale.Config, _ *Options) { c.Queue.ActiveCap = 1 }, func(t *testing.T, h *house) {
		h.join(1, 3)
		fan, tab := h.connect(3), h.connect(3)
		fan.detach()
		fan.detach() // once more changes nothing
		time.Sleep(time.Minute)
		if got := h.state(3).State; got != queue.Waiting {
			t.Fatalf("with one tab open it is %v", got)
		}
		tab.detach()
		time.Sleep(14 * time.Second)
		again := h.connect(3) // a reload
		time.Sleep(2 * time.Second)
		again.detach()
		entries := h.log.Entries()
		time.Sleep(14 * time.Second)
		if got := h.state(3).State; got != queue.Waiting || h.log.Entries() != entries {
			t.Fatalf("14 s after the last connection it is %v", got)
		}
		time.Sleep(2 * time.Second)
		if got := h.state(3); got.State != queue.Away || got.Place != 3 {
			t.Fatalf("16 s after the last connection it is %+v", got)
		}
		last := h.connect(3)
		time.Sleep(time.Second)
		if got := h.state(3); got.State != queue.Waiting || got.Place != 3 {
			t.Errorf("back it is %+v", got)
		}
		if p := last.last(t); p.State != queue.Waiting || p.Number != 3 || p.Ahead != 1 {
			t.Errorf("and is shown %+v", p)
		}
		// Another node says that the fan is gone. This one knows better.
		h.do(sale.OpAway, 3)
		time.Sleep(time.Second)
		if got := h.state(3).State; got != queue.Waiting {
			t.Errorf("connected here it is %v", got)
		}
	})
}

func TestTurnMissedWhileAway(t *testing.T) {
	bubble(t, func(c *sale.Config, _ *Options) { c.Queue.ActiveCap = 1 }, func(t *testing.T, h *house) {
		h.join(1, 4)
		fan := h.connect(2)
		fan.detach()
		time.Sleep(20 * time.Second)
		h.do(sale.OpLeave, 1)
		time.Sleep(2 * time.Second)
		if got := h.state(2).State; got != queue.Parked {
			t.Fatalf("it missed its turn and is %v", got)
		}
		if p, ok, err := h.g.Place(t.Context(), 1, 2); err != nil || !ok || p.State != queue.Parked || p.Ahead != 0 {
			t.Errorf("a page that asks: %+v, %v", p, err)
		}
		time.Sleep(time.Second)
		if got := h.state(2).State; got != queue.Parked {
			t.Errorf("a page that asks by itself made it %v", got)
		}
		fan = h.connect(2)
		time.Sleep(time.Second)
		if p := fan.last(t); p.State != queue.Waiting || p.Number != 2 || p.Ahead != 0 {
			t.Errorf("returned it is shown %+v", p)
		}
		h.do(sale.OpLeave, 3)
		time.Sleep(2 * time.Second)
		if p := fan.last(t); p.State != queue.Offered {
			t.Errorf("before all others it is shown %+v", p)
		}
	})
}

func TestFansWithoutAConnection(t *testing.T) {
	bubble(t, func(c *sale.Config, _ *Options) { c.Queue.ActiveCap = 1 }, func(t *testing.T, h *house) {
		h.join(1, 3)
		h.do(sale.OpClaim, 1)
		if _, ok, err := h.g.Place(t.Context(), 1, 77); ok || err != nil {
			t.Errorf("an account without a place: %t, %v", ok, err)
		}
		time.Sleep(9 * time.Minute) // as long as one may shop
		if got := h.state(3).State; got != queue.Waiting {
			t.Fatalf("a fan who never connected is %v", got)
		}
		fan := h.connect(3)
		fan.detach() // the socket does not get through, and the page asks instead
		time.Sleep(20 * time.Second)
		if got := h.state(3).State; got != queue.Away {
			t.Fatalf("it is %v", got)
		}
		p, ok, err := h.g.Place(t.Context(), 1, 3)
		if err != nil || !ok || p.Number != 3 || p.Ahead != 1 || p.Waiting != 2 {
			t.Errorf("shown %+v, %v", p, err)
		}
		time.Sleep(20 * time.Second)
		if got := h.state(3).State; got != queue.Waiting {
			t.Errorf("after asking it is %v", got)
		}
	})
}

func TestRestartMovesNobody(t *testing.T) {
	bubble(t, func(c *sale.Config, _ *Options) { c.Queue.ActiveCap = 1 }, func(t *testing.T, h *house) {
		h.join(1, 5)
		h.connect(4)
		h.connect(5)
		o := h.g.o
		h.g.Close()
		h.start(o)
		h.connect(4)
		time.Sleep(5 * time.Minute)
		for a := sale.AccountID(4); a <= 5; a++ {
			if got := h.state(a).State; got == queue.Away || got == queue.Left {
				t.Errorf("account %d is %v after a restart", a, got)
			}
		}
	})
}

func TestOldestConnectionMakesRoom(t *testing.T) {
	bubble(t, func(_ *sale.Config, o *Options) { o.PerAccount = 2 }, func(t *testing.T, h *house) {
		h.join(1, 3)
		tabs := []*ear{h.connect(3), h.connect(3), h.connect(3), h.connect(3)}
		synctest.Wait()
		for i, want := range [][]Reason{{Replaced}, {Replaced}, nil, nil} {
			if got := tabs[i].closed; !cmp.Equal(got, want) {
				t.Errorf("tab %d was closed with %v", i, got)
			}
		}
		h.do(sale.OpLeave, 3)
		for i, e := range tabs {
			if got := take[PlaceFrame](e); (len(got) > 0 && got[len(got)-1].Place.State == queue.Left) != (i >= 2) {
				t.Errorf("tab %d heard %d places", i, len(got))
			}
		}
		h.do(sale.OpJoin, 3)
		tabs[2].detach()
		tabs[3].detach()
		time.Sleep(10 * time.Second)
		tabs[0].detach() // the transport of a replaced one is slow: it does not start the time again
		tabs[1].detach()
		time.Sleep(6 * time.Second)
		if got := h.state(3).State; got != queue.Away {
			t.Errorf("16 s after its last connection it is %v", got)
		}
	})
}

func TestPresenceIsSaidUntilItIsHeard(t *testing.T) {
	var f *flaky
	bubble(t, func(_ *sale.Config, o *Options) {
		f = &flaky{Sales: o.Sales}
		o.Sales = f
	}, func(t *testing.T, h *house) {
		h.join(1, 3)
		f.errs = []error{errBusy, errUnavailable, errUnavailable}
		h.connect(3).detach()
		time.Sleep(30 * time.Second)
		if got := h.state(3).State; got != queue.Away {
			t.Errorf("it is %v", got)
		}
		f.errs = []error{errOther} // is not said again, until the next push of the fan
		h.connect(3)
		time.Sleep(5 * time.Second)
		if got := h.state(3).State; got != queue.Waiting && got != queue.Offered {
			t.Errorf("it is %v", got)
		}
	})
}

func TestSnapshotSendsTheFansAway(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		fan := h.connect(1)
		r := h.g.opened(1)
		r.Delta(&event.Delta{Event: 1, Reset: true})
		synctest.Wait()
		if !cmp.Equal(fan.closed, []Reason{Restarting}) {
			t.Errorf("closed with %v", fan.closed)
		}
	})
}

func TestGatewayRefuses(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *house) {
		if _, err := h.g.Attach(t.Context(), 9, 1, &ear{}); !errors.Is(err, event.ErrNoEvent) {
			t.Errorf("attached to no event: %v", err)
		}
		if _, _, err := h.g.Place(t.Context(), 9, 1); !errors.Is(err, event.ErrNoEvent) {
			t.Errorf("a place of no event: %v", err)
		}
		if _, err := h.g.Tick(t.Context(), 9); !errors.Is(err, event.ErrNoEvent) {
			t.Errorf("a tick of no event: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.g.Attach(ctx, 1, 1, &ear{}); !errors.Is(err, context.Canceled) {
			t.Errorf("attached after giving up: %v", err)
		}
		fan := h.connect(1)
		h.g.Close()
		h.g.Close()
		fan.detach()
		if _, err := h.g.Attach(t.Context(), 1, 1, &ear{}); !errors.Is(err, ErrClosed) {
			t.Errorf("attached to a closed gateway: %v", err)
		}
		h.start(h.g.o) // the names of the old one are free
		if _, err := New(h.g.o); err == nil {
			t.Error("two gateways over one system")
		}
	})
}

func TestETAIsShown(t *testing.T) {
	bubble(t, func(_ *sale.Config, o *Options) { o.Forecast = forecast.Options{MeanTurn: 30 * time.Second} }, func(t *testing.T, h *house) {
		h.join(1, 20)
		fan := h.connect(20)
		time.Sleep(2 * time.Second)
		p := fan.last(t)
		if !p.ETA.Known || p.ETA.Hi <= p.ETA.Lo || p.ETA.Hi > time.Hour.Milliseconds() {
			t.Errorf("estimate %+v", p.ETA)
		}
		h.command(sale.Command{Op: sale.OpPause, Text: "rain"})
		time.Sleep(2 * time.Second)
		if p = fan.last(t); p.ETA.Known || p.Phase != sale.PhasePaused {
			t.Errorf("paused: %+v", p)
		}
	})
}
