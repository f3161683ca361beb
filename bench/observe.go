package bench

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/transport/wire"
)

// Codes of operations that no answer of the server ended.
const (
	codeAborted = "aborted" // the run ended first
	codeTimeout = "timeout"
	codeLost    = "lost"     // the connection
	codeLapsed  = "lapsed"   // the turn, before it was claimed
	codePlace   = "no-place" // coming back is of no use
)

// code of the way an operation ended; empty: well.
func code(err error) string {
	if err == nil {
		return ""
	}
	if no, ok := errors.AsType[*RefusedError](err); ok {
		if no.Code != "" {
			return string(no.Code)
		}
		return "status-" + strconv.Itoa(no.Status)
	}
	if bye, ok := errors.AsType[*websocket.CloseError](err); ok {
		return "close-" + strconv.Itoa(bye.Code)
	}
	late, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return codeAborted
	case errors.Is(err, errOver):
		return codePlace
	case ok && late.Timeout():
		return codeTimeout
	}
	return codeLost
}

// under is an operation under way that more than one function takes part in.
type under struct {
	op               string // empty: none
	planned, started time.Time
}

// begin begins an operation that the fan was free for since v.free; one that is under way already just goes on.
func (v *visit) begin(u *under, op string) {
	if u.op == "" {
		*u = under{op, v.free, time.Now()}
	}
}

// end reports the operation, if it is under way.
func (v *visit) end(u *under, code string) {
	if u.op == "" {
		return
	}
	v.free = time.Now()
	if o := v.f.Observer; o != nil {
		o.Done(u.op, u.planned, u.started, v.free, code)
	}
	u.op = ""
}

// endPaying is end for what the payment provider takes part in. What it held back on purpose is not the server's time, and
// reported apart.
func (v *visit) endPaying(ctx context.Context, u *under, code string) {
	o := v.f.Observer
	if u.op == "" || o == nil || v.f.Held == nil || v.out.Order == nil {
		v.end(u, code)
		return
	}
	now := time.Now()
	held, err := v.f.Held(ctx, v.out.Order.ID, u.planned, now, u.op != "pay") // which no notice ends
	if err != nil {                                                           // whatever it was counts as the server's
		held = 0
	}
	held = min(max(held, 0), now.Sub(u.planned))
	if held > 0 {
		o.Done("provider", u.planned, u.planned, u.planned.Add(held), "")
	}
	ended := now.Add(-held)
	started := u.started
	if started.After(ended) {
		started = ended
	}
	o.Done(u.op, u.planned, started, ended, code)
	u.op, v.free = "", time.Now()
}

// timed does an operation and reports it.
func (v *visit) timed(op string, do func() error) error {
	var u under
	v.begin(&u, op)
	err := do()
	v.end(&u, code(err))
	return err
}

// think is the time a person takes over something. The next operation is planned for its end by the clock.
func (v *visit) think(ctx context.Context, d time.Duration) error {
	v.free = v.free.Add(d)
	return sleep(ctx, time.Until(v.free))
}

// pushed reports how long a tick was on its way. What was sent while the fan did not read says nothing.
func (v *visit) pushed(sent wire.Time) {
	if v.f.Observer == nil || sent == 0 {
		return
	}
	if at := time.UnixMilli(int64(sent)); !at.Before(v.reads) {
		now := time.Now()
		if at.After(now) { // the server's clock is ahead of ours
			at = now
		}
		v.f.Observer.Done("push", at, at, now, "")
	}
}

// sockets reports that live sockets were opened or closed.
func (v *visit) sockets(delta int) {
	if v.f.Observer != nil {
		v.f.Observer.Sockets(delta)
	}
}
