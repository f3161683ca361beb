package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func socketsDefaults() socketsOptions {
	return socketsOptions{sockets: 1000, rounds: 3, pushes: 20, idle: time.Second, settings: otherSettings()}
}

func TestSocketsFlagsAreChecked(t *testing.T) {
	for want, change := range map[string]func(*socketsOptions){
		"--sockets 2000000":   func(o *socketsOptions) { o.sockets = 2_000_000 },
		"--sockets 9:":        func(o *socketsOptions) { o.sockets = 9 },
		"--rounds 0":          func(o *socketsOptions) { o.rounds = 0 },
		"--pushes 0":          func(o *socketsOptions) { o.pushes = 0 },
		"--idle 1ms":          func(o *socketsOptions) { o.idle = time.Millisecond },
		`--setting "fastest"`: func(o *socketsOptions) { o.settings = []string{"fastest"} },
	} {
		o := socketsDefaults()
		change(&o)
		err := o.check()
		if _, ok := errors.AsType[*wrongError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if o := socketsDefaults(); o.check() != nil {
		t.Errorf("the defaults are refused: %v", o.check())
	}
	if _, err := findOthers(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "make sockets") {
		t.Errorf("a missing program is told as %v", err)
	}
}

// raw is a socket that reads what is given, and writes to nobody.
func raw(b []byte) *rawSocket { return &rawSocket{in: bufio.NewReaderSize(bytes.NewReader(b), 512)} }

func TestFramesAreRead(t *testing.T) {
	long := strings.Repeat("x", 700)
	for _, c := range []struct {
		name, in string
		kind     byte
		want     string
		bad      bool
	}{
		{name: "text", in: "\x81\x02{}", kind: textFrame, want: "{}"},
		{name: "longer than the buffer", in: "\x81\x7e\x02\xbc" + long, kind: textFrame, want: long},
		{name: "with eight bytes of length", in: "\x81\x7f\x00\x00\x00\x00\x00\x00\x02\xbc" + long, kind: textFrame, want: long},
		{name: "ping", in: "\x89\x01p", kind: pingFrame, want: "p"},
		{name: "close", in: "\x88\x02\x03\xf4", kind: closeFrame, want: "\x03\xf4"},
		{name: "in pieces", in: "\x01\x02ab\x00\x01c\x80\x02de", kind: textFrame, want: "abcde"},
		{name: "empty", in: "\x81\x00", kind: textFrame},
		{name: "compressed", in: "\xc1\x02{}", bad: true},
		{name: "masked", in: "\x81\x82\x00\x00\x00\x00{}", bad: true},
		{name: "more of nothing", in: "\x80\x02{}", bad: true},
		{name: "two at once", in: "\x01\x02ab\x81\x02cd", bad: true},
		{name: "too long", in: "\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", bad: true},
		{name: "cut short", in: "\x81\x05ab", bad: true},
	} {
		kind, got, err := raw([]byte(c.in)).next()
		if (err != nil) != c.bad || string(got) != c.want || kind != c.kind {
			t.Errorf("%s: %d %q, %v", c.name, kind, got, err)
		}
	}
	s := raw([]byte("\x01\x02ab\x89\x01p\x80\x01c")) // a ping may come between
	if kind, _, err := s.next(); kind != pingFrame || err != nil {
		t.Errorf("the ping is %d, %v", kind, err)
	}
	if _, got, err := s.next(); string(got) != "abc" || err != nil {
		t.Errorf("the pieces around a ping are %q, %v", got, err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x01\x02ab\x89\x01p\x80\x01c"))
	f.Add([]byte("\x81\x7f\x00\x00\x00\x00\x00\x00\x02\xbc"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := raw(b)
		for range len(b) + 1 {
			_, got, err := s.next()
			if len(got) > maxText || len(s.part) > maxText {
				t.Fatalf("%d bytes are kept", len(got)+len(s.part))
			}
			if err != nil {
				return
			}
		}
		t.Fatal("more frames come than bytes went in")
	})
}

func TestHandshakesAreChecked(t *testing.T) {
	for in, good := range map[string]bool{
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n": true,
		"HTTP/1.1 401 Unauthorized\r\n\r\n":                              false,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n":     false,
		"": false,
	} {
		if err := raw([]byte(in)).upgraded(); (err == nil) != good {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// stage is a live server whose clients are answered, and which tells all of them something when asked.
type stage struct {
	*httptest.Server

	mu   sync.Mutex
	all  []*websocket.Conn
	said []string // by clients, after their hello
}

func newStage(t *testing.T) *stage {
	s := &stage{}
	up := websocket.Upgrader{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		_, hello, err := ws.ReadMessage()
		if err != nil || ws.WriteMessage(websocket.TextMessage, append([]byte("welcome "), hello...)) != nil {
			return
		}
		s.mu.Lock()
		s.all = append(s.all, ws)
		s.mu.Unlock()
		for {
			_, b, err := ws.ReadMessage()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.said = append(s.said, string(b))
			s.mu.Unlock()
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// tell writes to everybody, the first so many left out.
func (s *stage) tell(kind int, text string, but int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all error
	for _, ws := range s.all[but:] {
		all = errors.Join(all, ws.WriteMessage(kind, []byte(text)))
	}
	return all
}

func TestListeners(t *testing.T) {
	s := newStage(t)
	address := strings.TrimPrefix(s.URL, "http://")
	d := dialect{
		request: func(int) string { return handshake(address, "/", "") },
		hello:   func(i int) string { return fmt.Sprint("hello ", i) },
		answers: "welcome hello", pushed: `"news"`, ping: "{}",
	}
	c, err := gather(t.Context(), d, address, 70)
	if err != nil {
		t.Fatal(err)
	}
	defer c.leave()
	for range 2 {
		took, err := c.push(t.Context(), 10*time.Second, func() error { return s.tell(websocket.TextMessage, "{}\n"+`{"t":"news"}`, 0) })
		if err != nil || took <= 0 {
			t.Errorf("a push took %v: %v", took, err)
		}
	}
	_, err = c.push(t.Context(), 50*time.Millisecond, func() error { return s.tell(websocket.TextMessage, `{"t":"news"}`, 3) })
	if some, ok := errors.AsType[*unreachedError](err); !ok || some.of != 70 || some.got > 67 {
		t.Errorf("a push that missed some is told as %v", err)
	}
	if err := errors.Join(c.ask("more"), s.tell(websocket.PingMessage, "", 0), c.whole()); err != nil {
		t.Error(err)
	}
	want := map[string]int{"{}": 140, "more": 70}
	until := time.Now().Add(10 * time.Second)
	for got := map[string]int{}; got["{}"] != want["{}"] || got["more"] != want["more"]; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("the clients said %v, want %v", got, want)
		}
		clear(got)
		s.mu.Lock()
		for _, text := range s.said {
			got[text]++
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	err = s.all[0].WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1001, "away"), time.Now().Add(time.Second))
	s.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := <-c.lost; !strings.Contains(err.Error(), "away") {
		t.Errorf("a socket that the server has closed is told as %v", err)
	}
}

func TestListenersWhoAreRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
	})}
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Close() }()
	address := l.Addr().String()
	d := dialect{request: func(int) string { return handshake(address, "/", "") }, hello: func(int) string { return "" }}
	if _, err := gather(t.Context(), d, address, 10); err == nil || !strings.Contains(err.Error(), "429") {
		t.Errorf("a refusal is told as %v", err)
	}
}

func TestProbe(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip(err)
	}
	collected := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/debug/pprof/heap" && r.URL.Query().Get("gc") == "1" {
			collected++
			return
		}
		_, _ = io.WriteString(w, "# TYPE x gauge\ngo_memstats_heap_alloc_bytes 1e+06\ngo_memstats_stack_inuse_bytes 500000\n"+
			"go_memstats_heap_idle_bytes 4096\ngo_memstats_heap_released_bytes 4095\n")
	}))
	defer s.Close()
	p := probe{os.Getpid(), s.URL}
	m, err := p.collect(t.Context())
	if err != nil || m.Live != 1_500_000 || collected < 3 || m.Resident < 1<<20 {
		t.Errorf("%+v after %d collections: %v", m, collected, err)
	}
	took, cpu, err := p.during(func() error {
		for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
		}
		return nil
	})
	if err != nil || took < 50*time.Millisecond || cpu < 0 {
		t.Errorf("%v, %v of processor time: %v", took, cpu, err)
	}
	if _, err := gauge("go_goroutines_total 5\n", "go_goroutines"); err == nil {
		t.Error("another metric was taken")
	}
	if _, err := (probe{pid: 1 << 30}).processor(); err == nil {
		t.Error("a process that is not there has used time")
	}
}

