package live_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/live"
	"github.com/catraca/catraca/transport/wire"
)

func origin(o string) func(http.Header) {
	return func(h http.Header) {
		h.Del("Origin")
		if o != "" {
			h.Set("Origin", o)
		}
	}
}

func TestOriginOfSockets(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	virtual := h.Virtual(t, cfg)
	byCookie := &apitest.Fan{H: h, Cookie: &http.Cookie{Name: "catraca", Value: virtual.Token}}
	own := h.Server.URL
	host := strings.TrimPrefix(own, "http://")
	for _, c := range []struct {
		name, origin string
		ok           bool
	}{
		{"own", own, true},
		{"own by TLS in front", "https://" + host, true},
		{"in capitals", strings.ToUpper(own), true},
		{"of the list", "https://loja.example", true},
		{"of the list in capitals", "https://LOJA.example", true},
		{"none", "", false},
		{"null", "null", false},
		{"ends the same", "http://evil" + host, false},
		{"begins the same", own + ".evil.example", false},
		{"other port", "http://127.0.0.1:1", false},
		{"no port", "http://127.0.0.1", false},
		{"other name of this host", strings.Replace(own, "127.0.0.1", "localhost", 1), false},
		{"list with a port", "https://loja.example:8443", false},
		{"list without TLS", "http://loja.example", false},
		{"with a user", strings.Replace(own, "http://", "http://a@", 1), false},
		{"with a path", own + "/x", false},
		{"other scheme", "ftp://" + host, false},
		{"no address", "%zz", false},
	} {
		s, resp := byCookie.Dial(t, cfg, origin(c.origin))
		if (s != nil) != c.ok {
			t.Errorf("%s: connected %t, want %t", c.name, s != nil, c.ok)
		}
		if s != nil {
			_ = s.Close()
		} else if p := problem(t, resp); p.Code != wire.ForeignOrigin {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	// No browser sends a token for another site: a program may come without an origin.
	if s, resp := virtual.Dial(t, cfg); s == nil {
		t.Errorf("a program was refused with %s", resp.Status)
	} else {
		_ = s.Close()
	}
}

func problem(t *testing.T, resp *http.Response) wire.Problem {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p wire.Problem
	if err := json.Unmarshal(b, &p); err != nil || resp.Header.Get("Content-Type") != "application/problem+json" || p.Status != resp.StatusCode {
		t.Fatalf("%s is no problem: %s, %v", resp.Status, b, err)
	}
	return p
}

func TestWhoMayConnect(t *testing.T) {
	h := house(t)
	cfg, other := h.Event(t, nil), h.Event(t, nil)
	unknown := *cfg
	unknown.Slug = "nothing"
	fan, virtual := h.Person(t, account.RoleFan), h.Virtual(t, cfg)
	for name, c := range map[string]struct {
		fan  *apitest.Fan
		cfg  string
		code wire.Code
	}{
		"nobody":                   {&apitest.Fan{H: h, Token: "x"}, "own", wire.Unauthenticated},
		"to nothing":               {fan, "unknown", wire.NotFound},
		"of another rehearsal":     {virtual, "other", wire.Forbidden},
		"nobody to another's room": {&apitest.Fan{H: h, Token: "x"}, "other", wire.Unauthenticated},
	} {
		to := cfg
		switch c.cfg {
		case "other":
			to = other
		case "unknown":
			to = &unknown
		}
		s, resp := c.fan.Dial(t, to)
		if s != nil {
			t.Errorf("%s: connected", name)
			continue
		}
		if p := problem(t, resp); p.Code != c.code {
			t.Errorf("%s: %+v", name, p)
		}
	}
	s, resp := virtual.Dial(t, cfg)
	if s == nil {
		t.Fatal(resp.Status)
	}
	defer func() { _ = s.Close() }()
	if s.Subprotocol() != wire.Subprotocol || resp.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Errorf("agreed on %q with %v", s.Subprotocol(), resp.Header)
	}
	head := http.Header{"Authorization": {"Bearer " + virtual.Token}}
	_, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(h.Server.URL, "http")+apitest.Path(cfg, "live"), head)
	if err == nil {
		t.Fatal("connected without a subprotocol")
	}
	if p := problem(t, resp); p.Code != wire.InvalidRequest {
		t.Errorf("without a subprotocol: %+v", p)
	}
	// A plain request is no socket, and no server error either.
	req, _ := http.NewRequestWithContext(t.Context(), "GET", h.Server.URL+apitest.Path(cfg, "live"), nil)
	req.Header.Set("Authorization", "Bearer "+virtual.Token)
	plain, err := h.Server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Body.Close() }()
	if plain.StatusCode != http.StatusBadRequest {
		t.Errorf("a plain request: %s", plain.Status)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	h := apitest.New(t, apitest.Options{Live: func(o *live.Options) { o.PerAddress = 2 }})
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	first := fan.Live(t, cfg)
	fan.Live(t, cfg)
	s, resp := fan.Dial(t, cfg)
	if s != nil {
		t.Fatal("connected a third time")
	}
	if p := problem(t, resp); p.Code != wire.Busy || p.RetryAfter == 0 || resp.Header.Get("Retry-After") != "5" {
		t.Errorf("refused with %+v, %v", p, resp.Header)
	}
	// The answer to an upgrade leaves before its connection is counted: one may still be on its way.
	apitest.Eventually(t, "both counted", func() bool { return h.Live.Connections() == 2 })
	_ = first.Close()
	apitest.Eventually(t, "room for another", func() bool { return h.Live.Connections() == 1 })
	fan.Live(t, cfg)
}

func TestServerSendsFansAway(t *testing.T) {
	t.Parallel()
	h := apitest.New(t, apitest.Options{})
	cfg := h.Event(t, nil)
	var fans []*apitest.Socket
	for range 5 {
		fans = append(fans, h.Virtual(t, cfg).Live(t, cfg))
	}
	closed := make(chan struct{})
	go func() {
		h.Live.Close(t.Context(), 0)
		close(closed)
	}()
	for _, s := range fans {
		if code := s.Closed(t); code != wire.CloseRestart {
			t.Errorf("closed with %d", code)
		}
	}
	<-closed
	if n := h.Live.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	if s, resp := h.Virtual(t, cfg).Dial(t, cfg); s != nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("connected to a server that closes: %v", resp)
	}
	h.Live.Close(t.Context(), 0) // again: nothing to do
}
