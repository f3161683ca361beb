package agent

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/bench/drive"
	"github.com/catraca/catraca/bench/drive/drivetest"
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/bench/scenario"
)

const secret = "of two agents and nobody else"

// started is an agent on this machine; its clock is ahead of ours.
func started(t *testing.T, ahead time.Duration) (address string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	c := newClock()
	c.base += int64(ahead)
	go func() { ended <- serve(ctx, l, Options{Secret: []byte(secret), Say: t.Logf}, c) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

func met(t *testing.T, name, address string) *Client {
	t.Helper()
	a, err := Dial(t.Context(), name, address, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() }) // the agent may be gone
	return a
}

// small is a scenario for the stub.
func small(stories ...scenario.Story) scenario.Scenario {
	s := scenario.Default()
	s.Name, s.Fans, s.OpensIn, s.Duration, s.Mix = "small", 60, 0, 20*time.Second, stories
	s.Arrival = []scenario.Arrival{{Shape: "spike", Over: 300 * time.Millisecond}}
	s.Classes = []scenario.Class{{Network: "rtt=1ms"}, {Network: "rtt=2ms"}}
	return s
}

func options(s *drivetest.Stub, sc scenario.Scenario, agents ...drive.Agent) drive.Options {
	return drive.Options{Target: drive.Target{Base: s.URL, Token: "admin"}, Scenario: sc, Seed: 7, Settle: time.Millisecond, Agents: agents}
}

// Two agents, one of them with a clock that is 90 s ahead, do what one process would, and what they tell is on one axis.
func TestTwoAgents(t *testing.T) {
	s := drivetest.New(t)
	s.SoldOut = true
	one, _ := started(t, 0)
	two, _ := started(t, 90*time.Second)
	run, err := drive.Run(t.Context(), options(s, small(scenario.Story{Story: "buy"}), met(t, "agent 1", one), met(t, "agent 2", two)))
	if err != nil {
		t.Fatal(err)
	}
	if run.Outcomes["sold_out"] != 60 || len(run.Outcomes) != 1 || run.Starts.Planned != 60 || run.Starts.Started != 60 {
		t.Errorf("the stories ended as %v, of %+v", run.Outcomes, run.Starts)
	}
	sums := make(map[string]int64)
	for _, o := range run.Operations {
		if sums[o.Name+"/"+o.Class] = o.Count; o.Class != "" {
			sums[o.Name+" by class"] += o.Count
		}
		if o.Latency.Max > 20 {
			t.Errorf("%s took %v s", o.Name, o.Latency.Max)
		}
	}
	for _, name := range []string{"connect", "join", "claim", "hold"} {
		if sums[name+"/"] != 60 || sums[name+" by class"] != 60 {
			t.Errorf("of %s there are %v", name, sums)
		}
	}
	if !run.Audit.Ran || len(run.Verdict.Broken) != 0 || len(run.Fairness) != 3 || run.Fairness[0].Fans != 60 || run.Fairness[0].Rank != 1 {
		t.Errorf("the audit is %+v, fairness %+v", run.Audit, run.Fairness)
	}
	if f := run.Fairness[0]; f.Wait.Max > 20 || f.Lag.Max > 20 {
		t.Errorf("clocks are not corrected: %+v", f)
	}
	if len(run.Seconds) == 0 || len(run.Seconds) > 20 {
		t.Errorf("it lasted %d seconds", len(run.Seconds))
	}
	for i, want := range []float64{0, 90} {
		a := run.Agents[i]
		if d := a.Offset - want; d > a.Unsure || -d > a.Unsure || a.Unsure > 1 || a.Unsure <= 0 {
			t.Errorf("%s is ahead by %v ± %v s, want %v", a.Name, a.Offset, a.Unsure, want)
		}
		if a.Fans != 30 || a.Starts.Started != 30 || a.CPU <= 0 || a.OpenFiles == 0 || a.Cores == 0 {
			t.Errorf("%+v", a)
		}
		if !slices.ContainsFunc(run.Server, func(s record.Series) bool { return s.Node == a.Name && s.Name == "goroutines" }) {
			t.Errorf("what %s uses is not charted", a.Name)
		}
	}
}

// What two fans of different agents were both given is found.
func TestSeatGivenTwiceByTwoAgents(t *testing.T) {
	s := drivetest.New(t)
	s.Twice = true
	one, _ := started(t, 0)
	two, _ := started(t, -time.Hour)
	sc := small(scenario.Story{Story: "buy", Hesitate: time.Second})
	sc.Fans = 8
	run, err := drive.Run(t.Context(), options(s, sc, met(t, "agent 1", one), met(t, "agent 2", two)))
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(run.Verdict.Broken, "\n"); run.ExitCode() != record.ExitSafety || !strings.Contains(all, "unit 0 was in hold h1-") {
		t.Errorf("exit %d, the evidence is\n%s", run.ExitCode(), all)
	}
}

// cutter ends an agent when fans are there.
type cutter struct {
	drive.Agent

	stop func()
}

func (c *cutter) Play(ctx context.Context, p drive.Playing) ([]drive.Fate, error) {
	t := time.AfterFunc(time.Until(p.Began.Add(400*time.Millisecond)), c.stop)
	defer t.Stop()
	return c.Agent.Play(ctx, p)
}

func TestAgentThatDiesEndsTheRun(t *testing.T) {
	s := drivetest.New(t)
	one, _ := started(t, 0)
	two, stop := started(t, 0)
	sc := small(scenario.Story{Story: "release", Linger: time.Minute})
	sc.Duration = 5 * time.Minute
	run, err := drive.Run(t.Context(), options(s, sc, met(t, "agent 1", one), &cutter{met(t, "agent 2", two), stop}))
	if err != nil {
		t.Fatal(err)
	}
	if !run.Verdict.Aborted || run.ExitCode() != record.ExitAborted || run.Outcomes["unknown"] != 30 || run.Outcomes["went_home"] == 0 {
		t.Errorf("exit %d, verdict %+v, outcomes %v", run.ExitCode(), run.Verdict, run.Outcomes)
	}
	if why := strings.Join(run.Verdict.Invalid, "\n"); !strings.Contains(why, "agent 2 was lost, and with it what its fans were told") {
		t.Errorf("it is told as\n%s", why)
	}
}

// When the run is ended, or sockets are cut, agents hear of it.
func TestAgentsHear(t *testing.T) {
	s := drivetest.New(t)
	one, _ := started(t, 0)
	sc := small(scenario.Story{Story: "release", Linger: time.Minute})
	sc.Duration = 5 * time.Minute
	sc.Faults = []scenario.Fault{{At: 400 * time.Millisecond, Kind: "cut-sockets"}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := options(s, sc, met(t, "agent 1", one))
	o.Watch = func(r *record.Recorder, _ func() []record.Series) {
		go func() { // when the sockets were cut
			for !slices.ContainsFunc(r.Snapshot(0).Marks, func(m record.Mark) bool { return m.Kind == "fault" }) {
				time.Sleep(5 * time.Millisecond)
			}
			cancel()
		}()
	}
	run, err := drive.Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if !run.Verdict.Aborted || run.Outcomes["went_home"]+run.Outcomes["never_came"] != 60 || !run.Audit.Ran {
		t.Errorf("verdict %+v, outcomes %v", run.Verdict, run.Outcomes)
	}
	if !slices.ContainsFunc(run.Marks, func(m record.Mark) bool { return m.Kind == "fault" && m.Text != "0 live sockets were cut" }) {
		t.Errorf("the marks are %+v", run.Marks)
	}
}

// free meets an agent when it has seen that the coordinator before is gone.
func free(t *testing.T, address string) *Client {
	t.Helper()
	for {
		a, err := Dial(t.Context(), "agent 1", address, []byte(secret))
		if err == nil {
			return a
		}
		if !strings.Contains(err.Error(), "has another coordinator") {
			t.Fatal(err)
		}
	}
}

// The same agent serves one run after the other, and one coordinator at a time.
func TestAgentServesAgain(t *testing.T) {
	s := drivetest.New(t)
	s.SoldOut = true
	one, _ := started(t, 0)
	for range 2 {
		a := free(t, one)
		if _, err := Dial(t.Context(), "agent 2", one, []byte(secret)); err == nil || !strings.Contains(err.Error(), "has another coordinator") {
			t.Errorf("a second coordinator: %v", err)
		}
		run, err := drive.Run(t.Context(), options(s, small(scenario.Story{Story: "buy"}), a))
		if err != nil || run.Outcomes["sold_out"] != 60 {
			t.Fatalf("%v: %+v", err, run)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRealSaleIsRefusedByTheAgentAsWell(t *testing.T) {
	s := drivetest.New(t)
	s.Real = true
	one, _ := started(t, 0)
	a := met(t, "agent 1", one)
	sc := small(scenario.Story{Story: "buy"})
	plan, err := sc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	err = a.Prepare(t.Context(), drive.Share{Plan: plan, Base: s.URL, Event: "noite", Of: 1, Fans: make([]drive.Identity, 60)})
	if err == nil || !strings.Contains(err.Error(), "the event is no rehearsal") {
		t.Errorf("%v", err)
	}
}
