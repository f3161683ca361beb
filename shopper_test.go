package catraca

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// shopper is an account in the shop. It does one thing after the other, each at whatever nodes answer, and writes
// into the history what came of it.
type shopper struct {
	*shopping

	account, token string
	random         *rand.Rand
	hold           string   // empty: none
	seats          []uint32 // of the hold
	orders         int
}

// mostOrders is below what one account may have in a sale; more would be refused as too many.
const mostOrders = 60

// perTry bounds one try of a request: a node that is stopped or cut off does not answer, and another one is asked.
const perTry = 3 * time.Second

// run shops until the market closes, and ends what it has begun.
func (p *shopper) run() {
	for p.open.Load() {
		p.pause(p.think)
		if p.hold == "" {
			p.choose()
		} else {
			p.decide()
		}
	}
}

func (p *shopper) pause(most time.Duration) {
	select {
	case <-p.ctx.Done():
	case <-time.After(time.Duration(p.random.Int64N(int64(most) + 1))):
	}
}

// choose does something that somebody without a hold does.
func (p *shopper) choose() {
	switch n := p.random.IntN(100); {
	case n < 55:
		p.take(p.pick(p.hot, 1+p.random.IntN(4)))
	case n < 80:
		p.takeBest(1 + p.random.Uint32N(4))
	case n < 90:
		p.look()
	case p.orders >= mostOrders:
	default:
		select {
		case <-p.purchases:
			p.take(p.pick(p.cold, 1+p.random.IntN(2)))
			p.buy()
		default:
			p.look()
		}
	}
}

// decide does something that somebody with a hold does.
func (p *shopper) decide() {
	switch n := p.random.IntN(100); {
	case n < 65:
		p.release()
	case n < 80:
		p.look()
	case n < 92:
		p.take(p.pick(p.hot, 1)) // has one already, and is told so
	case p.orders >= mostOrders:
		p.release()
	default:
		if order, ok := p.order(); ok {
			p.cancel(order)
		}
	}
}

func (p *shopper) pick(from []uint32, n int) []uint32 {
	var out []uint32
	for _, i := range p.random.Perm(len(from))[:n] {
		out = append(out, from[i])
	}
	return out
}

func (p *shopper) take(seats []uint32) {
	p.reserve(operation{deed: deedHold, seats: seats}, wire.HoldRequest{Seats: seats})
}

func (p *shopper) takeBest(n uint32) {
	best := &wire.BestRequest{Quantity: n, Category: &p.best, Scatter: true}
	p.reserve(operation{deed: deedBest, count: n}, wire.HoldRequest{Best: best})
}

func (p *shopper) reserve(o operation, in wire.HoldRequest) {
	var h wire.Hold
	problem := p.do(&o, http.MethodPost, p.path("/holds"), in, &h)
	switch {
	case o.outcome == done:
		o.hold, o.seats = h.ID, unitsOf(h.Lines)
		if o.deed == deedHold {
			o.seats = in.Seats
			p.expect(sameSet(in.Seats, unitsOf(h.Lines)), "hold %s of seats %v was answered with %v", h.ID, in.Seats, unitsOf(h.Lines))
		}
		p.hold, p.seats = o.hold, o.seats
	case problem.Code == wire.Conflict:
		o.taken = problem.Units
		p.expect(len(o.taken) > 0, "a conflict over no seat: %v", o)
	case problem.Code == wire.HoldExists:
		o.other = problem.Hold
	case problem.Code == wire.SoldOut && o.deed == deedBest, o.outcome == unknown:
	default:
		p.expect(false, "%v: %s %s", o, problem.Code, problem.Detail)
	}
	p.history.add(o)
}

func (p *shopper) release() {
	o := operation{deed: deedRelease, hold: p.hold, seats: p.seats}
	p.end(o, http.MethodDelete, p.path("/holds/"+p.hold))
}

