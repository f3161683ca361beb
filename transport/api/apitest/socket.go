package apitest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// patience of a test that waits for a frame.
const patience = 10 * time.Second

// Socket is a fan's live connection. One goroutine reads it.
type Socket struct {
	*websocket.Conn

	h       *House
	skipped []frame // while a reply was waited for
}

type frame struct {
	kind string
	b    []byte
}

// Dial asks for a live connection; the answer is the refusal when there is none.
func (f *Fan) Dial(t testing.TB, cfg *sale.Config, change ...func(http.Header)) (*Socket, *http.Response) {
	t.Helper()
	h := http.Header{}
	if f.Cookie != nil {
		h.Set("Cookie", f.Cookie.String())
		h.Set("Origin", f.H.Server.URL)
	} else if f.Token != "" {
		h.Set("Authorization", "Bearer "+f.Token)
	}
	for _, c := range change {
		c(h)
	}
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: 10 * time.Second}
	ws, resp, err := d.DialContext(t.Context(), "ws"+strings.TrimPrefix(f.H.Server.URL, "http")+Path(cfg, "live"), h)
	if errors.Is(err, websocket.ErrBadHandshake) {
		return nil, resp
	}
	if err != nil {
		t.Fatal(err)
	}
	return &Socket{Conn: ws, h: f.H}, resp
}

// Live connects, and disconnects with the test.
func (f *Fan) Live(t testing.TB, cfg *sale.Config, change ...func(http.Header)) *Socket {
	t.Helper()
	s, resp := f.Dial(t, cfg, change...)
	_ = resp.Body.Close() // there is none, or it was read
	if s == nil {
		t.Fatalf("socket refused with %s", resp.Status)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Up sends a frame, which has to be as described.
func (s *Socket) Up(t testing.TB, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.h.Spec.Frame("up", b); err != nil {
		t.Error(err)
	}
	s.Raw(t, b)
}

// Raw sends anything.
func (s *Socket) Raw(t testing.TB, b []byte) {
	t.Helper()
	if err := s.WriteMessage(websocket.TextMessage, b); err != nil {
		t.Fatal(err)
	}
}

// Down reads one frame and checks it.
func (s *Socket) Down(t testing.TB) (kind string, b []byte) {
	t.Helper()
	return s.down(t, time.Now().Add(patience))
}

func (s *Socket) down(t testing.TB, until time.Time) (kind string, b []byte) {
	t.Helper()
	_ = s.SetReadDeadline(until)
	_, b, err := s.ReadMessage()
	if err != nil {
		t.Fatalf("read frame: %v", err)
	}
	if err := s.h.Spec.Frame("down", b); err != nil {
		t.Error(err)
	}
	var f struct {
		T string `json:"t"`
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f.T, b
}

// Next reads until a frame of a type comes.
func (s *Socket) Next(t testing.TB, kind string) []byte {
	t.Helper()
	var out []byte
	Frame(t, s, kind, func(b json.RawMessage) bool { out = b; return true })
	return out
}

// Frame reads until a frame of a type comes that is as wanted, for ten seconds.
func Frame[T any](t testing.TB, s *Socket, kind string, ok func(T) bool) T {
	t.Helper()
	until := time.Now().Add(patience)
	for {
		var k string
		var b []byte
		if len(s.skipped) > 0 {
			k, b = s.skipped[0].kind, s.skipped[0].b
			s.skipped = s.skipped[1:]
		} else if time.Now().After(until) {
			t.Fatalf("no frame %s as wanted", kind)
		} else {
			k, b = s.down(t, until)
		}
		if k != kind {
			continue
		}
		var f T
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		if ok(f) {
			return f
		}
	}
}

// Call does an operation and returns its reply.
func (s *Socket) Call(t testing.TB, id uint64, op, key string, body any) (status int, out []byte) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	s.Up(t, wire.Up{T: "call", ID: id, Op: op, Key: key, Body: b})
	for until := time.Now().Add(patience); ; {
		kind, frameBody := s.down(t, until)
		var r wire.ReplyDown
		if kind == "reply" && json.Unmarshal(frameBody, &r) == nil && r.ID == id {
			return r.Status, r.Body
		}
		s.skipped = append(s.skipped, frame{kind, frameBody})
	}
}

// Closed reads until the connection ends and returns its close code.
func (s *Socket) Closed(t testing.TB) int {
	t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(patience))
	for {
		_, b, err := s.ReadMessage()
		if c, ok := errors.AsType[*websocket.CloseError](err); ok {
			return c.Code
		}
		if err != nil {
			t.Fatalf("read until closed: %v", err)
		}
		if err := s.h.Spec.Frame("down", b); err != nil {
			t.Error(err)
		}
	}
}
