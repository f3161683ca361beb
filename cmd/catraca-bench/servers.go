package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	crowd "github.com/catraca/catraca/bench/drive"
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/config"
)

// serverOptions are how servers are started.
type serverOptions struct {
	binary string // empty: found
	nodes  int
	keep   string // folder; empty: a temporary one
	mail   bool
	behind bool // they stand behind this program for a core, so that fans come in time
	say    func(format string, args ...any)
}

// servers are nodes of our own with a payment server and a mailbox, on this machine, and a balancer if there are several.
type servers struct {
	o       serverOptions
	dir     string
	base    string // where fans go
	token   string // of the owner
	key     string // of the payment server
	version string
	facts   map[string]string // what the sandbox says of itself

	sandbox, balancer *process
	nodes             []*serverNode
}

// serverNode is one server.
type serverNode struct {
	*process

	file, data            string // configuration and data
	fan, operator, others string // addresses
}

// startServers starts everything and waits until it serves.
func startServers(ctx context.Context, o serverOptions) (*servers, error) {
	s := &servers{o: o}
	var err error
	if s.o.binary, err = findBinary(o.binary); err != nil {
		return nil, err
	}
	if s.dir, err = serverFolder(o.keep); err != nil {
		return nil, err
	}
	o.say("starting %d × %s", o.nodes, s.o.binary)
	if err := s.start(ctx); err != nil {
		s.stop()
		if ctx.Err() != nil {
			err = errors.Join(errAborted, err)
		}
		return nil, err
	}
	return s, nil
}

// findBinary finds the catraca to start.
func findBinary(named string) (string, error) {
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", wrong("--binary: %w", err)
		}
		return filepath.Abs(path)
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "catraca")
		if i, err := os.Stat(beside); err == nil && i.Mode().IsRegular() && i.Mode()&0o111 != 0 {
			return beside, nil
		}
	}
	path, err := exec.LookPath("catraca")
	if err != nil {
		return "", wrong("no catraca is beside this program or in PATH; name one by --binary, or servers by --target")
	}
	return filepath.Abs(path)
}

func serverFolder(keep string) (string, error) {
	if keep == "" {
		dir, err := os.MkdirTemp("", "catraca-bench-")
		if err != nil {
			return "", fmt.Errorf("make folder: %w", err)
		}
		return dir, nil
	}
	if err := os.Mkdir(keep, 0o700); err != nil {
		return "", wrong("--keep: %w", err)
	}
	return filepath.Abs(keep)
}

func (s *servers) start(ctx context.Context) error {
	version, err := once(ctx, s.o.binary, "version")
	if err != nil {
		return err
	}
	s.version = strings.Join(strings.Fields(version), " ")
	if err := s.lay(); err != nil {
		return err
	}
	if err := s.startSandbox(ctx); err != nil {
		return err
	}
	for _, n := range s.nodes {
		if err := s.configure(n); err != nil {
			return err
		}
	}
	first := s.nodes[0]
	for i, n := range s.nodes {
		if i > 0 {
			if err := s.letIn(ctx, n); err != nil {
				return err
			}
		}
		if err := n.start(nil); err != nil {
			return err
		}
		if err := n.ready(ctx); err != nil {
			return err
		}
	}
	if s.balancer != nil {
		if err := s.balancer.start(nil); err != nil {
			return err
		}
	}
	if err := answers(ctx, s.base+"/api/v1/events", s.nodes[0].process); err != nil {
		return err
	}
	if s.token, err = makeOwner(ctx, s.o.binary, s.dir, first.file, s.base); err != nil {
		return err
	}
	return s.whole(ctx)
}

