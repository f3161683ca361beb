package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/bench/hall"
	"github.com/catraca/catraca/transport/wire"
)

// silence is how long a live socket may say nothing; the server pings every half minute.
const silence = 75 * time.Second

// writeTime bounds one frame towards the server.
const writeTime = 5 * time.Second

// link is one live connection. It has no goroutine of its own: the fan reads when it has nothing else to do.
type link struct {
	ws   *websocket.Conn
	stop func() bool
	call uint64 // number of the last call

	pump   *pump        // reads for the fan; nil: it reads itself
	stocks *hall.Stocks // decodes what is told of the map; nil: that is passed over
}

// frame is what came down, decoded as far as its type tells. It is small, because it lies on the stack of every fan
// that waits.
type frame struct {
	kind   string
	place  *wire.Place
	now    wire.Time // the server's, of a tick
	reply  *wire.ReplyDown
	reason string
	fault  *wire.Problem
	stock  *wire.StockDown
	order  *wire.Order
}

// dial opens a live socket. It ends with the context.
func (f *Fan) dial(ctx context.Context) (*link, error) {
	dialer := f.Sockets
	if dialer == nil {
		dialer = NewSockets()
	}
	address := "ws" + strings.TrimPrefix(f.Base, "http") + "/api/v1/events/" + f.Event + "/live"
	ws, res, err := dialer.DialContext(ctx, address, http.Header{"Authorization": {"Bearer " + f.Token}})
	if res != nil && res.Body != nil {
		defer func() { _ = res.Body.Close() }() // a refusal's short text
	}
	if err != nil {
		if res != nil && res.StatusCode >= http.StatusBadRequest {
			no := &RefusedError{}
			if json.NewDecoder(res.Body).Decode(&no.Problem) != nil {
				no.Code = wire.Unavailable
			}
			no.Status = res.StatusCode
			return nil, no
		}
		return nil, err
	}
	l := &link{ws: ws}
	l.stop = context.AfterFunc(ctx, func() { _ = ws.Close() })
	return l, nil
}

func (l *link) close() {
	l.stop()
	_ = l.ws.Close() // the server may have done it
	if l.pump != nil {
		l.pump.stop()
	}
}

func (l *link) send(u wire.Up) error {
	if err := l.ws.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	return l.ws.WriteJSON(u)
}

// wait waits for the next frame, answering pings meanwhile.
func (l *link) wait(within time.Duration) ([]byte, error) {
	if err := l.ws.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, err
	}
	_, b, err := l.ws.ReadMessage()
	return b, err
}

// read waits for the next frame.
func (l *link) read(within time.Duration) (frame, error) {
	if l.pump != nil {
		return l.pump.next(within)
	}
	return l.receive(within)
}

// receive waits for the next frame from the socket and decodes it.
func (l *link) receive(within time.Duration) (frame, error) {
	b, err := l.wait(within)
	if err != nil {
		return frame{}, err
	}
	if hall.IsStock(b) && l.stocks != nil {
		down, err := l.stocks.Decode(b)
		return frame{kind: "stock", stock: down}, err
	}
	return decodeFrame(b)
}

// isTick says whether a frame is a tick. Most frames are, and of those only the time matters: they are not worth their
// decoding.
func isTick(b []byte) bool { return bytes.HasPrefix(b, []byte(`{"t":"tick",`)) }

// decodeFrame reads a frame; a type it does not know is no error.
func decodeFrame(b []byte) (f frame, err error) {
	if isTick(b) {
		return frame{kind: "tick", now: tickTime(b)}, nil
	}
	var head struct {
		T string `json:"t"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return f, fmt.Errorf("frame: %w", err)
	}
	f.kind = head.T
	switch head.T {
	case "place":
		var p wire.PlaceDown
		err = json.Unmarshal(b, &p)
		f.place = &p.Place
	case "tick":
		f.now = tickTime(b)
	case "order":
		var o wire.OrderDown
		err = json.Unmarshal(b, &o)
		f.order = &o.Order
	case "reply":
		f.reply = &wire.ReplyDown{}
		err = json.Unmarshal(b, f.reply)
	case "closed", "removed", "moved":
		var r wire.ReasonDown
		err = json.Unmarshal(b, &r)
		f.reason = r.Reason
	case "error":
		var e wire.ErrorDown
		if err = json.Unmarshal(b, &e); err == nil && e.Problem == nil {
			err = fmt.Errorf("no problem in it")
		}
		f.fault = e.Problem
	}
	if err != nil {
		return f, fmt.Errorf("%s frame: %w", head.T, err)
	}
	return f, nil
}

// tickTime is the time a tick says it was sent at; 0: it says none. Within a JSON text the name can only be found
// where it is one, because quotes within a string are escaped.
func tickTime(b []byte) wire.Time {
	const name = `"now":"`
	i := bytes.LastIndex(b, []byte(name))
	if i < 0 {
		return 0
	}
	text, _, _ := bytes.Cut(b[i+len(name):], []byte{'"'})
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return 0
	}
	return wire.Time(at.UnixMilli())
}

// ask does a shopping operation over the socket and waits for its answer; what else comes meanwhile is handed to see.
// An error that is no *[RefusedError] means that the outcome is not known and the link is of no more use.
func (l *link) ask(op, key string, body []byte, see func(frame), out any) error {
	l.call++
	if err := l.send(wire.Up{T: "call", ID: l.call, Op: op, Key: key, Body: body}); err != nil {
		return err
	}
	until := time.Now().Add(requestTime)
	for {
		f, err := l.read(time.Until(until))
		if err != nil {
			return err
		}
		if f.kind != "reply" {
			see(f)
			continue
		}
		if f.reply.ID == l.call {
			return answered(f.reply.Status, f.reply.Body, false, out)
		}
	}
}
