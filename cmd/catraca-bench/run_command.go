package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	virtual "github.com/catraca/catraca/bench"
	crowd "github.com/catraca/catraca/bench/drive"
	"github.com/catraca/catraca/bench/record"
	results "github.com/catraca/catraca/bench/report"
	"github.com/catraca/catraca/bench/scenario"
)

// runOptions are the flags of the run command.
type runOptions struct {
	fans, nodes int
	duration    time.Duration
	seed        uint64
	thresholds  []string

	out, binary, keep string
	live              string
	lag               time.Duration
	lagged            bool
	agents            string // a number, or addresses
	secretFile        string
	aim               aim

	evidence *virtual.Evidence // of the last run
}

func runCommand(env environment, code *int) *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use: "run SCENARIO|FILE.yaml", Short: "Let a crowd of fans come to a sale, and audit what it was given",
		Long: "Runs a scenario: fans come by the clock and do what browsers do, from the queue to the ticket, while things break\n" +
			"as the scenario wants. At the end everything they were given is held against the server's books and the payment\n" +
			"provider's. Without --target, servers with temporary data are started on this machine; `catraca-bench scenario list`\n" +
			"names the scenarios.\n" +
			"Exit codes: 0 passed, 98 safety broke, 99 a threshold was missed or the run is invalid, 104 nothing was run because\n" +
			"the scenario or a flag is wrong, 105 ended before its time.",
		Example: "  catraca-bench run spike\n  catraca-bench run spike --fans 5000 --threshold 'hold.p99<100ms'\n  catraca-bench run kill-leader --nodes 3 --seed 7\n" +
			"  catraca-bench run my-sale.yaml --target https://shop.example.com --admin-token-file ana.token --event noite --i-mean noite",
		Args: needs("SCENARIO"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := findScenario(args[0])
			if err != nil {
				return err
			}
			if s, err = o.change(c, s); err != nil {
				return err
			}
			if !c.Flags().Changed("seed") {
				o.seed = rand.Uint64() >> 1 //nolint:gosec // printed and repeatable
			}
			o.lagged = c.Flags().Changed("lag")
			run, err := o.run(c.Context(), env, s)
			if err != nil {
				return err
			}
			*code = run.ExitCode()
			return nil
		},
	}
	o.flags(c)
	return c
}

func (o *runOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.IntVar(&o.fans, "fans", 0, "so many fans instead of the scenario's")
	f.DurationVar(&o.duration, "duration", 0, "so long instead of the scenario's: fans come and things break as much earlier or later")
	f.IntVar(&o.nodes, "nodes", 0, "nodes, 1 or 3, instead of the scenario's")
	f.Uint64Var(&o.seed, "seed", 0, "chance of the run; the same seed lets the same fans come at the same moments")
	f.StringArrayVar(&o.thresholds, "threshold", nil, "what has to hold beside the scenario's, as 'hold.p99<250ms'; may be given again")
	f.StringVar(&o.out, "out", "bench-results", "folder that the run's file and its report are put into")
	f.StringVar(&o.binary, "binary", "", "the catraca to start; empty: the one beside this program, or in PATH")
	f.StringVar(&o.keep, "keep", "", "keep the servers' data and logs in this new folder")
	f.StringVar(&o.live, "live", "", "serve a page that shows the run while it goes, as 127.0.0.1:5665")
	f.DurationVar(&o.lag, "lag", 0, "make every round trip to the servers so much longer, to see what compare makes of it; 0s is a hop alone")
	f.StringVar(&o.agents, "agents", "", "so many processes on this machine let the fans come; or those at host:port,host:port, see `catraca-bench agent`")
	f.StringVar(&o.secretFile, "agents-secret-file", "", "file with the secret of agents that are there already; empty: from CATRACA_BENCH_SECRET")
	o.aim.flags(c)
}

// findScenario finds a scenario by its name, or reads it from a file.
func findScenario(name string) (scenario.Scenario, error) {
	if s, ok := scenario.Named(name); ok {
		return s, nil
	}
	if !strings.ContainsAny(name, "./\\") {
		return scenario.Scenario{}, wrong("no scenario is called %.60q; there are %s, and files that end in .yaml", name, strings.Join(scenario.Names(), ", "))
	}
	data, err := os.ReadFile(name) //nolint:gosec // the user's own file
	if err != nil {
		return scenario.Scenario{}, wrong("read scenario: %w", err)
	}
	s, err := scenario.Parse(name, data)
	if err != nil {
		return s, wrong("%w", err)
	}
	return s, nil
}