// lay chooses addresses for everything.
func (s *servers) lay() error {
	ports, err := freePorts(3*s.o.nodes + 1)
	if err != nil {
		return err
	}
	for i := range s.o.nodes {
		name := "n" + strconv.Itoa(i+1)
		file := filepath.Join(s.dir, name+".yaml")
		s.nodes = append(s.nodes, &serverNode{
			process: &process{name: name, binary: s.o.binary, args: []string{"serve", "--config", file}, log: filepath.Join(s.dir, name+".log"), behind: s.o.behind},
			file:    file, data: filepath.Join(s.dir, name), fan: ports[3*i], operator: ports[3*i+1], others: ports[3*i+2],
		})
	}
	s.base = "http://" + s.nodes[0].fan
	if s.o.nodes > 1 {
		front := ports[len(ports)-1]
		s.base = "http://" + front
		args := []string{"balance", "--listen", front}
		for _, n := range s.nodes {
			args = append(args, "--backend", "http://"+n.fan)
		}
		s.balancer = &process{name: "balancer", binary: s.o.binary, args: args, log: filepath.Join(s.dir, "balancer.log"), behind: s.o.behind}
	}
	return nil
}

// freePorts finds addresses that nobody listens on, and that the system gives to no outgoing connection: a node that is
// killed must find its ports free when it comes back.
func freePorts(n int) ([]string, error) {
	var out []string
	for range 1000 {
		address := "127.0.0.1:" + strconv.Itoa(20000+rand.IntN(12000)) //nolint:gosec // any port
		l, err := net.Listen("tcp", address)                           //nolint:noctx // closed at the end
		if err != nil {
			continue
		}
		defer func() { _ = l.Close() }() // all are held until the last is found
		if out = append(out, address); len(out) == n {
			return out, nil
		}
	}
	return nil, errors.New("find free ports: there are not enough between 20000 and 32000")
}

// startSandbox starts the payment server and the mailbox, and reads what it says of itself.
func (s *servers) startSandbox(ctx context.Context) error {
	s.facts = make(map[string]string)
	args := []string{
		"sandbox", "--payments", "127.0.0.1:0", "--mail-smtp", "127.0.0.1:0", "--mail-page", "127.0.0.1:0",
		"--webhook", s.base + "/api/v1/payments/stripe/webhook", "--secret-dir", filepath.Join(s.dir, "secrets"),
		"--pix-after", "-1s", // the fans pay
	}
	s.sandbox = &process{name: "sandbox", binary: s.o.binary, args: args, log: filepath.Join(s.dir, "sandbox.log"), behind: s.o.behind}
	said := make(chan [2]string, 64)
	if err := s.sandbox.start(func(line string) {
		if words := strings.Fields(line); len(words) == 2 {
			select {
			case said <- [2]string{words[0], words[1]}:
			default: // nobody waits any more
			}
		}
	}); err != nil {
		return err
	}
	timeout := time.After(30 * time.Second)
	for s.facts["mailbox"] == "" {
		select {
		case w := <-said:
			s.facts[w[0]] = w[1]
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout:
			return fmt.Errorf("the sandbox does not say where it is; it says:\n%s", s.sandbox.lastWords())
		}
	}
	key, err := os.ReadFile(s.facts["secret-key-file"])
	if err != nil {
		return fmt.Errorf("read the sandbox's key: %w", err)
	}
	s.key = strings.TrimSpace(string(key))
	return nil
}

