package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one figure beside what is promised.
type row struct {
	What    string          `json:"what"`
	Got     string          `json:"got"`
	Floor   string          `json:"promised"`
	Held    bool            `json:"held"`
	Figures []figures       `json:"figures,omitempty"`
	Times   []time.Duration `json:"times_ns,omitempty"`
}

// report is what one run has found, and where.
type report struct {
	At      time.Time `json:"at"`
	Commit  string    `json:"commit"`
	Go      string    `json:"go"`
	CPU     string    `json:"cpu"`
	Cores   int       `json:"cores"`
	Kernel  string    `json:"kernel"`
	Command string    `json:"command"`
	Rows    []row     `json:"rows"`
}

func newReport(ctx context.Context) *report {
	r := &report{At: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), Cores: runtime.NumCPU(), Command: strings.Join(append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...), " ")}
	if out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output(); err == nil {
		r.Commit = strings.TrimSpace(string(out))
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		r.Kernel = strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				r.CPU = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(name), ":"))
				break
			}
		}
	}
	return r
}

func (r *report) add(x row) { r.Rows = append(r.Rows, x) }

// table is the report as people read it.
func (r *report) table() string {
	var b bytes.Buffer
	_, _ = fmt.Fprintf(&b, "%s, commit %s, %s, %d × %s, Linux %s\n%s\n\n", r.At.Format(time.RFC3339), r.Commit, r.Go, r.Cores, r.CPU, r.Kernel, r.Command) // a buffer takes all
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "what\tmeasured\tpromised\t")
	for _, x := range r.Rows {
		verdict := ""
		if !x.Held {
			verdict = "MISSED"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", x.What, x.Got, x.Floor, verdict)
	}
	_ = w.Flush()
	return b.String()
}

// write prints the table and keeps it with the raw figures where results are kept.
func (r *report) write(env environment, folder string) error {
	if _, err := fmt.Fprint(env.stdout, r.table()); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	if folder == "" {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return writeReport(filepath.Join(folder, "engine-"+r.At.Format("2006-01-02-1504")), raw, r.table())
}

// keepReport writes a report into a folder, which is made, for machines and for people. Without a folder it does nothing.
func keepReport(folder, name string, report any, text string) error {
	if folder == "" {
		return nil
	}
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return wrong("make --results: %w", err)
	}
	return writeReport(filepath.Join(folder, name), raw, text)
}

func writeReport(path string, raw []byte, text string) error {
	for ending, data := range map[string][]byte{".json": append(raw, '\n'), ".txt": []byte(text)} {
		if err := os.WriteFile(path+ending, data, 0o600); err != nil {
			return fmt.Errorf("keep the report: %w", err)
		}
	}
	return nil
}

func rate(perSecond float64) string {
	n := int64(perSecond)
	if n < 1000 {
		return fmt.Sprintf("%d/s", n)
	}
	return fmt.Sprintf("%d,%03d/s", n/1000, n%1000)
}
