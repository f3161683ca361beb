// Command catraca-bench-sockets is the server that Catraca's live sockets are compared with: centrifuge, the library
// that Centrifugo is made of, on loopback. It says on standard output where it is and how it is set, and serves until it
// is asked to end.
//
// The promise: centrifuge does here what it is made for in the way its documentation recommends, and nothing else.
// Deliberately absent: several nodes, history, presence, other transports, and anything that Catraca is made of. It is a
// module of its own so that the server needs none of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// Ready is the one line on standard output.
type Ready struct {
	Version  string `json:"version"`
	Setting  string `json:"setting"`
	Detail   string `json:"detail"`   // what the setting is made of
	Sockets  string `json:"sockets"`  // host:port of the live sockets
	Operator string `json:"operator"` // host:port of /metrics, /debug/pprof/ and /publish
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "catraca-bench-sockets:", err) // nothing is left to tell it to
		os.Exit(1)
	}
}

// run is main without the process.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("catraca-bench-sockets", flag.ContinueOnError)
	name := flags.String("setting", settings()[0].name, "how centrifuge is set: "+settingNames())
	flags.Usage = func() {
		_, _ = fmt.Fprintln(flags.Output(), "catraca-bench-sockets [--setting "+settingNames()+"]\n\nServes for `catraca-bench sockets`, which starts it.")
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() != 0 {
		return fmt.Errorf("%.40q is not understood", flags.Arg(0))
	}
	set, err := settingOf(*name)
	if err != nil {
		return err
	}
	h, err := newHub(set)
	if err != nil {
		return err
	}
	return h.serve(ctx, func(sockets, operator net.Addr) error {
		return json.NewEncoder(out).Encode(Ready{version(), set.name, set.detail, sockets.String(), operator.String()})
	})
}

// serve serves until the context ends. ready is told where.
func (h *hub) serve(ctx context.Context, ready func(sockets, operator net.Addr) error) error {
	defer h.stop()
	var addresses [2]net.Addr
	for i, handler := range []http.Handler{h.sockets(), h.operator()} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		defer func() { _ = s.Close() }() // nobody is served any more
		go func() { _ = s.Serve(l) }()   // until it is closed
		addresses[i] = l.Addr()
	}
	if err := ready(addresses[0], addresses[1]); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// version of the library, as it was built in.
func version() string {
	const module = "github.com/centrifugal/centrifuge"
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, d := range b.Deps {
			if d.Path == module {
				return "centrifuge " + d.Version
			}
		}
	}
	return "centrifuge"
}
