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
	_ "time/tzdata" // events have time zones also where the system has none

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
	stdin    io.Reader
	stdout   io.Writer // answers
	stderr   io.Writer // what people read
	terminal bool      // stderr is one
	asking   bool      // stdin is one too, so there is somebody to ask
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env := environment{
		args: os.Args[1:], lookup: os.LookupEnv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		terminal: isTerminal(os.Stderr),
	}
	env.asking = env.terminal && isTerminal(os.Stdin)
	code := run(ctx, env)
	stop()
	os.Exit(code)
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
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
	if _, status := errors.AsType[*statusError](err); !status && !errors.Is(err, errSaid) {
		var detailed interface{ Detail() string }
		text := err.Error()
		if errors.As(err, &detailed) {
			text = detailed.Detail()
		}
		_, _ = fmt.Fprintln(env.stderr, env.red("catraca:")+" "+text) // nothing is left to tell it to
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if status, ok := errors.AsType[*statusError](err); ok {
		return status.code
	}
	return exitFailed
}

// commands is the whole tree.
func commands(env environment) *cobra.Command {
	root := group(env, &cobra.Command{
		Use:   "catraca",
		Short: "Sell the tickets of a sought-after event, with a fair queue",
		Long: "Catraca sells the tickets of a sought-after event: everyone gets a fair place in one queue, sees it\n" +
			"move live, is let in, chooses seats, pays, and leaves with a ticket.\n\n" +
			"Answers go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong use.",
		Example: "  catraca demo                                    a whole sale on this machine, in a minute\n" +
			"  catraca serve --config catraca.yaml             run a node\n" +
			"  catraca event apply aurora.yaml --dry-run       is an event file right?",
		SilenceErrors: true, SilenceUsage: true,
	},
		demoCommand(env), serveCommand(env), balanceCommand(env), sandboxCommand(env), configCommand(env),
		clusterCommand(env), eventCommand(env), accountCommand(env), verifyCommand(env), backupCommand(env), versionCommand(env),
		storageCheckCommand(env),
	)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w\nSee: %s --help", err, c.CommandPath())}
	})
	root.SetUsageTemplate(usageTemplate)
	usageExits(root)
	return root
}
