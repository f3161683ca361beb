package catraca

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The three balancers, each started as operators start it. HAProxy and nginx run the files of deploy/, in which only
// the lines that are marked for the reader to fill in are filled in.

// papers are certificates made for one test: an authority, and a certificate of the names in use.
type papers struct {
	ca, cert, key string // files
	pool          *x509.CertPool
}

func newPapers(t *testing.T) *papers {
	t.Helper()
	caKey, leafKey := newKey(t), newKey(t)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of the test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		DNSNames: []string{"localhost", "nodes.catraca.internal"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caDER := sign(t, ca, ca, caKey, caKey)
	leafDER := sign(t, leaf, ca, leafKey, caKey)
	keyDER, err := x509.MarshalECPrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := &papers{ca: filepath.Join(dir, "ca.crt"), cert: filepath.Join(dir, "fan.crt"), key: filepath.Join(dir, "fan.key"), pool: x509.NewCertPool()}
	writePEM(t, p.ca, "CERTIFICATE", caDER)
	writePEM(t, p.cert, "CERTIFICATE", leafDER)
	writePEM(t, p.key, "EC PRIVATE KEY", keyDER)
	root, err := x509.ParseCertificate(caDER)
	if err != nil {
		t.Fatal(err)
	}
	p.pool.AddCert(root)
	return p
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t *testing.T, c, parent *x509.Certificate, key, by *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// client trusts the authority of the test, and comes from the given loopback address.
func (p *papers) client(from string) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
				return dialer.DialContext(ctx, "tcp4", addr)
			},
			TLSClientConfig: &tls.Config{RootCAs: p.pool}, ForceAttemptHTTP2: true, ExpectContinueTimeout: 10 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func unusedPort(t *testing.T) string {
	t.Helper()
	return strconv.Itoa(freePort(t))
}

// plan is what a balancer is to do: serve https://localhost:port, and http://localhost:plain if it can redirect, for
// the nodes, which are addresses; over TLS when they are told to.
type plan struct {
	port, plain string
	nodes       []string
	nodesTLS    bool
	papers      *papers
}

func (p *plan) url() string { return "https://localhost:" + p.port }

// front is a running balancer.
type front struct {
	*plan

	redirects bool
	asks      bool           // asks the nodes whether they are ready
	seclude   func(node int) // what the operator does to a node that is to get nothing new and still runs; may be nil
}

// fronts are the balancers that are tested.
var fronts = []struct {
	name  string
	start func(t *testing.T, p *plan) *front
}{
	{"haproxy", startHAProxy}, {"nginx", startNginx}, {"catraca balance", startBalance},
}

// fill replaces the lines of a shipped file that are the reader's to fill in; each has to be there.
func fill(t *testing.T, file string, pairs ...string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := string(b)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			t.Fatalf("%s has no %q any more: the test and deploy/README.md fill it in", file, pairs[i])
		}
		s = strings.ReplaceAll(s, pairs[i], pairs[i+1])
	}
	return s
}

// line finds the only line of a text that contains a mark.
func line(t *testing.T, text, mark string) string {
	t.Helper()
	for l := range strings.Lines(text) {
		if strings.Contains(l, mark) {
			return strings.TrimRight(l, "\n")
		}
	}
	t.Fatalf("no line with %q", mark)
	return ""
}

