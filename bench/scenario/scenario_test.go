package scenario_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catraca/catraca/bench/scenario"
	"github.com/catraca/catraca/config/strict"
)

func TestNamedScenarios(t *testing.T) {
	names := scenario.Names()
	for _, want := range []string{
		"spike", "ramp", "steady", "soak", "on-sale", "whole-sale", "same-seats", "best-available", "abandon", "reconnect-storm",
		"slow-phone", "bots", "login-storm", "payment-slow", "payment-down", "late-webhooks", "kill-leader", "drain",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("no scenario is called %s", want)
		}
	}
	for _, name := range names {
		s, ok := scenario.Named(name)
		if !ok || s.Name != name || s.Description == "" {
			t.Errorf("%s: %v %q %q", name, ok, s.Name, s.Description)
		}
		if err := s.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// What is shown of a scenario is the scenario, as a file and in a run.
		b, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := scenario.Parse(name+".yaml", b)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, b)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Errorf("%s as a file:\n%s", name, diff)
		}
		j, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		var back scenario.Scenario
		if err := json.Unmarshal(j, &back); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, j)
		}
		if diff := cmp.Diff(s, back); diff != "" {
			t.Errorf("%s in a run:\n%s", name, diff)
		}
	}
	if _, ok := scenario.Named("spikes"); ok {
		t.Error("there is a scenario that nobody has named")
	}
}

func TestWholeSaleIsTheOneThatResultsAreComparedBy(t *testing.T) {
	s, _ := scenario.Named("whole-sale")
	if s.Fans != 50_000 || s.Event.Plan != "racetrack" || len(s.Arrival) != 1 || s.Arrival[0].Shape != "spike" || s.Arrival[0].Over != 30*time.Second {
		t.Errorf("it is %+v", s)
	}
}

const mine = `name: mine
fans: 20
duration: 30s
arrival:
  - {shape: poisson, over: 10s}
mix:
  - {story: buy, at_most: 2}
`

func TestFileKeepsDefaults(t *testing.T) {
	s, err := scenario.Parse("mine.yaml", []byte(mine))
	if err != nil {
		t.Fatal(err)
	}
	want := scenario.Default()
	want.Name, want.Fans, want.Duration = "mine", 20, 30*time.Second
	want.Arrival = []scenario.Arrival{{Shape: "poisson", Over: 10 * time.Second}}
	want.Mix = []scenario.Story{{Story: "buy", AtMost: 2}}
	want.Payment.PixAfter = time.Second
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
}

func TestWrongFilesAreNamedByLineAndColumn(t *testing.T) {
	tests := []struct{ name, from, to, want string }{
		{"unknown key", "fans: 20", "fan: 20", `mine.yaml:2:1: unknown key "fan", did you mean "fans"?`},
		{"wrong kind", "fans: 20", "fans: many", "mine.yaml:2:7: "},
		{"too many fans", "fans: 20", "fans: 2000000", "mine.yaml:2:7: fans: 2000000 does not fit here"},
		{"nobody", "fans: 20", "fans: 0", "mine.yaml:2:7: fans: 0 does not fit here"},
		{"no name", "name: mine", "nodes: 1", "name: 1 to 40"},
		{"two nodes", "name: mine", "name: mine\nnodes: 2", "mine.yaml:2:8: nodes: 2 does not fit here, allowed are 1 and 3"},
		{"shape", "poisson", "wave", `mine.yaml:5:13: arrival[0].shape: "wave" is not known, allowed are spike`},
		{"story", "buy", "steal", `mine.yaml:7:13: mix[0].story: "steal" is not known, allowed are buy`},
		{"too late", "over: 10s", "over: 31s", "arrival[0].over: 31s does not fit here"},
		{"twice too late", "- {shape: poisson, over: 10s}", "- {shape: poisson, over: 20s}\n  - {shape: spike, over: 20s}", "arrival: everybody has come after 40s, and the run ends after 30s"},
		{"counts without a curve", "over: 10s", "over: 10s, counts: [1]", "arrival[0].counts: only a curve has counts"},
		{"curve without counts", "poisson, over: 10s", "curve", "arrival[0].counts: 1 to 3600 counts are needed"},
		{"curve of nobody", "poisson, over: 10s", "curve, counts: [0, 0]", "arrival[0].counts: somebody has to come"},
		{"fewer than nobody", "poisson, over: 10s", "curve, counts: [-1, 5]", "arrival[0].counts[0]: -1 does not fit here"},
		{"network", "fans: 20", "fans: 20\nclasses: [{network: dsl}]", "mine.yaml:3:21: classes[0].network: parse class: no class is called"},
		{"threshold", "fans: 20", "fans: 20\nthresholds: ['hold.p99']", "mine.yaml:3:14: thresholds[0]: parse threshold"},
		{"fault", "fans: 20", "fans: 20\nfaults: [{at: 5s, kind: quake}]", `faults[0].kind: "quake" is not known, allowed are kill`},
		{"fault after the end", "fans: 20", "fans: 20\nfaults: [{at: 5m, kind: kill}]", "faults[0].at: 5m0s does not fit here"},
		{"drain of one", "fans: 20", "fans: 20\nfaults: [{at: 5s, kind: drain}]", "faults[0].kind: a node alone cannot be drained"},
		{"plan", "fans: 20", "fans: 20\nevent: {plan: arena}", `event.plan: "arena" is not known, allowed are racetrack, stadium, club`},
		{"more than one may hold", "at_most: 2", "at_most: 9", "mix[0].at_most: 9 does not fit here, allowed are 0 to 4"},
		{"passwords", "fans: 20", "fans: 6000\nsign_in: true", "fans: 6000 passwords take too long"},
		{"failing", "fans: 20", "fans: 20\npayment: {failing: 101}", "payment.failing: 101 does not fit here"},
		{"two documents", "name: mine", "name: mine\n---\nname: yours", "a second document"},
		{"no YAML", "name: mine", "name: [", "mine.yaml:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(mine, tt.from, tt.to, 1)
			if text == mine {
				t.Fatal("the test changes nothing")
			}
			_, err := scenario.Parse("mine.yaml", []byte(text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%v\nwant %s\nin\n%s", err, tt.want, text)
			}
			var one *strict.Error
			var all strict.Errors
			if !errors.As(err, &one) && !errors.As(err, &all) {
				t.Errorf("the error is a %T", err)
			}
		})
	}
}

func TestStretch(t *testing.T) {
	s, _ := scenario.Named("kill-leader")
	long := s.Stretch(2 * s.Duration)
	if long.Duration != 2*s.Duration || long.Arrival[0].Over != 2*s.Arrival[0].Over || long.Faults[0].At != 2*s.Faults[0].At || long.Faults[0].For != 2*s.Faults[0].For {
		t.Errorf("twice as long it is %+v", long)
	}
	if again, _ := scenario.Named("kill-leader"); cmp.Diff(again, s) != "" {
		t.Error("the shorter one was changed")
	}
	if err := long.Check(); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(mine))
	for _, name := range scenario.Names() {
		s, _ := scenario.Named(name)
		b, err := s.YAML()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("name: x\nmix: [{story: buy}]\narrival: [{shape: curve, counts: [1, 99999999999]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := scenario.Parse("f.yaml", data)
		if err != nil {
			return
		}
		b, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := scenario.Parse("f.yaml", b)
		if err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, b)
		}
		c, err := again.YAML()
		if err != nil || string(b) != string(c) {
			t.Fatalf("read and written again it is\n%s\nand was\n%s (%v)", c, b, err)
		}
	})
}
