package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catraca/catraca/bench/record"
)

func TestAgentsThatMakeNoSense(t *testing.T) {
	short := write(t, "short", "short\n")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"agent", "--listen", "0.0.0.0:0"}, "a secret of at least 16 bytes is needed"},
		{[]string{"agent", "--listen", "0.0.0.0:0", "--secret-file", short}, "a secret of at least 16 bytes is needed"},
		{[]string{"agent", "--listen", "7300"}, "missing port"},
		{[]string{"agent", "--secret-file", "/nowhere"}, "read --secret-file"},
	} {
		if got := do(t.Context(), tt.args...); got.code != record.ExitConfig || !strings.Contains(got.stderr, tt.want) {
			t.Errorf("%q: exit %d, want %q:\n%s", tt.args, got.code, tt.want, got.stderr)
		}
	}
	for _, tt := range []struct{ list, base, want string }{
		{"127.0.0.1:7300,127.0.0.1:7301", "http://127.0.0.1:1", ""},
		{"10.0.0.1:7300", "https://shop.example.com", ""},
		{"10.0.0.1:7300", "http://127.0.0.1:1", "is not this machine and cannot reach"},
		{"10.0.0.1", "https://shop.example.com", "host:port of each agent"},
		{strings.Repeat("127.0.0.1:1,", 64) + "127.0.0.1:1", "http://127.0.0.1:1", "at most 64"},
	} {
		_, err := agentAddresses(tt.list, tt.base)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%.40q: %v, want %s", tt.list, err, tt.want)
		}
	}
}

// Forty fans of two agents come to a real server.
func TestRunWithAgents(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a server and agents")
	}
	dir := t.TempDir()
	bench := filepath.Join(dir, "catraca-bench")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bench, ".").CombinedOutput(); err != nil {
		t.Skipf("catraca-bench cannot be built: %v\n%s", err, out)
	}
	file := write(t, "forty.yaml", "name: forty\nfans: 40\nopens_in: 500ms\nduration: 1m\narrival: [{shape: spike, over: 1s}]\n"+
		"mix: [{story: buy, at_least: 1, at_most: 2}]\nthresholds: [hold.failed==0, oversell==0, outcome.failed==0]\n")
	cmd := exec.CommandContext(t.Context(), bench, "run", file, "--binary", built(t), "--out", dir, "--seed", "5", "--agents", "2")
	cmd.Env = os.Environ()
	said, err := cmd.CombinedOutput()
	runs, _ := filepath.Glob(filepath.Join(dir, "run-*.json"))
	if len(runs) != 1 {
		t.Fatalf("%v, files %v:\n%s", err, runs, said)
	}
	run, err := openRun(runs[0])
	if err != nil {
		t.Fatal(err)
	}
	if !run.Audit.Ran || len(run.Verdict.Broken) != 0 || run.Outcomes["bought"] != 40 || run.Starts.Started != 40 {
		t.Errorf("the stories ended as %v, broken %v, starts %+v\n%s", run.Outcomes, run.Verdict.Broken, run.Starts, said)
	}
	for _, a := range run.Agents {
		if a.Fans != 20 || a.Starts.Started != 20 || a.Unsure <= 0 || a.Unsure > 1 {
			t.Errorf("%+v", a)
		}
	}
	if len(run.Agents) != 2 || run.Environment.Agents != 2 {
		t.Errorf("the agents are %+v", run.Agents)
	}
}
