package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// steering is a command that does one thing to one event.
type steering struct {
	name, short, example string
	args                 []string // beside the event
	question             string   // asked before, with the event's name; empty: not asked
	flags                func(*cobra.Command)
	body                 func(c *cobra.Command, args []string) (map[string]any, error) // nil: empty
}

func steerCommand(env environment, r *remote, s steering) *cobra.Command {
	var out output
	yes := false
	var use strings.Builder
	use.WriteString(s.name + " EVENT")
	for _, a := range s.args {
		use.WriteString(" " + a)
	}
	c := &cobra.Command{
		Use: use.String(), Short: s.short, Example: s.example, Args: exactly(append([]string{"EVENT"}, s.args...)...),
		RunE: func(c *cobra.Command, args []string) error {
			asJSON, err := out.json(c)
			if err != nil {
				return err
			}
			body := map[string]any{}
			if s.body != nil {
				if body, err = s.body(c, args); err != nil {
					return err
				}
			}
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			if s.question != "" {
				if sure, err := env.confirm(yes, fmt.Sprintf(s.question, args[0])); err != nil || !sure {
					env.say("nothing was changed")
					return err
				}
			}
			return steer(c.Context(), env, api, args[0], s.name, body, asJSON)
		},
	}
	if s.flags != nil {
		s.flags(c)
	}
	if s.question != "" {
		c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	}
	out.flag(c)
	return c
}

func pauseCommand(env environment, r *remote) *cobra.Command {
	reason := ""
	return steerCommand(env, r, steering{
		name: "pause", short: "Let nobody in for now; places are kept, holds and payments go on",
		example: "  catraca event pause noite-aurora --reason 'The bank is slow; your place is kept.'",
		flags:   func(c *cobra.Command) { c.Flags().StringVar(&reason, "reason", "", "what fans read; needed") },
		body: func(c *cobra.Command, _ []string) (map[string]any, error) {
			if reason == "" {
				return nil, wrong(c, "--reason is missing: fans see it while they wait")
			}
			return map[string]any{"reason": reason}, nil
		},
	})
}

func rateCommand(env environment, r *remote) *cobra.Command {
	var perMinute, active int64
	return steerCommand(env, r, steering{
		name: "rate", short: "Change how fast fans are let in, and how many shop at once",
		example: "  catraca event rate noite-aurora --per-minute 900\n  catraca event rate noite-aurora --active 200",
		flags: func(c *cobra.Command) {
			c.Flags().Int64Var(&perMinute, "per-minute", 0, "fans let in a minute")
			c.Flags().Int64Var(&active, "active", 0, "fans choosing and paying at once")
		},
		body: func(c *cobra.Command, _ []string) (map[string]any, error) {
			if perMinute == 0 && active == 0 {
				return nil, wrong(c, "give --per-minute, --active, or both")
			}
			if perMinute < 0 || active < 0 {
				return nil, wrong(c, "--per-minute and --active are 1 or more; `catraca event pause` lets nobody in")
			}
			return map[string]any{"per_minute": perMinute, "active": active}, nil
		},
	})
}

func messageCommand(env environment, r *remote) *cobra.Command {
	return steerCommand(env, r, steering{
		name: "message", short: "Show a message to everybody in the queue; an empty one takes it away",
		example: "  catraca event message noite-aurora 'The gates open at 18:00.'\n  catraca event message noite-aurora ''",
		args:    []string{"TEXT"},
		body: func(_ *cobra.Command, args []string) (map[string]any, error) {
			return map[string]any{"text": args[1]}, nil
		},
	})
}
