// Command catraca-bench-peers does the work that Catraca is compared by on what one would build a ticket sale with
// otherwise: PostgreSQL, Redis and etcd. It starts the peer's servers on loopback with data in a temporary folder and
// durable settings, says on standard output what it can do, and then does one piece of work for each line on standard
// input. When the input ends, the servers are stopped and their data is removed.
//
// The promise: what a peer has acknowledged is on its disk, as it is with Catraca, and every work has the best form we
// know how to write. Deliberately absent: servers elsewhere, and anything that Catraca is made of. It is a module of its
// own so that the server needs none of the clients.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Bounds of what may be asked for.
const (
	maxClients = 4096
	maxFor     = 10 * time.Minute
)

// peer is servers that can do work.
type peer interface {
	// Version of the servers, and what can be done.
	Version() string
	Work() []Form
	// Prepare makes everything as it is before the work, with room for so long a run; nothing of it is measured.
	Prepare(ctx context.Context, f Form, seconds float64) error
	// Client returns what one client does again and again. It is called by one goroutine.
	Client(ctx context.Context, f Form, number int) (func(context.Context) error, error)
	Stop()
}

// Form is a way of doing some work.
type Form struct {
	Work string `json:"work"` // hold, best, join
	Form string `json:"form"`
}

// Ready is the first line: who is there and what can be done.
type Ready struct {
	Peer    string `json:"peer"`
	Version string `json:"version"`
	Nodes   int    `json:"nodes"`
	Work    []Form `json:"work"`
}

// Order is a line of input.
type Order struct {
	Form

	Clients int   `json:"clients"`
	Millis  int64 `json:"for_ms"`
}

// Done is the answer to an order: operations, latencies in microseconds, or what went wrong.
type Done struct {
	Form

	Count     int64   `json:"count"`
	PerSecond float64 `json:"per_second"`
	P50       int64   `json:"p50"`
	P99       int64   `json:"p99"`
	Error     string  `json:"error,omitempty"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "catraca-bench-peers:", err) // nothing is left to tell it to
		os.Exit(1)
	}
}

// run is main without the process.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("catraca-bench-peers", flag.ContinueOnError)
	nodes := flags.Int("nodes", 1, "servers, 1 or 3; 3 only of etcd")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(flags.Output(), "catraca-bench-peers [--nodes 1] postgres|redis|etcd\n\nWorks for `catraca-bench compare`, which starts it.")
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("name one of postgres, redis, etcd")
	}
	p, err := open(ctx, flags.Arg(0), *nodes)
	if err != nil {
		return err
	}
	defer p.Stop()
	answers := json.NewEncoder(out)
	if err := answers.Encode(Ready{flags.Arg(0), p.Version(), *nodes, p.Work()}); err != nil {
		return err
	}
	return obey(ctx, p, in, answers)
}

// open starts a peer.
func open(ctx context.Context, name string, nodes int) (peer, error) {
	if nodes != 1 && (nodes != 3 || name != "etcd") {
		return nil, fmt.Errorf("%d nodes of %s are not supported", nodes, name)
	}
	switch name {
	case "postgres":
		return openPostgres(ctx)
	case "redis":
		return openRedis(ctx)
	case "etcd":
		return openEtcd(ctx, nodes)
	default:
		return nil, fmt.Errorf("no peer is called %.40q; there are postgres, redis, etcd", name)
	}
}

// obey does what each line asks for until there are no more, or the context ends.
func obey(ctx context.Context, p peer, in io.Reader, answers *json.Encoder) error {
	lines := make(chan []byte)
	go func() { // a read cannot be ended: the process ends before it
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			select {
			case lines <- append([]byte(nil), s.Bytes()...):
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line, more := <-lines:
			if !more {
				return nil
			}
			o, err := parseOrder(line, p.Work())
			done := Done{Form: o.Form}
			if err == nil {
				done, err = work(ctx, p, o)
			}
			if err != nil {
				done.Error = err.Error()
			}
			if err := answers.Encode(done); err != nil {
				return err
			}
		}
	}
}

// parseOrder reads an order for one of the forms.
func parseOrder(line []byte, can []Form) (o Order, err error) {
	if err := json.Unmarshal(line, &o); err != nil {
		return o, fmt.Errorf("read order: %w", err)
	}
	if o.Clients < 1 || o.Clients > maxClients {
		return o, fmt.Errorf("read order: %d clients, allowed are 1 to %d", o.Clients, maxClients)
	}
	if o.Millis < 1 || o.Millis > maxFor.Milliseconds() {
		return o, fmt.Errorf("read order: %d ms, allowed are 1 to %d", o.Millis, maxFor.Milliseconds())
	}
	for _, f := range can {
		if f == o.Form {
			return o, nil
		}
	}
	return o, fmt.Errorf("read order: %s in the form %s cannot be done", o.Work, o.Form.Form)
}
