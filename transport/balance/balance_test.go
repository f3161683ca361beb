package balance

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// fake is a node that says its name and what it was told about the visitor.
type fake struct {
	*httptest.Server

	ready atomic.Bool
	hold  chan struct{} // requests to /wait end when it is closed
	asked atomic.Int64
}

func newFake(t *testing.T, name string) *fake {
	t.Helper()
	f := &fake{hold: make(chan struct{})}
	f.ready.Store(true)
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !f.ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/wait", func(w http.ResponseWriter, _ *http.Request) {
		f.asked.Add(1)
		<-f.hold
		_, _ = io.WriteString(w, name)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, name+" "+string(body))
	})
	mux.HandleFunc("/break", func(_ http.ResponseWriter, r *http.Request) {
		f.asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/live", func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		for {
			kind, b, err := c.ReadMessage()
			if err != nil {
				return
			}
			if err := c.WriteMessage(kind, append([]byte(name+" "), b...)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		f.asked.Add(1)
		_ = json.NewEncoder(w).Encode(map[string]string{
			"name": name, "host": r.Host, "for": r.Header.Get("X-Forwarded-For"), "proto": r.Header.Get("X-Forwarded-Proto"),
		})
	})
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func start(t *testing.T, o Options, nodes ...*fake) *httptest.Server {
	t.Helper()
	for _, n := range nodes {
		o.Backends = append(o.Backends, n.URL)
	}
	o.Logger = slog.New(slog.DiscardHandler)
	o.CheckEvery = 10 * time.Millisecond
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	return s
}

func ask(t *testing.T, url string, header http.Header) (int, map[string]string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	out := map[string]string{}
	if res.StatusCode == http.StatusOK {
		if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
			t.Fatal(err)
		}
	}
	return res.StatusCode, out
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func TestSpreadsOverReadyNodes(t *testing.T) {
	a, b := newFake(t, "a"), newFake(t, "b")
	s := start(t, Options{}, a, b)
	for range 20 {
		if code, _ := ask(t, s.URL, nil); code != http.StatusOK {
			t.Fatalf("status %d", code)
		}
	}
	if a.asked.Load() != 10 || b.asked.Load() != 10 {
		t.Errorf("a served %d, b %d; want 10 each", a.asked.Load(), b.asked.Load())
	}
}

func TestLeastConnections(t *testing.T) {
	a, b := newFake(t, "a"), newFake(t, "b")
	s := start(t, Options{}, a, b)
	done := make(chan struct{})
	go func() {
		defer close(done)
		res, err := http.Get(s.URL + "/wait") // ends with the test's servers
		if err == nil {
			_ = res.Body.Close()
		}
	}()
	eventually(t, "one node is busy", func() bool { return a.asked.Load()+b.asked.Load() == 1 })
	busy, idle := a, b
	if b.asked.Load() == 1 {
		busy, idle = b, a
	}
	for range 5 {
		ask(t, s.URL, nil)
	}
	if busy.asked.Load() != 1 || idle.asked.Load() != 5 {
		t.Errorf("the busy node got %d more, the idle one %d; want 0 and 5", busy.asked.Load()-1, idle.asked.Load())
	}
	close(busy.hold)
	<-done
}

func TestDrainKeepsSockets(t *testing.T) {
	a := newFake(t, "a")
	s := start(t, Options{}, a)
	ws, res, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	defer func() { _ = ws.Close() }()
	a.ready.Store(false)
	eventually(t, "a draining node gets nothing new", func() bool {
		code, _ := ask(t, s.URL, nil)
		return code == http.StatusServiceUnavailable
	})
	if err := ws.WriteMessage(websocket.TextMessage, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, b, err := ws.ReadMessage(); err != nil || string(b) != "a still here" {
		t.Errorf("got %q, %v over the old socket", b, err)
	}
	a.ready.Store(true)
	eventually(t, "a node that is ready again is used", func() bool {
		code, _ := ask(t, s.URL, nil)
		return code == http.StatusOK
	})
}

func TestDeadNodeIsLeft(t *testing.T) {
	a, b := newFake(t, "a"), newFake(t, "b")
	s := start(t, Options{}, a, b)
	a.Close()
	eventually(t, "all requests reach the living node", func() bool {
		for range 4 {
			if code, _ := ask(t, s.URL, nil); code != http.StatusOK {
				return false
			}
		}
		return true
	})
}

// TestUnreachedNodeIsPassedOver stops a node between two looks: the first request that meets it goes on to the other,
// body and all, and is never seen as a failure.
func TestUnreachedNodeIsPassedOver(t *testing.T) {
	a, b := newFake(t, "a"), newFake(t, "b")
	bal, err := New(Options{Backends: []string{a.URL, b.URL}, CheckEvery: time.Hour, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bal.Close)
	s := httptest.NewServer(bal)
	t.Cleanup(s.Close)
	a.Close()
	for range 4 {
		res, err := http.Post(s.URL+"/echo", "text/plain", strings.NewReader("a body"))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if string(got) != "b a body" {
			t.Fatalf("answer %d %q, want the living node's with the whole body", res.StatusCode, got)
		}
	}
}

// TestSeenRequestIsNotSentTwice breaks the connection under a request that a node has read.
func TestSeenRequestIsNotSentTwice(t *testing.T) {
	a, b := newFake(t, "a"), newFake(t, "b")
	s := start(t, Options{}, a, b)
	res, err := http.Post(s.URL+"/break", "text/plain", strings.NewReader("buy"))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if n := a.asked.Load() + b.asked.Load(); res.StatusCode != http.StatusServiceUnavailable || n != 1 {
		t.Errorf("the nodes saw the request %d times and the client got %d; want once and 503", n, res.StatusCode)
	}
}

func TestRefusalSpeaksToItsReader(t *testing.T) {
	a := newFake(t, "a")
	a.ready.Store(false)
	s := start(t, Options{}, a)
	for accept, want := range map[string]string{
		"text/html,application/xhtml+xml": "text/html; charset=utf-8", "application/json": "application/problem+json", "": "application/problem+json",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/e/aurora", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusServiceUnavailable || got != want || res.Header.Get("Retry-After") == "" {
			t.Errorf("Accept %q: %d %q, want 503 %q with Retry-After", accept, res.StatusCode, got, want)
		}
	}
}

func TestForwardsWhoAsks(t *testing.T) {
	a := newFake(t, "a")
	forged := http.Header{"X-Forwarded-For": {"6.6.6.6"}, "X-Forwarded-Proto": {"https"}}
	t.Run("a stranger's header does not count", func(t *testing.T) {
		s := start(t, Options{}, a)
		_, got := ask(t, s.URL, forged.Clone())
		if got["for"] != "127.0.0.1" || got["proto"] != "http" || "http://"+got["host"] != s.URL {
			t.Errorf("the node was told %v", got)
		}
	})
	t.Run("a trusted proxy's does", func(t *testing.T) {
		s := start(t, Options{TrustedProxies: []string{"127.0.0.1"}}, a)
		_, got := ask(t, s.URL, forged.Clone())
		if got["for"] != "6.6.6.6, 127.0.0.1" || got["proto"] != "https" {
			t.Errorf("the node was told %v", got)
		}
	})
}

func TestNewRefusesBadBackends(t *testing.T) {
	for _, bad := range []string{"", "127.0.0.1:80", "ftp://x", "http://x/path"} {
		if b, err := New(Options{Backends: []string{bad}, Logger: slog.New(slog.DiscardHandler)}); err == nil {
			b.Close()
			t.Errorf("backend %q was accepted", bad)
		}
	}
}
