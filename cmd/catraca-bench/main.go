// Command catraca-bench measures Catraca. Its engine command runs the engine alone, in processes of its own: the sale's
// machine, Raft and the disk, without sockets and pages, on one node and on three.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitFailed = 1
	exitMissed = 99 // a figure is worse than what is promised
)

// environment is what a command may touch of the world.
type environment struct {
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, environment{args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr})
	stop()
	os.Exit(code)
}

// run is main without the process.
func run(ctx context.Context, env environment) int {
	root := &cobra.Command{
		Use: "catraca-bench", Short: "Measure Catraca", SilenceErrors: true, SilenceUsage: true,
		Long: "Measures Catraca. Answers go to standard output, everything else to standard error.\n" +
			"Exit codes: 0 done, 1 failed, 99 a figure is worse than what is promised.",
	}
	missed := false
	root.AddCommand(engineCommand(env, &missed), engineNodeCommand(env))
	root.SetArgs(env.args)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		_, _ = fmt.Fprintln(env.stderr, "catraca-bench: "+err.Error()) // nothing is left to tell it to
		return exitFailed
	}
	if missed {
		return exitMissed
	}
	return 0
}
