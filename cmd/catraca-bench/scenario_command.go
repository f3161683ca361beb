package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/bench/scenario"
)

func scenarioCommand(env environment) *cobra.Command {
	c := &cobra.Command{Use: "scenario", Short: "List the scenarios, show one as a file, check a file"}
	c.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the scenarios", Args: needs(),
			RunE: func(*cobra.Command, []string) error {
				w := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
				for _, name := range scenario.Names() {
					s, _ := scenario.Named(name)
					if _, err := fmt.Fprintf(w, "%s\t%s\n", name, s.Description); err != nil {
						return err
					}
				}
				return w.Flush()
			},
		},
		&cobra.Command{
			Use: "show SCENARIO|FILE.yaml", Short: "Show a scenario as a file, with every default", Args: needs("SCENARIO"),
			Long:    "Shows a scenario as a file with every default filled in. Change it and run it.",
			Example: "  catraca-bench scenario show spike > mine.yaml\n  catraca-bench run mine.yaml",
			RunE: func(_ *cobra.Command, args []string) error {
				s, err := findScenario(args[0])
				if err != nil {
					return err
				}
				b, err := s.YAML()
				if err != nil {
					return err
				}
				_, err = env.stdout.Write(b)
				return err
			},
		},
		&cobra.Command{
			Use: "check SCENARIO|FILE.yaml", Short: "Check a scenario, and say what it comes to", Args: needs("SCENARIO"),
			Long:    "Checks a scenario without running it: mistakes are told with line and column, and end with 104.",
			Example: "  catraca-bench scenario check mine.yaml",
			RunE: func(_ *cobra.Command, args []string) error {
				s, err := findScenario(args[0])
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(env.stdout, "%s: %d fans, %v, %d node%s, %d faults, %d thresholds\n",
					s.Name, s.Fans, s.Duration, s.Nodes, map[bool]string{true: "s"}[s.Nodes > 1], len(s.Faults), len(s.Bounds))
				return err
			},
		},
	)
	return c
}
