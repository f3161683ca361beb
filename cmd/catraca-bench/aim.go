package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	crowd "github.com/catraca/catraca/bench/drive"
	"github.com/catraca/catraca/transport/wire"
)

// aim is a target that is there already.
type aim struct {
	target, tokenFile, event, mean string
	payments, keyFile              string
	operators                      []string
}

func (a *aim) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.target, "target", "", "run against these servers, http(s)://host:port, instead of starting some")
	f.StringVar(&a.tokenFile, "admin-token-file", "", "file with an operator's token, as `catraca account token` keeps it; needed with --target")
	f.StringVar(&a.event, "event", "", "a rehearsal that is at the target already; needed outside this machine. Empty: the scenario's event is put on sale")
	f.StringVar(&a.mean, "i-mean", "", "the event again, typed by somebody who knows that thousands of fans will come; needed outside this machine")
	f.StringVar(&a.payments, "payments", "", "address of the target's sandbox, for its faults and for the audit of the money")
	f.StringVar(&a.keyFile, "payments-key-file", "", "file with the sandbox's secret key; needed with --payments")
	f.StringSliceVar(&a.operators, "operator", nil, "a node's own address for its metrics, as n1=http://127.0.0.1:8081; may be given again")
}

// take makes a target of it, if it may be one.
func (a *aim) take(ctx context.Context) (crowd.Target, error) {
	t := crowd.Target{Base: strings.TrimRight(a.target, "/"), Event: a.event, Payments: strings.TrimRight(a.payments, "/"), Operators: make(map[string]string)}
	u, err := url.Parse(t.Base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" {
		return t, wrong("--target %.100q, allowed is http(s)://host:port", a.target)
	}
	if t.Token, err = secret("--admin-token-file", a.tokenFile); err != nil {
		return t, err
	}
	if a.payments != "" {
		if t.PaymentsKey, err = secret("--payments-key-file", a.keyFile); err != nil {
			return t, err
		}
	}
	for _, o := range a.operators {
		node, address, ok := strings.Cut(o, "=")
		if !ok {
			return t, wrong("--operator %.100q, allowed is name=http://host:port", o)
		}
		t.Operators[node] = strings.TrimRight(address, "/")
	}
	return t, a.allowed(ctx, t, u.Hostname())
}

// allowed refuses to harm: outside this machine the event must be a rehearsal, and its name typed again. It is looked
// at here and not only by the run, because a mistake in an address must not even make accounts.
func (a *aim) allowed(ctx context.Context, t crowd.Target, host string) error {
	if loopback(host) && a.event == "" {
		return nil // an event of our own, which is a rehearsal
	}
	if a.event == "" {
		return wrong("%s is not this machine: name a rehearsal there by --event, and again by --i-mean", host)
	}
	e, err := lookAt(ctx, t)
	if err != nil {
		return wrong("look at event %s of %s: %w", a.event, t.Base, err)
	}
	if !e.Rehearsal {
		return wrong("event %s of %s is a real sale and no rehearsal: virtual fans do not go there", a.event, t.Base)
	}
	if !loopback(host) && a.mean != e.Slug {
		return wrong("%s is not this machine: thousands of fans will come to event %q there. If you mean it, say --i-mean %[2]s", host, e.Slug)
	}
	return nil
}

// loopback says whether a host is this machine. Only an address tells: names can be anything.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || host == "localhost"
}

func lookAt(ctx context.Context, t crowd.Target) (e wire.Event, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Base+"/api/v1/events/"+url.PathEscape(t.Event), nil)
	if err != nil {
		return e, err
	}
	req.Header.Set("Authorization", "Bearer "+t.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return e, err
	}
	defer func() { _ = res.Body.Close() }() // read to its end or given up
	if res.StatusCode != http.StatusOK {
		return e, fmt.Errorf("it was answered with %s", res.Status)
	}
	return e, json.NewDecoder(io.LimitReader(res.Body, 4<<20)).Decode(&e)
}

// secret reads the first line of a file.
func secret(flag, path string) (string, error) {
	if path == "" {
		return "", wrong("%s is missing", flag)
	}
	b, err := os.ReadFile(path) //nolint:gosec // the user's own file
	if err != nil {
		return "", wrong("read %s: %w", flag, err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return "", wrong("%s %s is empty", flag, path)
	}
	return line, nil
}
