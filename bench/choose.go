package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/catraca/catraca/bench/hall"
	"github.com/catraca/catraca/transport/wire"
)

// maxChoices bounds how often a fan chooses again after others were quicker; then it lets the server choose.
const maxChoices = 8

// hold takes the places that the fan chooses, or the best there are.
func (v *visit) hold(ctx context.Context) error {
	if v.picture == nil {
		return v.holdBest(ctx)
	}
	c := v.choose()
	for range maxChoices {
		if c.Places() == 0 {
			break // as far as the fan can see everything is taken
		}
		var h wire.Hold
		err := v.ask(ctx, wire.HoldRequest{Seats: c.Seats, Areas: c.Areas}, &h)
		no, _ := errors.AsType[*RefusedError](err)
		switch code := refusal(err); {
		case err == nil:
			v.f.Journal.heldNamed(h, c)
			v.taken(h, c.Places())
			return nil
		case code == wire.Conflict:
			if c, err = v.again(ctx, no.Units); err != nil {
				return err
			}
		case code == wire.Orphan && len(no.Suggest) > 0:
			c = hall.Choice{Seats: no.Suggest} // the page offers it, and the fan takes it
		case code == wire.Orphan:
			c = hall.Choice{}
		default:
			return v.unheld(ctx, c.Places(), err)
		}
	}
	return v.holdBest(ctx)
}

// choose finds places on the map, fewer if the story allows it.
func (v *visit) choose() hall.Choice {
	for n := v.s.Quantity; n > 0; n-- {
		c := v.picture.Choose(hall.Wish{Near: v.s.Near, Quantity: n, Category: v.s.Category, Scatter: v.s.Scatter})
		if c.Places() > 0 || !v.s.Fewer {
			return c
		}
	}
	return hall.Choice{}
}

// again is what a fan does who was too slow: it looks at what is free now, and chooses something else. It takes half as
// long for that as the first time.
func (v *visit) again(ctx context.Context, gone []uint32) (hall.Choice, error) {
	v.out.Conflicts++
	v.picture.Gone(gone)
	if err := v.linger(ctx, v.s.Linger/2); err != nil {
		return hall.Choice{}, err
	}
	if v.link == nil || v.picture.Stale() {
		if err := v.timed("map", func() error { return v.loadMap(ctx, false) }); err != nil {
			return hall.Choice{}, err
		}
		v.picture.Gone(gone) // what the map says may be older
	}
	return v.choose(), nil
}

// holdBest takes the best places there are, fewer if the story allows it.
func (v *visit) holdBest(ctx context.Context) error {
	for n := v.s.Quantity; ; n-- {
		var h wire.Hold
		best := &wire.BestRequest{Quantity: n, Category: v.s.Category, Scatter: v.s.Scatter}
		switch err := v.ask(ctx, wire.HoldRequest{Best: best}, &h); {
		case err == nil:
			v.taken(h, n)
			return nil
		case refusal(err) == wire.SoldOut && v.s.Fewer && n > 1:
		default:
			return v.unheld(ctx, n, err)
		}
	}
}

// ask is one try to hold something.
func (v *visit) ask(ctx context.Context, in wire.HoldRequest, h *wire.Hold) error {
	o := shop{op: "hold", method: http.MethodPost, path: v.event("/holds"), key: newKey(), body: in}
	return v.timed("hold", func() error { return v.do(ctx, o, h) })
}

// taken goes on from the map with what is held.
func (v *visit) taken(h wire.Hold, n uint32) {
	v.out.Hold = &h
	v.f.Journal.held(h, n)
	if v.picture != nil && v.link != nil && v.link.send(wire.Up{T: "stock"}) != nil {
		v.hangUp()
	}
	v.picture = nil
}

// unheld is how it ends when nothing can be held.
func (v *visit) unheld(ctx context.Context, n uint32, err error) error {
	v.picture = nil
	switch refusal(err) {
	case wire.SoldOut:
		v.out.SoldOut = true
		return v.finish(ctx)
	case wire.NoLease, wire.NoPlace:
		v.out.Left = true // was too slow
		return nil
	case wire.Closed:
		return v.closed(ctx)
	default:
		return fmt.Errorf("hold %d places: %w", n, err)
	}
}

// heldNamed holds what was given against what was asked for by name.
func (j *Journal) heldNamed(h wire.Hold, c hall.Choice) {
	var want []wire.LedgerUnit
	for _, u := range c.Seats {
		want = append(want, wire.LedgerUnit{Unit: u, Count: 1})
	}
	for _, a := range c.Areas {
		want = append(want, wire.LedgerUnit(a))
	}
	if want, got := sorted(want), units(h.Lines); !slices.Equal(want, got) {
		j.note(func(time.Time) {
			j.breach(nothingLost, "hold %s has units %v, asked for were %v", h.ID, got, want)
		})
	}
}
