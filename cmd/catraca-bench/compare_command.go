package main

import (
	"bytes"
	"io"

	"github.com/spf13/cobra"

	shown "github.com/catraca/catraca/bench/report"
)

// compareCommand holds one kept run against another, or Catraca against a peer.
func compareCommand(env environment, missed *bool) *cobra.Command {
	var format, out string
	c := &cobra.Command{
		Use: "compare A B", Short: "Compare two kept runs, with an interval; or with PostgreSQL, Redis, etcd", Args: needs("A", "B"),
		Example: "  catraca-bench compare before.json after.json\n  catraca-bench compare before.json after.json -o html --out compared.html\n" +
			"  catraca-bench compare postgres",
		RunE: func(_ *cobra.Command, args []string) error {
			write, known := map[string]func(shown.Comparison, io.Writer) error{"text": shown.Comparison.Text, "html": shown.Comparison.HTML}[format]
			if !known {
				return wrong("compare: unknown output %q, choose text or html", format)
			}
			a, err := openRun(args[0])
			if err != nil {
				return err
			}
			b, err := openRun(args[1])
			if err != nil {
				return err
			}
			var page bytes.Buffer
			if err := write(shown.Compare(a, b), &page); err != nil {
				return err
			}
			return deliver(env, out, page.Bytes())
		},
	}
	for _, peer := range peerNames() {
		c.AddCommand(peerCommand(env, missed, peer))
	}
	c.Flags().StringVarP(&format, "output", "o", "text", "text or html")
	c.Flags().StringVar(&out, "out", "", "write to this file instead of standard output")
	return c
}
