package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usageError is a command used wrongly.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// errSaid ends a command that has told its failure as its answer.
var errSaid = errors.New("failed, and said so")

// wrong makes a usage error that tells where help is.
func wrong(c *cobra.Command, format string, args ...any) error {
	return &usageError{fmt.Errorf(format+"\nSee: %s --help", append(args, c.CommandPath())...)}
}

// group makes a command that only holds others. Without one of them it shows its help, and a mistyped one is answered
// with what was probably meant.
func group(env environment, c *cobra.Command, children ...*cobra.Command) *cobra.Command {
	c.AddCommand(children...)
	c.SuggestionsMinimumDistance = 2
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			c.SetOut(env.stderr)
			return errors.Join(c.Help(), &usageError{errSaid})
		}
		near := c.SuggestionsFor(args[0])
		if len(near) == 0 {
			return wrong(c, "unknown command %q", args[0])
		}
		return wrong(c, "unknown command %q, did you mean %q?", args[0], strings.Join(near, " or "))
	}
	return c
}

// exactly wants one argument for each name.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return wrong(c, "%s is missing", names[len(args)])
		}
		if len(args) > len(names) {
			return wrong(c, "unexpected %q", args[len(names)])
		}
		return nil
	}
}

// usageExits makes wrong arguments of every command a usage error, also where cobra checks them.
func usageExits(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			err := check(c, args)
			var usage *usageError
			if err == nil || errors.As(err, &usage) {
				return err
			}
			return &usageError{err}
		}
	}
	for _, child := range c.Commands() {
		usageExits(child)
	}
}

// usageTemplate shows examples before flags: they are what most people look for.
const usageTemplate = `Usage:{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND{{else}}
  {{.UseLine}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Flags of all these commands:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

More about one: {{.CommandPath}} COMMAND --help{{end}}
`