func startHAProxy(t *testing.T, p *plan) *front {
	t.Helper()
	path := program(t, "haproxy")
	dir := t.TempDir()
	s := fill(t, "deploy/haproxy/haproxy.cfg",
		"stats socket /run/haproxy/admin.sock", "stats socket "+filepath.Join(dir, "a.sock"),
		"    maxconn 100000  ", "    maxconn 2000  ",
		"bind :::80 v4v6", "bind 127.0.0.1:"+p.plain,
		"bind :::443 v4v6 ssl crt /etc/catraca/tls/fan.crt", "bind 127.0.0.1:"+p.port+" ssl crt "+p.papers.cert,
		"https://tickets.example.com", p.url(),
		"-m str tickets.example.com", "-m str localhost",
	)
	model := line(t, s, "server n1 127.0.0.1:8080")
	address := "127.0.0.1:8080"
	if p.nodesTLS {
		model, address = strings.Replace(line(t, s, "#server n1 10.0.0.11:8443"), "#", "", 1), "10.0.0.11:8443"
		model = strings.Replace(model, "/etc/catraca/tls/ca.crt", p.papers.ca, 1)
	}
	var servers []string
	for i, n := range p.nodes {
		servers = append(servers, strings.NewReplacer("server n1 ", fmt.Sprintf("server n%d ", i+1), address, n).Replace(model))
	}
	s = strings.Replace(s, line(t, s, "server n1 127.0.0.1:8080"), strings.Join(servers, "\n"), 1)
	if os.Geteuid() != 0 { // only root can become another
		for _, l := range []string{"chroot /var/lib/haproxy", "user haproxy", "group haproxy"} {
			s = strings.Replace(s, line(t, s, l), "", 1)
		}
	}
	file := filepath.Join(dir, "haproxy.cfg")
	write(t, file, s)
	if out, err := exec.CommandContext(t.Context(), path, "-c", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("haproxy -c: %v\n%s", err, out)
	}
	f := &front{plan: p, redirects: true, asks: true}
	f.run(t, path, "-db", "-f", file)
	f.seclude = func(node int) {
		c, err := net.Dial("unix", filepath.Join(dir, "a.sock"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_, _ = fmt.Fprintf(c, "set server catraca_nodes/n%d state drain\n", node+1)
		if said, err := io.ReadAll(c); err != nil || strings.TrimSpace(string(said)) != "" {
			t.Fatalf("haproxy says %q, %v", said, err)
		}
	}
	return f
}

func startNginx(t *testing.T, p *plan) *front {
	t.Helper()
	path := program(t, "nginx")
	dir := t.TempDir()
	nodeLine := "server 127.0.0.1:8080 max_fails=1 fail_timeout=3s;"
	var servers []string
	for _, n := range p.nodes {
		servers = append(servers, strings.Replace(nodeLine, "127.0.0.1:8080", n, 1))
	}
	pairs := []string{
		"pid /run/nginx.pid", "pid " + filepath.Join(dir, "nginx.pid"),
		"/var/log/nginx/", dir + "/",
		"worker_connections 65536", "worker_connections 2000",
		"listen [::]:80 default_server ipv6only=off;", "listen 127.0.0.1:" + p.plain + " default_server;",
		"listen [::]:443 ssl http2 default_server ipv6only=off;", "listen 127.0.0.1:" + p.port + " ssl http2 default_server;",
		"listen [::]:443 ssl http2;", "listen 127.0.0.1:" + p.port + " ssl http2;",
		"https://tickets.example.com", p.url(),
		"server_name tickets.example.com", "server_name localhost",
		"/etc/catraca/tls/fan.crt", p.papers.cert, "/etc/catraca/tls/fan.key", p.papers.key,
		nodeLine, strings.Join(servers, "\n"),
	}
	if p.nodesTLS {
		pairs = append(pairs, "#proxy_ssl_", "proxy_ssl_", "/etc/catraca/tls/ca.crt", p.papers.ca, "proxy_pass http:", "proxy_pass https:")
	}
	if _, err := user.Lookup("www-data"); err != nil {
		pairs = append(pairs, "user www-data;", "user root;")
	}
	s := fill(t, "deploy/nginx/catraca.conf", pairs...)
	file := filepath.Join(dir, "nginx.conf")
	write(t, file, s)
	if out, err := exec.CommandContext(t.Context(), path, "-t", "-q", "-c", file).CombinedOutput(); err != nil {
		t.Fatalf("nginx -t: %v\n%s", err, out)
	}
	f := &front{plan: p, redirects: true}
	cmd := f.run(t, path, "-c", file, "-g", "daemon off;")
	f.seclude = func(node int) {
		was := strings.Replace(nodeLine, "127.0.0.1:8080", p.nodes[node], 1)
		s = strings.Replace(s, was, strings.TrimSuffix(was, ";")+" down;", 1)
		write(t, file, s)
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func startBalance(t *testing.T, p *plan) *front {
	t.Helper()
	args := []string{"balance", "--listen", "127.0.0.1:" + p.port, "--cert", p.papers.cert, "--key", p.papers.key}
	for _, n := range p.nodes {
		scheme := "http://"
		if p.nodesTLS {
			scheme = "https://"
		}
		args = append(args, "--backend", scheme+n)
	}
	launch(t, args...).await(t, 30*time.Second, "balancing")
	return &front{plan: p, asks: true}
}

// program finds a balancer or skips the test.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name) // not on everybody's path
	}
	if err != nil {
		t.Skipf("%s is not installed: deploy/%s was not tested (apt-get install %s)", name, name, name)
	}
	return path
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run starts a balancer, waits until it listens, and ends it with the test.
func (f *front) run(t *testing.T, path string, args ...string) *exec.Cmd {
	t.Helper()
	var said locked
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(path), said.String())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", path, err, said.String())
		default:
		}
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+f.port, time.Second)
		if err == nil {
			_ = c.Close()
			return cmd
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen on %s: %v\n%s", path, f.port, err, said.String())
		}
	}
}

// locked is a bounded buffer that a process may write while the test reads.
type locked struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf.Len() > 1<<20 {
		return 0, errors.New("more than the test keeps")
	}
	return l.buf.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
