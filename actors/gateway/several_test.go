package gateway

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/event/eventtest"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
)

// beside starts another node's gateway over the same sale, as a replica that is never behind.
func (h *house) beside(t *testing.T) *house {
	t.Helper()
	other := &house{House: h.House, t: h.t, log: h.log}
	system := eventtest.System()
	other.start(Options{System: system, Sales: h.Events, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		other.g.Close()
		system.Shutdown()
	})
	return other
}

// slow keeps the line standing, so that nothing but presence is written.
func slow(c *sale.Config, _ *Options) { c.Queue.ActiveCap, c.Queue.LeaseMs = 1, 0 }

func TestFanMovesToAnotherNode(t *testing.T) {
	bubble(t, slow, func(t *testing.T, a *house) {
		b := a.beside(t)
		a.join(1, 3)
		first := a.connect(3)
		second := b.connect(3) // the socket moved
		first.detach()
		time.Sleep(14 * time.Second)
		entries := a.log.Entries()
		time.Sleep(10 * time.Second)
		if got := a.state(3); got.State != queue.Waiting || got.Place != 3 {
			t.Errorf("connected at the other node it is %+v", got)
		}
		if n := a.log.Entries() - entries; n > 6 { // away, back, and what time does by itself
			t.Errorf("%d entries: it flaps", n)
		}
		if p := second.last(t); p.State != queue.Waiting || p.Number != 3 {
			t.Errorf("it is shown %+v", p)
		}
		// It goes there too: then it is away, whoever says so.
		second.detach()
		time.Sleep(20 * time.Second)
		if got := a.state(3).State; got != queue.Away {
			t.Errorf("gone everywhere it is %v", got)
		}
	})
}

// TestNodeDies: its fans are present until their turn lapses, and come back from there at another node.
func TestNodeDies(t *testing.T) {
	bubble(t, slow, func(t *testing.T, a *house) {
		b := a.beside(t)
		a.join(1, 4)
		a.connect(2)
		a.g.Close() // nobody is told anything
		time.Sleep(30 * time.Second)
		if got := b.state(2).State; got == queue.Away {
			t.Fatal("a dead node's fan is away")
		}
		b.do(sale.OpLeave, 1)
		time.Sleep(2 * time.Second)
		if got := b.state(2).State; got != queue.Offered {
			t.Fatalf("its turn comes: %v", got)
		}
		window := b.state(2).Deadline - time.Now().UnixMilli()
		time.Sleep(time.Duration(window)*time.Millisecond + 2*time.Second)
		if got := b.state(2).State; got != queue.Parked {
			t.Fatalf("its turn lapses: %v", got)
		}
		fan := b.connect(2)
		time.Sleep(time.Second)
		if p := fan.last(t); p.State != queue.Waiting && p.State != queue.Offered || p.Number != 2 || p.Ahead != 0 {
			t.Errorf("come again elsewhere it is shown %+v", p)
		}
	})
}

func TestFansWhoAreSentAwayAreNotAway(t *testing.T) {
	bubble(t, slow, func(t *testing.T, h *house) {
		h.join(1, 4)
		sent, reset, gone := h.connect(2), h.connect(3), h.connect(4)
		h.g.SendAway(true)
		sent.detach()
		h.g.opened(1).Delta(&event.Delta{Event: 1, Reset: true})
		synctest.Wait()
		if !cmp.Equal(reset.closed, []Reason{Restarting}) {
			t.Fatalf("after a reset: %v", reset.closed)
		}
		h.g.SendAway(false)
		reset.detach()
		again := h.connect(4) // comes again after the reset, and then really goes
		gone.detach()
		again.detach()
		time.Sleep(30 * time.Second)
		for who, away := range map[sale.AccountID]bool{2: false, 3: false, 4: true} {
			if got := h.state(who).State; (got == queue.Away) != away {
				t.Errorf("account %d is %v", who, got)
			}
		}
	})
}
