package live

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/transport/wire"
)

// Frames that are made by hand are read by a client of the library, whatever their length, also several in one write.
func TestFramesAreRead(t *testing.T) {
	var all []byte
	var want []string
	for _, n := range []int{1, 125, 126, 127, 65535, 65536, 200_000} {
		want = append(want, strings.Repeat("x", n))
		start := len(all)
		all = endFrame(append(beginFrame(all), want[len(want)-1]...), start, websocket.TextMessage)
		all = appendPing(all)
	}
	all = appendClose(all, wire.CloseSlow, "too slow")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := new(websocket.Upgrader).Upgrade(taker{w, time.Minute}, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := ws.NetConn().Write(all); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	reader, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = reader.Close(), resp.Body.Close() }() // all was read
	pings := 0
	reader.SetPingHandler(func(string) error { pings++; return nil })
	for i, w := range want {
		_, b, err := reader.ReadMessage()
		if err != nil || !bytes.Equal(b, []byte(w)) {
			t.Fatalf("frame %d: %d bytes, want %d, %v", i, len(b), len(w), err)
		}
	}
	if _, _, err := reader.ReadMessage(); !websocket.IsCloseError(err, wire.CloseSlow) || pings != len(want) {
		t.Errorf("the end is %v, after %d pings", err, pings)
	}
}
