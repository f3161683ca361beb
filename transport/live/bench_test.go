package live_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/transport/wire"
)

// BenchmarkIdleFan measures what a connected fan costs who has been told its place and is told no more, the test's own
// end of the connection included.
func BenchmarkIdleFan(b *testing.B) {
	s := newStage(b, nil)
	address := strings.TrimPrefix(s.server.URL, "http://")
	inUse := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before, goroutines, fans := inUse(), runtime.NumGoroutine(), 0
	var all []net.Conn
	for b.Loop() {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, c)
		fmt.Fprintf(c, "GET /aurora HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", address, wire.Subprotocol)
		resp, err := http.ReadResponse(bufio.NewReaderSize(c, 512), nil)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			b.Fatal(resp, err)
		}
		(<-s.fans).Push(gateway.PlaceFrame{Place: gateway.Place{Number: 7}})
		fans++
	}
	b.ReportMetric(float64(inUse()-before)/float64(fans), "B/fan")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(fans), "goroutines/fan")
	for _, c := range all {
		_ = c.Close()
	}
}

// BenchmarkTick pushes one tick to a thousand fans: it is encoded once.
func BenchmarkTick(b *testing.B) {
	s := newStage(b, nil)
	var fans []gateway.Fan
	for range 1000 {
		ws, fan := s.connect(b)
		go func() {
			for {
				if _, _, err := ws.ReadMessage(); err != nil {
					return
				}
			}
		}()
		fans = append(fans, fan)
	}
	config := &sale.Config{Slug: "aurora", Currency: "BRL", Plan: &seatmap.Plan{Categories: make([]seatmap.Category, 30)}}
	b.ReportAllocs()
	for b.Loop() {
		tick := &gateway.TickFrame{Event: 1, Config: config, Stock: make([]seatmap.Count, 30)}
		for _, f := range fans {
			f.Push(tick)
		}
	}
}
