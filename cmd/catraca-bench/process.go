package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a catraca that this program has started. What it says goes to the end of its log.
type process struct {
	name, binary string
	args         []string
	log          string   // file
	env          []string // beside this process's own
	behind       bool     // stands behind this program for a core

	mu     sync.Mutex
	cmd    *exec.Cmd // nil: not started yet
	ended  chan struct{}
	wanted bool // it was ended on purpose
}

// start runs it. facts, if not nil, gets its standard output until it is closed.
func (p *process) start(facts func(string)) error {
	out, err := os.OpenFile(p.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("write the log of %s: %w", p.name, err)
	}
	cmd := exec.Command(p.binary, p.args...) //nolint:gosec,noctx // the user's own; stop ends it in its own way
	cmd.Stderr = out
	cmd.Env = append(withoutSettings(os.Environ()), p.env...)
	apart(cmd)
	if facts == nil {
		cmd.Stdout = out
	}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// Linux ends the child when the thread that started it ends, so the thread is kept. It is never unlocked, for it may
		// have another priority than others: it ends with the goroutine.
		runtime.LockOSThread()
		if p.behind {
			behind()
		}
		defer close(ended)
		defer func() { _ = out.Close() }() // the child has its own
		var pipe io.Reader
		var err error
		if facts != nil {
			pipe, err = cmd.StdoutPipe()
		}
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err != nil {
			return
		}
		if pipe != nil {
			for s := bufio.NewScanner(pipe); s.Scan(); {
				facts(s.Text())
			}
		}
		_ = cmd.Wait() // how it ended is in its state
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd, p.ended, p.wanted = cmd, ended, false
	return nil
}

// signal sends a signal, if it runs.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	if s == syscall.SIGKILL || s == syscall.SIGTERM {
		p.wanted = true
	}
	_ = p.cmd.Process.Signal(s) // it may have just ended
}

// gone waits until it has ended.
func (p *process) gone(ctx context.Context) error {
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	if ended == nil {
		return nil
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s does not end: %w", p.name, ctx.Err())
	}
}

// stop ends it for good. Its data is of no use to anybody, so it is not asked.
func (p *process) stop() {
	p.signal(syscall.SIGKILL)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = p.gone(ctx) // nothing else can be done
}

// fell says how it ended if nobody wanted it to.
func (p *process) fell() (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.wanted {
		return "", false
	}
	select {
	case <-p.ended:
		return p.cmd.ProcessState.String(), true
	default:
		return "", false
	}
}

// lastWords are the last lines of what it said.
func (p *process) lastWords() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// once runs a command of catraca to its end and returns what it said.
func once(ctx context.Context, binary string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // the user's own
	cmd.Env = withoutSettings(os.Environ())
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("catraca %s: %w", strings.Join(args[:min(2, len(args))], " "), errors.Join(err, errors.New(strings.TrimSpace(said.String()))))
	}
	return strings.TrimSpace(string(out)), nil
}

// withoutSettings keeps what is set for this process from the servers, which have files.
func withoutSettings(env []string) []string {
	var out []string
	for _, e := range env {
		if !strings.HasPrefix(e, "CATRACA_") && !strings.HasPrefix(e, "NOTIFY_SOCKET=") {
			out = append(out, e)
		}
	}
	return out
}

// number is the process's, while it runs; 0: it was not started.
func (p *process) number() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}
