package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// peerForm is a way of doing some work: hold, best or join.
type peerForm struct {
	Work string `json:"work"`
	Form string `json:"form"`
}

// peerReady is the first thing a peer says.
type peerReady struct {
	Peer    string     `json:"peer"`
	Version string     `json:"version"`
	Nodes   int        `json:"nodes"`
	Work    []peerForm `json:"work"`
}

// peerFigure is what one piece of work came to. Latencies are microseconds.
type peerFigure struct {
	peerForm

	Count     int64   `json:"count"`
	PerSecond float64 `json:"per_second"`
	P50       int64   `json:"p50"`
	P99       int64   `json:"p99"`
	Error     string  `json:"error,omitempty"`
}

// peerProcess is a running catraca-bench-peers with the peer's servers.
type peerProcess struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan []byte // closed when it says no more
	said  tail
	ready peerReady
}

// findPeers finds the program that does the peers' work.
func findPeers(named string) (string, error) {
	const program = "catraca-bench-peers"
	if named == "" {
		if self, err := os.Executable(); err == nil {
			beside := filepath.Join(filepath.Dir(self), program)
			if i, err := os.Stat(beside); err == nil && i.Mode().IsRegular() && i.Mode()&0o111 != 0 {
				return beside, nil
			}
		}
		named = program
	}
	path, err := exec.LookPath(named)
	if err != nil {
		return "", wrong("%s is not beside this program or in PATH: build it by `go build -C bench/peers -o ../../bin/%s .`, or name it by --peers-binary", program, program)
	}
	return filepath.Abs(path)
}

// startPeer starts the peer and waits until it is ready.
func startPeer(ctx context.Context, binary, peer string, nodes int) (*peerProcess, error) {
	p := &peerProcess{lines: make(chan []byte, 1)}
	p.cmd = exec.Command(binary, "--nodes", strconv.Itoa(nodes), peer) //nolint:gosec,noctx // the user's own; it ends when its input does
	p.cmd.Stderr = &p.said
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", peer, err)
	}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- append([]byte(nil), s.Bytes()...)
		}
	}()
	if err := p.hear(ctx, 2*time.Minute, &p.ready); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// hear waits for the next line.
func (p *peerProcess) hear(ctx context.Context, within time.Duration, out any) error {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case line, ok := <-p.lines:
		if !ok {
			_ = p.cmd.Wait() // what it said is more telling
			return fmt.Errorf("the peer has ended: %s", p.said.String())
		}
		if err := json.Unmarshal(line, out); err != nil {
			return fmt.Errorf("the peer says %.100q: %w", line, err)
		}
		return nil
	case <-late.C:
		return fmt.Errorf("the peer says nothing for %v: %s", within, p.said.String())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// work lets the peer work.
func (p *peerProcess) work(ctx context.Context, f peerForm, clients int, length time.Duration) (peerFigure, error) {
	order, err := json.Marshal(struct {
		peerForm

		Clients int   `json:"clients"`
		Millis  int64 `json:"for_ms"`
	}{f, clients, length.Milliseconds()})
	if err != nil {
		return peerFigure{}, err
	}
	if _, err := p.in.Write(append(order, '\n')); err != nil {
		return peerFigure{}, fmt.Errorf("ask the peer: %w", err)
	}
	var done peerFigure
	if err := p.hear(ctx, 2*length+2*time.Minute, &done); err != nil {
		return done, err
	}
	if done.Error != "" {
		return done, fmt.Errorf("%s of the peer (%s): %s", f.Work, f.Form, done.Error)
	}
	return done, nil
}

// stop lets it stop its servers and remove their data, and ends it if it does not.
func (p *peerProcess) stop() {
	_ = p.in.Close() // it may be gone
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range p.lines { // what it still says is not wanted
		}
		_ = p.cmd.Wait() // as above
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill() // as above
		<-ended
	}
}

// tail keeps the last of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	t.b = t.b[max(0, len(t.b)-4096):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}

var errNoWork = errors.New("the peer can do nothing of what was asked for")
