package catraca

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gorilla/websocket"
)

// standIn is a node as a balancer sees it, with a conscience: it counts what reaches it. It listens with TLS, as nodes
// on other machines do.
type standIn struct {
	*httptest.Server

	name  string
	ready atomic.Bool
	asked atomic.Int64
}

func newStandIn(t *testing.T, p *papers, name string) *standIn {
	t.Helper()
	n := &standIn{name: name}
	n.ready.Store(true)
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !n.ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/break", func(_ http.ResponseWriter, r *http.Request) {
		n.asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	up := websocket.Upgrader{}
	mux.HandleFunc("/api/v1/events/aurora/live", func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil) // wants the Origin to be the Host: the balancer has to keep it
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		for {
			kind, b, err := c.ReadMessage()
			if err != nil || c.WriteMessage(kind, append([]byte(name+" "), b...)) != nil {
				return
			}
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		n.asked.Add(1)
		size, _ := io.Copy(io.Discard, r.Body)
		_ = json.NewEncoder(w).Encode(map[string]any{"name": name, "host": r.Host, "header": r.Header, "size": size})
	})
	n.Server = httptest.NewUnstartedServer(mux)
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		t.Fatal(err)
	}
	n.TLS = &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
	n.StartTLS()
	t.Cleanup(n.Close)
	return n
}

func (n *standIn) address() string { return strings.TrimPrefix(n.URL, "https://") }

// TestBalancersKeepTheRules holds each balancer to what deploy/README.md promises of it.
func TestBalancersKeepTheRules(t *testing.T) {
	papers := newPapers(t)
	t.Setenv("SSL_CERT_FILE", papers.ca) // how `catraca balance` is told of an authority of the house
	for _, f := range fronts {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			p := &plan{port: unusedPort(t), plain: unusedPort(t), papers: papers, nodesTLS: true}
			a, b := newStandIn(t, p.papers, "a"), newStandIn(t, p.papers, "b")
			p.nodes = []string{a.address(), b.address()}
			front := f.start(t, p)
			slow := front.slowClient(t)
			front.checkEdge(t)
			front.checkHeaders(t)
			front.checkSizes(t)
			front.checkOnce(t, a, b)
			front.checkDrain(t, a, b)
			front.checkDead(t, a, b)
			if err := <-slow; err != nil {
				t.Error(err)
			}
		})
	}
}

// seen is what a stand-in tells of a request.
type seen struct {
	Name, Host string
	Header     http.Header
	Size       int64
}

// ask sends a request and returns the answer, and what the stand-in told when it was one that answered.
func (f *front) ask(t *testing.T, c *http.Client, method, path string, header http.Header, body io.Reader) (*http.Response, string, seen) {
	t.Helper()
	url := path
	if strings.HasPrefix(path, "/") {
		url = f.url() + path
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	var s seen
	if res.StatusCode == http.StatusOK {
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatalf("%s %s: %v in %.300s", method, url, err, raw)
		}
	}
	return res, string(raw), s
}

// slowClient opens a connection and never ends its request; it has to be cut.
func (f *front) slowClient(t *testing.T) <-chan error {
	t.Helper()
	c, err := tls.Dial("tcp", "127.0.0.1:"+f.port, &tls.Config{RootCAs: f.papers.pool, ServerName: "localhost", MinVersion: tls.VersionTLS13})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow:"); err != nil {
		t.Fatal(err)
	}
	cut := make(chan error, 1)
	go func() {
		_ = c.SetReadDeadline(time.Now().Add(25 * time.Second))
		_, err := io.Copy(io.Discard, bufio.NewReader(c))
		if timeout, ok := err.(interface{ Timeout() bool }); ok && timeout.Timeout() {
			cut <- fmt.Errorf("a client that does not end its request was still there after 25 s")
			return
		}
		cut <- nil
	}()
	return cut
}

// checkEdge is what never reaches a node: old TLS, plain HTTP, other names, paths of operators.
func (f *front) checkEdge(t *testing.T) {
	t.Helper()
	client := f.papers.client("127.0.0.1")
	f.checkTLS(t, client, "/")
	if !f.redirects {
		return
	}
	plain := "http://localhost:" + f.plain
	res, _, _ := f.ask(t, client, http.MethodGet, plain+"/e/aurora?lang=es", nil, nil)
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || to != f.url()+"/e/aurora?lang=es" {
		t.Errorf("plain HTTP: %d to %q", res.StatusCode, to)
	}
	for what, got := range map[string]struct {
		method, path, host string
		status             int
	}{
		"a password in the clear": {http.MethodPost, plain + "/api/v1/sessions", "", http.StatusForbidden},
		"another name":            {http.MethodGet, "/", "evil.example", http.StatusMisdirectedRequest},
		"metrics":                 {http.MethodGet, "/metrics", "", http.StatusNotFound},
		"metrics, disguised":      {http.MethodGet, "//%6detrics/", "", http.StatusNotFound},
		"profiles":                {http.MethodGet, "/debug/pprof/heap", "", http.StatusNotFound},
	} {
		header := http.Header{}
		if got.host != "" {
			header.Set("Host", got.host)
		}
		if res, body, _ := f.ask(t, client, got.method, got.path, header, nil); res.StatusCode != got.status {
			t.Errorf("%s: %d %.200s, want %d", what, res.StatusCode, body, got.status)
		}
	}
}