// cancel gives up an order, and its hold with it.
func (p *shopper) cancel(order string) {
	o := operation{deed: deedCancel, hold: p.hold, seats: p.seats}
	p.end(o, http.MethodPost, "/orders/"+order+"/cancel")
}

// end does what ends the hold.
func (p *shopper) end(o operation, method, path string) {
	problem := p.do(&o, method, path, struct{}{}, nil)
	p.expect(o.outcome != no, "%v: %s %s", o, problem.Code, problem.Detail)
	p.history.add(o)
	p.hold, p.seats = "", nil
}

func (p *shopper) order() (string, bool) {
	var out wire.Order
	p.orders++
	o := operation{deed: deedOrder, hold: p.hold, seats: p.seats}
	problem := p.do(&o, http.MethodPost, p.path("/orders"), wire.OrderRequest{Hold: p.hold}, &out)
	p.expect(o.outcome != no, "%v: %s %s", o, problem.Code, problem.Detail)
	p.expect(o.outcome != done || sameSet(unitsOf(out.Lines), o.seats), "order %s has seats %v, its hold %s had %v", out.ID, unitsOf(out.Lines), o.hold, o.seats)
	p.history.add(o)
	return out.ID, o.outcome == done
}

// look asks for the own hold.
func (p *shopper) look() {
	var h wire.Hold
	o := operation{deed: deedLook}
	problem := p.do(&o, http.MethodGet, p.path("/holds/me"), nil, &h)
	switch {
	case o.outcome == done:
		o.hold, o.seats = h.ID, unitsOf(h.Lines)
	case problem.Code == wire.NotFound:
		o.outcome = done
	case o.outcome == no:
		p.expect(false, "%v: %s %s", o, problem.Code, problem.Detail)
	}
	p.history.add(o)
}

func (p *shopper) path(rest string) string { return "/events/" + p.f.event + rest }

func unitsOf(lines []wire.Line) []uint32 {
	var out []uint32
	for _, l := range lines {
		out = append(out, l.Unit)
	}
	return out
}

func sameSet(a, b []uint32) bool {
	in := make(map[uint32]bool)
	for _, x := range a {
		in[x] = true
	}
	for _, x := range b {
		if !in[x] {
			return false
		}
		delete(in, x)
	}
	return len(in) == 0
}

// do carries an operation until it is answered for good or the test ends: every try goes to some node, all under one
// key. It fills in the times and the outcome, and returns the refusal.
func (p *shopper) do(o *operation, method, path string, in, out any) (problem wire.Problem) {
	o.account, o.call, o.outcome, o.ret = p.account, p.history.now(), unknown, endless
	key := fmt.Sprintf("%016x%016x", p.random.Uint64(), p.random.Uint64())
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		m := p.doors[p.random.IntN(len(p.doors))]
		o.node = m.id
		o.tries++
		status, err := p.try(m, method, path, key, in, out, &problem)
		switch {
		case p.ctx.Err() != nil:
			return problem
		case err != nil, status >= http.StatusInternalServerError, status == http.StatusTooManyRequests, status == http.StatusUnauthorized && o.tries < 20:
			p.tally.again(err == nil, problem.Code)
			p.pause(wait)
			continue
		}
		o.ret, o.outcome = p.history.now(), done
		if status >= http.StatusBadRequest {
			o.outcome = no
		}
		p.tally.answered(*o)
		return problem
	}
}

// try asks one node once.
func (p *shopper) try(m *member, method, path, key string, in, out any, problem *wire.Problem) (int, error) {
	ctx, cancel := context.WithTimeout(p.ctx, perTry)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, m.fan+"/api/v1"+path, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }() // read to the end or given up
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return 0, err
	}
	*problem = wire.Problem{}
	switch {
	case res.StatusCode >= http.StatusBadRequest:
		_ = json.Unmarshal(b, problem) // the status says enough
	case out != nil:
		err = json.Unmarshal(b, out)
	}
	return res.StatusCode, err
}