// configure writes the configuration of a node.
func (s *servers) configure(n *serverNode) error {
	cfg := config.Default()
	cfg.Node.ID, cfg.Node.Data = n.name, n.data
	cfg.Fan.Listen, cfg.Operator.Listen, cfg.Cluster.Listen = n.fan, n.operator, n.others
	cfg.Fan.PublicURL, cfg.Fan.TrustedProxies = s.base, []string{"127.0.0.1"}
	cfg.Fan.PerAddress = cfg.Fan.MaxConnections // everybody comes from this machine
	cfg.Cluster.Shards = 4
	cfg.Cluster.Routes = map[string]string{}
	for _, o := range s.nodes {
		if o != n {
			cfg.Cluster.Routes[o.name] = o.others
		}
	}
	cfg.Accounts.PerAddressMin, cfg.Accounts.PerAccountMin = 100_000, 1000 // as above
	cfg.Payment = config.Payment{
		APIURL: s.facts["payments"], SecretKeyFile: s.facts["secret-key-file"], WebhookSecretFile: s.facts["webhook-secret-file"],
		HostedPage: s.facts["hosted-page"],
	}
	host, port, err := net.SplitHostPort(s.facts["mail-smtp"])
	if err != nil {
		return fmt.Errorf("find the mailbox: %w", err)
	}
	if cfg.Mail.Port, err = strconv.Atoi(port); err != nil {
		return fmt.Errorf("find the mailbox: %w", err)
	}
	cfg.Mail.Host, cfg.Mail.TLS, cfg.Mail.From, cfg.Mail.VirtualFans = host, "none", "Catraca <ingressos@catraca.example>", s.o.mail
	cfg.Log.Level, cfg.Log.Format = "warn", "text"
	b, err := yaml.Marshal(cfg)
	if err == nil {
		err = os.WriteFile(n.file, b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// letIn lets a node into the cluster of the first one.
func (s *servers) letIn(ctx context.Context, n *serverNode) error {
	invitation, err := once(ctx, s.o.binary, "cluster", "invite", "--config", s.nodes[0].file, n.name)
	if err != nil {
		return err
	}
	_, err = once(ctx, s.o.binary, "cluster", "join", "--config", n.file, invitation)
	return err
}

// target is what a run needs to know of the servers.
func (s *servers) target() crowd.Target {
	t := crowd.Target{
		Base: s.base, Token: s.token, Operators: make(map[string]string), Payments: s.facts["payments"], PaymentsKey: s.key,
		Version: s.version, Servers: s,
	}
	for _, n := range s.nodes {
		t.Operators[n.name] = "http://" + n.operator
	}
	return t
}

// balancerSpare is what a balancer opens beside two connections for each fan.
const balancerSpare = 1000

// fronts are the nodes' addresses, if the fans are more than one balancer can carry, or come from agents; none: they
// come through the balancer.
func (s *servers) fronts(fans int, agents bool, say func(format string, args ...any)) []string {
	if s.balancer == nil {
		return nil
	}
	limit := record.Here().OpenFiles // the balancer has the same
	if !agents && (limit <= 0 || 2*int64(fans)+balancerSpare <= limit) {
		return nil
	}
	say("fans go to the %d nodes by turns, and not through the balancer", len(s.nodes))
	var out []string
	for _, n := range s.nodes {
		out = append(out, n.fan)
	}
	return out
}

// fallen says which processes have ended although nobody wanted it.
func (s *servers) fallen() []string {
	var out []string
	all := []*process{s.sandbox, s.balancer}
	for _, n := range s.nodes {
		all = append(all, n.process)
	}
	for _, p := range all {
		if p == nil {
			continue
		}
		if how, fell := p.fell(); fell {
			out = append(out, fmt.Sprintf("%s has ended by itself (%s): %s", p.name, how, p.lastWords()))
		}
	}
	return out
}

// stop ends everything, and removes the data unless it is to be kept.
func (s *servers) stop() {
	var all sync.WaitGroup
	for _, p := range []*process{s.balancer, s.sandbox} {
		if p != nil {
			all.Go(p.stop)
		}
	}
	for _, n := range s.nodes {
		all.Go(n.stop)
	}
	all.Wait()
	if s.o.keep == "" {
		_ = os.RemoveAll(s.dir) // a leftover in the temporary folder
	}
}

// ready waits until a node serves.
func (n *serverNode) ready(ctx context.Context) error {
	return answers(ctx, "http://"+n.operator+"/readyz", n.process)
}

// answers waits until an address answers well.
func answers(ctx context.Context, address string, who *process) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		if how, fell := who.fell(); fell {
			return fmt.Errorf("%s ended before it was ready (%s); it says:\n%s", who.name, how, who.lastWords())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not get ready: %w; it says:\n%s", who.name, ctx.Err(), who.lastWords())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
