package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/transport/wire"
)

// queue joins, waits for the turn on the live socket and claims it. A lost socket is opened again: the place stays.
func (f *Fan) queue(ctx context.Context, s Story, out *Outcome) error {
	for pause := 500 * time.Millisecond; ; pause = min(2*pause, 20*time.Second) {
		began := time.Now()
		err := f.watch(ctx, s, out)
		var closed *websocket.CloseError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &closed) && (closed.Code == wire.CloseSignIn || closed.Code == wire.CloseForbidden || closed.Code == wire.CloseSaleOver):
			return fmt.Errorf("queue: %w", err)
		case errors.Is(err, errOver):
			return fmt.Errorf("queue: %w", err)
		}
		if time.Since(began) > 10*time.Second {
			pause = 500 * time.Millisecond
		}
		f.Journal.reconnected()
		if err := sleep(ctx, rand.N(pause)+50*time.Millisecond); err != nil {
			return err
		}
	}
}

var errOver = errors.New("the place ended")

// watch follows one connection until the fan shops, leaves, or the connection ends.
func (f *Fan) watch(ctx context.Context, s Story, out *Outcome) error {
	dialer := websocket.Dialer{
		HandshakeTimeout: 10 * time.Second, Subprotocols: []string{wire.Subprotocol}, ReadBufferSize: 1024, WriteBufferSize: 512,
	}
	address := "ws" + strings.TrimPrefix(f.Base, "http") + "/api/v1/events/" + f.Event + "/live"
	ws, res, err := dialer.DialContext(ctx, address, http.Header{"Authorization": {"Bearer " + f.Token}})
	if res != nil && res.Body != nil {
		_ = res.Body.Close() // a refusal's short text
	}
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = ws.Close() })
	defer stop()
	defer func() { _ = ws.Close() }() // the server may have done it
	if err := ws.WriteJSON(wire.Up{T: "join"}); err != nil {
		return err
	}
	for {
		_ = ws.SetReadDeadline(time.Now().Add(75 * time.Second)) // the next read tells
		_, b, err := ws.ReadMessage()
		if err != nil {
			return err
		}
		var head struct {
			T string `json:"t"`
		}
		if err := json.Unmarshal(b, &head); err != nil {
			return fmt.Errorf("frame: %w", err)
		}
		switch head.T {
		case "place":
			var p wire.PlaceDown
			if err := json.Unmarshal(b, &p); err != nil {
				return fmt.Errorf("place frame: %w", err)
			}
			done, err := f.place(ws, s, p.Place, out)
			if done || err != nil {
				return err
			}
		case "error":
			var e wire.ErrorDown
			if err := json.Unmarshal(b, &e); err != nil || e.Problem == nil {
				return fmt.Errorf("error frame: %w", err)
			}
			if done, err := f.refusedFrame(ctx, ws, e.Problem); done || err != nil {
				return err
			}
		}
	}
}

// place acts on a place frame; true ends the wait.
func (f *Fan) place(ws *websocket.Conn, s Story, p wire.Place, out *Outcome) (bool, error) {
	out.Place = p
	f.Journal.placed(p)
	switch p.State {
	case "offered":
		if s.GiveUp {
			out.Left = true
			return true, ws.WriteJSON(wire.Up{T: "leave"})
		}
		return false, ws.WriteJSON(wire.Up{T: "claim"})
	case "shopping":
		return true, nil
	case "removed":
		return true, errOver
	case "left", "done":
		if out.Left {
			return true, nil
		}
		return false, ws.WriteJSON(wire.Up{T: "join"}) // the turn was missed: to the end of the line
	default:
		if s.GiveUp {
			out.Left = true
			return true, ws.WriteJSON(wire.Up{T: "leave"})
		}
		return false, nil
	}
}

func (f *Fan) refusedFrame(ctx context.Context, ws *websocket.Conn, p *wire.Problem) (bool, error) {
	switch p.Code {
	case wire.NotOpen: // before the lobby
		if err := sleep(ctx, time.Second); err != nil {
			return true, err
		}
		return false, ws.WriteJSON(wire.Up{T: "join"})
	case wire.NotYourTurn: // the offer lapsed on the way
		return false, nil
	case wire.Busy, wire.Unavailable, wire.TooManyRequests:
		if err := sleep(ctx, time.Duration(max(p.RetryAfter, 200))*time.Millisecond); err != nil {
			return true, err
		}
		return false, ws.WriteJSON(wire.Up{T: "join"})
	default:
		return true, fmt.Errorf("%w: %s", errOver, p.Code)
	}
}
