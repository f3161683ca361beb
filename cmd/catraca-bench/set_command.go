package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	crowd "github.com/catraca/catraca/bench/drive"
	"github.com/catraca/catraca/bench/record"
	results "github.com/catraca/catraca/bench/report"
	"github.com/catraca/catraca/bench/scenario"
)

// setOptions are the flags of the set command.
type setOptions struct {
	out, binary, results string
	only                 []string
	fans                 int

	list []scenario.Scenario
}

func setCommand(env environment, code *int) *cobra.Command {
	var o setOptions
	c := &cobra.Command{
		Use: "set", Short: "Run the canonical set of scenarios, and compare with the set before", Args: needs(),
		Long: "Runs the scenarios that results are compared by, one after the other, each against servers of its own with temporary\n" +
			"data on this machine and always with the same seed. At the end there is one table and one page for all of them; each\n" +
			"run's whole report lies beside it. What an earlier set in --out holds is compared with.\n" +
			"Exit codes: 0 all passed; else the gravest of the runs': 98 safety broke, 105 ended before its time, 99 a threshold was\n" +
			"missed or a run is invalid; 104 nothing was run because a flag is wrong.",
		Example: "  catraca-bench set\n  catraca-bench set --only spike --only steady",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if o.list, err = o.choose(); err != nil {
				return err
			}
			*code, err = o.run(c.Context(), env)
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&o.out, "out", "bench-results", "folder that the set's own folder is made in")
	f.StringVar(&o.results, "results", "", "also keep the figures in this folder, to be charted over time")
	f.StringVar(&o.binary, "binary", "", "the catraca to start; empty: the one beside this program, or in PATH")
	f.StringArrayVar(&o.only, "only", nil, "only this scenario of the set; may be given again")
	f.IntVar(&o.fans, "fans", 0, "at most so many fans in each: for a look, not to compare with anything")
	return c
}

// choose makes the list of what is run.
func (o *setOptions) choose() ([]scenario.Scenario, error) {
	list := scenario.Canonical()
	for _, name := range o.only {
		if !slices.ContainsFunc(list, func(s scenario.Scenario) bool { return s.Name == name }) {
			return nil, wrong("--only %.60q: the set has no such scenario", name)
		}
	}
	if len(o.only) > 0 {
		list = slices.DeleteFunc(list, func(s scenario.Scenario) bool { return !slices.Contains(o.only, s.Name) })
	}
	if o.fans < 0 {
		return nil, wrong("--fans %d: one or more are needed", o.fans)
	}
	if o.fans > 0 && o.results != "" {
		return nil, wrong("--fans with --results: a set of fewer fans is nothing to keep")
	}
	for i := range list {
		if o.fans > 0 {
			list[i].Fans = min(list[i].Fans, o.fans)
		}
	}
	return list, nil
}

// run runs the set, shows it and keeps it. The code is the gravest of the runs'.
func (o *setOptions) run(ctx context.Context, env environment) (code int, err error) {
	before := lastSet(o.out)
	set := results.Set{Began: time.Now()}
	folder := filepath.Join(o.out, setPrefix+set.Began.UTC().Format("20060102-150405"))
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return 0, wrong("make --out: %w", err)
	}
	l := &setLine{env: env, all: len(o.list)}
	l.say("%d scenarios, about %s; the report will be %s", len(o.list), roughly(o.takes()), filepath.Join(folder, "index.html"))
	for _, s := range o.list {
		run, err := o.one(ctx, l, s)
		if few, ok := errors.AsType[*crowd.FilesError](err); ok { // the others can be run all the same
			l.leftOut(few)
			set.LeftOut = append(set.LeftOut, s.Name+": "+few.Error())
			continue
		}
		if err != nil {
			return 0, err
		}
		_, page, err := keepRun(folder, run)
		if err != nil {
			return 0, err
		}
		set.Runs = append(set.Runs, results.SetRun{Run: run, Page: filepath.Base(page), Before: runOf(before, s.Name)})
		code = graver(code, run.ExitCode())
		if run.Verdict.Aborted {
			break
		}
	}
	set.Ended = time.Now()
	if len(set.Runs) == 0 {
		return 0, wrong("nothing was run: %s", strings.Join(set.LeftOut, "; "))
	}
	return code, o.keep(env, folder, set)
}

// one runs one scenario against servers of its own.
func (o *setOptions) one(ctx context.Context, l *setLine, s scenario.Scenario) (*record.Run, error) {
	p := l.begin(s)
	own, err := startServers(ctx, serverOptions{binary: o.binary, nodes: s.Nodes, mail: s.Mail, behind: true, say: l.meanwhile})
	if err != nil {
		return nil, err
	}
	defer own.stop()
	var run *record.Run
	run, err = crowd.Run(ctx, crowd.Options{Target: own.target(), Scenario: s, Seed: scenario.CanonicalSeed, Say: l.meanwhile,
		Watch: func(r *record.Recorder, _ func() []record.Series) { p.watch(r) }})
	p.stop()
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(errAborted, err)
		}
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	run.Environment.Commit = cmp.Or(run.Environment.Commit, newReport(ctx).Commit)
	run.Verdict.Invalid = append(run.Verdict.Invalid, own.fallen()...)
	l.end(run)
	return run, nil
}

