package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// server is one server that this program has started.
type server struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

// startServer runs a program; what it says goes to a file in its folder. It ends when this program does.
func startServer(dir, name, binary string, args ...string) (*server, error) {
	s := &server{log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	out, err := os.OpenFile(s.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write the log of %s: %w", name, err)
	}
	s.cmd = exec.Command(binary, args...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, out, out
	if err := apart(s.cmd); err != nil {
		_ = out.Close() // nothing was written
		return nil, err
	}
	started := make(chan error)
	go func() {
		// Linux ends the child when the thread that started it ends, so the thread is kept.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(s.ended)
		defer func() { _ = out.Close() }() // the child has its own
		err := s.cmd.Start()
		started <- err
		if err == nil {
			_ = s.cmd.Wait() // its data is of no use to anybody
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return s, nil
}

// stop ends it. SIGINT is the quick way of all three peers.
func (s *server) stop() {
	if s == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGINT) // it may be gone
	select {
	case <-s.ended:
	case <-time.After(5 * time.Second):
		_ = s.cmd.Process.Kill() // as above
		<-s.ended
	}
}

// until asks again and again until the server answers, for half a minute at most.
func (s *server) until(ctx context.Context, name string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		once, done := context.WithTimeout(ctx, time.Second)
		err := try(once)
		done()
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%s ended before it was ready; it says:\n%s", name, s.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s does not get ready: %w; it says:\n%s", name, err, s.lastWords())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lastWords are the last lines of the log.
func (s *server) lastWords() string {
	b, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// errMissing means that a peer is not installed; what is to be done is in its text.
var errMissing = errors.New("is not installed")

// find finds a program in PATH, or by patterns where Debian puts it.
func find(name, install string, patterns ...string) (string, error) {
	for _, p := range patterns {
		if found, _ := filepath.Glob(p); len(found) > 0 { // only a bad pattern is an error
			return found[len(found)-1], nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s %w: on Debian `apt-get install --no-install-recommends %s`, or bench/peers/prepare for all peers", name, errMissing, install)
	}
	return filepath.Abs(path)
}

// freePorts finds ports of this machine that nobody uses.
func freePorts(n int) ([]int, error) {
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = l.Close() }() // all are held until the last is found
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out, nil
}
