package drive

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/catraca/catraca/bench/record"
)

// maxPoints bounds a series: a run of a day is looked at more seldom at its end.
const maxPoints = 20_000

// gauge is one series of a node: what it is called and how it comes from the sums of a scrape. before is the scrape of
// a second ago, nil for the first.
type gauge struct {
	name, unit string
	value      func(now, before map[string]float64, seconds float64) float64 // not a number: there is none
}

// gauges are what is charted of each node.
func gauges() []gauge {
	level := func(key string) func(now, _ map[string]float64, _ float64) float64 {
		return func(now, _ map[string]float64, _ float64) float64 {
			v, ok := now[key]
			if !ok {
				return math.NaN()
			}
			return v
		}
	}
	growth := func(key string) func(now, before map[string]float64, seconds float64) float64 {
		return func(now, before map[string]float64, seconds float64) float64 {
			a, had := before[key]
			b, has := now[key]
			if !had || !has || b < a || seconds <= 0 {
				return math.NaN()
			}
			return (b - a) / seconds
		}
	}
	return []gauge{
		{"queue waiting", "", level("waiting")}, {"shopping", "", level("shopping")}, {"sold", "", level("sold")},
		{"sockets", "", level("sockets")}, {"CPU", "cores", growth("cpu")}, {"heap", "bytes", level("heap")},
		{"memory", "bytes", level("memory")}, {"goroutines", "", level("goroutines")}, {"GC pauses", "seconds", growth("gc")},
		{"commits", "per_second", growth("commits")}, {"frames sent", "per_second", growth("frames")},
		{"open intents", "", level("intents")},
		{"commit", "seconds", func(now, before map[string]float64, _ float64) float64 {
			n := now["commits"] - before["commits"]
			if before == nil || n <= 0 {
				return math.NaN()
			}
			return (now["commit_seconds"] - before["commit_seconds"]) / n
		}},
	}
}

// wanted says which samples of a node are looked at, and under which name they are added up.
func wanted(name string, label func(string) string) (string, bool) {
	switch name {
	case "catraca_queue_places":
		s := label("state")
		return s, s == "waiting" || s == "shopping"
	case "catraca_seats":
		s := label("state")
		return s, s == "sold"
	}
	key, ok := map[string]string{
		"catraca_ws_connections": "sockets", "process_cpu_seconds_total": "cpu", "go_memstats_heap_alloc_bytes": "heap",
		"process_resident_memory_bytes": "memory", "go_goroutines": "goroutines", "go_gc_duration_seconds_sum": "gc",
		"catraca_sequencer_commit_seconds_sum": "commit_seconds", "catraca_sequencer_commit_seconds_count": "commits",
		"catraca_ws_frames_sent_total": "frames", "catraca_outbox_pending": "intents",
	}[name]
	return key, ok
}

// watcher looks at the servers' metrics, and at this process, once a second.
type watcher struct {
	began time.Time
	end   context.CancelFunc
	all   group

	mu   sync.Mutex
	data []*record.Series
}

func watch(began time.Time, operators map[string]string) *watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{began: began, end: cancel}
	for _, node := range sortedKeys(operators) {
		w.all.goes(func() { w.node(ctx, node, operators[node]) })
	}
	w.all.goes(func() { w.self(ctx) })
	return w
}

// stop looks no more.
func (w *watcher) stop() {
	w.end()
	w.all.wait()
}

// series in the order of nodes and names, so far. Any goroutine.
func (w *watcher) series() []record.Series {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]record.Series, 0, len(w.data))
	for _, s := range w.data {
		if len(s.Points) > 0 {
			told := *s
			told.Points = slices.Clip(s.Points) // only ever appended to
			all = append(all, told)
		}
	}
	slices.SortStableFunc(all, func(a, b record.Series) int { return strings.Compare(a.Node, b.Node) })
	return all
}

// keep makes the series of a node and returns what takes its samples: one goroutine, in order.
func (w *watcher) keep(node string) func(at time.Time, now map[string]float64) {
	list := gauges()
	series := make([]*record.Series, len(list))
	w.mu.Lock()
	for i, g := range list {
		series[i] = &record.Series{Name: g.name, Node: node, Unit: g.unit}
		w.data = append(w.data, series[i])
	}
	w.mu.Unlock()
	var before map[string]float64
	var last time.Time
	return func(at time.Time, now map[string]float64) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for i, g := range list {
			v := g.value(now, before, at.Sub(last).Seconds())
			if math.IsNaN(v) || math.IsInf(v, 0) || len(series[i].Points) >= maxPoints {
				continue
			}
			series[i].Points = append(series[i].Points, record.Point{At: at.Sub(w.began).Seconds(), Value: v})
		}
		before, last = now, at
	}
}

// every calls look once a second, less often after hours, and keeps what it sees.
func (w *watcher) every(ctx context.Context, node string, look func(ctx context.Context) (map[string]float64, error)) {
	keep := w.keep(node)
	for n := range maxPoints {
		at := time.Now()
		if now, err := look(ctx); err == nil {
			keep(at, now)
		}
		wait := time.Second
		if n > maxPoints/4 {
			wait = 5 * time.Second
		}
		if !pause(ctx, wait-min(time.Since(at), wait)) {
			break
		}
	}
}

// node watches one node by its metrics.
func (w *watcher) node(ctx context.Context, node, operator string) {
	client := &http.Client{Timeout: 900 * time.Millisecond}
	defer client.CloseIdleConnections()
	w.every(ctx, node, func(ctx context.Context) (map[string]float64, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, operator+"/metrics", nil)
		if err != nil {
			return nil, err
		}
		res, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer func() { _ = res.Body.Close() }() // read to its end or given up
		if res.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("metrics of %s: %s", node, res.Status)
		}
		return readMetrics(res.Body, wanted)
	})
}

// self watches this process: who makes the load can be the one that is slow.
func (w *watcher) self(ctx context.Context) {
	w.every(ctx, "bench", func(context.Context) (map[string]float64, error) { return Usage(), nil })
}

// Usage is what this process uses, by the names that [Playing] takes.
func Usage() map[string]float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	out := map[string]float64{"heap": float64(m.HeapAlloc), "goroutines": float64(runtime.NumGoroutine()), "gc": float64(m.PauseTotalNs) / 1e9}
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err == nil {
		out["cpu"] = time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
	}
	return out
}
