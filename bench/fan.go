package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/catraca/catraca/bench/hall"
	"github.com/catraca/catraca/transport/wire"
)

// Run lives the story. Connection losses and busy answers are waited out; a refusal that a person would accept
// (sold out) ends the story without an error.
func (f *Fan) Run(ctx context.Context, s Story) (Outcome, error) {
	v := &visit{f: f, s: &s, free: f.Due}
	if v.free.IsZero() {
		v.free = time.Now()
	}
	defer v.hangUp()
	err := v.live(ctx)
	return v.out, err
}

// visit is one fan living one story.
type visit struct {
	queues

	f    *Fan
	s    *Story // its own; off the stack, which should stay small
	out  Outcome
	link *link // nil: none open

	picture  *hall.Picture // what it knows of the seats; nil: it does not choose by name
	crossed  *wire.Order   // told by the socket while the fan waited for an answer; nil: nothing
	answered bool          // what is known of the order was an answer, and not told by the socket
	deaf     bool          // the socket is not to be opened again

	free  time.Time // since when the fan could have begun its next operation
	reads time.Time // since when it reads the live socket without doing anything else
}

// queues are the operations of the queue that are under way.
type queues struct{ connecting, joining, claiming under }

func (v *visit) live(ctx context.Context) error {
	if err := v.queue(ctx); err != nil || v.over() {
		return err
	}
	if !v.s.Live {
		v.hangUp()
	}
	if err := v.browse(ctx); err != nil {
		return err
	}
	if v.s.Walkaway {
		v.out.Left = true
		return v.finish(ctx)
	}
	if err := v.hold(ctx); err != nil || v.over() {
		return err
	}
	if err := v.think(ctx, v.s.Hesitate); err != nil {
		return err
	}
	switch {
	case v.s.Vanish:
		v.out.Left = true
		return nil
	case v.s.Release:
		v.out.Left = true
		return v.release(ctx)
	}
	if v.s.Hesitate > 0 {
		if err := v.look(ctx); err != nil || v.out.Hold == nil {
			return err
		}
		v.free = time.Now()
	}
	return v.buy(ctx)
}

// over says whether the story has ended before anything was bought.
func (v *visit) over() bool { return v.out.Left || v.out.SoldOut || v.out.Closed }

// shop is one operation of the shop: its name for the socket, its address for HTTP.
type shop struct {
	op           string
	method, path string
	key          string
	body         any // as HTTP has it; nil: none
	up           any // as the socket has it; nil: like body
}

// do carries one operation, over the socket if the story wants it and there is one; what it does not answer is asked
// again over HTTP, with the same key.
func (v *visit) do(ctx context.Context, o shop, out any) error {
	var body []byte
	var err error
	if o.body != nil {
		if body, err = json.Marshal(o.body); err != nil {
			return err
		}
	}
	if v.link != nil && v.s.Live {
		up := body
		if o.up != nil {
			if up, err = json.Marshal(o.up); err != nil {
				return err
			}
		}
		if up == nil {
			up = []byte("{}")
		}
		err := v.link.ask(o.op, o.key, up, v.see, out)
		var no *RefusedError
		if err == nil || errors.As(err, &no) && final(err) {
			return err
		}
		if no == nil {
			v.hangUp()
		}
		v.f.Journal.retried()
	}
	r := request{method: o.method, path: o.path, key: o.key, body: body}
	return v.retry(ctx, func() error { return v.f.send(ctx, r, out) })
}

// see writes down what came while the fan waited for something else.
func (v *visit) see(f frame) {
	switch {
	case f.kind == "place":
		v.out.Place = *f.place
		v.f.Journal.place(*f.place)
	case f.stock != nil && v.picture != nil:
		v.picture.Apply(f.stock)
	case f.order != nil && v.out.Order != nil && f.order.ID == v.out.Order.ID:
		v.crossed = f.order
	}
}

func (v *visit) hangUp() {
	if v.link != nil {
		v.link.close()
		v.link = nil
		v.sockets(-1)
		v.f.Journal.gone()
	}
}

// finish leaves the shop. A lease that is over already is as good.
func (v *visit) finish(ctx context.Context) error {
	v.f.Journal.leaving()
	err := v.do(ctx, shop{op: "finish", method: http.MethodDelete, path: v.event("/admission"), key: newKey()}, nil)
	if c := refusal(err); c == wire.NoLease || c == wire.NoPlace || c == wire.NotYourTurn {
		return nil
	}
	if err != nil {
		return fmt.Errorf("leave the shop: %w", err)
	}
	return nil
}

func (v *visit) event(path string) string { return "/events/" + v.f.Event + path }

// look asks for the hold again, as a page does when it comes back. A hold that is gone before its time is written down.
func (v *visit) look(ctx context.Context) error {
	var h wire.Hold
	err := v.do(ctx, shop{op: "hold.get", method: http.MethodGet, path: v.event("/holds/me")}, &h)
	switch {
	case err == nil:
		v.f.Journal.holdSeen(h)
		return nil
	case refusal(err) == wire.NotFound:
		v.holdGone()
		return nil
	default:
		return fmt.Errorf("look at the hold: %w", err)
	}
}

func (v *visit) holdGone() {
	v.f.Journal.holdGone(v.out.Hold.ID)
	v.out.Hold, v.out.Left = nil, true
}

func (v *visit) release(ctx context.Context) error {
	id := v.out.Hold.ID
	o := shop{
		op: "hold.release", method: http.MethodDelete, path: v.event("/holds/" + id), key: newKey(),
		up: wire.IDRequest{ID: id},
	}
	v.f.Journal.releasing(id)
	err := v.do(ctx, o, nil)
	if c := refusal(err); c == wire.Expired || c == wire.NotFound {
		v.holdGone()
		err = nil
	}
	if err != nil {
		return fmt.Errorf("give the hold back: %w", err)
	}
	return v.finish(ctx)
}

// closed finds out what the end of the sale means: sold out, or over.
func (v *visit) closed(ctx context.Context) error {
	var e wire.Event
	r := request{method: http.MethodGet, path: v.event("")}
	if err := v.retry(ctx, func() error { return v.f.send(ctx, r, &e) }); err != nil {
		return fmt.Errorf("look at the event: %w", err)
	}
	left := uint32(0)
	for _, c := range e.Categories {
		left += c.Free + c.Held
	}
	v.out.SoldOut, v.out.Closed = left == 0, left != 0
	return nil
}
