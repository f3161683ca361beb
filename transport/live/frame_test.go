package live_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func TestFrameTooLong(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	s := h.Virtual(t, cfg).Live(t, cfg)
	pad := wire.MaxUpBytes - len(`{"t":"pong","lang":""}`)
	s.Raw(t, []byte(`{"t":"pong","lang":"`+strings.Repeat("x", pad)+`"}`)) // as long as may be
	s.Up(t, wire.Up{T: "hello"})
	s.Raw(t, []byte(`{"t":"pong","lang":"`+strings.Repeat("x", pad+1)+`"}`))
	for range 20 {
		_ = s.WriteMessage(websocket.TextMessage, []byte(`{"t":"pong"}`)) // what is unread must not swallow the goodbye
	}
	if code := s.Closed(t); code != websocket.CloseMessageTooBig {
		t.Errorf("closed with %d", code)
	}
}

func TestMalformedFrames(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	s := h.Virtual(t, cfg).Live(t, cfg)
	for _, frame := range []string{
		``, `x`, `[]`, `{}`, `{"t":"dance"}`, `{"t":"join","seat":1}`, `{"t":"join"}{}`, `{"t":1}`, `{"t":"call"}`, "{\"t\":\"hello\",\"lang\":\"\xff\"}",
		`{"t":"call","op":"` + strings.Repeat("x", 33) + `"}`, `{"t":"call","op":"hold","key":"` + strings.Repeat("x", 129) + `"}`, `{"t":"call","id":-1,"op":"hold"}`,
	} {
		s.Raw(t, []byte(frame))
		var e wire.ErrorDown
		if err := json.Unmarshal(s.Next(t, "error"), &e); err != nil || e.Problem.Code != wire.InvalidRequest || e.Problem.Detail == "" {
			t.Errorf("%s: %+v, %v", frame, e.Problem, err)
		}
	}
	status, _ := s.Call(t, 1, "hold.get", "", map[string]any{})
	if status != 404 {
		t.Errorf("the socket is still good, and answers %d", status)
	}
}

func TestOtherMessages(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	s := h.Virtual(t, cfg).Live(t, cfg)
	if err := s.WriteMessage(websocket.BinaryMessage, []byte(`{"t":"pong"}`)); err != nil {
		t.Fatal(err)
	}
	if code := s.Closed(t); code != wire.CloseBadMessage {
		t.Errorf("binary: closed with %d", code)
	}
	s = h.Virtual(t, cfg).Live(t, cfg)
	if _, err := s.NetConn().Write([]byte{0xff, 0xff, 0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	if code := s.Closed(t); code != websocket.CloseProtocolError {
		t.Errorf("no frame at all: closed with %d", code)
	}
}

func TestFlood(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	s := h.Virtual(t, cfg).Live(t, cfg)
	for range 200 {
		if s.WriteMessage(websocket.TextMessage, []byte(`{"t":"pong"}`)) != nil {
			break // closed already
		}
	}
	if code := s.Closed(t); code != wire.CloseTooMany {
		t.Errorf("closed with %d", code)
	}
	s = h.Virtual(t, cfg).Live(t, cfg)
	for range 200 {
		if s.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)) != nil {
			break
		}
	}
	if code := s.Closed(t); code != wire.CloseTooMany {
		t.Errorf("pings: closed with %d", code)
	}
}

func TestRevokedSessionsEnd(t *testing.T) {
	t.Parallel()
	h := hasty(t)
	cfg := h.Event(t, nil)
	fan := h.Person(t, account.RoleFan)
	s := fan.Live(t, cfg)
	other := *fan
	other.Token = h.Session(t, fan.Account)
	kept := other.Live(t, cfg)
	fan.Do(t, "DELETE", "/api/v1/sessions/current", nil).Want(t, 204)
	if code := s.Closed(t); code != wire.CloseSignIn {
		t.Errorf("closed with %d", code)
	}
	kept.Next(t, "tick")
	if status, _ := kept.Call(t, 1, "hold.get", "", map[string]any{}); status != 404 {
		t.Errorf("the other session's socket answers %d", status)
	}
}

// A peer that answers no ping for a while is gone; one that does stays.
func TestSilentPeersAreCut(t *testing.T) {
	t.Parallel()
	h := hasty(t)
	cfg := h.Event(t, nil)
	silent, alive := h.Virtual(t, cfg).Live(t, cfg), h.Virtual(t, cfg).Live(t, cfg)
	const before = 2
	apitest.Eventually(t, "both are connected", func() bool { return h.Live.Connections() == before })
	silent.SetPingHandler(func(string) error { return nil })
	go func() {
		for {
			if _, _, err := silent.ReadMessage(); err != nil {
				return
			}
		}
	}()
	for h.Live.Connections() == before {
		alive.Next(t, "tick") // reading answers the pings
	}
	alive.Next(t, "tick")
	if n := h.Live.Connections(); n != before-1 {
		t.Errorf("%d connections are left of %d", n, before)
	}
}
