package catraca

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/transport/wire"
)

// fleet is a sale on several real processes behind a balancer, with a cable of its own between every two nodes in
// each direction.
type fleet struct {
	*rehearsal

	nodes    []*member
	cables   map[[2]string]*cable // from the opener to the one it dials
	balancer *process
	box      map[string]string // what the sandbox said of itself
}

// member is one node: its process changes, its addresses stay. When it leaves for good, another one with the next
// name comes to the same addresses.
type member struct {
	f        *fleet
	id       string // its first name, also of its cables
	comings  int    // how often it came into the cluster
	config   string // file
	data     string // directory
	fan      string // URL
	operator string // URL
	peers    string // host:port for the other nodes
	journal  string // file with everything it said

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone
	asked bool          // the test ended it
	away  bool          // it has left the cluster
}

// comings is how often a member can come into the cluster: so many names have a route.
const comings = 50

// called is the name of a member at its n-th coming: n2, n2-2, n2-3, …
func (m *member) called(n int) string {
	if n < 2 {
		return m.id
	}
	return fmt.Sprintf("%s-%d", m.id, n)
}

// name of the member now.
func (m *member) name() string { return m.called(m.comings) }

// newFleet founds a cluster of n nodes and puts a balancer and a payment server beside it.
func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	r := &rehearsal{t: t, dir: t.TempDir(), client: bench.NewClient(64), server: &process{}}
	t.Cleanup(r.client.CloseIdleConnections)
	f := &fleet{rehearsal: r, cables: make(map[[2]string]*cable)}
	front := freePort(t)
	r.fan = fmt.Sprintf("http://127.0.0.1:%d", front)
	for i := range n {
		id := fmt.Sprintf("n%d", i+1)
		f.nodes = append(f.nodes, &member{
			f: f, id: id, data: filepath.Join(r.dir, id), journal: filepath.Join(r.dir, id+".log"),
			fan: fmt.Sprintf("http://127.0.0.1:%d", freePort(t)), operator: fmt.Sprintf("http://127.0.0.1:%d", freePort(t)),
			peers: fmt.Sprintf("127.0.0.1:%d", freePort(t)),
		})
	}
	f.lay(t)
	f.box = r.startSandbox()
	for _, m := range f.nodes {
		m.comings = 1
		m.config = r.file(m.id+".yaml", m.settings())
	}
	t.Cleanup(f.end)
	first := f.nodes[0]
	r.config, r.operator = first.config, first.operator
	first.start()
	first.ready(time.Minute)
	args := []string{"balance", "--listen", fmt.Sprintf("127.0.0.1:%d", front)}
	for i, m := range f.nodes {
		if i > 0 {
			m.enrol(first)
			m.start()
		}
		args = append(args, "--backend", m.fan)
	}
	f.ready(2 * time.Minute)
	f.balancer = launch(t, args...)
	r.answers(r.fan + "/api/v1/events")
	r.catraca(0, "account", "add", "--config", r.config, "--role", "owner", "--name", "Dona", "--password-file", r.file("owner.password", ownerPassword), ownerEmail)
	r.owner = signIn(t, r.fan, ownerEmail, ownerPassword)
	return f
}

// lay puts a cable between every two nodes, in each direction.
func (f *fleet) lay(t *testing.T) {
	t.Helper()
	for _, from := range f.nodes {
		for _, to := range f.nodes {
			if from == to {
				continue
			}
			c, err := newCable(to.peers)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.close)
			f.cables[[2]string{from.id, to.id}] = c
		}
	}
}

// settings is the configuration of a node.
func (m *member) settings() string {
	r, box := m.f.rehearsal, m.f.box
	_, mailPort, _ := strings.Cut(box["mail-smtp"], ":")
	var routes []string
	more := "" // of the cluster's settings
	for _, other := range m.f.nodes {
		for n := 1; n <= comings && other != m; n++ {
			routes = append(routes, fmt.Sprintf("%s: %q", other.called(n), m.f.cables[[2]string{m.id, other.id}].address()))
		}
	}
	if len(routes) > 0 {
		more = ", routes: {" + strings.Join(routes, ", ") + "}"
	}
	return fmt.Sprintf(`
node: {id: %s, data: %q}
fan: {listen: %q, public_url: %q, trusted_proxies: ["127.0.0.1"], per_address: 20000}
operator: {listen: %q}
cluster: {listen: %q, shards: 4%s}
payment:
  api_url: %q
  secret_key_file: %q
  webhook_secret_file: %q
  hosted_page: %q
mail: {host: 127.0.0.1, port: %s, tls: none, from: "Catraca <ingressos@catraca.example>", virtual_fans: true}
log: {level: warn, format: text}
`, m.name(), m.data, strings.TrimPrefix(m.fan, "http://"), r.fan, strings.TrimPrefix(m.operator, "http://"), m.peers, more,
		r.payments, box["secret-key-file"], box["webhook-secret-file"], box["hosted-page"], mailPort)
}