// checkHeaders is what nodes are told of a visitor who lies about everything.
func (f *front) checkHeaders(t *testing.T) {
	t.Helper()
	_, _, got := f.ask(t, f.papers.client("127.0.0.9"), http.MethodGet, "/e/aurora", http.Header{
		"X-Forwarded-For": {"6.6.6.6"}, "X-Forwarded-Proto": {"gopher"}, "X-Real-Ip": {"6.6.6.6"}, "Forwarded": {"for=6.6.6.6"},
		"Cookie": {"__Host-catraca=abc"}, "Accept-Language": {"es"},
	}, nil)
	want := map[string]string{"X-Forwarded-For": "127.0.0.9", "X-Forwarded-Proto": "https", "Cookie": "__Host-catraca=abc", "Accept-Language": "es"}
	for k, v := range want {
		if strings.Join(got.Header[k], "|") != v {
			t.Errorf("the node was told %s: %q, want %q", k, got.Header[k], v)
		}
	}
	if got.Host != "localhost:"+f.port {
		t.Errorf("the node was told Host %q", got.Host)
	}
	if strings.Contains(fmt.Sprint(got.Header["Forwarded"], got.Header["X-Forwarded-For"]), "6.6.6.6") {
		t.Errorf("a lie reached the node: %v", got.Header)
	}
}

// checkSizes sends bodies below and above the bounds. `catraca balance` leaves them to the nodes.
func (f *front) checkSizes(t *testing.T) {
	t.Helper()
	client := f.papers.client("127.0.0.1")
	for _, c := range []struct {
		path string
		size int
		ok   bool
	}{
		{"/api/v1/accounts", 16 << 10, true}, {"/api/v1/accounts", 17 << 10, false},
		{"/e/aurora/hold", 60 << 10, true}, {"/e/aurora/hold", 70 << 10, false},
		{"/api/v1/payments/stripe/webhook", 60 << 10, true},
		{"/api/v1/admin/events", 11 << 20, true}, {"/api/v1/admin/events", 13 << 20, false},
	} {
		if !c.ok && !f.redirects {
			continue
		}
		want := http.StatusOK
		header := http.Header{}
		if !c.ok {
			want = http.StatusRequestEntityTooLarge
			header.Set("Expect", "100-continue") // so that the refusal is not lost under the rest of the body
		}
		res, body, got := f.ask(t, client, http.MethodPost, c.path, header, strings.NewReader(strings.Repeat("x", c.size)))
		if res.StatusCode != want || c.ok && got.Size != int64(c.size) {
			t.Errorf("%d bytes to %s: %d, the node read %d: %.200s", c.size, c.path, res.StatusCode, got.Size, body)
		}
	}
}

// checkOnce breaks the connection under a request that a node has read: it may not be sent to the other one.
func (f *front) checkOnce(t *testing.T, a, b *standIn) {
	t.Helper()
	before := a.asked.Load() + b.asked.Load()
	res, body, _ := f.ask(t, f.papers.client("127.0.0.1"), http.MethodPost, "/break", nil, strings.NewReader("buy"))
	if n := a.asked.Load() + b.asked.Load() - before; n != 1 || res.StatusCode < 500 {
		t.Errorf("a POST reached nodes %d times and the client got %d %s; want once and an error", n, res.StatusCode, body)
	}
	f.serving(t, a, b)
}

func (f *front) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// dial opens a live socket and says which node it is at.
func (f *front) dial(t *testing.T) (*websocket.Conn, string) {
	t.Helper()
	d := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: f.papers.pool}, HandshakeTimeout: 10 * time.Second}
	c, res, err := d.DialContext(t.Context(), "wss://localhost:"+f.port+"/api/v1/events/aurora/live", http.Header{"Origin": {f.url()}})
	if err != nil {
		t.Fatalf("open a live socket: %v (%+v)", err, res)
	}
	t.Cleanup(func() { _ = c.Close() })
	name, _, _ := strings.Cut(echo(t, c, "hello"), " ")
	return c, name
}

func echo(t *testing.T, c *websocket.Conn, text string) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
	_, b, err := c.ReadMessage()
	if err != nil {
		t.Fatalf("the live socket broke: %v", err)
	}
	return string(b)
}

