package api

import (
	"context"
	"errors"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// Told hears how a call ends that was begun. Its methods return at once: the sale's own goroutine may be the caller.
type Told interface {
	// Hold says that the answer will tell this hold as the entry of that index has left it. It comes before anybody
	// hears that the hold has changed.
	Hold(index uint64, id sale.HoldID)
	// Done is the answer, as HTTP would have given it. The body is written when it is sent, once and by any goroutine.
	Done(status int, body wire.Appender)
}

// Begin starts a shopping operation that is one command, for a fan of the live socket, and returns; false: it has to be
// done by [Server.Call], and nothing has happened. A goroutine is only spent on what does not go the straight way. The
// body is read before Begin returns. ctx ends the wait, not the command.
func (s *Server) Begin(ctx context.Context, p directory.Person, lang string, id sale.EventID, op, key string, body []byte, told Told) bool {
	if op != opHold && op != opHoldRelease || key != "" && !validKey(key) {
		return false
	}
	v, err := s.o.Sales.View(id)
	if err != nil {
		return false
	}
	f := &flight{call: call{s: s, person: p, lang: lang, view: v, body: body}, told: told}
	if wait, ok := s.pace.shop(p, s.o.Now()); !ok {
		s.metrics.paced.WithLabelValues("account").Inc()
		f.end(answer{}, s.tooMany(wait, lang))
		return true
	}
	if op == opHold {
		f.cmd, err = f.holdCommand()
	} else {
		f.cmd, err = f.releaseCommand()
	}
	f.body = nil // the caller's
	if err != nil {
		f.end(answer{}, err)
		return true
	}
	f.ctx = ctx
	f.key = commandKey(p, op, key)
	f.cmd.Account, f.cmd.Key = sale.AccountID(p.Account), f.key
	err = s.o.Sales.Begin(id, &f.cmd, f)
	switch {
	case err == nil:
	case errors.As(err, new(*event.BusyError)):
		f.end(answer{}, err)
	default: // another node leads, or nobody does
		go f.again()
	}
	return true
}

// flight is a call whose command is on its way. It is told of the outcome, and tells it.
type flight struct {
	call

	ctx  context.Context //nolint:containedctx // of a call, as long as it lasts
	cmd  sale.Command
	res  sale.Result
	told Told
}

// Result implements [event.Waiter]. The machine's goroutine.
func (f *flight) Result(r sale.Result, index uint64) {
	f.res = event.Keep(r)
	if f.fresh() {
		f.told.Hold(index, r.Hold)
	}
}

// fresh says that the command has just made a hold, as its result describes it.
func (f *flight) fresh() bool {
	return f.cmd.Op == sale.OpHold && f.res.Refusal == sale.Done && !f.res.Repeated
}

// Answer implements [event.Waiter]. The machine's goroutine: what waits gets one of its own.
func (f *flight) Answer(err error) {
	switch {
	case err != nil:
		go f.again()
	case f.res.Refusal != sale.Done:
		p := problemOf(f.view.Event, f.res, f.lang)
		f.told.Done(p.Status, p)
	case f.cmd.Op == sale.OpHoldRelease:
		f.end(answer{}, nil)
	case f.fresh():
		f.told.Done(statusCreated, f)
	default:
		go f.finish()
	}
}

// AppendJSON writes the hold that was made.
func (f *flight) AppendJSON(dst []byte) []byte {
	return f.madeHold(f.res).AppendJSON(dst)
}

// again does the command in the way that waits for a leader; its key makes it the same command.
func (f *flight) again() {
	res, err := f.submit(f.ctx, f.cmd)
	if err != nil || f.cmd.Op == sale.OpHoldRelease {
		f.end(answer{}, err)
		return
	}
	f.res = res
	f.finish()
}

// finish answers a hold.
func (f *flight) finish() {
	a, err := f.holdAnswer(f.ctx, f.res)
	f.end(a, err)
}

// end tells an answer that is there as a whole.
func (f *flight) end(a answer, err error) {
	status, body := f.s.carry(a, err, f.lang)
	f.told.Done(status, wire.JSON(body))
}
