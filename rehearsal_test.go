package catraca

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/transport/wire"
)

// rehearsal is a sale on real processes: a server with its data on a disk, and a payment server with a mailbox. The
// fans of it come to the public address like everybody else.
type rehearsal struct {
	t        *testing.T
	dir      string
	config   string // file
	fan      string // URL of the fan address
	operator string // URL of the operator address
	payments string // URL
	mailbox  string // URL
	key      string // of the payment server
	event    string // slug
	owner    string // token
	client   *http.Client
	server   *process
	capacity uint32
}

const (
	ownerEmail    = "dona@catraca.example"
	ownerPassword = "sete-chaves-e-um-cadeado"
)

// freePort returns a port of this machine that nobody listens on and that the system gives to no outgoing connection:
// a server that is killed must find its port free when it comes back.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000) //nolint:gosec // any port
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port between 20000 and 32000")
	return 0
}

// stage starts a payment server, a mailbox and a server, and the load balancer before it if the test wants one.
func stage(t *testing.T, balanced bool) *rehearsal {
	t.Helper()
	r := &rehearsal{t: t, dir: t.TempDir(), client: bench.NewClient(64)}
	t.Cleanup(r.client.CloseIdleConnections)
	fan, operator, cluster := freePort(t), freePort(t), freePort(t)
	front := fan
	if balanced {
		front = freePort(t)
	}
	r.fan, r.operator = fmt.Sprintf("http://127.0.0.1:%d", front), fmt.Sprintf("http://127.0.0.1:%d", operator)
	box := r.startSandbox()
	_, mailPort, _ := strings.Cut(box["mail-smtp"], ":")
	r.config = r.file("catraca.yaml", fmt.Sprintf(`
node: {id: n1, data: %q}
fan: {listen: "127.0.0.1:%d", public_url: %q, trusted_proxies: ["127.0.0.1"], per_address: 20000}
operator: {listen: "127.0.0.1:%d"}
cluster: {listen: "127.0.0.1:%d", shards: 4}
payment:
  api_url: %q
  secret_key_file: %q
  webhook_secret_file: %q
  hosted_page: %q
mail: {host: 127.0.0.1, port: %s, tls: none, from: "Catraca <ingressos@catraca.example>", virtual_fans: true}
log: {level: warn, format: text}
`, filepath.Join(r.dir, "data"), fan, r.fan, operator, cluster, r.payments,
		box["secret-key-file"], box["webhook-secret-file"], box["hosted-page"], mailPort))
	r.serve()
	if balanced {
		launch(t, "balance", "--listen", fmt.Sprintf("127.0.0.1:%d", front), "--backend", fmt.Sprintf("http://127.0.0.1:%d", fan))
		r.answers(r.fan + "/api/v1/events")
	}
	r.catraca(0, "account", "add", "--config", r.config, "--role", "owner", "--name", "Dona", "--password-file", r.file("owner.password", ownerPassword), ownerEmail)
	r.owner = signIn(t, r.fan, ownerEmail, ownerPassword)
	return r
}

// startSandbox starts the payment server and the mailbox, and returns what it says about them.
func (r *rehearsal) startSandbox() map[string]string {
	r.t.Helper()
	p := launch(r.t, "sandbox", "--payments", "127.0.0.1:0", "--mail-smtp", "127.0.0.1:0", "--mail-page", "127.0.0.1:0",
		"--webhook", r.fan+"/api/v1/payments/stripe/webhook", "--secret-dir", filepath.Join(r.dir, "secrets"), "--pix-after", "1s")
	facts := make(map[string]string)
	for s := bufio.NewScanner(p.stdout); facts["mailbox"] == "" && s.Scan(); {
		if words := strings.Fields(s.Text()); len(words) == 2 {
			facts[words[0]] = words[1]
		}
	}
	if facts["mailbox"] == "" {
		r.t.Fatalf("the sandbox has not said where its mailbox is: %v\n%s", facts, tail(p))
	}
	key, err := os.ReadFile(facts["secret-key-file"])
	if err != nil {
		r.t.Fatal(err)
	}
	r.payments, r.mailbox, r.key = facts["payments"], facts["mailbox"], strings.TrimSpace(string(key))
	return facts
}

