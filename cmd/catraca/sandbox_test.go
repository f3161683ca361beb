package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/catraca/catraca/transport/pay/sandbox"
)

// running is a command that goes on until the test stops it.
type running struct {
	out, said syncBuffer
	stop      context.CancelFunc
	ended     chan int
}

func launch(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stop: cancel, ended: make(chan int, 1)}
	env := environment{args: args, lookup: func(string) (string, bool) { return "", false }, stdin: strings.NewReader(""), stdout: &r.out, stderr: &r.said}
	go func() { r.ended <- run(ctx, env) }()
	t.Cleanup(cancel)
	return r
}

// await waits for a line of the answer, name and value, and returns the value.
func (r *running) await(t *testing.T, name string) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + name + ` +(.*)$`)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if m := line.FindStringSubmatch(r.out.String()); m != nil {
			return m[1]
		}
	}
	t.Fatalf("no %s in %q, %q", name, r.out.String(), r.said.String())
	return ""
}

func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	if code := <-r.ended; code != 0 {
		t.Fatalf("ended with %d: %s", code, r.said.String())
	}
}

// TestSandboxSurvivesRestarts makes a payment, ends the sandbox, and finds the payment and the same secrets again.
func TestSandboxSurvivesRestarts(t *testing.T) {
	dir := t.TempDir()
	args := []string{
		"sandbox", "--payments", "127.0.0.1:0", "--mail-smtp", "127.0.0.1:0", "--mail-page", "127.0.0.1:0",
		"--secret-dir", filepath.Join(dir, "secrets"), "--state", filepath.Join(dir, "state.json"), "--pix-after", "-1s",
	}
	s := launch(t, args...)
	payments, keyFile := s.await(t, "payments"), s.await(t, "secret-key-file")
	if hosted := s.await(t, "hosted-page"); hosted != payments+sandbox.HostedPath {
		t.Errorf("hosted page %s", hosted)
	}
	for _, f := range []string{keyFile, s.await(t, "webhook-secret-file")} {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
	key, err := readToken(keyFile)
	if err != nil || !strings.HasPrefix(key, "sk_test_") {
		t.Fatalf("%q, %v", key, err)
	}
	form := url.Values{"amount": {"4200"}, "currency": {"brl"}, "metadata[event]": {"1"}, "metadata[reference]": {"o1-1"}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, payments+"/v1/payment_intents", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	s.end(t)

	s = launch(t, args...)
	again, err := readToken(s.await(t, "secret-key-file"))
	if err != nil || again != key {
		t.Errorf("the key is %q after the restart, %v", again, err)
	}
	l, err := readProvider(t.Context(), s.await(t, "payments")+"/_sandbox/ledger", keyFile)
	if err != nil || len(l.Payments) != 1 || l.Payments[0].Amount != 4200 || l.Payments[0].Metadata["reference"] != "o1-1" {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := readProvider(t.Context(), s.await(t, "payments")+"/_sandbox/ledger", ""); err == nil {
		t.Error("the ledger was shown without the key")
	}
	s.end(t)
}

// TestSandboxTakesMail sends a letter and finds it on the page.
func TestSandboxTakesMail(t *testing.T) {
	s := launch(t, "sandbox", "--payments", "127.0.0.1:0", "--mail-smtp", "127.0.0.1:0", "--mail-page", "127.0.0.1:0", "--secret-dir", t.TempDir())
	m := mail.NewMsg()
	for _, err := range []error{m.From("a@example.com"), m.To("b@example.com")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	m.Subject("Ingresso na mão")
	m.SetBodyString(mail.TypeTextPlain, "Boa noite!")
	host, port, _ := strings.Cut(s.await(t, "mail-smtp"), ":")
	c, err := mail.NewClient(host, mail.WithPort(atoi(t, port)), mail.WithTLSPolicy(mail.NoTLS), mail.WithHELO("localhost"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.DialAndSendWithContext(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	page, err := fetchAddress(t.Context(), s.await(t, "mailbox"), "", 1<<20)
	if err != nil || !strings.Contains(string(page), "Ingresso na mão") {
		t.Errorf("%v\n%.500s", err, page)
	}
	s.end(t)
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n := 0
	for _, r := range s {
		n = n*10 + int(r-'0')
	}
	return n
}
