package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/catraca/catraca/cluster/pki"
	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/transport/wire"
)

// returnAfter is how long a node of the demonstration that ended stays away.
const returnAfter = 10 * time.Second

// troupe are the nodes of a demonstration, each a process of its own that may be killed: it comes back by itself.
type troupe struct {
	self   string // this program
	gentle bool   // stop the nodes in order: their data is kept
	tell   func(format string, args ...any)
	actors []*player
	life   context.Context
	end    context.CancelFunc
	all    sync.WaitGroup
}

// player is one node.
type player struct {
	name                  string
	dir, file, log        string // data, configuration, and what it says
	fan, operator, others string // addresses

	mu  sync.Mutex
	pid int // 0: away
}

func newTroupe(ctx context.Context, dir string, nodes int, gentle bool, tell func(string, ...any)) (*troupe, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	t := &troupe{self: self, gentle: gentle, tell: tell}
	t.life, t.end = context.WithCancel(context.WithoutCancel(ctx))
	ports, err := freePorts(ctx, 3*nodes)
	if err != nil {
		return nil, err
	}
	for i := range nodes {
		name := "n" + strconv.Itoa(i+1)
		t.actors = append(t.actors, &player{
			name: name, dir: filepath.Join(dir, name), file: filepath.Join(dir, name+".yaml"), log: filepath.Join(dir, name+".log"),
			fan: ports[3*i], operator: ports[3*i+1], others: ports[3*i+2],
		})
	}
	return t, nil
}

// freePorts finds addresses that nobody listens on now. All are held until the last is found.
func freePorts(ctx context.Context, n int) ([]string, error) {
	var out []string
	for range n {
		l, err := listen(config.Listener{Listen: "127.0.0.1:0"}, "demo")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }() // nothing was accepted
		out = append(out, l.Addr().String())
	}
	return out, ctx.Err()
}

// configure writes the configuration of every node. Who knows where the others are needs no network to find out.
func (t *troupe) configure(base config.Config) error {
	for _, p := range t.actors {
		cfg := base
		cfg.Node.ID, cfg.Node.Data = p.name, p.dir
		cfg.Fan.Listen, cfg.Operator.Listen, cfg.Cluster.Listen = p.fan, p.operator, p.others
		cfg.Cluster.Routes = map[string]string{}
		for _, o := range t.actors {
			if o != p {
				cfg.Cluster.Routes[o.name] = o.others
			}
		}
		b, err := yaml.Marshal(cfg)
		if err != nil {
			return fmt.Errorf("write configuration: %w", err)
		}
		if err := os.WriteFile(p.file, b, 0o600); err != nil {
			return fmt.Errorf("write configuration: %w", err)
		}
	}
	return nil
}

// start founds the cluster with the first node and lets the others in, or starts all when that has been done before.
func (t *troupe) start(ctx context.Context) error {
	first := t.actors[0]
	if _, err := os.Stat(filepath.Join(first.dir, "raft")); err == nil {
		for _, p := range t.actors {
			t.run(p)
		}
		return t.whenReady(ctx, t.actors...)
	}
	t.run(first)
	if err := t.whenReady(ctx, first); err != nil {
		return err
	}
	for _, p := range t.actors[1:] {
		if err := t.letIn(ctx, p); err != nil {
			return fmt.Errorf("let %s in: %w", p.name, err)
		}
		t.run(p)
	}
	if err := t.whenReady(ctx, t.actors...); err != nil {
		return err
	}
	return t.ask(ctx, func(c *client) error { // everybody shall lead something from the beginning
		_, err := c.post(ctx, clusterPath+"/rebalance", map[string]any{}, nil)
		return err
	})
}

// letIn does what an operator does by `catraca cluster invite` and `catraca cluster join`.
func (t *troupe) letIn(ctx context.Context, p *player) error {
	api, err := t.actors[0].client()
	if err != nil {
		return err
	}
	var in wire.Invitation
	if _, err := api.post(ctx, clusterPath+"/invitations", map[string]any{"node": p.name, "role": "voter"}, &in); err != nil {
		return err
	}
	v, err := pki.ParseInvitation(in.Invitation)
	if err != nil {
		return err
	}
	cfg, err := config.Load(p.file, func(string) (string, bool) { return "", false })
	if err != nil {
		return err
	}
	return join(ctx, environment{stderr: io.Discard}, cfg, v)
}

