package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/catraca/catraca/bench/record"
)

// said is what a command of the bench said.
type said struct {
	code           int
	stdout, stderr string
}

func do(ctx context.Context, args ...string) said {
	var out, err lockedBuffer
	code := run(ctx, environment{args: args, stdin: strings.NewReader(""), stdout: &out, stderr: &err})
	return said{code, out.String(), err.String()}
}

// lockedBuffer is written to by the progress of a run as well.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingIsRunWhenSomethingIsWrong(t *testing.T) {
	bad := write(t, "bad.yaml", "name: mine\nfan: 20\n")
	token := write(t, "token", "secret\n")
	empty := write(t, "empty", "\n")
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"run"}, "0 arguments, want run SCENARIO|FILE.yaml"},
		{[]string{"run", "spik"}, `no scenario is called "spik"; there are spike, ramp`},
		{[]string{"run", "./nowhere.yaml"}, "no such file"},
		{[]string{"run", bad}, "bad.yaml:2:1: unknown key \"fan\", did you mean \"fans\"?\n  fan: 20\n  ^"},
		{[]string{"run", "spike", "--fans", "-1"}, "fans: -1 does not fit here"},
		{[]string{"run", "spike", "--nodes", "2"}, "nodes: 2 does not fit here"},
		{[]string{"run", "spike", "--duration", "1ms"}, "--duration 1ms: a second or more"},
		{[]string{"run", "spike", "--threshold", "hold.p99"}, "parse threshold"},
		{[]string{"run", "spike", "--speed", "9"}, "unknown flag: --speed"},
		{[]string{"run", "spike", "--binary", "/nowhere/catraca"}, "--binary: "},
		{[]string{"run", "spike", "--target", "shop.example.com"}, `--target "shop.example.com", allowed is`},
		{[]string{"run", "spike", "--target", "http://127.0.0.1:1"}, "--admin-token-file is missing"},
		{[]string{"run", "spike", "--target", "http://127.0.0.1:1", "--admin-token-file", empty}, "is empty"},
		{[]string{"run", "spike", "--target", "http://127.0.0.1:1", "--admin-token-file", token, "--operator", "n1"}, `--operator "n1"`},
		{[]string{"run", "spike", "--target", "https://shop.example.com", "--admin-token-file", token}, "shop.example.com is not this machine"},
		{[]string{"run", "spike", "--target", "http://127.0.0.1.example.com", "--admin-token-file", token}, "is not this machine"},
		{[]string{"rerun", bad}, "read run"},
		{[]string{"audit", "./nowhere.json"}, "no such file"},
		{[]string{"scenario", "show", "spik"}, `no scenario is called "spik"`},
		{[]string{"scenario", "check", bad}, "bad.yaml:2:1: unknown key"},
		{[]string{"scenario", "check"}, "0 arguments, want check SCENARIO|FILE.yaml"},
	}
	for _, tt := range tests {
		args := tt.args
		if args[0] == "run" {
			args = append(args, "--out", t.TempDir())
		}
		got := do(t.Context(), args...)
		if got.code != record.ExitConfig || !strings.Contains(got.stderr, tt.want) || got.stdout != "" {
			t.Errorf("%q: exit %d, want %d and %q:\n%s%s", tt.args, got.code, record.ExitConfig, tt.want, got.stdout, got.stderr)
		}
	}
}

// A target outside this machine is left alone unless it is a rehearsal whose name was typed.
func TestSafety(t *testing.T) {
	var real bool
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.Method != http.MethodGet {
			t.Errorf("%s %s: it was more than looked at", r.Method, r.URL)
		}
		_, _ = fmt.Fprintf(w, `{"slug": "noite", "rehearsal": %t}`, !real)
	}))
	defer server.Close()
	token := write(t, "token", "secret\n")
	for _, tt := range []struct {
		name, host, event, mean string
		real                    bool
		want                    string
	}{
		{"here, our own event", "127.0.0.1", "", "", false, ""},
		{"here, a rehearsal", "127.0.0.1", "noite", "", false, ""},
		{"here, a real sale", "127.0.0.1", "noite", "noite", true, "is a real sale and no rehearsal"},
		{"elsewhere, no event", "shop.example.com", "", "", false, "is not this machine: name a rehearsal there"},
		{"elsewhere, not meant", "shop.example.com", "noite", "", false, "If you mean it, say --i-mean noite"},
		{"elsewhere, another one is meant", "shop.example.com", "noite", "dia", false, "If you mean it, say --i-mean noite"},
		{"elsewhere, meant", "shop.example.com", "noite", "noite", false, ""},
		{"elsewhere, a real sale", "shop.example.com", "noite", "noite", true, "is a real sale and no rehearsal"},
	} {
		real = tt.real
		a := &aim{target: server.URL, tokenFile: token, event: tt.event, mean: tt.mean}
		target, err := a.take(t.Context()) // this machine in any case
		if tt.host != "127.0.0.1" {
			err = a.allowed(t.Context(), target, tt.host)
		}
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	if asked == 0 {
		t.Error("the event was never looked at")
	}
	for host, want := range map[string]bool{"127.0.0.1": true, "127.8.9.1": true, "::1": true, "localhost": true, "10.0.0.1": false, "localhost.example.com": false, "": false} {
		if loopback(host) != want {
			t.Errorf("%q is this machine: %t", host, !want)
		}
	}
}

