package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/bench/drive/drivetest"
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/bench/scenario"
)

// visitOf is everything about one fan's coming that the plan says.
type visitOf struct {
	due     time.Duration
	account string
	story   string
	class   string
	token   string
}

func visitsOf(t interface{ Fatal(...any) }, shares []Share) []visitOf {
	var out []visitOf
	for _, s := range shares {
		c, err := NewCrowd(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		due := part(due(&c.s, s.Seed), s.Number, s.Of)
		if len(due) != len(c.fans) {
			t.Fatal(fmt.Sprintf("share %d has %d fans and %d moments", s.Number, len(c.fans), len(due)))
		}
		for i, f := range c.fans {
			out = append(out, visitOf{due[i], f.Account, fmt.Sprintf("%+v", f.story), f.line.class.Name, f.live.Token})
		}
		c.Close()
	}
	slices.SortFunc(out, func(a, b visitOf) int { return strings.Compare(a.account, b.account) })
	return out
}

// Whatever the number of agents, together they do exactly what one process would: the same fans come at the same
// moments, over the same networks, to do the same things.
func TestSharesTogetherAreThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenario.Default()
		s.Fans = rapid.IntRange(1, 60).Draw(t, "fans")
		shape := rapid.SampledFrom([]string{"spike", "poisson", "constant", "ramp"}).Draw(t, "shape")
		s.Arrival = []scenario.Arrival{{Shape: shape, Over: 3 * time.Second}, {Shape: "curve", Counts: []int{1, 3}, Share: 2}}
		s.Mix = append(s.Mix, scenario.Story{Story: "give-up"}, scenario.Story{Story: "pix", AtMost: 4, Hesitate: time.Second})
		if rapid.Bool().Draw(t, "classes") {
			s.Classes = []scenario.Class{{Network: "fibre"}, {Network: "slow", Weight: 3}}
		}
		r := newRunner(Options{Target: Target{Base: "http://127.0.0.1:1"}, Scenario: s, Seed: rapid.Uint64().Draw(t, "seed")})
		all := make([]Identity, s.Fans)
		for i := range all {
			all[i] = Identity{Account: fmt.Sprintf("%06d", i), Token: fmt.Sprint("token-", i)}
		}
		one, err := r.sharesOf(all, 1)
		if err != nil {
			t.Fatal(err)
		}
		several, err := r.sharesOf(all, rapid.IntRange(1, 7).Draw(t, "agents"))
		if err != nil {
			t.Fatal(err)
		}
		if want, got := visitsOf(t, one), visitsOf(t, several); !slices.Equal(want, got) {
			t.Fatalf("%d shares together differ from the plan:\n%v\nwant\n%v", len(several), got, want)
		}
	})
}

func TestSharesThatMakeNoSense(t *testing.T) {
	s := scenario.Default()
	plan, err := s.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	whole := make([]Identity, s.Fans)
	for name, share := range map[string]Share{
		"no plan":        {Of: 1, Fans: whole},
		"a broken plan":  {Plan: json.RawMessage(`{"fans":-1}`), Of: 1, Fans: whole},
		"of none":        {Plan: plan, Fans: whole},
		"of too many":    {Plan: plan, Of: MaxShares + 1, Fans: whole[:2]},
		"beyond all":     {Plan: plan, Of: 1, Number: 1, Fans: whole},
		"below all":      {Plan: plan, Of: 1, Number: -1, Fans: whole},
		"fans too few":   {Plan: plan, Of: 2, Fans: whole[:49]},
		"fans too many":  {Plan: plan, Of: 2, Number: 1, Fans: whole[:51]},
		"nobody's plans": {Plan: plan, Of: 2, PlanURL: "/plan.json", Base: "http://127.0.0.1:1", Fans: whole[:50]},
	} {
		if c, err := NewCrowd(t.Context(), share); err == nil {
			c.Close()
			t.Errorf("%s: it was taken", name)
		}
	}
}

func TestFilesAreCountedBeforeTheRun(t *testing.T) {
	s := scenario.Default()
	s.Fans = 50_000
	s.Arrival = []scenario.Arrival{{Shape: "spike", Over: 30 * time.Second}}
	r := newRunner(Options{Scenario: s})
	for _, tt := range []struct {
		limit  int64
		agents int
		want   string
	}{
		{20_000, 1, "agent 1 may open 20000 files, and that is too few for its part of 50000 fans, who have a socket each; use 3 agents (--agents 3), or raise the limit (ulimit -n)"},
		{20_000, 2, "use 3 agents"}, {20_000, 3, ""}, {100_000, 1, ""}, {0, 1, ""},
		{1024, 1, "it would be too few among 64 agents, so raise the limit"},
	} {
		r.agents = nil
		for i := range tt.agents {
			r.agents = append(r.agents, &agentHere{facts: record.Agent{Name: fmt.Sprint("agent ", i+1), OpenFiles: tt.limit}})
		}
		err := r.enoughFiles()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%d files, %d agents: %v, want %s", tt.limit, tt.agents, err, tt.want)
		}
		var files *FilesError
		if err != nil && !errors.As(err, &files) {
			t.Errorf("%v is of another kind", err)
		}
	}
	slow := s
	slow.Classes = []scenario.Class{{Network: "slow"}}
	if a, b := files(&s, 1, 1), files(&slow, 1, 1); b <= a+40_000 {
		t.Errorf("fans with lines of their own need %d files, others %d", b, a)
	}
	// Whoever comes a quarter of an hour later can have the socket of somebody who has left.
	slow.Classes, slow.Duration = nil, time.Hour
	slow.Arrival = []scenario.Arrival{{Shape: "constant", Over: time.Hour}}
	if n := files(&slow, 1, 1); n > 12_000 {
		t.Errorf("over an hour, %d files are needed", n)
	}
}

