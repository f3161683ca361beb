package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// output is how a command writes its answer.
type output struct{ format string }

func (o *output) flag(c *cobra.Command) {
	c.Flags().StringVarP(&o.format, "output", "o", "text", "text or json")
}

// json tells whether programs read the answer; the error is about the flag.
func (o *output) json(c *cobra.Command) (bool, error) {
	switch o.format {
	case "text":
		return false, nil
	case "json":
		return true, nil
	default:
		return false, wrong(c, "--output %q, allowed are text and json", o.format)
	}
}

// writeJSON writes an answer as indented JSON.
func writeJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}

// writeRaw indents JSON that came from the server.
func writeRaw(w io.Writer, raw []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	_, err := fmt.Fprintf(w, "%s\n", bytes.TrimSpace(b.Bytes()))
	return err
}

// table writes rows in aligned columns; the first row is the head.
func table(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		if _, err := fmt.Fprintln(t, strings.Join(r, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}

// facts writes names and values in two columns; empty values are left out.
func facts(w io.Writer, pairs ...string) error {
	width := 0
	for i := 0; i < len(pairs); i += 2 {
		width = max(width, utf8.RuneCountInString(pairs[i]))
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-*s  %s\n", width, pairs[i], pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// say writes a line for people. There is nowhere else to tell it when that fails.
func (env environment) say(format string, args ...any) {
	_, _ = fmt.Fprintf(env.stderr, format+"\n", args...)
}

// colored says whether colours help: on a terminal whose owner has not refused them (https://no-color.org).
func (env environment) colored() bool {
	refused, ok := env.lookup("NO_COLOR")
	return env.terminal && (!ok || refused == "")
}

func (env environment) red(s string) string {
	if !env.colored() {
		return s
	}
	return "\x1b[31m" + s + "\x1b[0m"
}

// confirm asks before something that cannot be undone. Where nobody can be asked, the command itself is the answer.
func (env environment) confirm(yes bool, question string) (bool, error) {
	if yes || !env.asking {
		return true, nil
	}
	_, _ = fmt.Fprintf(env.stderr, "%s [y/N] ", question) // without it nobody answers
	line, err := bufio.NewReader(io.LimitReader(env.stdin, 1024)).ReadString('\n')
	if err != nil && line == "" {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes", nil
}

// thousands groups digits: 8,897.
func thousands[T int | int64 | uint32 | uint64](n T) string {
	s := fmt.Sprint(n)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