func TestScenarioCommands(t *testing.T) {
	got := do(t.Context(), "scenario", "list")
	if got.code != 0 || !strings.Contains(got.stdout, "kill-leader") || !strings.Contains(got.stdout, "whole-sale") {
		t.Errorf("exit %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	got = do(t.Context(), "scenario", "show", "spike")
	if got.code != 0 || !strings.HasPrefix(got.stdout, "name: spike\n") {
		t.Fatalf("exit %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	again := do(t.Context(), "scenario", "show", write(t, "spike.yaml", got.stdout))
	if again.code != 0 || again.stdout != got.stdout {
		t.Errorf("exit %d, shown again it is\n%s%s", again.code, again.stdout, again.stderr)
	}
}

func keep(t *testing.T, run *record.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := run.Write(&b); err != nil {
		t.Fatal(err)
	}
	return write(t, "run.json", b.String())
}

func TestAuditCommand(t *testing.T) {
	good := &record.Run{Format: record.Format, Audit: record.Audit{Ran: true, Checks: []record.Check{{Name: "no seat twice", Held: true}}, Counted: map[string]int64{"orders": 3}}}
	got := do(t.Context(), "audit", keep(t, good))
	if got.code != 0 || !strings.Contains(got.stdout, "held   no seat twice") || !strings.Contains(got.stdout, "orders       3") {
		t.Errorf("exit %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	bad := *good
	bad.Audit.Checks = []record.Check{{Name: "no seat twice"}}
	bad.Verdict.Broken = []string{"unit 5 belongs to orders o1-1 and o1-2"}
	got = do(t.Context(), "audit", keep(t, &bad))
	if got.code != record.ExitSafety || !strings.Contains(got.stdout, "BROKEN no seat twice\n  unit 5 belongs") {
		t.Errorf("exit %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := do(t.Context(), "audit", keep(t, &record.Run{Format: record.Format})); got.code != record.ExitThreshold {
		t.Errorf("a run without an audit: exit %d", got.code)
	}
}

// built builds catraca once.
func built(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "catraca")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../catraca").CombinedOutput()
	if err != nil {
		t.Skipf("catraca cannot be built: %v\n%s", err, out)
	}
	return path
}

// Forty fans come to a real server and buy, and every ticket is in the books.
func TestRunOnAServerOfOurOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a server")
	}
	out := t.TempDir()
	file := write(t, "forty.yaml", `name: forty
fans: 40
opens_in: 500ms
duration: 1m
arrival: [{shape: spike, over: 1s}]
mix:
  - {story: buy, weight: 3, at_least: 1, at_most: 2, linger: 100ms}
  - {story: buy, weight: 2, at_least: 1, at_most: 3, linger: 100ms, choose: map}
  - {story: same-seats, weight: 3, at_least: 1, at_most: 2, linger: 100ms}
  - {story: bank, choose: map, pages: true}
  - {story: pix, at_least: 1, at_most: 2}
  - {story: give-up}
payment: {pix_after: 100ms}
thresholds: [hold.failed==0, oversell==0, outcome.failed==0]
`)
	got := do(t.Context(), "run", file, "--binary", built(t), "--out", out, "--seed", "5")
	runs, err := filepath.Glob(filepath.Join(out, "run-*.json"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("exit %d, files %v, %v:\n%s%s", got.code, runs, err, got.stdout, got.stderr)
	}
	run, err := openRun(runs[0])
	if err != nil {
		t.Fatal(err)
	}
	// On a machine that does much else, fans may come late: then the run is invalid, and still whole.
	if got.code != record.ExitPassed && (got.code != record.ExitThreshold || len(run.Verdict.Invalid) == 0) {
		t.Errorf("exit %d: %+v\n%s%s", got.code, run.Verdict, got.stdout, got.stderr)
	}
	if !run.Audit.Ran || len(run.Verdict.Broken) != 0 || run.Outcomes["bought"] == 0 || run.Outcomes["bought"]+run.Outcomes["left"] != 40 {
		t.Errorf("the stories ended as %v, the audit is %+v", run.Outcomes, run.Audit)
	}
	if run.Audit.Counted["tickets"] < run.Outcomes["bought"] || run.Audit.Counted["captured"] == 0 {
		t.Errorf("the books hold %v", run.Audit.Counted)
	}
	chosen := false
	for _, o := range run.Operations {
		chosen = chosen || o.Name == "map" && o.Count >= 40*9/10
	}
	if !chosen {
		t.Errorf("fans bought without looking at the map: %+v", run.Operations)
	}
	names := make(map[string]bool)
	for _, s := range run.Server {
		names[s.Node+" "+s.Name] = true
	}
	if !names["n1 sold"] || !names["n1 CPU"] || !names["bench CPU"] {
		t.Errorf("the series are %v", names)
	}
	if page, err := os.ReadFile(strings.TrimSuffix(runs[0], ".json") + ".html"); err != nil || !bytes.Contains(page, []byte("<html")) {
		t.Errorf("the report: %v, %d bytes", err, len(page))
	}
	if got := do(t.Context(), "audit", runs[0]); got.code != 0 {
		t.Errorf("audit: exit %d:\n%s", got.code, got.stdout)
	}
}
