package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/bench/scenario"
)

func TestSetRefuses(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"set", "spike"}, "1 arguments, want set"},
		{[]string{"set", "--only", "soak"}, `--only "soak": the set has no such scenario`},
		{[]string{"set", "--fans", "-1"}, "--fans -1: one or more"},
		{[]string{"set", "--fans", "9", "--results", t.TempDir()}, "nothing to keep"},
		{[]string{"set", "--binary", "/nowhere/catraca", "--out", t.TempDir()}, "--binary: "},
		{[]string{"set", "--only", "spike", "--out", "/dev/null/x"}, "make --out: "},
	} {
		got := do(t.Context(), tt.args...)
		if got.code != record.ExitConfig || !strings.Contains(got.stderr, tt.want) || got.stdout != "" {
			t.Errorf("%q: exit %d, want %q:\n%s%s", tt.args, got.code, tt.want, got.stdout, got.stderr)
		}
	}
}

// The set is fixed: what it has, whose seed, and that it takes about ten minutes.
func TestCanonicalSet(t *testing.T) {
	o := setOptions{}
	var err error
	if o.list, err = o.choose(); err != nil || len(o.list) < 10 {
		t.Fatalf("%d scenarios, %v", len(o.list), err)
	}
	for i, s := range o.list {
		if err := s.Check(); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		named, ok := scenario.Named(s.Name)
		if a, b := yamlOf(t, s), yamlOf(t, named); !ok || a != b {
			t.Errorf("%s is not what `run %s` does", s.Name, s.Name)
		}
		for _, other := range o.list[:i] {
			if other.Name == s.Name {
				t.Errorf("%s is run twice", s.Name)
			}
		}
	}
	if all := o.takes(); all < 8*time.Minute || all > 12*time.Minute {
		t.Errorf("it takes %v", all)
	}
	few := setOptions{only: []string{"spike"}, fans: 7}
	if list, err := few.choose(); err != nil || len(list) != 1 || list[0].Fans != 7 || list[0].Name != "spike" {
		t.Errorf("%+v, %v", list, err)
	}
}

func yamlOf(t *testing.T, s scenario.Scenario) string {
	t.Helper()
	b, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestGraver(t *testing.T) {
	for _, tt := range [][3]int{{0, 0, 0}, {0, 99, 99}, {99, 0, 99}, {99, 98, 98}, {98, 105, 98}, {99, 105, 105}} {
		if got := graver(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%d and %d: %d", tt[0], tt[1], got)
		}
	}
}

// The set before is the latest that was finished; what cannot be read of it is left out.
func TestSetBefore(t *testing.T) {
	out := t.TempDir()
	if lastSet(out) != "" || runOf("", "spike") != nil {
		t.Error("something was there before anything")
	}
	for _, name := range []string{"set-20261123-100000", "set-20261124-100000", "set-20261125-100000"} {
		if err := os.Mkdir(filepath.Join(out, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("set-20261123-100000/index.html", "")
	put("set-20261124-100000/index.html", "") // the third was not finished
	folder := lastSet(out)
	if filepath.Base(folder) != "set-20261124-100000" {
		t.Errorf("the set before is %q", folder)
	}
	put("set-20261124-100000/run-20261124-100000-steady-0001.json", `{"format":1,"scenario":"steady"}`)
	put("set-20261124-100000/run-20261124-100500-spike-0001.json", `{"format":99}`)
	put("set-20261124-100000/run-20261124-100700-bots-0001.json", `{"format":1,"scenario":"another"}`)
	if runOf(folder, "steady") == nil || runOf(folder, "spike") != nil || runOf(folder, "bots") != nil || runOf(folder, "drain") != nil {
		t.Error("the runs of the set before are not what is there")
	}
}

// A set of two runs a scenario after the other, leaves one page and what is to be kept, and the next one is held beside it.
func TestSetOnServersOfItsOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts servers")
	}
	s, err := scenario.Parse("tiny", []byte("name: tiny\nfans: 12\nopens_in: 200ms\nduration: 30s\narrival: [{shape: spike, over: 300ms}]\nmix: [{story: same-seats}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	other := s
	other.Name, other.Bounds = "other", []string{"hold.p99<1ns"}
	o := setOptions{binary: built(t), out: t.TempDir(), results: t.TempDir(), list: []scenario.Scenario{s, other}}
	var shown string
	for range 2 {
		var out, said lockedBuffer
		code, err := o.run(t.Context(), environment{stdout: &out, stderr: &said})
		if err != nil || code != record.ExitThreshold {
			t.Fatalf("exit %d, %v\n%s%s", code, err, out.String(), said.String())
		}
		shown = out.String()
		if lines := strings.Count(said.String(), "\n"); lines != 3 || !strings.HasPrefix(said.String(), "2 scenarios, about ") {
			t.Errorf("%d lines are said on the way:\n%s", lines, said.String())
		}
		o.list, o.results = o.list[:2], ""
	}
	for _, want := range []string{"scenario", "tiny", "other: threshold missed", "hold.p99<1ns: got ", "beside the set before", "index.html"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not said:\n%s", want, shown)
		}
	}
	page, err := os.ReadFile(filepath.Join(lastSet(o.out), "index.html"))
	if err != nil || !strings.Contains(string(page), "NOT ALL PASSED") {
		t.Errorf("the page: %v", err)
	}
}

// What `scenario show` prints, `scenario check` finds no fault in.
func TestScenarioCheck(t *testing.T) {
	for _, name := range scenario.Names() {
		shown := do(t.Context(), "scenario", "show", name)
		if shown.code != 0 {
			t.Fatalf("show %s: %s", name, shown.stderr)
		}
		got := do(t.Context(), "scenario", "check", write(t, name+".yaml", shown.stdout))
		if got.code != 0 || !strings.HasPrefix(got.stdout, name+": ") || !strings.Contains(got.stdout, " fans, ") {
			t.Errorf("check %s: exit %d\n%s%s", name, got.code, got.stdout, got.stderr)
		}
	}
}
