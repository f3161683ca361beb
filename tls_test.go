package catraca

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestNodeSpeaksTLS runs a node with a certificate of its own and nothing in front: pages, API and the live socket
// come over TLS 1.3 and not otherwise.
func TestNodeSpeaksTLS(t *testing.T) {
	papers := newPapers(t)
	dir, port := t.TempDir(), unusedPort(t)
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		write(t, path, text+"\n")
		return path
	}
	config := file("catraca.yaml", fmt.Sprintf(`
node: {id: n1, data: %q}
fan: {listen: "127.0.0.1:%s", cert_file: %q, key_file: %q, public_url: "https://localhost:%s"}
operator: {listen: "127.0.0.1:%s"}
cluster: {listen: "127.0.0.1:%s", shards: 2}
payment: {api_url: "http://127.0.0.1:9", hosted_page: "http://127.0.0.1:9/{payment_intent}?s={client_secret}", secret_key_file: %q, webhook_secret_file: %q}
mail: {host: 127.0.0.1, port: 9, tls: none, from: "Catraca <ingressos@catraca.example>"}
`, filepath.Join(dir, "data"), port, papers.cert, papers.key, port, unusedPort(t), unusedPort(t),
		file("payment.key", "sk_test_catraca_0000000000000000"), file("webhook.secret", "whsec_catraca_0000000000000000")))
	launch(t, "serve", "--config", config).await(t, time.Minute, `serving`)
	node := &front{plan: &plan{port: port, papers: papers}}
	client := papers.client("127.0.0.1")

	node.checkTLS(t, client, "/livez")
	node.checkClear(t)
	node.checkPage(t, client)
	token := node.checkCookie(t, client)
	node.checkLive(t, config, token)
}

// checkTLS asks over TLS 1.2, which is refused, and over TLS 1.3.
func (f *front) checkTLS(t *testing.T, client *http.Client, path string) {
	t.Helper()
	old := &tls.Config{RootCAs: f.papers.pool, ServerName: "localhost", MaxVersion: tls.VersionTLS12}
	if c, err := tls.Dial("tcp", "127.0.0.1:"+f.port, old); err == nil {
		_ = c.Close()
		t.Error("TLS 1.2 was accepted")
	}
	res, err := client.Get(f.url() + path)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || res.TLS == nil || res.TLS.Version != tls.VersionTLS13 {
		t.Errorf("%s answered %d over %+v, want 200 over TLS 1.3", path, res.StatusCode, res.TLS)
	}
}

// checkClear asks the TLS port in clear.
func (f *front) checkClear(t *testing.T) {
	t.Helper()
	res, err := f.papers.client("127.0.0.1").Get("http://localhost:" + f.port + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP on the TLS port answered %d, want 400", res.StatusCode)
	}
}

func (f *front) checkPage(t *testing.T, client *http.Client) {
	t.Helper()
	res, err := client.Get(f.url() + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Strict-Transport-Security"), "max-age=") ||
		!strings.Contains(res.Header.Get("Content-Security-Policy"), "wss://localhost:"+f.port) {
		t.Errorf("the page answered %d with %v; want HSTS and a policy that allows wss to this host", res.StatusCode, res.Header)
	}
}

// checkCookie signs up: the session's cookie is bound to this host and to TLS. It returns the session's token.
func (f *front) checkCookie(t *testing.T, client *http.Client) string {
	t.Helper()
	res, err := client.Post(f.url()+"/api/v1/accounts", "application/json",
		strings.NewReader(`{"email":"ana@exemplo.com.br","name":"Ana","password":"uma senha bem comprida 7"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	for _, c := range res.Cookies() {
		if c.Name == "__Host-catraca" && c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "" && c.SameSite == http.SameSiteLaxMode {
			return c.Value
		}
	}
	t.Fatalf("sign-up answered %d with cookies %v, want __Host-catraca; Secure; HttpOnly; SameSite=Lax", res.StatusCode, res.Cookies())
	return ""
}

// checkLive puts an event on sale and hears of it over wss, as a browser would: with the cookie and an Origin.
func (f *front) checkLive(t *testing.T, config, token string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, binary(t), "event", "apply", "--config", config, "cmd/catraca/demo/aurora.yaml").CombinedOutput(); err != nil {
		t.Fatalf("event apply: %v\n%s", err, out)
	}
	dialer := websocket.Dialer{
		TLSClientConfig: &tls.Config{RootCAs: f.papers.pool}, Subprotocols: []string{"catraca.v1.json"}, HandshakeTimeout: 10 * time.Second,
	}
	c, res, err := dialer.DialContext(ctx, "wss://localhost:"+f.port+"/api/v1/events/aurora/live", http.Header{
		"Origin": {f.url()}, "Cookie": {"__Host-catraca=" + token},
	})
	if err != nil {
		body := ""
		if res != nil {
			b, _ := io.ReadAll(res.Body)
			body = string(b)
		}
		t.Fatalf("wss: %v %s", err, body)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		_, b, err := c.ReadMessage()
		if err != nil {
			t.Fatalf("no tick over wss: %v", err)
		}
		var frame struct{ T, Phase string }
		if err := json.Unmarshal(b, &frame); err != nil {
			t.Fatal(err)
		}
		if frame.T == "tick" {
			return
		}
	}
}

// TestNoClearTextBeyondThisMachine holds every listener to it: where others can come, a certificate is needed.
func TestNoClearTextBeyondThisMachine(t *testing.T) {
	for _, c := range []struct {
		name, config string
		args         []string
		want         []string
	}{
		{name: "fans", config: `fan: {listen: "0.0.0.0:0", public_url: "https://tickets.example.com"}`, want: []string{"fan.listen", "fan.cert_file"}},
		{name: "every address", config: `fan: {listen: ":0", public_url: "https://tickets.example.com"}`, want: []string{"fan.listen", "fan.cert_file"}},
		{name: "operators", config: `operator: {listen: "0.0.0.0:0"}`, want: []string{"operator.listen", "operator.cert_file"}},
		{name: "a key without its certificate", config: `fan: {listen: "127.0.0.1:0", key_file: fan.key}`, want: []string{"fan.cert_file"}},
		{name: "a public address in clear", config: `fan: {listen: "127.0.0.1:0", public_url: "http://tickets.example.com"}`, want: []string{"fan.public_url", "https"}},
		{name: "balancer", args: []string{"balance", "--listen", "0.0.0.0:0", "--backend", "http://127.0.0.1:9"}, want: []string{"0.0.0.0:0", "cert"}},
		{name: "balancer's metrics", args: []string{"balance", "--listen", "127.0.0.1:0", "--operator", "0.0.0.0:0", "--backend", "http://127.0.0.1:9"}, want: []string{"0.0.0.0:0", "cert"}},
		{name: "demonstration", args: []string{"demo", "--listen", "0.0.0.0:0", "--fans", "0"}, want: []string{"0.0.0.0:0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := c.args
			if args == nil {
				file := filepath.Join(t.TempDir(), "catraca.yaml")
				write(t, file, c.config+"\nnode: {data: "+t.TempDir()+"}\n")
				args = []string{"serve", "--config", file}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			out, err := exec.CommandContext(ctx, binary(t), args...).CombinedOutput()
			var ended *exec.ExitError
			if !errors.As(err, &ended) || ended.ExitCode() <= 0 {
				t.Fatalf("catraca %s: %v, want it to refuse\n%s", strings.Join(args, " "), err, out)
			}
			for _, w := range c.want {
				if !strings.Contains(string(out), w) {
					t.Errorf("the refusal does not name %q:\n%s", w, out)
				}
			}
		})
	}
}