// checkDrain takes node a out, by what it says of itself and by the operator's hand: new requests and sockets go to b,
// and a's socket stays.
func (f *front) checkDrain(t *testing.T, a, b *standIn) {
	t.Helper()
	sockets := map[string]*websocket.Conn{}
	for range 2 { // least connections: one each
		c, name := f.dial(t)
		sockets[name] = c
	}
	if sockets["a"] == nil || sockets["b"] == nil {
		t.Fatalf("two live sockets are at %v, want one at each node", sockets)
	}
	if f.asks {
		a.ready.Store(false)
		f.checkSecluded(t, a, sockets["a"])
		a.ready.Store(true)
		f.serving(t, a, b)
	}
	if f.seclude != nil {
		f.seclude(0)
	} else {
		a.ready.Store(false)
	}
	f.checkSecluded(t, a, sockets["a"])
}

func (f *front) checkSecluded(t *testing.T, a *standIn, socket *websocket.Conn) {
	t.Helper()
	client := f.papers.client("127.0.0.1")
	f.eventually(t, "the draining node gets nothing new", func() bool {
		client.CloseIdleConnections()
		before := a.asked.Load()
		for range 6 {
			f.ask(t, client, http.MethodGet, "/", nil, nil)
		}
		return a.asked.Load() == before
	})
	c, name := f.dial(t)
	if name == a.name {
		t.Errorf("a new live socket went to the draining node")
	}
	_ = c.Close()
	if got := echo(t, socket, "still here"); got != a.name+" still here" {
		t.Errorf("the draining node's socket said %q", got)
	}
}

// serving waits until both nodes are sent requests.
func (f *front) serving(t *testing.T, a, b *standIn) {
	t.Helper()
	client := f.papers.client("127.0.0.1")
	x, y := a.asked.Load(), b.asked.Load()
	f.eventually(t, "both nodes serve", func() bool {
		for range 4 {
			f.ask(t, client, http.MethodGet, "/", nil, nil)
		}
		return a.asked.Load() > x && b.asked.Load() > y
	})
}

// checkDead ends node b too, without notice: visitors get an answer, at once, that says so.
func (f *front) checkDead(t *testing.T, a, b *standIn) {
	t.Helper()
	a.Close()
	b.Close()
	client := f.papers.client("127.0.0.1")
	for range 3 { // those that meet the dead node, and those after
		began := time.Now()
		res, body, _ := f.ask(t, client, http.MethodGet, "/api/v1/events", http.Header{"Accept": {"application/json"}}, nil)
		var problem struct {
			Code   string
			Status int
		}
		if err := json.Unmarshal([]byte(body), &problem); err != nil || res.StatusCode != http.StatusServiceUnavailable ||
			problem.Code != "unavailable" || problem.Status != res.StatusCode || res.Header.Get("Retry-After") == "" ||
			res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("no node: %d %v %s", res.StatusCode, res.Header, body)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("no node: told after %v", took)
		}
	}
	f.eventually(t, "a person gets a page that asks again by itself", func() bool {
		res, body, _ := f.ask(t, client, http.MethodGet, "/e/aurora", http.Header{"Accept": {"text/html,*/*;q=0.8"}}, nil)
		return res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Content-Type") == "text/html; charset=utf-8" &&
			strings.Contains(body, "http-equiv=refresh") && strings.Contains(body, "está guardado")
	})
}

// TestBalancersCarryTheSale sells to a browser through each balancer, over https and wss, on one node.
func TestBalancersCarryTheSale(t *testing.T) {
	p := &plan{port: unusedPort(t), plain: unusedPort(t), papers: newPapers(t)}
	d := &demoStage{
		process: launch(t, "demo", "--listen", "127.0.0.1:0", "--public-url", p.url(), "--fans", "0", "--opens-in", "1s"),
		url:     p.url(),
	}
	d.metrics = d.await(t, time.Minute, `Metrics\s+(http://\S+)`)[1]
	d.admin = d.await(t, time.Second, `Sign in as\s+\S+ / (\S+)`)[1]
	direct := &demoStage{process: d.process, admin: d.admin, url: d.await(t, time.Second, `Node\s+(http://\S+)`)[1]}
	p.nodes = []string{strings.TrimPrefix(direct.url, "http://")}
	s := &steering{direct: direct, token: signIn(t, direct.url, "admin@catraca.example", d.admin)}
	for i, f := range fronts {
		t.Run(f.name, func(t *testing.T) {
			front := f.start(t, p)
			front.checkForged(t, fmt.Sprintf("127.0.1.%d", i+1), fmt.Sprintf("127.0.2.%d", i+1))
			front.checkSale(t, d, s, fmt.Sprintf("fan%d@exemplo.com.br", i))
		})
	}
}

