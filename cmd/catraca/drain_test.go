package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWhyNotReady(t *testing.T) {
	good := standing{opened: true, serving: true, shards: true}
	with := func(change func(*standing)) standing {
		s := good
		change(&s)
		return s
	}
	for _, c := range []struct {
		s    standing
		want string
	}{
		{good, ""},
		{standing{}, "waits for the others"},
		{with(func(s *standing) { s.serving = false }), "draining"},
		{with(func(s *standing) { s.draining = true }), "draining"},
		{with(func(s *standing) { s.shards = false }), "waiting for the shards"},
		{with(func(s *standing) { s.left = true }), "has left the cluster"},
		{with(func(s *standing) { s.left, s.draining, s.shards = true, true, false }), "has left the cluster"},
		{standing{left: true}, "has left the cluster"}, // started again
	} {
		if got := c.s.why(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.s, got, c.want)
		}
	}
}

// A node that has left for good is not ready, also when its process is started once more.
func TestNodeThatLeftIsNotReady(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, filepath.Join(dir, "n1"))
	n1 := []string{"--server", "http://" + s.node.opAddr.String(), "--token-file", filepath.Join(s.dir, tokenName)}
	n2 := newSecond(t, dir)
	invited := typeIn(t, nil, append([]string{"cluster", "invite", "n2"}, n1...)...)
	if invited.code != 0 {
		t.Fatalf("%+v", invited)
	}
	joining := func(e *environment) { e.stdin = strings.NewReader(invited.stdout) }
	if got := typeIn(t, joining, "cluster", "join", "-", "--config", n2.config); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	n2.start(t)
	n2.says(t, "ok")
	if got := typeIn(t, nil, append([]string{"cluster", "leave", "n2", "--yes"}, n1...)...); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	n2.says(t, "has left the cluster")
	n2.stop(t)
	n2.start(t)
	n2.says(t, "has left the cluster")
}

// second is a node in a process of its own: two of them in one would share what gRPC has once.
type second struct {
	config, operator string
	cmd              *exec.Cmd
}

func newSecond(t *testing.T, dir string) *second {
	t.Helper()
	port := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		return l.Addr().String()
	}
	n := &second{config: filepath.Join(dir, "n2.yaml"), operator: port()}
	for _, secret := range []string{"key", "hook"} {
		if err := writeSecret(filepath.Join(dir, secret), "sk_test_0123456789abcdef"); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf(`node: {id: n2, data: %q}
fan: {listen: "127.0.0.1:0"}
operator: {listen: %q}
cluster: {listen: %q}
payment: {api_url: "http://127.0.0.1:1", secret_key_file: %q, webhook_secret_file: %q, hosted_page: "http://127.0.0.1:1/{payment_intent}/{client_secret}"}
mail: {tls: none}
`, filepath.Join(dir, "n2"), n.operator, port(), filepath.Join(dir, "key"), filepath.Join(dir, "hook"))
	if err := os.WriteFile(n.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *second) start(t *testing.T) {
	t.Helper()
	n.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), "catraca", "serve", "--config", n.config)
	n.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	var said syncBuffer
	n.cmd.Stderr = &said
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.stop(t)
		if t.Failed() {
			t.Logf("n2 said:\n%s", said.String())
		}
	})
}

// stop ends the process at once. It has been told what it must know.
func (n *second) stop(t *testing.T) {
	t.Helper()
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
	n.cmd = nil
}

// says waits until readiness is told in these words.
func (n *second) says(t *testing.T, want string) {
	t.Helper()
	said := ""
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		res, err := http.Get("http://" + n.operator + "/readyz")
		if err != nil {
			continue
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		said = string(body)
		if err == nil && strings.Contains(said, want) && (res.StatusCode == http.StatusOK) == (want == "ok") {
			return
		}
	}
	t.Fatalf("readiness is %q, want %q", said, want)
}
