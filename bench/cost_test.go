package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/transport/wire"
)

// crowdEnv makes the test binary the server of [BenchmarkFan], in a process of its own so that it is not measured.
const crowdEnv = "CATRACA_BENCH_CROWD_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(crowdEnv) != "" {
		if err := serveCrowd(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveCrowd tells its address, lets everybody wait, and sends everybody a tick for each line it reads, and a ping with
// the first.
func serveCrowd(in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var all []*websocket.Conn
	place, err := json.Marshal(wire.PlaceDown{T: "place", Place: wire.Place{State: "waiting", Number: 1, Phase: "open"}})
	if err != nil {
		return err
	}
	ping, err := websocket.NewPreparedMessage(websocket.PingMessage, nil)
	if err != nil {
		return err
	}
	up := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}, ReadBufferSize: 256, WriteBufferSize: 256}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		if _, _, err := ws.ReadMessage(); err != nil || ws.WriteMessage(websocket.TextMessage, place) != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, ws)
	})}
	go func() { _ = server.Serve(l) }()
	if _, err := fmt.Fprintln(out, l.Addr()); err != nil {
		return err
	}
	pinged := 0
	for lines := bufio.NewScanner(in); lines.Scan(); {
		stock := make([]wire.StockRow, 6)
		b, err := json.Marshal(wire.TickDown{T: "tick", Event: "aurora", Stock: stock, Phase: "open", Now: wire.Time(time.Now().Add(time.Minute).UnixMilli())})
		if err != nil {
			return err
		}
		m, err := websocket.NewPreparedMessage(websocket.TextMessage, b)
		if err != nil {
			return err
		}
		mu.Lock()
		for _, ws := range all {
			if pinged < len(all) { // once, before anything is measured: the answer is deeper than the wait
				pinged++
				err = ws.WritePreparedMessage(ping)
			}
			if err := errors.Join(err, ws.WritePreparedMessage(m)); err != nil {
				return err
			}
		}
		mu.Unlock()
	}
	return server.Close()
}

// counter is an observer that counts.
type counter struct{ joined, pushed atomic.Int64 }

func (c *counter) Done(op string, _, _, _ time.Time, _ string) {
	switch op {
	case "join":
		c.joined.Add(1)
	case "push":
		c.pushed.Add(1)
	}
}

func (c *counter) Sockets(int) {}

// BenchmarkFan measures what waiting fans cost the process they are in: resident bytes of each, without the kernel's
// buffers, and processor time of each tick that one of them reads. CATRACA_BENCH_FANS says how many there are.
func BenchmarkFan(b *testing.B) {
	fans := 10_000
	if n, err := strconv.Atoi(os.Getenv("CATRACA_BENCH_FANS")); err == nil {
		fans = n
	}
	address, tick := crowdServer(b)
	seen := &counter{}
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	before, heap, stacks := memory(b)
	sockets, client := NewSockets(), NewClient(1)
	for i := range fans {
		f := &Fan{
			Base: "http://" + address, Event: "aurora", Token: strconv.Itoa(i), Client: client, Sockets: sockets,
			Journal: NewJournal(strconv.Itoa(i)), Observer: seen,
		}
		all.Go(func() { _, _ = f.Run(ctx, Story{Quantity: 1}) })
		for int64(i)-seen.joined.Load() > 200 {
			runtime.Gosched()
		}
	}
	reached(b, &seen.joined, int64(fans))
	tick() // every fan has read something once
	reached(b, &seen.pushed, int64(fans))
	resident, heapNow, stacksNow := memory(b)
	began := processor(b)
	b.ResetTimer()
	for i := range b.N {
		tick()
		reached(b, &seen.pushed, int64(fans)*int64(i+2))
	}
	b.StopTimer()
	b.ReportMetric(float64(resident-before)/float64(fans), "B/fan")
	b.ReportMetric(float64(heapNow-heap)/float64(fans), "heap-B/fan")
	b.ReportMetric(float64(stacksNow-stacks)/float64(fans), "stack-B/fan")
	b.ReportMetric(float64((processor(b)-began).Nanoseconds())/1e3/float64(fans*b.N), "µs/message")
}

// crowdServer starts the server and returns its address and what makes it send a tick.
func crowdServer(b *testing.B) (address string, tick func()) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), crowdEnv+"=1")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _ = c.Wait() })
	address, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(address), func() {
		if _, err := io.WriteString(in, "\n"); err != nil {
			b.Fatal(err)
		}
	}
}

// reached waits until a counter has come so far.
func reached(b *testing.B, c *atomic.Int64, want int64) {
	for until := time.Now().Add(2 * time.Minute); c.Load() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			b.Fatalf("%d of %d have come", c.Load(), want)
		}
	}
}

// memory is what the process has resident after it has given back what it does not need, and what of it is live heap
// and stacks.
func memory(b *testing.B) (resident, heap, stacks int64) {
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("resident memory is read from /proc")
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		b.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return pages * int64(os.Getpagesize()), int64(m.HeapAlloc), int64(m.StackInuse)
}

// processor is the processor time that the process has used.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