// Medians are of each figure by itself, and ratios are to Catraca's.
func TestSocketsTable(t *testing.T) {
	r := &socketsReport{Sockets: 10_000, Pushes: 20}
	for _, v := range []float64{3, 1, 2} {
		r.add("Catraca", "as it comes", socketsFigure{AtOnce: v * 1024, Push: 10 * (4 - v)})
		r.add("centrifuge", "tuned", socketsFigure{AtOnce: 3 * v * 1024, Push: 15 * (4 - v)})
	}
	r.settle()
	if m := r.Table[0].Median; m.AtOnce != 2048 || m.Push != 20 {
		t.Errorf("the medians are %+v", m)
	}
	text := r.text()
	for _, want := range []string{"medians of 3 rounds", "2.0 KB", "6.0 KB", "3.00", "1.50", "centrifuge: tuned."} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	dir := t.TempDir()
	if err := r.keep(dir); err != nil {
		t.Fatal(err)
	}
	kept, _ := filepath.Glob(filepath.Join(dir, "sockets-*.json"))
	var again socketsReport
	if len(kept) != 1 {
		t.Fatalf("kept are %v", kept)
	}
	if b, err := os.ReadFile(kept[0]); err != nil || json.Unmarshal(b, &again) != nil || len(again.Table) != 2 || again.Table[1].Median.Push != 30 {
		t.Errorf("what was kept is %+v: %v", again, err)
	}
}

// A server that ends by itself is quoted.
func TestOtherServerThatEndsIsQuoted(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "catraca-bench-sockets")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\necho 'no room here' >&2\nexit 1\n"), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	if _, err := startOtherHub(t.Context(), binary, "tuned", news); err == nil || !strings.Contains(err.Error(), "no room here") {
		t.Errorf("the error is %v", err)
	}
}

// The whole comparison, where the programs have been built.
func TestSockets(t *testing.T) {
	o := socketsDefaults()
	o.sockets, o.rounds, o.pushes, o.idle = 40, 1, 2, 200*time.Millisecond
	o.binary, o.other = "../../bin/catraca", "../../bin/catraca-bench-sockets"
	for _, path := range []string{o.binary, o.other} {
		if _, err := os.Stat(path); err != nil {
			t.Skip(err)
		}
	}
	var said bytes.Buffer
	r, err := o.compare(t.Context(), environment{stderr: &said})
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	if len(r.Table) != 1+len(otherSettings()) || r.Table[0].Who != "Catraca" {
		t.Fatalf("the table is\n%s", r.text())
	}
	for _, row := range r.Table {
		if m := row.Median; m.Live <= 0 || m.Last <= 0 || m.Bytes <= 0 || m.HandshakesPerSecond <= 0 {
			t.Errorf("%s: %+v", row.Who, m)
		}
	}
}