// file writes a private file and returns its path.
func (r *rehearsal) file(name, content string) string {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// serve starts the server and returns how long it took until it was ready.
func (r *rehearsal) serve() time.Duration {
	r.t.Helper()
	began := time.Now()
	r.server = launch(r.t, "serve", "--config", r.config)
	for time.Since(began) < 60*time.Second {
		if r.server.over() {
			r.t.Fatalf("the server ended before it was ready:\n%s", tail(r.server))
		}
		if r.ok(r.operator + "/readyz") {
			return time.Since(began)
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatalf("the server was not ready within a minute:\n%s", tail(r.server))
	return 0
}

// ok says whether an address answers with success now.
func (r *rehearsal) ok(url string) bool {
	res, err := r.client.Get(url)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// answers waits until an address answers with success.
func (r *rehearsal) answers(url string) {
	r.t.Helper()
	for began := time.Now(); !r.ok(url); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			r.t.Fatalf("%s has not answered well for half a minute", url)
		}
	}
}

// over says whether the process has ended by itself.
func (p *process) over() bool {
	for {
		select {
		case _, ok := <-p.lines:
			if !ok {
				return true
			}
		default:
			return false
		}
	}
}

// tail is the last that a process said.
func tail(p *process) string {
	lines := strings.Split(strings.TrimSpace(p.log()), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// catraca runs an operator's command to its end and returns what it said.
func (r *rehearsal) catraca(exit int, args ...string) (stdout, stderr string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(r.t), args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		r.t.Fatalf("catraca %s: %v", strings.Join(args, " "), err)
	}
	if code := cmd.ProcessState.ExitCode(); code != exit {
		r.t.Fatalf("catraca %s ended with %d, want %d:\n%s\n%s", strings.Join(args, " "), code, exit, out.String(), said.String())
	}
	return out.String(), said.String()
}

// apply puts an event on sale.
func (r *rehearsal) apply(slug, text string) {
	r.t.Helper()
	r.event = slug
	r.catraca(0, "event", "apply", "--config", r.config, r.file(slug+".yaml", text))
	e, err := r.look()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range e.Categories {
		r.capacity += c.Capacity
	}
}

// look reads the event as anybody sees it. The server may be down.
func (r *rehearsal) look() (e wire.Event, err error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.fan+"/api/v1/events/"+r.event, nil)
	if err != nil {
		return e, err
	}
	req.Header.Set("Authorization", "Bearer "+r.owner)
	res, err := r.client.Do(req)
	if err != nil {
		return e, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return e, fmt.Errorf("the event was answered with %d", res.StatusCode)
	}
	return e, json.NewDecoder(res.Body).Decode(&e)
}

// steer tells the sale something as its operator.
func (r *rehearsal) steer(what string, in any) {
	r.t.Helper()
	if code := apiCall(r.t, http.MethodPost, r.fan+"/api/v1/admin/events/"+r.event+"/"+what, r.owner, in, nil); code != http.StatusOK {
		r.t.Fatalf("%s was answered with %d", what, code)
	}
}

// crowd are fans living their stories.
type crowd struct {
	fans     []bench.Fan
	stories  []bench.Story
	outcomes []bench.Outcome
	errs     []error
	ended    chan struct{}
	goHome   context.CancelFunc // whatever the fans are doing
}

// crowd makes n virtual fans, who come within a time and live their stories.
func (r *rehearsal) crowd(n int, within time.Duration, story func(i int, random *rand.Rand) bench.Story, random *rand.Rand) *crowd {
	r.t.Helper()
	var minted struct {
		Fans []struct {
			Account string `json:"account"`
			Token   string `json:"token"`
		} `json:"fans"`
	}
	in := map[string]any{"count": n}
	if code := apiCall(r.t, http.MethodPost, r.fan+"/api/v1/admin/events/"+r.event+"/rehearsal-fans", r.owner, in, &minted); code != http.StatusCreated || len(minted.Fans) != n {
		r.t.Fatalf("the call for fans was answered with %d and %d of them", code, len(minted.Fans))
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	c := &crowd{goHome: cancel, outcomes: make([]bench.Outcome, n), errs: make([]error, n), ended: make(chan struct{})}
	client, sockets := bench.NewClient(128), bench.NewSockets()
	r.t.Cleanup(client.CloseIdleConnections)
	payer := bench.SandboxPayer(client)
	for i, f := range minted.Fans {
		c.fans = append(c.fans, bench.Fan{
			Base: r.fan, Event: r.event, Token: f.Token, Client: client, Sockets: sockets, Payer: payer,
			Journal: bench.NewJournal(f.Account), Comeback: 2 * time.Second,
		})
		c.stories = append(c.stories, story(i, random))
	}
	var all sync.WaitGroup
	for i := range c.fans {
		late := time.Duration(random.Int64N(int64(within) + 1))
		all.Go(func() {
			select {
			case <-ctx.Done():
			case <-time.After(late):
				c.outcomes[i], c.errs[i] = c.fans[i].Run(ctx, c.stories[i])
			}
		})
	}
	go func() { all.Wait(); close(c.ended) }()
	r.t.Cleanup(func() { cancel(); <-c.ended })
	return c
}

// journals as they stand.
func (c *crowd) journals() []*bench.Journal {
	out := make([]*bench.Journal, len(c.fans))
	for i := range c.fans {
		out[i] = c.fans[i].Journal.Copy()
	}
	return out
}

// count says how the stories have ended.
type count struct{ bought, tickets, soldOut, left, closed, unpaid, failed int }

func (c *crowd) count() (n count) {
	for i, o := range c.outcomes {
		switch {
		case c.errs[i] != nil:
			n.failed++
		case len(o.Tickets) > 0:
			n.bought++
			n.tickets += len(o.Tickets)
		case o.SoldOut:
			n.soldOut++
		case o.Left:
			n.left++
		case o.Closed:
			n.closed++
		default:
			n.unpaid++
		}
	}
	return n
}

// fail tells of the fans whose story broke.
func (c *crowd) fail(t *testing.T) {
	t.Helper()
	told := 0
	for i, err := range c.errs {
		if err == nil {
			continue
		}
		if told++; told <= 5 {
			t.Errorf("fan %s (%+v): %v", c.fans[i].Journal.Account(), c.stories[i], err)
		}
	}
	if told > 5 {
		t.Errorf("and %d fans more", told-5)
	}
}

// closeWhenSoldOut looks once, and closes the sale when every place is sold: then those who still wait are told.
func (r *rehearsal) closeWhenSoldOut() bool {
	r.t.Helper()
	e, err := r.look()
	if err != nil || e.Phase == "closed" {
		return err == nil
	}
	sold := uint32(0)
	for _, c := range e.Categories {
		sold += c.Sold
	}
	if sold < r.capacity {
		return false
	}
	r.steer("close", map[string]any{})
	return true
}

// settled waits until the books, the provider's and the fans' agree, and returns the books. What goes on after the
// last fan has left is bounded: the outbox and the reconciler have to come to an end by themselves.
func (r *rehearsal) settled(within time.Duration, journals []*bench.Journal) (wire.Ledger, bench.Provider) {
	r.t.Helper()
	until := time.Now().Add(within)
	for {
		books, provider, err := r.audit(journals)
		if err == nil {
			return books, provider
		}
		if time.Now().After(until) {
			r.t.Fatalf("the sale has not settled within %v: %v\nthe server said:\n%s", within, err, tail(r.server))
		}
		time.Sleep(250 * time.Millisecond)
	}
}

func (r *rehearsal) audit(journals []*bench.Journal) (books wire.Ledger, provider bench.Provider, err error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	if books, err = bench.FetchLedger(ctx, r.client, r.fan, r.event, r.owner); err != nil {
		return books, provider, err
	}
	if provider, err = bench.FetchProvider(ctx, r.client, r.payments, r.key); err != nil {
		return books, provider, err
	}
	for _, row := range books.Rows {
		if row.State == "fulfilled" && !row.Mailed {
			return books, provider, fmt.Errorf("order %s is not mailed yet", row.Order)
		}
		if row.Attention {
			err = errors.Join(err, fmt.Errorf("order %s wants attention: %s", row.Order, row.Reason))
		}
	}
	return books, provider, errors.Join(err, bench.AuditLedger(journals, books), bench.AuditMoney(books, provider))
}

// standing is how the sale stands, for a test that has to give up.
func (r *rehearsal) standing() string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), 10*time.Second)
	defer cancel()
	books, err := bench.FetchLedger(ctx, r.client, r.fan, r.event, r.owner)
	if err != nil {
		return fmt.Sprintf("%v; the server said:\n%s", err, tail(r.server))
	}
	var open []string
	for _, row := range books.Rows {
		if row.State != "fulfilled" && len(open) < 10 {
			open = append(open, fmt.Sprintf("%+v", row))
		}
	}
	return fmt.Sprintf("%s, places %+v, orders %v, queue %+v, tickets %+v, odd %+v, defects %q; open orders:\n%s\nthe server said:\n%s",
		books.Phase, books.Places, books.Orders, books.Queue, books.Tickets, books.Odd, books.Defects, strings.Join(open, "\n"), tail(r.server))
}

// letters counts what the mailbox got by Message-ID.
func (r *rehearsal) letters() map[string]int {
	r.t.Helper()
	var list struct {
		Items []struct {
			MessageID string `json:"message_id"`
			Defect    string `json:"defect"`
		} `json:"items"`
	}
	if code := apiCall(r.t, http.MethodGet, r.mailbox+"/api/messages", "", nil, &list); code != http.StatusOK {
		r.t.Fatalf("the mailbox answered %d", code)
	}
	out := make(map[string]int)
	for _, m := range list.Items {
		if m.Defect != "" {
			r.t.Errorf("letter %s: %s", m.MessageID, m.Defect)
		}
		order, _, _ := strings.Cut(strings.Trim(m.MessageID, "<>"), "@")
		out[order]++
	}
	return out
}
