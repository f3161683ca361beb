package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/catraca/catraca/transport/wire"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBusyServerIsAskedAgain wants the same key with every try, so that the work is done once.
func TestBusyServerIsAskedAgain(t *testing.T) {
	var tries atomic.Int64
	var key atomic.Pointer[string]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := r.Header.Get("Idempotency-Key")
		if first := key.Swap(&k); k == "" || first != nil && *first != k {
			t.Errorf("key %q after %v", k, first)
		}
		if tries.Add(1) < 3 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write(wire.NewProblem(wire.Busy, "en").JSON())
			return
		}
		_, _ = fmt.Fprint(w, `{"slug":"aurora","phase":"open"}`)
	}))
	defer s.Close()
	got := typeIn(t, nil, "event", "open", "aurora", "--server", s.URL)
	if got.code != 0 || got.stdout != "aurora: open\n" || tries.Load() != 3 {
		t.Errorf("%+v after %d tries", got, tries.Load())
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"a page":       {200, "<html>", "the answer is not what was expected"},
		"another site": {404, "<html>not here", "the server answered 404 Not Found, and not as Catraca does"},
		"busy forever": {503, string(wire.NewProblem(wire.Busy, "en").JSON()), "the server refused: Very busy now; try again in a moment. (busy)"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			_, _ = fmt.Fprint(w, tt.body)
		}))
		got := typeIn(t, nil, "event", "list", "--server", s.URL)
		s.Close()
		if got.code != 1 || !strings.Contains(got.stderr, tt.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestFieldsOfARefusal(t *testing.T) {
	p := wire.NewProblem(wire.InvalidRequest, "en")
	p.Errors = []wire.FieldError{{Pointer: "/queue/claim", Detail: "too short"}, {Pointer: "/plan/zones/0", Detail: "zones[0]: no rows"}, {Detail: "odd"}}
	err := refusal(400, p.JSON())
	if got, want := detailOf(err), "the server refused: Something in the request is wrong. (invalid-request)\n  queue/claim: too short\n  zones[0]: no rows\n  odd"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func detailOf(err error) string { return err.(interface{ Detail() string }).Detail() }

// overTLS serves until the test ends; what clients refuse is not worth a line.
func overTLS(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// TestHereOverTLS reaches the operator address by the certificate that the configuration names, whatever is in it.
func TestHereOverTLS(t *testing.T) {
	s := overTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer the-token" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write(wire.NewProblem(wire.Unauthenticated, "en").JSON())
			return
		}
		_, _ = fmt.Fprint(w, `{"items":[]}`)
	}))
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	cert := write(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	data := filepath.Dir(write(t, tokenName, "the-token\n"))
	config := write(t, "catraca.yaml", fmt.Sprintf("node: {data: %q}\noperator: {listen: ':%s', cert_file: %q, key_file: k}\n", data, port, cert))
	if got := typeIn(t, nil, "event", "list", "--config", config); got.code != 0 {
		t.Errorf("%+v", got)
	}
	byEnv := func(e *environment) {
		e.lookup = func(k string) (string, bool) {
			return map[string]string{"CATRACA_CONFIG": config}[k], k == "CATRACA_CONFIG"
		}
	}
	if got := typeIn(t, byEnv, "event", "list"); got.code != 0 {
		t.Errorf("by CATRACA_CONFIG: %+v", got)
	}

	wrongCert := write(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: append([]byte{0}, s.Certificate().Raw...)})))
	config = write(t, "catraca.yaml", fmt.Sprintf("node: {data: %q}\noperator: {listen: ':%s', cert_file: %q, key_file: k}\n", data, port, wrongCert))
	if got := typeIn(t, nil, "event", "list", "--config", config); got.code != 1 || !strings.Contains(got.stderr, "another certificate than operator.cert_file") {
		t.Errorf("another certificate: %+v", got)
	}
}

func TestElsewhereByOwnAuthority(t *testing.T) {
	s := overTLS(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"items":[]}`) }))
	if got := typeIn(t, nil, "event", "list", "--server", s.URL); got.code != 1 || !strings.Contains(got.stderr, "certificate") {
		t.Errorf("an unknown authority: %+v", got)
	}
	ca := write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	if got := typeIn(t, nil, "event", "list", "--server", s.URL, "--ca-file", ca); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if got := typeIn(t, nil, "event", "list", "--server", s.URL, "--ca-file", write(t, "ca.pem", "nothing")); got.code != 1 || !strings.Contains(got.stderr, "holds no certificate") {
		t.Errorf("no certificate: %+v", got)
	}
}

func TestHouseToken(t *testing.T) {
	dir := t.TempDir()
	first, err := houseToken(dir)
	if err != nil || len(first) != 43 {
		t.Fatalf("%q, %v", first, err)
	}
	if again, err := houseToken(dir); err != nil || again != first {
		t.Errorf("the second start has %q, %v", again, err)
	}
	info, err := os.Stat(filepath.Join(dir, tokenName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	for text, want := range map[string]string{"": "holds no token", "\n": "holds no token", "two words": "holds no token"} {
		if err := os.WriteFile(filepath.Join(dir, tokenName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := houseToken(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, tokenName), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := houseToken(dir); err == nil || !strings.Contains(err.Error(), "can be read by everybody") {
		t.Errorf("a public token: %v", err)
	}
}
