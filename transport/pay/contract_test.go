package pay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pay"
)

// stripeMock checks requests against Stripe's published description of its API.
const stripeMock = "github.com/stripe/stripe-mock@v0.203.0"

// buildMock builds the mock server outside of this module, so that its dependencies stay out of ours.
func buildMock(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "install", stripeMock)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED 1 contract test with 6 requests: %s cannot be built here: %v\n%s", stripeMock, err, out)
	}
	return filepath.Join(dir, "stripe-mock")
}

// freePort asks the system for a port nobody uses.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func startMock(t *testing.T) string {
	t.Helper()
	binary := buildMock(t)
	addr := freePort(t)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "-http-addr", addr)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("mock server:\n%s", out.String())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
			return "http://" + addr
		}
		if time.Now().After(deadline) {
			t.Fatalf("the mock server does not listen: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// witness is a proxy that writes down what was asked and answered.
type witness struct {
	mu   sync.Mutex
	seen []string // method, path
	bad  []string // refused, with the reason
}

func newWitness(t *testing.T, target string) (*witness, string) {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(res *http.Response) error {
			body, err := io.ReadAll(res.Body)
			res.Body = io.NopCloser(bytes.NewReader(body))
			w.mu.Lock()
			defer w.mu.Unlock()
			line := res.Request.Method + " " + res.Request.URL.Path
			w.seen = append(w.seen, line)
			if res.StatusCode >= 400 {
				w.bad = append(w.bad, line+": "+res.Status+" "+string(body))
			}
			return err
		},
	}
	web := httptest.NewServer(proxy)
	t.Cleanup(web.Close)
	return w, web.URL
}

// Every request we make is well-formed by Stripe's own description. The mock server keeps no state, so what it
// answers says nothing about ours.
func TestRequestsAgainstStripesDescription(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED 1 contract test with 6 requests: it builds a program")
	}
	w, base := newWitness(t, startMock(t))
	p, err := pay.New(pay.Options{SecretKey: "sk_test_123", BaseURL: base, Retries: -1, HostedPage: somePage}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	ctx := t.Context()
	pix := request("k2", sale.MethodPix)
	pix.Expires = time.Now().Add(10 * time.Minute).UnixMilli()
	for name, work := range map[string]func() error{
		"card":    func() error { _, err := p.Start(ctx, request("k1", sale.MethodCard)); return err },
		"pix":     func() error { _, err := p.Start(ctx, pix); return err },
		"query":   func() error { _, err := p.Query(ctx, "pi_123"); return err },
		"capture": func() error { _, err := p.Capture(ctx, "pi_123", "c1"); return err },
		"void":    func() error { _, err := p.Void(ctx, "pi_123", "v1"); return err },
		"refund":  func() error { _, err := p.Refund(ctx, "pi_123", 500, "r1"); return err },
	} {
		if err := work(); errors.Is(err, outbox.ErrRefusedByProvider) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.bad {
		t.Errorf("refused: %s", b)
	}
	counts := map[string]int{}
	for _, s := range w.seen {
		counts[s]++
	}
	for line, n := range map[string]int{
		"POST /v1/payment_intents": 2, "GET /v1/payment_intents/pi_123": 1, "POST /v1/payment_intents/pi_123/capture": 1,
		"POST /v1/payment_intents/pi_123/cancel": 1, "GET /v1/refunds": 1, "POST /v1/refunds": 1,
	} {
		if counts[line] < n {
			t.Errorf("%s was asked %d times, want %d", line, counts[line], n)
		}
	}
}

const somePage = "https://pay.example/{payment_intent}?s={client_secret}"
