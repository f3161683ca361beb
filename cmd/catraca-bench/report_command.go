package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/bench/record"
	shown "github.com/catraca/catraca/bench/report"
)

// reportCommand shows a kept run.
func reportCommand(env environment) *cobra.Command {
	var format, out, history string
	c := &cobra.Command{
		Use: "report [FILE]", Short: "Show a kept run", Args: cobra.MaximumNArgs(1),
		Example: "  catraca-bench report run.json\n  catraca-bench report run.json -o html --out run.html\n  catraca-bench report --history bench/results -o html --out bench.html",
		RunE: func(_ *cobra.Command, args []string) error {
			if (history == "") == (len(args) == 0) {
				return wrong("report: name one run's file, or a folder with --history")
			}
			var b bytes.Buffer
			if err := reportInto(&b, args, format, history); err != nil {
				return err
			}
			return deliver(env, out, b.Bytes())
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "text", "text, json, html, junit or hdr")
	c.Flags().StringVar(&out, "out", "", "write to this file instead of standard output")
	c.Flags().StringVar(&history, "history", "", "chart the results kept in this folder over time, as one HTML page")
	return c
}

func reportInto(w io.Writer, args []string, format, history string) error {
	if history != "" {
		if format != "html" && format != "text" { // text is the default, which has no history
			return wrong("report: a history is html, not %q", format)
		}
		kept, err := shown.ReadKept(os.DirFS(history))
		if err != nil {
			return wrong("report: %w", err)
		}
		return shown.History(w, kept)
	}
	write, known := map[string]func(io.Writer, *record.Run) error{
		"text": shown.Text, "html": shown.HTML, "junit": shown.JUnit,
		"json": func(w io.Writer, run *record.Run) error { return run.Write(w) },
		"hdr":  func(w io.Writer, run *record.Run) error { return run.WriteHDR(w) },
	}[format]
	if !known {
		return wrong("report: unknown output %q, choose text, json, html, junit or hdr", format)
	}
	run, err := openRun(args[0])
	if err != nil {
		return err
	}
	return write(w, run)
}

// deliver writes to a file, or to standard output when no file is named.
func deliver(env environment, out string, b []byte) error {
	if out == "" {
		if _, err := env.stdout.Write(b); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		return nil
	}
	if err := os.WriteFile(out, b, 0o644); err != nil { //nolint:gosec // made to be shared
		return fmt.Errorf("write %s: %w", out, err)
	}
	return nil
}
