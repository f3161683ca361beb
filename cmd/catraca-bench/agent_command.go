package main

import (
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/bench/agent"
)

// secretVariable holds the secret of agents where no file does.
const secretVariable = "CATRACA_BENCH_SECRET"

func agentCommand(env environment) *cobra.Command {
	var address, secretFile string
	c := &cobra.Command{
		Use: "agent", Short: "Let a share of a run's fans come from this machine, as a coordinator wants it",
		Long: "Waits for `catraca-bench run --agents HOST:PORT` and lets its share of the fans come. Both sides need the same secret,\n" +
			"from --secret-file or from the variable " + secretVariable + "; without one, an agent listens on loopback only. What goes\n" +
			"between them is encrypted. An agent lets fans come to rehearsals only.",
		Example: "  catraca-bench agent --listen 10.0.0.7:7300 --secret-file agents.secret",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			secret, err := agentSecret(secretFile)
			if err != nil {
				return err
			}
			if err := agent.Allowed(address, secret); err != nil {
				return wrong("%w", err)
			}
			l, err := (&net.ListenConfig{}).Listen(c.Context(), "tcp", address)
			if err != nil {
				return wrong("--listen: %w", err)
			}
			if _, err := fmt.Fprintf(env.stdout, "listen %s\n", l.Addr()); err != nil {
				_ = l.Close() // whoever started it does not listen
				return err
			}
			say := func(format string, args ...any) { _, _ = fmt.Fprintf(env.stderr, format+"\n", args...) } // nowhere else to tell it
			return agent.Serve(c.Context(), l, agent.Options{Secret: secret, Say: say})
		},
	}
	c.Flags().StringVar(&address, "listen", "127.0.0.1:7300", "address to wait at")
	c.Flags().StringVar(&secretFile, "secret-file", "", "file with the secret that coordinators have to know, 16 bytes or more")
	return c
}

// agentSecret is the secret of agents; empty: there is none.
func agentSecret(file string) ([]byte, error) {
	if file == "" {
		return []byte(os.Getenv(secretVariable)), nil
	}
	s, err := secret("--secret-file", file)
	return []byte(s), err
}
