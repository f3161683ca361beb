package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// channel that everybody is subscribed to.
const channel = "event"

// maxFrame bounds what is published.
const maxFrame = 64 << 10

// setting is a way to run centrifuge.
type setting struct {
	name, detail string
	sockets      centrifuge.WebsocketConfig
	reply        centrifuge.ConnectReply // of what a connection costs
}

// settings are those that are compared. The first is what one gets without asking; the second what the documentation
// offers for many connections that are mostly idle; the third spares the goroutine that writes, too, and waits a moment
// before each write for it.
func settings() []setting {
	small := centrifuge.WebsocketConfig{ReadBufferSize: 512, UseWriteBufferPool: true, ProcessCommandsOffReadLoop: true}
	return []setting{
		{name: "defaults", detail: "as it comes"},
		{name: "tuned", detail: "ReadBufferSize 512, UseWriteBufferPool, ProcessCommandsOffReadLoop", sockets: small},
		{
			name: "timed", detail: "as tuned, and WriteDelay 5 ms, WriteWithTimer, ReplyWithoutQueue, QueueInitialCap 1", sockets: small,
			reply: centrifuge.ConnectReply{WriteDelay: 5 * time.Millisecond, WriteWithTimer: true, ReplyWithoutQueue: true, QueueInitialCap: 1},
		},
	}
}

func settingOf(name string) (setting, error) {
	for _, s := range settings() {
		if s.name == name {
			return s, nil
		}
	}
	return setting{}, fmt.Errorf("no setting is called %.40q; there are %s", name, settingNames())
}

func settingNames() string {
	var all []string
	for _, s := range settings() {
		all = append(all, s.name)
	}
	return strings.Join(all, ", ")
}

// hub is one node of centrifuge that lets everybody in who shows a token.
type hub struct {
	node *centrifuge.Node
	set  setting
}

func newHub(set setting) (*hub, error) {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return nil, fmt.Errorf("make node: %w", err)
	}
	node.OnConnecting(func(_ context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		if e.Token == "" {
			return centrifuge.ConnectReply{}, centrifuge.DisconnectInvalidToken
		}
		reply := set.reply
		reply.Credentials = &centrifuge.Credentials{UserID: e.Token}
		reply.Subscriptions = map[string]centrifuge.SubscribeOptions{channel: {}}
		return reply, nil
	})
	if err := node.Run(); err != nil {
		return nil, fmt.Errorf("run node: %w", err)
	}
	return &hub{node, set}, nil
}

// stop ends the node and with it the connections.
func (h *hub) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = h.node.Shutdown(ctx) // the process ends anyway
}

// sockets is what clients reach.
func (h *hub) sockets() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /connection/websocket", centrifuge.NewWebsocketHandler(h.node, h.set.sockets))
	return mux
}

// operator is what the measuring program reaches. The paths are those of Catraca's own operator address.
func (h *hub) operator() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("POST /publish", h.publish)
	return mux
}

// publish gives the body, a JSON value, to everybody.
func (h *hub) publish(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFrame))
	if err != nil || !json.Valid(data) {
		http.Error(w, fmt.Sprintf("a JSON value of at most %d bytes is wanted: %v", maxFrame, err), http.StatusBadRequest)
		return
	}
	if _, err := h.node.Publish(channel, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