// checkForged tries to sign up under a different address each time: the node has to count the real one.
func (f *front) checkForged(t *testing.T, from, other string) {
	t.Helper()
	try := func(c *http.Client, i int) int {
		body := fmt.Sprintf(`{"email":"forger%d.%s@example.com","name":"Forger","password":"short"}`, i, strings.ReplaceAll(from, ".", "-"))
		forged := fmt.Sprintf("203.0.113.%d", i)
		res, _, _ := f.ask(t, c, http.MethodPost, "/api/v1/accounts", http.Header{
			"Content-Type": {"application/json"}, "X-Forwarded-For": {forged}, "X-Real-Ip": {forged}, "Forwarded": {"for=" + forged},
		}, strings.NewReader(body))
		return res.StatusCode
	}
	client := f.papers.client(from)
	for i := range 60 { // 20 a minute from one address, and one more every 3 s
		switch code := try(client, i); {
		case code == http.StatusTooManyRequests && i >= 20:
			if code := try(f.papers.client(other), 61); code != http.StatusBadRequest {
				t.Errorf("another address got %d, want 400: the balancer does not tell the visitor's address", code)
			}
			return
		case code != http.StatusBadRequest:
			t.Fatalf("try %d answered %d, want 400", i, code)
		}
	}
	t.Error("a forged X-Forwarded-For passed for the visitor's address: 60 tries, none refused")
}

// steering is the organiser at the node's own address.
type steering struct {
	direct *demoStage
	token  string
}

func (s *steering) admin(t *testing.T, path string, in, out any) {
	t.Helper()
	if code := apiCall(t, http.MethodPost, s.direct.url+"/api/v1/admin/events/aurora/"+path, s.token, in, out); code >= 300 {
		t.Fatalf("%s answered %d", path, code)
	}
}

// ahead is how many fans stand in the queue before the browser's.
const ahead = 40

// crowd puts fans into the queue, through the balancer, and holds the sale so that they stay.
func (f *front) crowd(t *testing.T, s *steering) {
	t.Helper()
	s.admin(t, "rate", map[string]int{"per_minute": 1, "active": 1000}, nil)
	var minted struct {
		Fans []struct{ Token string }
	}
	s.admin(t, "rehearsal-fans", map[string]int{"count": ahead}, &minted)
	client := f.papers.client("127.0.0.1")
	for _, fan := range minted.Fans {
		res, body, _ := f.ask(t, client, http.MethodPost, "/api/v1/events/aurora/queue", http.Header{"Authorization": {"Bearer " + fan.Token}}, strings.NewReader("{}"))
		if res.StatusCode >= 300 {
			t.Fatalf("join answered %d %s", res.StatusCode, body)
		}
	}
}

// checkSale is the browser's way from the sign-up to the ticket.
func (f *front) checkSale(t *testing.T, d *demoStage, s *steering, email string) {
	t.Helper()
	ctx := browser(t, 1280, 900, false, chromedp.Flag("ignore-certificate-errors", true))
	signUp(t, ctx, d, "pt-BR", email)
	f.crowd(t, s)
	do(t, ctx, "join", 30*time.Second, chromedp.Navigate(d.url+"/e/aurora"),
		chromedp.Click(`form[action="/e/aurora/queue"] button.go`), chromedp.WaitVisible("#place"))
	watched := fallingPlace(t, ctx)
	f.eventually(t, "the live socket is open", func() bool { return liveSockets(t, d) == 1 })
	s.admin(t, "rate", map[string]int{"per_minute": 600}, nil)
	do(t, ctx, "turn", time.Minute, chromedp.WaitVisible("#claim"))
	if len(watched()) < 3 {
		t.Errorf("the place was seen at %v only: it should fall live", watched())
	}
	do(t, ctx, "claim", 30*time.Second, chromedp.Click("#claim"), chromedp.WaitVisible(".best button.go"))
	do(t, ctx, "best available", 30*time.Second, chromedp.Click(`input[name="quantity"][value="2"] + span`),
		chromedp.Click(".best button.go"), chromedp.WaitVisible("#pay"))
	do(t, ctx, "choose card", 30*time.Second, chromedp.Click(`#pay button[value="card"]`))
	payByCard(t, ctx, "4242424242424242")
	order, codes := tickets(t, ctx, 2)
	if at := eval[string](t, ctx, `location.origin`); at != f.url() {
		t.Errorf("the payer came back to %s, not to the balancer", at)
	}
	checkTickets(t, s.direct, codes)
	checkMail(t, s.direct, email, order)
}

// liveSockets of the node.
func liveSockets(t *testing.T, d *demoStage) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.metrics, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	n := -1
	for s := bufio.NewScanner(res.Body); s.Scan(); {
		if _, err := fmt.Sscanf(s.Text(), "catraca_ws_connections %d", &n); err == nil {
			return n
		}
	}
	t.Fatal("catraca_ws_connections is not in /metrics")
	return n
}
