// Package console shows a run of the bench while it goes, on a page that only this machine can open.
//
// The promise: it listens on loopback alone, answers no other name than that (so that no page from elsewhere can read it
// through a name of its own), costs one snapshot each second for each of at most [MostViewers] viewers and nothing when
// nobody looks, and a viewer that does not read is let go.
//
// Deliberately absent: steering the run, and the line on the terminal (cmd/catraca-bench).
package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/bench/report"
)

// MostViewers is how many may look at once; a further one is asked to come again in 5 s.
const MostViewers = 4

// patience is how long a viewer may take to read what it was sent, and how long Close waits for viewers to go.
const patience = 5 * time.Second

// Options of a console.
type Options struct {
	Title string
	// Snapshot returns all seconds of the run so far, [record.Recorder.Snapshot] from 0. Any goroutine may call it.
	Snapshot func() record.Live
	// Series returns what the servers have said of themselves so far; nil when nobody asks them. Any goroutine may call it.
	Series func() []record.Series
	// Every is the time from one picture to the next, a second when it is 0.
	Every time.Duration
}

// Console serves the page.
type Console struct {
	o       Options
	listen  net.Listener
	server  *http.Server
	viewers chan struct{}
	over    chan struct{}
	once    sync.Once
	served  chan error
}

// Open serves the page at an address of this machine, like 127.0.0.1:0, until Close. An address that others could reach
// is refused.
func Open(ctx context.Context, address string, o Options) (*Console, error) {
	if o.Every <= 0 {
		o.Every = time.Second
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("open console: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("open console: %q is not an address of this machine alone, take 127.0.0.1:0", address)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open console: %w", err)
	}
	c := &Console{o: o, listen: l, viewers: make(chan struct{}, MostViewers), over: make(chan struct{}), served: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.page)
	mux.HandleFunc("GET /events", c.events)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	c.server = &http.Server{Handler: c.here(mux), ReadHeaderTimeout: patience, ReadTimeout: patience, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	go func() { c.served <- c.server.Serve(l) }()
	return c, nil
}

// URL of the page.
func (c *Console) URL() string { return "http://" + c.listen.Addr().String() + "/" }

// Close tells the viewers that the run is over and stops serving. A second call does nothing more.
func (c *Console) Close() error {
	var err error
	c.once.Do(func() {
		close(c.over)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err = c.server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, c.server.Close())
		}
		if served := <-c.served; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
	})
	if err != nil {
		return fmt.Errorf("close console: %w", err)
	}
	return nil
}

// here lets only those in who ask for this machine by its address or as localhost.
func (c *Console) here(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "this page is for its own machine", http.StatusForbidden)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

func (c *Console) page(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	if err := report.LivePage(&b, c.o.Title); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // whoever left needs no page
}

// events sends a picture of the run at once and then each Every, as server-sent events.
func (c *Console) events(w http.ResponseWriter, r *http.Request) {
	select {
	case c.viewers <- struct{}{}:
		defer func() { <-c.viewers }()
	default:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many are looking", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	tick := time.NewTicker(c.o.Every)
	defer tick.Stop()
	for {
		if err := c.picture(w); err != nil {
			return // it has left, or does not read
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-c.over:
			_ = c.picture(w) // as above
			_ = send(w, []byte("event: over\ndata: over\n\n"))
			return
		}
	}
}

func (c *Console) picture(w http.ResponseWriter) error {
	var server []record.Series
	if c.o.Series != nil {
		server = c.o.Series()
	}
	b := bytes.NewBufferString("data: ")
	if err := report.LiveState(b, c.o.Snapshot(), server); err != nil {
		return err
	}
	b.WriteByte('\n')
	return send(w, b.Bytes())
}

func send(w http.ResponseWriter, b []byte) error {
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return fmt.Errorf("send picture: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("send picture: %w", err)
	}
	if err := control.Flush(); err != nil {
		return fmt.Errorf("send picture: %w", err)
	}
	return nil
}