// enrol gives a new node the certificates and addresses of the cluster that inviter is in.
func (m *member) enrol(inviter *member) {
	m.f.t.Helper()
	out, _ := m.f.catraca(0, "cluster", "invite", "--config", inviter.config, m.name())
	m.f.catraca(0, "cluster", "join", "--config", m.config, strings.TrimSpace(out))
	m.mu.Lock()
	m.away = false
	m.mu.Unlock()
}

// start runs the process. What it says goes to the end of its journal.
func (m *member) start() {
	m.f.t.Helper()
	said, err := os.OpenFile(m.journal, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		m.f.t.Fatal(err)
	}
	defer func() { _ = said.Close() }() // the process has its own
	cmd := exec.Command(binary(m.f.t), "serve", "--config", m.config)
	cmd.Stderr, cmd.Stdout = said, said
	if err := cmd.Start(); err != nil {
		m.f.t.Fatal(err)
	}
	ended := make(chan struct{})
	m.mu.Lock()
	m.cmd, m.ended, m.asked = cmd, ended, false
	m.mu.Unlock()
	go func() { _ = cmd.Wait(); close(ended) }() // how it ended is in its ProcessState
}

// signal sends a signal; a process that is gone does not get it.
func (m *member) signal(s syscall.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd != nil {
		if s == syscall.SIGKILL || s == syscall.SIGTERM {
			m.asked = true
		}
		_ = m.cmd.Process.Signal(s)
	}
}

// kill ends the process as a power switch would.
func (m *member) kill() {
	m.signal(syscall.SIGKILL)
	m.gone(10 * time.Second)
}

// gone waits until the process has ended.
func (m *member) gone(within time.Duration) {
	m.f.t.Helper()
	m.mu.Lock()
	ended := m.ended
	m.mu.Unlock()
	if ended == nil {
		return
	}
	select {
	case <-ended:
	case <-time.After(within):
		m.f.t.Fatalf("%s has not ended within %v:\n%s", m.id, within, m.tail())
	}
}

// fell says whether the process has ended although nobody asked it to, and how.
func (m *member) fell() (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd == nil || m.asked {
		return "", false
	}
	select {
	case <-m.ended:
		return m.cmd.ProcessState.String(), true
	default:
		return "", false
	}
}

// ready waits until the node serves.
func (m *member) ready(within time.Duration) {
	m.f.t.Helper()
	for began := time.Now(); !m.f.ok(m.operator + "/readyz"); time.Sleep(20 * time.Millisecond) {
		if how, fell := m.fell(); fell {
			m.f.t.Fatalf("%s ended before it was ready (%s):\n%s", m.id, how, m.tail())
		}
		if time.Since(began) > within {
			m.f.t.Fatalf("%s was not ready within %v:\n%s", m.id, within, m.f.tails())
		}
	}
}

// ready waits until every node that has not left serves.
func (f *fleet) ready(within time.Duration) {
	f.t.Helper()
	for _, m := range f.nodes {
		if !m.left() {
			m.ready(within)
		}
	}
}

func (m *member) left() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.away
}

// tail is the last that a node said.
func (m *member) tail() string {
	b, err := os.ReadFile(m.journal)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return m.id + ":\n  " + strings.Join(lines[max(0, len(lines)-25):], "\n  ")
}

func (f *fleet) tails() string {
	var all []string
	for _, m := range f.nodes {
		all = append(all, m.tail())
	}
	return strings.Join(all, "\n")
}

// end stops every node and tells what they said if the test has failed.
func (f *fleet) end() {
	for _, m := range f.nodes {
		m.signal(syscall.SIGCONT)
		m.signal(syscall.SIGTERM)
	}
	for _, m := range f.nodes {
		m.mu.Lock()
		ended := m.ended
		m.mu.Unlock()
		if ended == nil {
			continue
		}
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			m.signal(syscall.SIGKILL)
			<-ended
			f.t.Errorf("%s had to be killed at the end", m.id)
		}
	}
	if f.t.Failed() {
		f.t.Logf("the nodes said:\n%s", f.tails())
	}
}