// keep writes the set's page and, if it is wanted, its figures, and prints the table.
func (o *setOptions) keep(env environment, folder string, set results.Set) error {
	page := filepath.Join(folder, "index.html")
	if err := writeTo(page, set.HTML); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(env.stdout); err != nil {
		return err
	}
	if err := set.Text(env.stdout); err != nil {
		return err
	}
	kept := ""
	if o.results != "" && !set.Runs[len(set.Runs)-1].Run.Verdict.Aborted {
		kept = filepath.Join(o.results, "set-"+set.Began.UTC().Format("2006-01-02-1504"))
		if err := os.MkdirAll(o.results, 0o750); err != nil {
			return wrong("make --results: %w", err)
		}
		if err := errors.Join(writeTo(kept+".json", set.Keep), writeTo(kept+".txt", set.Text)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(env.stdout, "\nreport  %s\n", page)
	if kept != "" && err == nil {
		_, err = fmt.Fprintf(env.stdout, "kept    %s.json\n", kept)
	}
	return err
}

// takes is about how long the set takes.
func (o *setOptions) takes() (all time.Duration) {
	for _, s := range o.list {
		all += scenario.CanonicalTime(&s)
	}
	return all
}

// roughly says a time without pretending to know it well.
func roughly(d time.Duration) string {
	if d < 90*time.Second {
		return d.Round(10 * time.Second).String()
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes()+0.5))
}

// graver is the graver of two exit codes.
func graver(a, b int) int {
	order := []int{0, record.ExitThreshold, record.ExitAborted, record.ExitSafety}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// setPrefix is how the folders of sets begin.
const setPrefix = "set-"

// lastSet is the folder of the latest set that was kept under out; empty: there is none.
func lastSet(out string) string {
	list, err := filepath.Glob(filepath.Join(out, setPrefix+"*", "index.html"))
	if err != nil || len(list) == 0 {
		return ""
	}
	return filepath.Dir(slices.Max(list)) // their names are their times
}

// runOf is the run of a scenario in the folder of a set; nil: there is none that can be read.
func runOf(folder, name string) *record.Run {
	if folder == "" {
		return nil
	}
	list, err := filepath.Glob(filepath.Join(folder, "run-*-"+name+"-*.json"))
	if err != nil || len(list) != 1 {
		return nil
	}
	run, err := openRun(list[0])
	if err != nil || run.Scenario != name {
		return nil // of another time, perhaps; the set goes on without it
	}
	return run
}

// setLine shows how a set goes: a line for each scenario, which on a terminal is written over while it runs.
type setLine struct {
	env     environment
	all, at int
	name    string
	began   time.Time
	p       *progress
}

func (l *setLine) say(format string, args ...any) {
	_, _ = fmt.Fprintf(l.env.stderr, format+"\n", args...) // nowhere else to tell it
}

func (l *setLine) begin(s scenario.Scenario) *progress {
	l.at++
	l.name, l.began = s.Name, time.Now()
	l.p = &progress{out: l.env.stderr, terminal: isTerminal(l.env.stderr), quiet: !isTerminal(l.env.stderr), title: l.title(), scenario: s}
	l.p.transient(s.Description)
	return l.p
}

func (l *setLine) title() string { return fmt.Sprintf("%2d/%d %-16s ", l.at, l.all, l.name) }

// meanwhile shows what is done before and after the fans come, on a terminal alone.
func (l *setLine) meanwhile(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	l.p.transient(text)
}

// leftOut says that this machine cannot run a scenario.
func (l *setLine) leftOut(why error) {
	l.p.transient("")
	l.say("%sLEFT OUT     %v", l.title(), why)
}

func (l *setLine) end(run *record.Run) {
	l.p.transient("")
	word := map[int]string{0: "passed", record.ExitThreshold: "NOT PASSED", record.ExitSafety: "SAFETY BROKE", record.ExitAborted: "aborted"}[run.ExitCode()]
	p99 := ""
	for _, o := range run.Operations {
		if o.Name == "hold" && o.Class == "" {
			p99 = fmt.Sprintf("  hold p99 %v", time.Duration(o.Latency.P99*float64(time.Second)).Round(100*time.Microsecond))
		}
	}
	l.say("%s%-12s %4.0f s%s", l.title(), word, time.Since(l.began).Seconds(), p99)
}
