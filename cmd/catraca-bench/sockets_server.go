package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	virtual "github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/transport/wire"
)

// hubServer is a server with live sockets whose cost is measured.
type hubServer interface {
	name() string
	detail() string // how it is set
	dialect() dialect
	address() string // host:port of the sockets
	probe() probe
	// push makes the server tell everybody something, once.
	push(ctx context.Context) error
	fallen() error
	stop()
}

// ownHub is a Catraca with fans who are signed in and stand in a queue, and one who shops: what it does to the seats is
// what is pushed.
type ownHub struct {
	own  *servers
	shop *peerShop
	fans []*peerFan
	who  *peerFan // shops
	hold string   // of the fan who shops; empty: none
}

// ownEvent is the event that they all came for.
const ownEvent = "sockets"

// startOwnHub starts a Catraca and lets fans queue up.
func startOwnHub(ctx context.Context, binary string, fans int, say func(string, ...any)) (*ownHub, error) {
	own, err := startServers(ctx, serverOptions{binary: binary, nodes: 1, say: say})
	if err != nil {
		return nil, err
	}
	h := &ownHub{own: own, shop: &peerShop{
		bases: []string{"http://" + own.nodes[0].fan}, token: own.token, client: virtual.NewClient(64), shop: ownEvent,
		run: fmt.Sprintf("%08x", rand.Uint32()), //nolint:gosec // any name
	}}
	say("letting %d fans queue up", fans)
	if err := h.queue(ctx, fans); err != nil {
		h.stop()
		return nil, err
	}
	return h, nil
}

// queue lets one fan in, and the others wait behind it.
func (h *ownHub) queue(ctx context.Context, fans int) error {
	// One at a time is let in, so the one who shops keeps the others waiting.
	if err := h.shop.sell(ctx, ownEvent, 1, 1); err != nil {
		return err
	}
	all, err := h.shop.mint(ctx, ownEvent, fans+1)
	if err != nil {
		return err
	}
	join := func(f *peerFan) error {
		return h.shop.post(ctx, f.token, "/api/v1/events/"+ownEvent+"/queue", struct{}{}, nil)
	}
	h.who, h.fans = all[0], all[1:]
	if err := join(h.who); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	if err := h.shop.claim(ctx, h.who); err != nil {
		return fmt.Errorf("let the one in who shops: %w", err)
	}
	if err := h.shop.each(ctx, 64, h.fans, join); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	h.shop.client.CloseIdleConnections()
	return h.again(ctx)
}

// again starts the server anew, so that nothing is measured of the memory that it took to let everybody in.
func (h *ownHub) again(ctx context.Context) error {
	n := h.own.nodes[0]
	n.stop()
	if err := n.start(nil); err != nil {
		return err
	}
	return n.ready(ctx)
}

func (h *ownHub) name() string    { return "Catraca" }
func (h *ownHub) detail() string  { return "as it comes, fans waiting in a queue" }
func (h *ownHub) address() string { return h.own.nodes[0].fan }
func (h *ownHub) fallen() error   { return fallenError(h.own.fallen()) }

func (h *ownHub) probe() probe {
	n := h.own.nodes[0]
	return probe{n.number(), "http://" + n.operator}
}

func (h *ownHub) stop() {
	h.shop.close()
	h.own.stop()
}

// dialect is that of the page: it says hello, and is told its place.
func (h *ownHub) dialect() dialect {
	return dialect{
		request: func(i int) string {
			return handshake(h.address(), "/api/v1/events/"+ownEvent+"/live", "Authorization: Bearer "+h.fans[i].token+"\r\nSec-WebSocket-Protocol: "+wire.Subprotocol+"\r\n")
		},
		hello:   func(int) string { return `{"t":"hello","lang":"pt-BR"}` },
		answers: `"t":"place"`,
		more:    `{"t":"stock","on":true}`,
		pushed:  `"t":"stock"`,
	}
}

// push lets the one who shops take a seat, or give it back. The seat map's change is what everybody is told.
func (h *ownHub) push(ctx context.Context) error {
	if h.hold != "" {
		id := h.hold
		h.hold = ""
		return h.release(ctx, id)
	}
	var got wire.Hold
	err := h.shop.post(ctx, h.who.token, "/api/v1/events/"+ownEvent+"/holds", json.RawMessage(`{"best":{"quantity":1}}`), &got)
	if err != nil {
		return fmt.Errorf("hold a seat: %w", err)
	}
	h.hold = got.ID
	return nil
}

