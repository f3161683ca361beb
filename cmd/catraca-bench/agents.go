package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/catraca/catraca/bench/agent"
	crowd "github.com/catraca/catraca/bench/drive"
)

// crew is the agents of a run, and the processes of those that were started for it.
type crew struct {
	agents    []*agent.Client
	processes []*process
	dir       string
}

// muster starts so many agents on this machine, or meets those that are there; want is a number, or addresses.
func muster(ctx context.Context, want, secretFile string, target crowd.Target) (*crew, error) {
	c := &crew{}
	if want == "" {
		return c, nil
	}
	if err := c.muster(ctx, want, secretFile, target); err != nil {
		c.close()
		if ctx.Err() != nil {
			err = errors.Join(errAborted, err)
		}
		return nil, err
	}
	return c, nil
}

func (c *crew) muster(ctx context.Context, want, secretFile string, target crowd.Target) error {
	var addresses []string
	var secret []byte
	n, err := strconv.Atoi(want)
	if err == nil {
		if n < 1 || n > crowd.MaxShares {
			return wrong("--agents %d: 1 to %d are possible", n, crowd.MaxShares)
		}
		secret = []byte(randomSecret())
		if addresses, err = c.start(ctx, n, string(secret)); err != nil {
			return err
		}
	} else {
		if addresses, err = agentAddresses(want, target.Base); err != nil {
			return err
		}
		if secret, err = agentSecret(secretFile); err != nil {
			return err
		}
	}
	for i, address := range addresses {
		a, err := agent.Dial(ctx, fmt.Sprint("agent ", i+1), address, secret)
		if err != nil {
			return err
		}
		c.agents = append(c.agents, a)
	}
	return nil
}

// agentAddresses takes a list apart. Agents on other machines cannot reach servers that only this one does.
func agentAddresses(list, base string) ([]string, error) {
	out := strings.Split(list, ",")
	if len(out) > crowd.MaxShares {
		return nil, wrong("--agents: %d addresses, at most %d are possible", len(out), crowd.MaxShares)
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	for _, a := range out {
		host, port, err := net.SplitHostPort(a)
		if err != nil || host == "" || port == "" {
			return nil, wrong("--agents %.100q, allowed are a number, or host:port of each agent", a)
		}
		if !loopback(host) && loopback(u.Hostname()) {
			return nil, wrong("--agents: %s is not this machine and cannot reach %s; name servers that both reach by --target", a, base)
		}
	}
	return out, nil
}

func randomSecret() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// start starts agents of this program and returns where they listen.
func (c *crew) start(ctx context.Context, n int, secret string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	if c.dir, err = os.MkdirTemp("", "catraca-bench-agents-"); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	var out []string
	for i := range n {
		p := &process{
			name: fmt.Sprint("agent ", i+1), binary: self, args: []string{"agent", "--listen", "127.0.0.1:0"},
			log: filepath.Join(c.dir, fmt.Sprintf("agent%d.log", i+1)), env: []string{secretVariable + "=" + secret},
		}
		said := make(chan string, 1)
		if err := p.start(func(line string) {
			select {
			case said <- line:
			default: // it says no more that matters
			}
		}); err != nil {
			return nil, err
		}
		c.processes = append(c.processes, p)
		select {
		case line := <-said:
			out = append(out, strings.TrimPrefix(line, "listen "))
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(30 * time.Second):
			return nil, fmt.Errorf("%s does not say where it listens; it says:\n%s", p.name, p.lastWords())
		}
	}
	return out, nil
}

// drivers are the agents as a run takes them.
func (c *crew) drivers() []crowd.Agent {
	var out []crowd.Agent
	for _, a := range c.agents {
		out = append(out, a)
	}
	return out
}

// close leaves the agents, and ends those that were started.
func (c *crew) close() {
	for _, a := range c.agents {
		_ = a.Close() // it may have gone itself
	}
	for _, p := range c.processes {
		p.stop()
	}
	if c.dir != "" {
		_ = os.RemoveAll(c.dir) // a leftover in the temporary folder
	}
}
