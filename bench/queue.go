package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/transport/wire"
)

// errOver means that coming back is of no use.
var errOver = errors.New("the place ended")

// firstPause is the pause before a lost socket is opened again the first time; it doubles from there.
const firstPause = 250 * time.Millisecond

// queue joins, waits for the turn on the live socket and claims it. A lost socket is opened again: the place stays.
// It returns with the link open when the fan shops.
func (v *visit) queue(ctx context.Context) (err error) {
	defer func() { v.ended(err) }()
	longest := v.f.Comeback
	if longest == 0 {
		longest = 20 * time.Second
	}
	for pause := firstPause; ; pause = min(2*pause, longest) {
		began := time.Now()
		err := v.stand(ctx)
		if err == nil {
			return nil
		}
		v.hangUp()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if over(err) {
			return fmt.Errorf("queue: %w", err)
		}
		if time.Since(began) > 10*time.Second {
			pause = firstPause
		}
		v.f.Journal.reconnected()
		if err := sleep(ctx, rand.N(pause)+50*time.Millisecond); err != nil {
			return err
		}
	}
}

// over says whether coming back with the same request is of no use.
func over(err error) bool {
	if bye, ok := errors.AsType[*websocket.CloseError](err); ok {
		return bye.Code == wire.CloseSignIn || bye.Code == wire.CloseForbidden || bye.Code == wire.CloseSaleOver
	}
	if no, ok := errors.AsType[*RefusedError](err); ok {
		return no.Status == http.StatusUnauthorized || no.Status == http.StatusForbidden || no.Status == http.StatusNotFound
	}
	return errors.Is(err, errOver)
}

// stand follows one connection until the fan shops or the story ends (nil), or the connection is lost.
func (v *visit) stand(ctx context.Context) error {
	if err := apart(func() error { return v.connect(ctx) }); err != nil {
		return err
	}
	for {
		b, err := v.link.wait(silence)
		v.free = time.Now()
		if err != nil {
			return err
		}
		if isTick(b) {
			v.pushed(tickTime(b))
			continue
		}
		if done, err := v.hear(ctx, b); done || err != nil {
			return err
		}
	}
}

// apart does something on a goroutine of its own and waits for its end. What a fan does takes a deep stack, and a
// goroutine that goes on to wait for minutes keeps the stack it once had; so the one that waits does nothing deep.
func apart(do func() error) error {
	done := make(chan error)
	go func() { done <- do() }()
	return <-done
}

// hear decodes a frame and acts on it; true ends the wait.
func (v *visit) hear(ctx context.Context, b []byte) (over bool, err error) {
	err = apart(func() error {
		f, err := decodeFrame(b)
		if err == nil {
			over, err = v.at(ctx, f)
		}
		return err
	})
	return over, err
}

// connect opens a connection and joins.
func (v *visit) connect(ctx context.Context) error {
	v.begin(&v.connecting, "connect")
	l, err := v.f.dial(ctx)
	if err != nil {
		return err
	}
	v.link = l
	v.end(&v.connecting, "")
	v.reads = v.free
	v.sockets(1)
	v.f.Journal.connected()
	return v.join()
}

// at acts on a frame; true ends the wait.
func (v *visit) at(ctx context.Context, f frame) (bool, error) {
	switch f.kind {
	case "tick":
		v.pushed(f.now)
	case "place":
		return v.atPlace(ctx, *f.place)
	case "closed":
		v.out.SoldOut, v.out.Closed = f.reason == "sold-out", f.reason != "sold-out"
		return true, nil
	case "removed":
		return true, errOver
	case "error":
		return v.atProblem(ctx, f.fault)
	}
	return false, nil
}

func (v *visit) join() error {
	v.f.Journal.joining()
	v.begin(&v.joining, "join")
	return v.link.send(wire.Up{T: "join"})
}

// atPlace acts on a place; true ends the wait.
func (v *visit) atPlace(ctx context.Context, p wire.Place) (bool, error) {
	v.out.Place = p
	v.f.Journal.place(p)
	v.end(&v.joining, "")
	switch p.State {
	case "offered":
	case "shopping":
		v.end(&v.claiming, "")
	default:
		v.end(&v.claiming, codeLapsed)
	}
	if v.s.GiveUp {
		return true, v.leave(ctx)
	}
	switch p.State {
	case "offered":
		v.begin(&v.claiming, "claim")
		return false, v.link.send(wire.Up{T: "claim"})
	case "shopping":
		return true, nil
	case "removed":
		return true, errOver
	case "parked", "left", "done": // the turn was missed: back into the line, or to its end
		return false, v.join()
	default:
		return false, nil
	}
}

// leave gives the place up. It asks over HTTP, because a socket that is closed at once may swallow its last frame.
func (v *visit) leave(ctx context.Context) error {
	v.out.Left = true
	v.f.Journal.leaving()
	r := request{method: http.MethodDelete, path: v.event("/queue/me"), key: newKey()}
	err := v.retry(ctx, func() error { return v.f.send(ctx, r, nil) })
	if err != nil && refusal(err) != wire.NoPlace {
		return fmt.Errorf("%w: leave the queue: %w", errOver, err)
	}
	return nil
}

// atProblem acts on an error frame; true ends the wait.
func (v *visit) atProblem(ctx context.Context, p *wire.Problem) (bool, error) {
	wait := time.Duration(max(p.RetryAfter, 200)) * time.Millisecond
	switch p.Code {
	case wire.NotOpen: // before the lobby
		wait = time.Second
	case wire.NotYourTurn: // the offer lapsed on the way
		v.end(&v.claiming, string(p.Code))
		return false, nil
	case wire.Closed:
		return true, v.closed(ctx)
	case wire.Busy, wire.Unavailable, wire.TooManyRequests:
	default:
		return true, fmt.Errorf("%w: %s", errOver, p.Code)
	}
	if err := sleep(ctx, wait); err != nil {
		return true, err
	}
	v.reads = time.Now()
	return false, v.join()
}

// ended reports what the end of the queue interrupted.
func (v *visit) ended(err error) {
	why := code(err)
	if why == "" {
		why = string(wire.Closed)
	}
	for _, u := range []*under{&v.connecting, &v.joining, &v.claiming} {
		v.end(u, why)
	}
}