// heal makes every cable whole again.
func (f *fleet) heal() {
	for _, c := range f.cables {
		c.set(flows, flows, 0)
	}
}

// between does something to the cables of both directions between two nodes: there is what from sends.
func (f *fleet) between(from, to *member, there, here traffic, delay time.Duration) {
	if c := f.cables[[2]string{from.id, to.id}]; c != nil {
		c.set(there, here, delay)
	}
	if c := f.cables[[2]string{to.id, from.id}]; c != nil {
		c.set(here, there, delay)
	}
}

// alone cuts a node off from all others.
func (f *fleet) alone(m *member, how traffic) {
	for _, other := range f.nodes {
		if other != m {
			f.between(m, other, how, how, 0)
		}
	}
}

// shardStatus is one shard as a node tells it.
type shardStatus struct {
	Shard  int
	State  string
	Leader string
	Voters []string
	Lost   int // votes of data that is gone
	Term   uint64
	Commit uint64
}

// status is what the first node that answers says of the shards; empty when none does.
func (f *fleet) status() []shardStatus {
	for _, m := range f.nodes {
		req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, m.fan+"/api/v1/admin/status", nil)
		if err != nil {
			f.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+f.owner)
		res, err := (&http.Client{Timeout: 2 * time.Second, Transport: f.client.Transport}).Do(req)
		if err != nil {
			continue
		}
		var told struct {
			Cluster []shardStatus `json:"cluster"`
		}
		err = json.NewDecoder(res.Body).Decode(&told)
		_ = res.Body.Close()
		if err == nil && res.StatusCode == http.StatusOK && len(told.Cluster) > 0 {
			return told.Cluster
		}
	}
	return nil
}

// leader is the node that leads the busiest shard of sales, and that shard; nil when nobody knows.
func (f *fleet) leader() (leads *member, shard int) {
	var busiest shardStatus
	for _, s := range f.status() {
		if s.Shard > 0 && s.Commit >= busiest.Commit {
			busiest = s
		}
	}
	for _, m := range f.nodes {
		if m.name() == busiest.Leader {
			return m, busiest.Shard
		}
	}
	return nil, busiest.Shard
}

// whole waits until every node votes in every shard again: one that came in anew is let vote when it has everything.
func (f *fleet) whole(within time.Duration) {
	f.t.Helper()
	var all []shardStatus
	for began := time.Now(); time.Since(began) < within; time.Sleep(100 * time.Millisecond) {
		all = f.status()
		bad := slices.ContainsFunc(f.nodes, func(m *member) bool {
			return slices.ContainsFunc(all, func(s shardStatus) bool { return s.Lost > 0 || !slices.Contains(s.Voters, m.name()) })
		})
		if len(all) > 0 && !bad {
			return
		}
	}
	f.t.Fatalf("not every node votes in every shard after %v: %+v\n%s", within, all, f.tails())
}

// terms is the sum of all shards' terms: it grows by one with every election that somebody won, and by more when
// votes were split.
func (f *fleet) terms() (sum uint64) {
	for _, s := range f.status() {
		sum += s.Term
	}
	return sum
}

// agreed waits until all nodes tell the same books at the same index, and returns them: every total, every order, and
// the digest of the queue.
func (f *fleet) agreed(within time.Duration) wire.Ledger {
	f.t.Helper()
	var why string
	for began := time.Now(); time.Since(began) < within; time.Sleep(100 * time.Millisecond) {
		var all []wire.Ledger
		why = ""
		for _, m := range f.nodes {
			books, err := bench.FetchLedger(f.t.Context(), f.client, m.fan, f.event, f.owner)
			if err != nil {
				why = fmt.Sprintf("%s: %v", m.id, err)
				break
			}
			all = append(all, books)
		}
		for i, books := range all {
			if books.Index != all[0].Index {
				why = fmt.Sprintf("%s is at %d, %s at %d", f.nodes[0].id, all[0].Index, f.nodes[i].id, books.Index)
			} else if why == "" && !reflect.DeepEqual(books, all[0]) {
				f.t.Fatalf("the nodes' books differ at index %d:\n%s has %+v\n%s has %+v", books.Index, f.nodes[0].id, all[0], f.nodes[i].id, books)
			}
		}
		if why == "" {
			return all[0]
		}
	}
	f.t.Fatalf("the nodes' books were not at the same index within %v: %s\n%s", within, why, f.tails())
	return wire.Ledger{}
}
