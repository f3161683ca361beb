package gateway

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/actors/event/eventtest"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
)

// timeless hides the deadline of a test, which may not be asked for on fake time.
type timeless struct{ testing.TB }

const accounts = 30

// crowd is a random history of a queue, and some of its fans' connections.
type crowd struct {
	*rapid.T

	h    *house
	ears []*ear
	on   map[*ear]bool
}

func (c *crowd) anybody() sale.AccountID {
	return sale.AccountID(rapid.IntRange(1, accounts).Draw(c.T, "account"))
}

func (c *crowd) ask(ops ...sale.Op) func(*rapid.T) {
	return func(*rapid.T) {
		op := rapid.SampledFrom(ops).Draw(c.T, "op")
		if _, err := c.h.Events.Submit(c.Context(), 1, &sale.Command{Op: op, Account: c.anybody()}); err != nil {
			c.Fatal(err)
		}
	}
}

func (c *crowd) connect(*rapid.T) {
	e := c.h.connect(c.anybody())
	c.ears, c.on[e] = append(c.ears, e), true
}

func (c *crowd) disconnect(*rapid.T) {
	if len(c.ears) == 0 {
		return
	}
	e := rapid.SampledFrom(c.ears).Draw(c.T, "ear")
	e.detach()
	delete(c.on, e)
}

// again lets a connection ask for its place, as it does with every join and hello.
func (c *crowd) again(*rapid.T) {
	if len(c.ears) == 0 {
		return
	}
	e := rapid.SampledFrom(c.ears).Draw(c.T, "ear")
	c.h.g.Again(1, e.who, e)
}

func (c *crowd) steer(*rapid.T) {
	cmd := sale.Command{Op: sale.OpRate, Amount: rapid.Int64Range(10, 600).Draw(c.T, "rate"), Limit: rapid.Int64Range(1, 10).Draw(c.T, "cap")}
	if rapid.Bool().Draw(c.T, "pause") {
		cmd = sale.Command{Op: sale.OpPause, Text: "rain"}
		if v, err := c.h.Events.View(1); err == nil && v.Phase == sale.PhasePaused {
			cmd = sale.Command{Op: sale.OpResume}
		}
	}
	c.h.command(cmd)
}

func (c *crowd) wait(*rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(1, 8_000).Draw(c.T, "ms")) * time.Millisecond)
}

// check looks at what one connection was told: while it waits, neither the number ahead nor, without a reason, the
// estimate rises, and in the end it knows the truth.
func (c *crowd) check(e *ear) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var last *Place
	for _, f := range e.frames {
		frame, ok := f.Frame.(PlaceFrame)
		if !ok {
			continue
		}
		p := frame.Place
		if last != nil && inLine(p.State) && inLine(last.State) && p.Number == last.Number {
			if p.Ahead > last.Ahead {
				c.Fatalf("account %d: %d ahead, then %d: %+v, %+v", e.who, last.Ahead, p.Ahead, last, p)
			}
			if up := p.ETA.Hi > last.ETA.Hi || p.ETA.Lo > last.ETA.Lo; last.ETA.Known && p.ETA.Known && up && p.ETA.Why == "" {
				c.Fatalf("account %d: %+v, then without a reason %+v", e.who, last.ETA, p.ETA)
			}
		}
		if last != nil && p.Now < last.Now {
			c.Fatalf("account %d: told at %d, then at %d", e.who, last.Now, p.Now)
		}
		last = &p
	}
	info := c.h.state(e.who)
	switch {
	case info.Place == 0:
		if last != nil {
			c.Fatalf("account %d has no place and was told %+v", e.who, last)
		}
	case last == nil || last.Number != info.Place || last.State != info.State || last.Deadline != info.Deadline || last.Cap != info.Cap:
		c.Fatalf("account %d was last told %+v, and it is %+v", e.who, last, info)
	case inLine(info.State) && last.Ahead > info.Ahead:
		c.Fatalf("account %d was told %d ahead, there are %d", e.who, last.Ahead, info.Ahead)
	case inLine(info.State) && info.Place > c.front() && last.Ahead != info.Ahead:
		c.Fatalf("account %d was told %d ahead, there are %d", e.who, last.Ahead, info.Ahead)
	}
}

func (c *crowd) front() queue.Place {
	v, err := c.h.Events.View(1)
	if err != nil {
		c.Fatal(err)
	}
	return v.Queue.Front
}

func TestPositionsNeverRise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(timeless{t}, func(rt *rapid.T) {
			log := new(eventtest.Log)
			h := &house{House: eventtest.Open(t, log, nil), t: rt, log: log}
			defer h.Close()
			cfg := eventtest.Config(1, 200, 0, time.Now())
			cfg.Queue = queue.Policy{
				RatePerMinute: 120, Burst: 2, ActiveCap: 3, ClaimMs: 3000, LeaseMs: 10_000, LeaseCapMs: 20_000, ParkGraceMs: 20_000,
			}.WithDefaults()
			if err := h.Events.Create(rt.Context(), 1, cfg); err != nil {
				rt.Fatal(err)
			}
			h.start(Options{System: h.System, Sales: h.Events, Now: time.Now, Logger: slog.New(slog.DiscardHandler), AwayAfter: 3 * time.Second, PerAccount: 100})
			defer h.g.Close()
			c := &crowd{T: rt, h: h, on: make(map[*ear]bool)}
			rt.Repeat(map[string]func(*rapid.T){
				"join": c.ask(sale.OpJoin), "join more": c.ask(sale.OpJoin), "join many": c.ask(sale.OpJoin),
				"claim": c.ask(sale.OpClaim, sale.OpFinish), "move": c.ask(sale.OpAway, sale.OpBack, sale.OpLeave, sale.OpRemove),
				"connect": c.connect, "connect more": c.connect, "disconnect": c.disconnect, "again": c.again, "steer": c.steer, "wait": c.wait, "wait more": c.wait,
			})
			if v, err := h.Events.View(1); err == nil && v.Phase == sale.PhaseOpen {
				h.command(sale.Command{Op: sale.OpPause, Text: "look"})
			}
			time.Sleep(time.Minute) // all deadlines pass, everybody hears of it
			for _, e := range c.ears {
				if c.on[e] {
					c.check(e)
				}
			}
		})
	})
}
