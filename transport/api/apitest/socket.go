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

// Socket is a fan's live connection. One goroutine reads it.
type Socket struct {
	*websocket.Conn
	h *House
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
	if s == nil {
		t.Fatalf("socket refused with %s", resp.Status)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Up sends a frame, which has to be as described.
func (s *Socket) Up(t testing.TB, frame any) {
	t.Helper()
	b, err := json.Marshal(frame)
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
func (s *Socket) Down(t testing.TB) (kind string, frame []byte) {
	t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
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
	for {
		if k, b := s.Down(t); k == kind {
			return b
		}
	}
}

// Frame reads until a frame of a type comes that is as wanted.
func Frame[T any](t testing.TB, s *Socket, kind string, ok func(T) bool) T {
	t.Helper()
	for {
		var f T
		b := s.Next(t, kind)
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
	r := Frame(t, s, "reply", func(r wire.ReplyDown) bool { return r.ID == id })
	return r.Status, r.Body
}

// Closed reads until the connection ends and returns its close code.
func (s *Socket) Closed(t testing.TB) int {
	t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, b, err := s.ReadMessage()
		var c *websocket.CloseError
		if errors.As(err, &c) {
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
