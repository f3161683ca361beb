package network

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDialTakesARoundTrip(t *testing.T) {
	for _, c := range []struct {
		class Class
		want  time.Duration
	}{{Class{RTT: 80 * ms}, 80 * ms}, {Class{}, 0}, {Class{RTT: 80 * ms, Loss: 1}, 480 * ms}} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			dial := c.class.Dial(func(context.Context, string, string) (net.Conn, error) { return near, nil })
			began := time.Now()
			conn, err := dial(t.Context(), "tcp", "example")
			if err != nil || time.Since(began) != c.want {
				t.Errorf("dialling took %s, want %s: %v", time.Since(began), c.want, err)
			}
			if c.class.plain() != (conn == near) {
				t.Errorf("the connection is a %T", conn)
			}
			_ = conn.Close()
			_, _ = io.Copy(io.Discard, far)
		})
	}
}

func TestDialFails(t *testing.T) {
	broken := errors.New("no route")
	dial := Class{RTT: ms}.Dial(func(context.Context, string, string) (net.Conn, error) { return nil, broken })
	if _, err := dial(t.Context(), "tcp", "example"); !errors.Is(err, broken) {
		t.Errorf("dialling ended with %v", err)
	}
	near, far := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	dial = Class{RTT: MostRTT}.Dial(func(context.Context, string, string) (net.Conn, error) { cancel(); return near, nil })
	if _, err := dial(ctx, "tcp", "example"); !errors.Is(err, context.Canceled) {
		t.Errorf("dialling ended with %v", err)
	}
	if _, err := far.Read(make([]byte, 1)); err != io.EOF { //nolint:errorlint // it is this one
		t.Errorf("the connection that nobody has reads %v", err)
	}
}

// Over real sockets, for the clients that fans have.
func TestRealSockets(t *testing.T) {
	up := websocket.Upgrader{}
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err == nil {
			_, _ = w.Write(b)
		}
	})
	mux.HandleFunc("/live", func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		for {
			kind, b, err := ws.ReadMessage()
			if err != nil || ws.WriteMessage(kind, b) != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	c := Class{RTT: 10 * ms, Jitter: ms, Down: 1_000_000, Up: 1_000_000}
	transport := &http.Transport{DialContext: c.Dial(nil)}
	defer transport.CloseIdleConnections()
	body := bytes.Repeat([]byte("catraca "), 5000)
	began := time.Now()
	for range 2 {
		res, err := (&http.Client{Transport: transport}).Post(server.URL+"/echo", "text/plain", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("the echo has %d bytes, want %d: %v", len(got), len(body), err)
		}
		_ = res.Body.Close()
	}
	// A handshake, two requests, and what their bytes take.
	if took := time.Since(began); took < 30*ms+160*ms {
		t.Errorf("two requests took %s", took)
	}
	ws, res, err := (&websocket.Dialer{NetDialContext: c.Dial(nil)}).DialContext(t.Context(), "ws"+server.URL[4:]+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	defer func() { _ = ws.Close() }()
	began = time.Now()
	for range 3 {
		if err := ws.WriteMessage(websocket.TextMessage, body[:300]); err != nil {
			t.Fatal(err)
		}
		if _, got, err := ws.ReadMessage(); err != nil || !bytes.Equal(got, body[:300]) {
			t.Fatalf("the echo is %q, %v", got, err)
		}
	}
	if took := time.Since(began); took < 30*ms {
		t.Errorf("three frames took %s", took)
	}
}
