package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// client has connected and reads frames shorter than 126 bytes.
type client struct {
	net.Conn

	in *bufio.Reader
}

func connect(t *testing.T, address, hello string) *client {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := &client{conn, bufio.NewReader(conn)}
	request := "GET /connection/websocket HTTP/1.1\r\nHost: " + address + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: centrifuge-json\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the handshake was answered %v, %v", res, err)
	}
	if _, err := conn.Write(append([]byte{0x81, 0x80 | byte(len(hello)), 0, 0, 0, 0}, hello...)); err != nil {
		t.Fatal(err)
	}
	return c
}

// next reads a frame.
func (c *client) next(t *testing.T) (kind byte, text string) {
	t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		t.Fatal(err)
	}
	size := int(head[1])
	if size == 126 {
		var long [2]byte
		if _, err := io.ReadFull(c.in, long[:]); err != nil {
			t.Fatal(err)
		}
		size = int(long[0])<<8 | int(long[1])
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(c.in, b); err != nil {
		t.Fatal(err)
	}
	return head[0] & 15, string(b)
}

// start runs a setting and returns what it says of itself.
func start(t *testing.T, name string) Ready {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"--setting", name}, in) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	var r Ready
	if err := json.NewDecoder(out).Decode(&r); err != nil || r.Setting != name || r.Detail == "" {
		t.Fatalf("ready is %+v: %v", r, err)
	}
	return r
}

// In every setting whoever has a token is told what is published.
func TestEverySettingServes(t *testing.T) {
	for _, s := range settings() {
		t.Run(s.name, func(t *testing.T) {
			r := start(t, s.name)
			var all []*client
			for range 3 {
				c := connect(t, r.Sockets, `{"id":1,"connect":{"token":"fan-1"}}`)
				if _, got := c.next(t); !strings.Contains(got, `"id":1,"connect":{`) || !strings.Contains(got, `"subs":{"event":{`) {
					t.Fatalf("the answer is %s", got)
				}
				all = append(all, c)
			}
			publishing, stop := context.WithCancel(t.Context())
			published := make(chan struct{})
			go func() { // again and again: an answer may be on its way before the subscription counts
				defer close(published)
				for publishing.Err() == nil {
					publish(t, r, `{"t":"stock"}`, http.StatusOK)
					time.Sleep(20 * time.Millisecond)
				}
			}()
			for _, c := range all {
				if _, got := c.next(t); !strings.Contains(got, `{"push":{"channel":"event","pub":{"data":{"t":"stock"}`) {
					t.Errorf("what came is %s", got)
				}
			}
			stop()
			<-published
			for path, want := range map[string]string{"/metrics": "go_memstats_heap_alloc_bytes ", "/debug/pprof/heap?gc=1": ""} {
				res, err := http.Get("http://" + r.Operator + path)
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(res.Body)
				if _ = res.Body.Close(); err != nil || res.StatusCode != http.StatusOK || !bytes.Contains(b, []byte(want)) {
					t.Errorf("%s is %s, %v", path, res.Status, err)
				}
			}
		})
	}
}

func TestWhoHasNoTokenIsSentAway(t *testing.T) {
	r := start(t, "defaults")
	if kind, got := connect(t, r.Sockets, `{"id":1,"connect":{}}`).next(t); kind != 8 {
		t.Errorf("the answer is %d %s", kind, got)
	}
	publish(t, r, `{"t":`, http.StatusBadRequest)
}

// publish publishes a text; any goroutine.
func publish(t *testing.T, r Ready, text string, want int) {
	t.Helper()
	res, err := http.Post("http://"+r.Operator+"/publish", "application/json", strings.NewReader(text))
	if err != nil {
		t.Error(err)
		return
	}
	if _ = res.Body.Close(); res.StatusCode != want {
		t.Errorf("%s was answered %s", text, res.Status)
	}
}

func TestWhatIsNotThereIsRefused(t *testing.T) {
	for _, args := range [][]string{{"--setting", "fastest"}, {"more"}, {"--nodes", "3"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
