// Command catraca-bench measures Catraca. Its run command lets a crowd of virtual fans come to a sale and audits what
// they were given; its engine command runs the engine alone, in processes of its own: the sale's machine, Raft and the
// disk, without sockets and pages, on one node and on three.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/bench/record"
)

// Exit codes beside those of package record.
const exitFailed = 1

// environment is what a command may touch of the world.
type environment struct {
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // whoever asks a second time does not want to wait for the audit
	code := run(ctx, environment{args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr})
	stop()
	os.Exit(code)
}

// run is main without the process.
func run(ctx context.Context, env environment) int {
	root := &cobra.Command{
		Use: "catraca-bench", Short: "Measure Catraca", SilenceErrors: true, SilenceUsage: true,
		Long: "Measures Catraca. Answers go to standard output, everything else to standard error.\n" +
			"Exit codes: 0 done, 1 failed, 98 a promise of safety was broken, 99 a figure is worse than what is promised or worth\n" +
			"nothing, 104 nothing was done because a file or a flag is wrong, 105 ended before its time.",
	}
	missed, code := false, 0
	root.AddCommand(
		runCommand(env, &code), rerunCommand(env, &code), auditCommand(env, &code), setCommand(env, &code), scenarioCommand(env),
		reportCommand(env), compareCommand(env, &missed), engineCommand(env, &missed), engineNodeCommand(env), agentCommand(env),
		socketsCommand(env),
	)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &wrongError{err} })
	root.SetArgs(env.args)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		_, _ = fmt.Fprintln(env.stderr, "catraca-bench: "+detail(err)) // nothing is left to tell it to
		if _, ok := errors.AsType[*wrongError](err); ok {
			return record.ExitConfig
		}
		if errors.Is(err, errAborted) {
			return record.ExitAborted
		}
		return exitFailed
	}
	if missed {
		return record.ExitThreshold
	}
	return code
}
