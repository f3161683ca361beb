package catraca

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests of the whole drive the real binary as processes, over real TCP on loopback.

var (
	buildOnce sync.Once
	buildDir  string
	errBuild  error
)

func TestMain(m *testing.M) {
	code := m.Run()
	if buildDir != "" {
		_ = os.RemoveAll(buildDir)
	}
	os.Exit(code)
}

// binary builds catraca once per run of the tests.
func binary(t *testing.T) string {
	t.Helper()
	buildOnce.Do(func() {
		// Not t.TempDir: the binary serves every test of the run, and TestMain removes it.
		if buildDir, errBuild = os.MkdirTemp("", "catraca-test-"); errBuild != nil { //nolint:usetesting // see above
			return
		}
		out, err := exec.Command("go", "build", "-o", filepath.Join(buildDir, "catraca"), "./cmd/catraca").CombinedOutput()
		if err != nil {
			errBuild = fmt.Errorf("build catraca: %w\n%s", err, out)
		}
	})
	if errBuild != nil {
		t.Fatal(errBuild)
	}
	return filepath.Join(buildDir, "catraca")
}

// process is a running catraca.
type process struct {
	cmd    *exec.Cmd
	stdout io.ReadCloser
	lines  chan string // what it said on standard error, line by line

	mu   sync.Mutex
	said bytes.Buffer
	done chan struct{}
}

// launch starts a command and ends it with the test.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(binary(t), args...), lines: make(chan string, 4096), done: make(chan struct{})}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.stdout, err = p.cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			p.mu.Lock()
			if p.said.Len() < 1<<20 {
				p.said.WriteString(s.Text() + "\n")
			}
			p.mu.Unlock()
			select {
			case p.lines <- s.Text():
			default: // nobody listens any more
			}
		}
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", args[0], p.log())
		}
	})
	return p
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// stop asks the process to end, and makes it end.
func (p *process) stop() {
	select {
	case <-p.done:
		return
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(20*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_ = p.cmd.Wait()
	close(p.done)
}

// kill ends the process as a power switch would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	close(p.done)
}

// await returns the submatches of the first line that fits.
func (p *process) await(t *testing.T, within time.Duration, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	timeout := time.After(within)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("the process ended before it said %q:\n%s", pattern, p.log())
			}
			if m := re.FindStringSubmatch(line); m != nil {
				return m
			}
		case <-timeout:
			t.Fatalf("the process did not say %q within %v:\n%s", pattern, within, p.log())
		}
	}
}

// demoStage is a running demonstration.
type demoStage struct {
	*process

	url, payments, metrics, admin string
}

func startDemo(t *testing.T, args ...string) *demoStage {
	t.Helper()
	d := &demoStage{process: launch(t, append([]string{"demo", "--listen", "127.0.0.1:0"}, args...)...)}
	d.url = strings.TrimSuffix(d.await(t, time.Minute, `Fan page\s+(http://\S+)`)[1], "/e/aurora")
	d.payments = d.await(t, time.Second, `Payments\s+(http://\S+)`)[1]
	d.metrics = d.await(t, time.Second, `Metrics\s+(http://\S+)`)[1]
	d.admin = d.await(t, time.Second, `Sign in as\s+\S+ / (\S+)`)[1]
	return d
}

// apiCall does one request with a token and decodes the answer.
func apiCall(t *testing.T, method, url, token string, in, out any) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if out != nil && res.StatusCode < 300 {
		if err := json.Unmarshal(b, out); err != nil {
			t.Fatalf("%s %s: %v in %.300s", method, url, err, b)
		}
	}
	if res.StatusCode >= 500 {
		t.Logf("%s %s: %d %.300s", method, url, res.StatusCode, b)
	}
	return res.StatusCode
}

// signIn returns the token of an account.
func signIn(t *testing.T, base, email, password string) string {
	t.Helper()
	var out struct {
		Token string `json:"token"`
	}
	in := map[string]any{"email": email, "password": password, "token": true}
	if code := apiCall(t, http.MethodPost, base+"/api/v1/sessions", "", in, &out); code != http.StatusCreated {
		t.Fatalf("sign-in answered %d", code)
	}
	return out.Token
}