// agentHere is an agent within this process whose recordings travel as an agent's do.
type agentHere struct {
	facts record.Agent
	lost  bool // in the middle
	crowd *Crowd
}

func (f *agentHere) Facts() record.Agent { return f.facts }

func (f *agentHere) Prepare(ctx context.Context, s Share) (err error) {
	f.crowd, err = NewCrowd(ctx, s)
	return err
}

func (f *agentHere) Play(ctx context.Context, p Playing) ([]Fate, error) {
	defer f.crowd.Close()
	if f.lost {
		<-time.After(time.Until(p.Began.Add(100 * time.Millisecond)))
		return nil, errors.New("the connection was cut")
	}
	o := f.crowd.Recording(p.Began)
	o.Drained = true
	own := record.NewRecorder(o)
	f.crowd.Live(ctx, p.Began, own)
	for _, piece := range own.Drain() {
		if err := p.Record.Absorb(p.Number, piece); err != nil {
			return nil, err
		}
	}
	p.Sample(time.Now(), map[string]float64{"goroutines": 3})
	return f.crowd.Fates(), nil
}

func (f *agentHere) Cut(context.Context) (int, error) { return f.crowd.Cut(), nil }

func TestRunOfSeveralAgents(t *testing.T) {
	s := drivetest.New(t)
	s.SoldOut = true
	o := Options{
		Target: Target{Base: s.URL, Token: "admin"}, Scenario: small(scenario.Story{Story: "buy"}), Seed: 7, Settle: time.Millisecond, Say: t.Logf,
		Agents: []Agent{
			&agentHere{facts: record.Agent{Name: "agent 1", Unsure: 0.0001}}, &agentHere{facts: record.Agent{Name: "agent 2", Unsure: 0.5}},
		},
	}
	run, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if run.Outcomes["sold_out"] != 60 || len(run.Outcomes) != 1 || run.Starts.Planned != 60 || run.Starts.Started != 60 {
		t.Errorf("the stories ended as %v, of %+v", run.Outcomes, run.Starts)
	}
	for _, name := range []string{"connect", "join", "claim", "hold"} {
		if o := operation(run, name); o.Count != 60 || o.Failed != 0 {
			t.Errorf("%s was done %d times, %d failed: %v", name, o.Count, o.Failed, o.Codes)
		}
	}
	if len(run.Agents) != 2 || run.Environment.Agents != 2 || run.Agents[0].Fans != 30 || run.Agents[1].Starts.Started != 30 {
		t.Errorf("the agents are %+v", run.Agents)
	}
	if !run.Audit.Ran || len(run.Verdict.Broken) != 0 || len(run.Fairness) != 1 || run.Fairness[0].Fans != 60 {
		t.Errorf("the audit is %+v, fairness %+v", run.Audit, run.Fairness)
	}
	if why := strings.Join(run.Verdict.Invalid, "\n"); !strings.Contains(why, "the clock of agent 2 is known to ±500ms only") || strings.Contains(why, "agent 1 is known") {
		t.Errorf("it is invalid because of\n%s", why)
	}
	if !slices.ContainsFunc(run.Server, func(s record.Series) bool { return s.Node == "agent 2" && s.Name == "goroutines" }) {
		t.Error("what agents use is not charted")
	}
}

func TestLostAgentEndsTheRun(t *testing.T) {
	s := drivetest.New(t)
	sc := small(scenario.Story{Story: "release", Linger: time.Minute})
	sc.Duration = 5 * time.Minute
	run, err := Run(t.Context(), Options{
		Target: Target{Base: s.URL, Token: "admin"}, Scenario: sc, Settle: time.Millisecond,
		Agents: []Agent{&agentHere{facts: record.Agent{Name: "agent 1"}}, &agentHere{facts: record.Agent{Name: "agent 2"}, lost: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !run.Verdict.Aborted || run.ExitCode() != record.ExitAborted || !run.Audit.Ran || run.Outcomes["unknown"] != 30 {
		t.Errorf("exit %d, verdict %+v, outcomes %v, audited %t", run.ExitCode(), run.Verdict, run.Outcomes, run.Audit.Ran)
	}
	if why := strings.Join(run.Verdict.Invalid, "\n"); !strings.Contains(why, "agent 2 was lost, and with it what its fans were told: the connection was cut") {
		t.Errorf("it is told as\n%s", why)
	}
}

func TestSaturatedAgentIsNamed(t *testing.T) {
	r := newRunner(Options{Scenario: small(scenario.Story{Story: "buy"}), Agents: []Agent{&agentHere{facts: record.Agent{Name: "agent 1"}}, &agentHere{facts: record.Agent{Name: "agent 2"}}}})
	began := time.Now()
	r.record = record.NewRecorder(recording(&r.s, began))
	for i, late := range []time.Duration{0, 50 * time.Millisecond} {
		own := record.NewRecorder(record.Options{Began: began, Drained: true})
		for range 30 {
			own.Started(began, began.Add(late))
		}
		for _, piece := range own.Drain() {
			if err := r.record.Absorb(i, piece); err != nil {
				t.Fatal(err)
			}
		}
	}
	var run record.Run
	r.muster(&run)
	if len(run.Verdict.Invalid) != 1 || run.Verdict.Invalid[0] != "agent 2 was saturated: 30 of its 30 fans came late, the latest by 50ms" {
		t.Errorf("it is invalid because of %q", run.Verdict.Invalid)
	}
}
