package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/bench/record"
	results "github.com/catraca/catraca/bench/report"
	"github.com/catraca/catraca/bench/scenario"
)

// openRun reads a run's file.
func openRun(path string) (*record.Run, error) {
	f, err := os.Open(path) //nolint:gosec // the user's own file
	if err != nil {
		return nil, wrong("read run: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	run, err := record.ReadRun(f)
	if err != nil {
		return nil, wrong("read run %s: %w", path, err)
	}
	return run, nil
}

func rerunCommand(env environment, code *int) *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use: "rerun RUN.json", Short: "Run again what a run's file holds, with the same seed, and compare",
		Long:    "Runs the plan of a run's file again with its seed, and holds the two beside each other.",
		Example: "  catraca-bench rerun bench-results/run-20261124-191500-spike-1f2e.json",
		Args:    needs("RUN.json"),
		RunE: func(c *cobra.Command, args []string) error {
			before, err := openRun(args[0])
			if err != nil {
				return err
			}
			var s scenario.Scenario
			if err := json.Unmarshal(before.Plan, &s); err != nil {
				return wrong("read the plan of %s: %w", args[0], err)
			}
			o.seed = before.Seed
			for _, line := range changed(before.Environment, record.Here()) {
				_, _ = fmt.Fprintln(env.stderr, "not as before: "+line) // nowhere else to tell it
			}
			now, err := o.run(c.Context(), env, s)
			if err != nil {
				return err
			}
			*code = now.ExitCode()
			if _, err := fmt.Fprintln(env.stdout); err != nil {
				return err
			}
			return results.Compare(before, now).Text(env.stdout)
		},
	}
	f := c.Flags()
	f.StringVar(&o.out, "out", "bench-results", "folder that the run's file and its report are put into")
	f.StringVar(&o.binary, "binary", "", "the catraca to start; empty: the one beside this program, or in PATH")
	f.StringVar(&o.keep, "keep", "", "keep the servers' data and logs in this new folder")
	o.aim.flags(c)
	return c
}

// changed says what of the environment is not as it was.
func changed(a, b record.Environment) []string {
	var out []string
	say := func(what, was, is string) {
		if was != is {
			out = append(out, fmt.Sprintf("%s was %s and is %s", what, orNothing(was), orNothing(is)))
		}
	}
	say("commit", a.Commit, b.Commit)
	say("Go", a.Go, b.Go)
	say("CPU", a.CPU, b.CPU)
	say("cores", fmt.Sprint(a.Cores), fmt.Sprint(b.Cores))
	say("kernel", a.Kernel, b.Kernel)
	say("memory", fmt.Sprint(a.Memory>>20, " MiB"), fmt.Sprint(b.Memory>>20, " MiB"))
	say("open files", fmt.Sprint(a.OpenFiles), fmt.Sprint(b.OpenFiles))
	return out
}

func orNothing(s string) string {
	if s == "" {
		return "not known"
	}
	return s
}