func (h *ownHub) release(ctx context.Context, id string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, h.shop.bases[0]+"/api/v1/events/"+ownEvent+"/holds/"+id, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+h.who.token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", string(h.shop.key(nil)))
	return succeed(h.shop.client, req)
}

// succeed does a request whose answer is of no interest, unless it is a refusal.
func succeed(client *http.Client, req *http.Request) error {
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // read to its end or given up
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err == nil && res.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s %s: %s %.300s", req.Method, req.URL.Path, res.Status, b)
	}
	return err
}

// handshake is the request for a live socket.
func handshake(host, path, headers string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + headers + "\r\n"
}

// otherHub is a centrifuge with one channel.
type otherHub struct {
	run   *process
	dir   string
	ready struct {
		Version  string `json:"version"`
		Setting  string `json:"setting"`
		Detail   string `json:"detail"`
		Sockets  string `json:"sockets"`
		Operator string `json:"operator"`
	}
	news string // that is published, JSON
}

// otherSettings are the ways in which centrifuge is run.
func otherSettings() []string { return []string{"defaults", "tuned", "timed"} }

// findOthers finds the program that is centrifuge.
func findOthers(named string) (string, error) {
	const program = "catraca-bench-sockets"
	if named == "" {
		if self, err := os.Executable(); err == nil {
			if beside := filepath.Join(filepath.Dir(self), program); exists(beside) {
				return beside, nil
			}
		}
		named = program
	}
	path, err := exec.LookPath(named)
	if err != nil {
		return "", wrong("%s is not beside this program or in PATH: build it by `make sockets`, or name it by --centrifuge-binary", program)
	}
	return filepath.Abs(path)
}

func exists(path string) bool {
	i, err := os.Stat(path)
	return err == nil && i.Mode().IsRegular()
}

// startOtherHub starts centrifuge in one of its settings and waits until it serves. news is what it publishes.
func startOtherHub(ctx context.Context, binary, setting, news string) (*otherHub, error) {
	dir, err := serverFolder("")
	if err != nil {
		return nil, err
	}
	h := &otherHub{dir: dir, news: news, run: &process{
		name: "centrifuge", binary: binary, args: []string{"--setting", setting}, log: filepath.Join(dir, "centrifuge.log"),
	}}
	said := make(chan string, 1)
	err = h.run.start(func(line string) {
		select {
		case said <- line:
		default: // nobody waits any more
		}
	})
	if err == nil {
		err = h.hear(ctx, said)
	}
	if err != nil {
		h.stop()
		return nil, err
	}
	return h, nil
}

// hear waits until the server says where it is.
func (h *otherHub) hear(ctx context.Context, said <-chan string) error {
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for {
		select {
		case line := <-said:
			if err := json.Unmarshal([]byte(line), &h.ready); err != nil {
				return fmt.Errorf("centrifuge says %.100q: %w", line, err)
			}
			return nil
		case <-time.After(20 * time.Millisecond):
			if err := h.fallen(); err != nil {
				return err
			}
		case <-late.C:
			return errors.New("centrifuge does not say where it is")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (h *otherHub) name() string    { return h.ready.Version + ", " + h.ready.Setting }
func (h *otherHub) detail() string  { return h.ready.Detail }
func (h *otherHub) address() string { return h.ready.Sockets }
func (h *otherHub) probe() probe    { return probe{h.run.number(), "http://" + h.ready.Operator} }

func (h *otherHub) fallen() error {
	if how, fell := h.run.fell(); fell {
		return fmt.Errorf("centrifuge has ended by itself (%s): %s", how, h.run.lastWords())
	}
	return nil
}

func (h *otherHub) stop() {
	h.run.stop()
	_ = os.RemoveAll(h.dir) // a leftover in the temporary folder
}

// dialect is that of centrifuge's own clients: they connect with a token, and are subscribed by the server.
func (h *otherHub) dialect() dialect {
	return dialect{
		request: func(int) string {
			return handshake(h.address(), "/connection/websocket", "Sec-WebSocket-Protocol: centrifuge-json\r\n")
		},
		hello:   func(i int) string { return fmt.Sprintf(`{"id":1,"connect":{"token":"fan-%d"}}`, i) },
		answers: `{"id":1,"connect":{`,
		pushed:  `{"push":{`,
		ping:    `{}`,
	}
}

// push publishes the same news as Catraca pushes.
func (h *otherHub) push(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.ready.Operator+"/publish", bytes.NewReader([]byte(h.news)))
	if err != nil {
		return err
	}
	return succeed(http.DefaultClient, req)
}
