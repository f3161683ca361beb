package drive

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/bench/drive/drivetest"
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/bench/scenario"
	"github.com/catraca/catraca/config/eventfile"
)

// small is a scenario for a stub.
func small(stories ...scenario.Story) scenario.Scenario {
	s := scenario.Default()
	s.Name, s.Fans, s.OpensIn, s.Duration, s.Mix = "small", 60, 0, 20*time.Second, stories
	s.Arrival = []scenario.Arrival{{Shape: "spike", Over: 300 * time.Millisecond}}
	s.Bounds = []string{"join.failed==0", "oversell==0"}
	return s
}

func runOn(t *testing.T, s *drivetest.Stub, sc scenario.Scenario) *record.Run {
	t.Helper()
	run, err := Run(t.Context(), Options{Target: Target{Base: s.URL, Token: "admin", Operators: map[string]string{"n1": s.URL}}, Scenario: sc, Seed: 7, Settle: time.Millisecond, Say: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func operation(run *record.Run, name string) record.Operation {
	for _, o := range run.Operations {
		if o.Name == name && o.Class == "" {
			return o
		}
	}
	return record.Operation{}
}

func TestRunOfASoldOutSale(t *testing.T) {
	s := drivetest.New(t)
	s.SoldOut = true
	run := runOn(t, s, small(scenario.Story{Story: "buy"}))
	if run.ExitCode() != record.ExitPassed && len(run.Verdict.Invalid) == 0 {
		t.Errorf("the verdict is %+v", run.Verdict)
	}
	if run.Outcomes["sold_out"] != 60 || len(run.Outcomes) != 1 {
		t.Errorf("the stories ended as %v", run.Outcomes)
	}
	for _, name := range []string{"connect", "join", "claim", "hold"} {
		if o := operation(run, name); o.Count != 60 || o.Failed != 0 {
			t.Errorf("%s was done %d times, %d failed: %v", name, o.Count, o.Failed, o.Codes)
		}
	}
	if !run.Audit.Ran || len(run.Audit.Findings) != 0 || len(run.Verdict.Broken) != 0 {
		t.Errorf("the audit is %+v", run.Audit)
	}
	if len(run.Verdict.Thresholds) != 2 || !run.Verdict.Thresholds[0].Held || !run.Verdict.Thresholds[1].Held {
		t.Errorf("the thresholds are %+v", run.Verdict.Thresholds)
	}
	if !s.Did("open") || run.Seed != 7 || run.Scenario != "small" || run.Starts.Planned != 60 || run.Starts.Started != 60 {
		t.Errorf("the run is %s of seed %d with starts %+v", run.Scenario, run.Seed, run.Starts)
	}
	if len(run.Server) == 0 {
		t.Error("nothing of the server was watched")
	}
	var plan scenario.Scenario
	if err := plan.UnmarshalJSON(run.Plan); err != nil || plan.Fans != 60 {
		t.Errorf("the plan that was kept is %s: %v", run.Plan, err)
	}
}

func TestEventFileIsOneThatServersTake(t *testing.T) {
	for _, plan := range scenario.Plans() {
		r := newRunner(Options{Scenario: scenario.Default()})
		r.s.Event.Plan, r.event = plan, "bench-1"
		cfg, _, err := eventfile.Import(time.Now(), []byte(r.eventFile()), "application/yaml")
		if err != nil {
			t.Fatalf("%s: %v", plan, err)
		}
		if !cfg.Rehearsal || cfg.Slug != "bench-1" {
			t.Errorf("%s: %s, rehearsal %t", plan, cfg.Slug, cfg.Rehearsal)
		}
	}
}

// A seat that two fans hold at the same time is found, and told with both of them.
func TestSeatHeldTwiceBreaksSafety(t *testing.T) {
	s := drivetest.New(t)
	s.Twice = true
	run := runOn(t, s, small(scenario.Story{Story: "buy", Hesitate: time.Second}))
	if run.ExitCode() != record.ExitSafety {
		t.Fatalf("exit %d, verdict %+v", run.ExitCode(), run.Verdict)
	}
	if all := strings.Join(run.Verdict.Broken, "\n"); !strings.Contains(all, "unit 0 was in hold h1-") {
		t.Errorf("the evidence is\n%s", all)
	}
}

func TestRunThatIsEndedIsAudited(t *testing.T) {
	s := drivetest.New(t)
	sc := small(scenario.Story{Story: "release", Linger: time.Minute})
	sc.Duration = 5 * time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	run, err := Run(ctx, Options{
		Target: Target{Base: s.URL, Token: "admin"}, Scenario: sc, Settle: time.Millisecond,
		Watch: func(r *record.Recorder, _ func() []record.Series) {
			go func() { // when somebody is there
				for r.Snapshot(0).Starts.Started == 0 {
					time.Sleep(5 * time.Millisecond)
				}
				cancel()
			}()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !run.Verdict.Aborted || !run.Audit.Ran || run.ExitCode() != record.ExitAborted {
		t.Errorf("exit %d, verdict %+v, audit %+v", run.ExitCode(), run.Verdict, run.Audit)
	}
	if run.Outcomes["went_home"]+run.Outcomes["never_came"] == 0 || run.Outcomes["failed"] != 0 {
		t.Errorf("the stories ended as %v", run.Outcomes)
	}
}

func TestRealSaleIsRefused(t *testing.T) {
	s := drivetest.New(t)
	s.Real = true
	_, err := Run(t.Context(), Options{Target: Target{Base: s.URL, Event: "noite"}, Scenario: small(scenario.Story{Story: "buy"})})
	if !errors.Is(err, errNoRehearsal) || s.Minted() != 0 {
		t.Errorf("%v, and %d fans were made", err, s.Minted())
	}
}

func TestWhatCannotBePlayedIsRefused(t *testing.T) {
	s := drivetest.New(t)
	for kind, want := range map[string]string{"kill": "only done to servers that the bench has started", "payment-down": "names no sandbox"} {
		sc := small(scenario.Story{Story: "buy"})
		sc.Faults = []scenario.Fault{{Kind: kind}}
		if _, err := Run(t.Context(), Options{Target: Target{Base: s.URL}, Scenario: sc}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// Everybody comes back when all sockets are cut, and bots get nothing.
func TestCutSocketsAndBots(t *testing.T) {
	s := drivetest.New(t)
	sc := small(scenario.Story{Story: "release", Linger: 500 * time.Millisecond, Hesitate: 200 * time.Millisecond})
	sc.Faults = []scenario.Fault{{Kind: "cut-sockets", At: 150 * time.Millisecond}}
	sc.Bots = scenario.Bots{Count: 4, Every: 20 * time.Millisecond}
	run := runOn(t, s, sc)
	if run.Outcomes["left"] != 60 {
		t.Errorf("the stories ended as %v", run.Outcomes)
	}
	cut := false
	for _, m := range run.Marks {
		cut = cut || m.Kind == "fault" && strings.HasSuffix(m.Text, "live sockets were cut")
	}
	bots := operation(run, "bot")
	if !cut || bots.Count == 0 || bots.Failed != 0 || len(run.Verdict.Broken) != 0 {
		t.Errorf("marks %+v, bots %+v, broken %v", run.Marks, bots, run.Verdict.Broken)
	}
}
