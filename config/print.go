package config

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// PrintOptions of Print.
type PrintOptions struct {
	Origin   bool // say where each value comes from
	Comments bool // say what each key means
}

// Print writes the effective configuration as a file that reads back to the same.
func (l *Loaded) Print(w io.Writer, o PrintOptions) error {
	m, err := readManual()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	section := ""
	for _, k := range keys(&l.Config) {
		head, name, _ := strings.Cut(k.Path, ".")
		if head != section {
			if section != "" {
				_, _ = fmt.Fprintln(out) // the writer keeps its first error, Flush tells it
			}
			section = head
			if o.Comments {
				_, _ = fmt.Fprintf(out, "# %s\n", m.section(head))
			}
			_, _ = fmt.Fprintf(out, "%s:\n", head)
		}
		if doc := m.key(k); o.Comments && doc != "" {
			_, _ = fmt.Fprintf(out, "  # %s\n", doc)
		}
		value, err := scalar(k.value.Interface())
		if err != nil {
			return fmt.Errorf("print %s: %w", k.Path, err)
		}
		line := "  " + name + ": " + value
		if o.Origin {
			line = fmt.Sprintf("%-60s # %s", line, l.Origin(k.Path))
		}
		_, _ = fmt.Fprintln(out, line)
	}
	return out.Flush()
}

// scalar writes one value as YAML does.
func scalar(v any) (string, error) {
	switch v := v.(type) {
	case time.Duration:
		return short(v), nil
	case []string:
		parts := make([]string, len(v))
		for i := range v {
			p, err := scalar(v[i])
			if err != nil {
				return "", err
			}
			parts[i] = p
		}
		return "[" + strings.Join(parts, ", ") + "]", nil
	case map[string]string:
		parts := make([]string, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, quote(name)+": "+quote(v[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}", nil
	case string:
		if strings.ContainsAny(v, ",[]{}\n") { // would end a value in a list, or a line
			return quote(v), nil
		}
	}
	b, err := yaml.Marshal(v)
	return strings.TrimSpace(string(b)), err
}

// quote writes text in double quotes, which YAML and JSON read alike.
func quote(s string) string {
	b, err := yaml.MarshalWithOptions(s, yaml.JSON())
	if err != nil {
		return fmt.Sprintf("%q", s)
	}
	return strings.TrimSpace(string(b))
}

// short writes a duration without its zero parts: 12h instead of 12h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