// client acts as the house.
func (p *player) client() (*client, error) {
	c := newClient("http://" + p.operator)
	var err error
	c.token, err = readToken(filepath.Join(p.dir, tokenName))
	return c, err
}

// ask asks the nodes in turn until one answers.
func (t *troupe) ask(ctx context.Context, do func(*client) error) error {
	var errs []error
	for range 20 {
		for _, p := range t.actors {
			if p.process() == 0 {
				continue
			}
			c, err := p.client()
			if err == nil {
				err = do(c)
			}
			if err == nil {
				return nil
			}
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
			var refused *refusedError
			if errors.As(err, &refused) && refused.problem.Code != wire.Busy && refused.problem.Code != wire.Unavailable {
				return err
			}
		}
		if !pause(ctx, 250*time.Millisecond) {
			break
		}
	}
	return errors.Join(errs[max(0, len(errs)-3):]...)
}

// whenReady waits until the nodes serve, and then until the votes are where they belong.
func (t *troupe) whenReady(ctx context.Context, who ...*player) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, p := range who {
		for {
			c := newClient("http://" + p.operator)
			c.http.Timeout = time.Second
			if _, err := c.get(ctx, "/readyz", nil); err == nil {
				break
			}
			if !pause(ctx, 50*time.Millisecond) {
				return fmt.Errorf("%s does not get ready; it says:\n%s", p.name, p.lastWords())
			}
		}
	}
	for len(who) > 1 {
		var s wire.Cluster
		c, err := who[0].client()
		if err != nil {
			return err
		}
		if _, err := c.get(ctx, clusterPath, &s); err == nil && len(s.Critical)+len(s.Stopped) == 0 && len(s.Nodes) == len(who) {
			return nil
		}
		if !pause(ctx, 100*time.Millisecond) {
			return errors.New("the nodes do not share the shards among themselves in time")
		}
	}
	return nil
}

// run keeps a node running: it starts it again some time after it ended.
func (t *troupe) run(p *player) {
	t.all.Go(func() {
		// Linux ends the child when the thread that started it ends, so the thread is kept.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for again := false; t.life.Err() == nil; again = true {
			err := t.once(p, again)
			if t.life.Err() != nil {
				return
			}
			t.tell("%s has ended (%v); it comes back in %s", p.name, err, returnAfter)
			if !pause(t.life, returnAfter) {
				return
			}
		}
	})
}

// once runs a node until it ends.
func (t *troupe) once(p *player, again bool) error {
	out, err := os.OpenFile(p.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("write its log: %w", err)
	}
	defer func() { _ = out.Close() }()                       // the child has its own
	cmd := exec.Command(t.self, "serve", "--config", p.file) //nolint:noctx // stop ends it in its own way
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = withoutSettings(os.Environ())
	apart(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start it: %w", err)
	}
	p.set(cmd.Process.Pid)
	if again {
		t.tell("%s is back, process %d", p.name, cmd.Process.Pid)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err = <-done:
	case <-t.life.Done():
		how := syscall.SIGKILL // its data goes away with it
		if t.gentle {
			how = syscall.SIGTERM
		}
		_ = cmd.Process.Signal(how) // it may have just ended
		select {
		case err = <-done:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill() // as above
			err = <-done
		}
	}
	p.set(0)
	return err
}

// withoutSettings keeps what is set for this process from the nodes, which have files.
func withoutSettings(env []string) []string {
	var out []string
	for _, e := range env {
		if !strings.HasPrefix(e, "CATRACA_") && !strings.HasPrefix(e, "NOTIFY_SOCKET=") {
			out = append(out, e)
		}
	}
	return out
}

func (p *player) set(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pid = pid
}

// process is its number, 0 while it is away.
func (p *player) process() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid
}

// lastWords are the last lines of what a node said.
func (p *player) lastWords() string {
	f, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = f.Close() }() // only read
	var last []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if last = append(last, s.Text()); len(last) > 5 {
			last = last[1:]
		}
	}
	return strings.Join(last, "\n")
}

// stop ends all nodes and waits for them.
func (t *troupe) stop() {
	t.end()
	t.all.Wait()
}
