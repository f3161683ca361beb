// Command catraca is the server and every operator command of Catraca: it sells the tickets of a sought-after
// event, with a fair queue that anybody can watch.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // venues have time zones wherever the binary runs

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
	exitBroken = 70 // the node's own state or disk can no longer be trusted
)

// environment is what a command may touch of the world.
type environment struct {
	args     []string
	lookup   func(string) (string, bool)
	stdout   io.Writer
	stderr   io.Writer
	terminal bool // stderr is one
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	info, err := os.Stderr.Stat()
	env := environment{
		args: os.Args[1:], lookup: os.LookupEnv, stdout: os.Stdout, stderr: os.Stderr,
		terminal: err == nil && info.Mode()&os.ModeCharDevice != 0,
	}
	code := run(ctx, env)
	stop()
	os.Exit(code)
}

// run is main without the process: tests call it.
func run(ctx context.Context, env environment) int {
	root := commands(env)
	root.SetArgs(env.args)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var detailed interface{ Detail() string }
	if errors.As(err, &detailed) {
		_, _ = fmt.Fprintln(env.stderr, "catraca: "+detailed.Detail()) // nothing is left to tell it to
	} else {
		_, _ = fmt.Fprintln(env.stderr, "catraca: "+err.Error())
	}
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// usageError is a command used wrongly.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// commands is the whole tree.
func commands(env environment) *cobra.Command {
	root := &cobra.Command{
		Use:           "catraca",
		Short:         "Sell the tickets of a sought-after event, with a fair queue",
		Long:          "Catraca sells the tickets of a sought-after event: everyone gets a fair place in one queue, sees it\nmove live, is let in, chooses seats, pays, and leaves with a ticket.\n\nTry it:  catraca demo",
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w\nSee: %s --help", err, c.CommandPath())}
	})
	root.AddCommand(demoCommand(env), serveCommand(env), balanceCommand(env))
	return root
}