// change makes the scenario what the flags want.
func (o *runOptions) change(c *cobra.Command, s scenario.Scenario) (scenario.Scenario, error) {
	if c.Flags().Changed("duration") {
		if o.duration < time.Second {
			return s, wrong("--duration %v: a second or more is needed", o.duration)
		}
		s = s.Stretch(o.duration)
	}
	if c.Flags().Changed("fans") {
		s.Fans = o.fans
	}
	if c.Flags().Changed("nodes") {
		s.Nodes = o.nodes
	}
	s.Bounds = append(slices.Clip(s.Bounds), o.thresholds...)
	if err := s.Check(); err != nil {
		return s, wrong("%w", err)
	}
	return s, nil
}

// run runs the scenario against the target or servers of its own, and keeps and shows what came of it.
func (o *runOptions) run(ctx context.Context, env environment, s scenario.Scenario) (*record.Run, error) {
	if err := os.MkdirAll(o.out, 0o750); err != nil {
		return nil, wrong("make --out: %w", err)
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(env.stderr, format+"\n", args...) } // nowhere else to tell it
	var target crowd.Target
	var err error
	var own *servers
	if o.aim.target != "" {
		target, err = o.aim.take(ctx)
	} else {
		if own, err = startServers(ctx, serverOptions{binary: o.binary, nodes: s.Nodes, keep: o.keep, mail: s.Mail, behind: true, say: say}); err == nil {
			defer own.stop()
			target = own.target()
		}
	}
	if err != nil {
		return nil, err
	}
	if o.lagged {
		l, err := before(&target, o.lag)
		if err != nil {
			return nil, err
		}
		defer l.close()
	}
	agents, err := muster(ctx, o.agents, o.secretFile, target)
	if err != nil {
		return nil, err
	}
	defer agents.close()
	if own != nil && !o.lagged {
		target.Fronts = own.fronts(s.Fans, len(agents.agents) > 0, say)
	}
	p := &progress{out: env.stderr, terminal: isTerminal(env.stderr), scenario: s}
	defer p.stop()
	show, err := o.showLive(ctx, s.Name, p)
	if err != nil {
		return nil, err
	}
	defer func() { _ = show.close() }() // viewers are told; nothing else is lost
	say("%s: %d fans, seed %d, at %s", s.Name, s.Fans, o.seed, target.Base)
	run, err := crowd.Run(ctx, crowd.Options{
		Target: target, Scenario: s, Seed: o.seed, Agents: agents.drivers(), Say: p.say, Watch: show.watch,
		Keep: func(e *virtual.Evidence) { o.evidence = e },
	})
	p.stop()
	if err != nil {
		if ctx.Err() != nil {
			return nil, errors.Join(errAborted, err)
		}
		if _, few := errors.AsType[*crowd.FilesError](err); few {
			err = wrong("%w", err)
		}
		return nil, err
	}
	if o.lagged {
		run.Marks = append(run.Marks, record.Mark{Kind: "fault", Text: fmt.Sprintf("every round trip to the servers is made %v longer", o.lag)})
	}
	if run.Environment.Commit == "" { // a build that nothing was stamped on
		run.Environment.Commit = newReport(ctx).Commit
	}
	if own != nil {
		run.Verdict.Invalid = append(run.Verdict.Invalid, own.fallen()...)
	}
	return run, o.show(env, run)
}

// show keeps a run in a file and as a page, and prints its summary.
func (o *runOptions) show(env environment, run *record.Run) error {
	if err := keepEvidence(o.out, run, o.evidence); err != nil {
		return err
	}
	file, page, err := keepRun(o.out, run)
	if err != nil {
		return err
	}
	if err := results.Text(env.stdout, run); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "\nrun     %s\nreport  %s\n", file, page)
	return err
}

// keepRun writes the file and the page of a run.
func keepRun(folder string, run *record.Run) (file, page string, err error) {
	file, page = filepath.Join(folder, "run-"+run.ID+".json"), filepath.Join(folder, "run-"+run.ID+".html")
	if err := writeTo(file, run.Write); err != nil {
		return "", "", err
	}
	return file, page, writeTo(page, func(w io.Writer) error { return results.HTML(w, run) })
}

// writeTo makes a file.
func writeTo(path string, write func(io.Writer) error) error {
	f, err := os.Create(path) //nolint:gosec // in the folder that the user named
	if err != nil {
		return fmt.Errorf("keep the run: %w", err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return fmt.Errorf("keep the run: %w", err)
	}
	return nil
}
