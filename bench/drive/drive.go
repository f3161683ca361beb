package drive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/bench/scenario"
	"github.com/catraca/catraca/transport/wire"
)

// Target is the servers that a run is made against.
type Target struct {
	Base  string // http://host:port that fans come to
	Token string // of an operator or owner
	// Fronts are host:port of every node that Base stands for: fans reach them by turns, and the next one when one does
	// not answer, as browsers do with a name of several addresses. None: fans go to Base itself.
	Fronts []string
	// Event is the slug of the one that is there already; empty: the scenario's own is put on sale.
	Event string
	// Operators are the nodes' own addresses with their metrics, by node; none: nothing is watched, and nobody knows how
	// many nodes there are.
	Operators map[string]string
	// Payments and PaymentsKey are the sandbox; empty: its faults cannot be played, and money is not audited.
	Payments, PaymentsKey string
	Version               string
	// Servers are what faults of nodes are done to; nil: they cannot be played.
	Servers Servers
}

// Servers are nodes that things may be done to. All names are of nodes.
type Servers interface {
	// Kill ends a node as a power switch would; Start brings it back.
	Kill(ctx context.Context, node string) error
	Start(ctx context.Context, node string) error
	// Freeze stops a node without ending it, and lets it go on.
	Freeze(ctx context.Context, node string, on bool) error
	// Drain takes a node out of service in good order, and lets it back.
	Drain(ctx context.Context, node string, on bool) error
	// Leader is the node that leads the sale.
	Leader(ctx context.Context) (string, error)
}

// Options of a run.
type Options struct {
	Target

	Scenario scenario.Scenario
	Seed     uint64
	// Agents let the fans come, each its share; none: this process does.
	Agents []Agent
	// Settle is how long money may be on its way after the last fan has left; 0: until every hold and payment must
	// have ended by itself.
	Settle time.Duration
	// Say tells people what goes on; nil: nobody. Watch is given the recorder when the first fan is about to come, and
	// what returns the servers' metrics so far, for any goroutine.
	Say   func(format string, args ...any)
	Watch func(r *record.Recorder, servers func() []record.Series)
	// Keep is given what the last audit was made of; nil: nobody is.
	Keep func(e *bench.Evidence)
}

// lead is the time between everything being ready and the first moment at which a fan may be due; agents have to be
// told of it.
const (
	lead       = 300 * time.Millisecond
	leadAgents = time.Second
)

// Run runs a scenario. When the context ends, the fans go home and what is there is audited: the run is aborted, and
// nil is returned as the error. An error means that there was no run.
func Run(ctx context.Context, o Options) (*record.Run, error) {
	if err := o.Scenario.Check(); err != nil {
		return nil, err
	}
	r := newRunner(o)
	defer r.close()
	if err := r.prepare(ctx); err != nil {
		return nil, fmt.Errorf("prepare run: %w", err)
	}
	return r.run(ctx)
}

// runner is one run.
type runner struct {
	o       Options
	s       scenario.Scenario
	api     *caller
	pay     *sandbox // nil: none
	event   string   // slug
	sale    saleFacts
	agents  []Agent // at least one
	here    here
	extra   []Identity // accounts of bots
	record  *record.Recorder
	began   time.Time
	watched *watcher

	fates   []Fate
	lost    []string // agents, and why
	unknown int64    // fans of theirs
}

func newRunner(o Options) *runner {
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	if o.Settle == 0 {
		o.Settle = o.Scenario.Event.Hold + 2*time.Minute
	}
	r := &runner{o: o, s: o.Scenario, api: newCaller(o.Base, o.Token), event: o.Event, agents: o.Agents}
	if len(r.agents) == 0 {
		r.agents = []Agent{&r.here}
	}
	if o.Payments != "" {
		r.pay = &sandbox{api: newCaller(o.Payments, o.PaymentsKey)}
	}
	return r
}

func (r *runner) close() {
	r.api.close()
	r.here.close()
}

// run lets the fans come and go, and finds out what came of it.
func (r *runner) run(ctx context.Context) (*record.Run, error) {
	r.began = time.Now().Add(lead)
	if len(r.o.Agents) > 0 {
		r.began = time.Now().Add(leadAgents)
	}
	r.record = record.NewRecorder(recording(&r.s, r.began))
	r.watched = watch(r.began, r.o.Operators)
	if r.o.Watch != nil {
		r.o.Watch(r.record, r.watched.series)
	}
	bots := r.bots()
	aborted := r.live(ctx, bots)
	r.watched.stop()
	// What comes now is done even if the caller has had enough.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.o.Settle+time.Minute)
	defer cancel()
	run := &record.Run{
		Format: record.Format, Scenario: r.s.Name, Seed: r.o.Seed, Target: r.o.Base,
		Began: r.began, Ended: time.Now(), WarmUp: r.s.WarmUp.Seconds(), Environment: record.Here(),
		Outcomes: outcomes(r.fates), Server: r.watched.series(),
	}
	run.ID = fmt.Sprintf("%s-%s-%04x", run.Began.UTC().Format("20060102-150405"), r.s.Name, r.o.Seed&0xffff)
	run.Environment.Server, run.Environment.Nodes = r.o.Version, len(r.o.Operators)
	plan, err := r.s.MarshalJSON()
	if err != nil {
		return nil, err
	}
	run.Plan = plan
	r.audit(after, run, bots)
	run.Fairness = bench.Fairness(journals(r.fates))
	run.Verdict.Aborted = aborted
	r.muster(run)
	r.record.Fill(run)
	return run, r.judge(run)
}

// live is the time in which fans come and go. It returns true when the caller or a lost agent has ended it.
func (r *runner) live(ctx context.Context, bots []*bot) (aborted bool) {
	inside, home := context.WithDeadline(ctx, r.began.Add(r.s.Duration))
	defer home()
	aside, end := context.WithCancel(inside) // what goes on beside the fans
	var all group
	all.goes(func() { r.door(aside) })
	all.goes(func() { r.trouble(aside) })
	for _, b := range bots {
		all.goes(func() { b.run(aside) })
	}
	r.crowds(inside)
	end()
	all.wait()
	return ctx.Err() != nil || len(r.lost) > 0
}

// judge fills in the verdict: what broke, and which thresholds held.
func (r *runner) judge(run *record.Run) error {
	run.Verdict.Broken = append(run.Verdict.Broken, run.Audit.Findings...)
	for _, text := range r.s.Bounds {
		t, err := record.ParseThreshold(text)
		if err != nil {
			return err
		}
		run.Verdict.Thresholds = append(run.Verdict.Thresholds, t.Check(run))
	}
	return nil
}

// recording is what recorders of a scenario have to know.
func recording(s *scenario.Scenario, began time.Time) record.Options {
	var classes []string
	for _, k := range s.Classes {
		classes = append(classes, k.Network) // whose text is its name
	}
	return record.Options{Began: began, WarmUp: s.WarmUp, Classes: classes, Refusals: refusals()}
}

// refusals are answers that are right: they say how the sale stands, and not that the server fails.
func refusals() []string {
	var out []string
	for _, c := range []wire.Code{
		wire.SoldOut, wire.Closed, wire.NotOpen, wire.NotYourTurn, wire.NoLease, wire.NoPlace, wire.Expired, wire.Conflict,
		wire.Orphan, wire.Limit, wire.Unauthenticated,
	} {
		out = append(out, string(c))
	}
	return append(out, "declined", "aborted") // by the bank, and by the end of the run
}

// errNoRehearsal means that the event is a real one.
var errNoRehearsal = errors.New("the event is no rehearsal: virtual fans do not come to a real sale")

// sortedKeys of a map.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
