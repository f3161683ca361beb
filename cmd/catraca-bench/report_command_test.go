package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/catraca/catraca/bench/record"
)

// keptRun writes a run of a minute and a half to a file, its seconds so many times slower.
func keptRun(t *testing.T, folder, name string, slower float64) string {
	t.Helper()
	h := hdrhistogram.New(1000, int64(10*time.Minute), 3)
	if err := h.RecordValues(int64(15*time.Millisecond), 9000); err != nil {
		t.Fatal(err)
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 11, 20, 19, 0, 0, 0, time.UTC)
	run := &record.Run{Format: record.Format, ID: name, Scenario: "spike", Began: began, Ended: began.Add(90 * time.Second), Span: 90,
		Environment: record.Environment{Commit: "7bae1e1", CPU: "some", Cores: 2}, Operations: []record.Operation{{Name: "hold", Count: 9000, Histogram: string(text)}}}
	for at := range 90 {
		v := slower * (0.010 + 0.001*float64(at*37%11))
		run.Seconds = append(run.Seconds, record.Second{At: at, Operations: []record.SecondOfAKind{{Name: "hold", Done: 100, P50: v, P99: 3 * v, Max: 5 * v}}})
	}
	var b bytes.Buffer
	if err := run.Write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, name+".json")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestShow: each way of showing a kept run, two, and a folder of them.
func TestShow(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	a, b := keptRun(t, folder, "before", 1), keptRun(t, folder, "after", 1.3)
	out := filepath.Join(t.TempDir(), "out.html")
	for _, c := range []struct {
		args []string
		says string // "" in standard output, when it goes to a file
	}{
		{[]string{"report", a}, "PASSED"},
		{[]string{"report", a, "-o", "html"}, "<!doctype html>"},
		{[]string{"report", a, "-o", "junit"}, "<testsuites"},
		{[]string{"report", a, "-o", "json"}, `"scenario"`},
		{[]string{"report", a, "-o", "hdr"}, "#[Histogram log"},
		{[]string{"report", a, "-o", "html", "--out", out}, ""},
		{[]string{"report", "--history", folder}, "2 kept results"},
		{[]string{"compare", a, a}, "No difference in any of 3 figures."},
		{[]string{"compare", a, b}, "B is worse in 2"},
		{[]string{"compare", a, b, "-o", "html"}, "B is worse in 2"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), environment{args: c.args, stdout: &stdout, stderr: &stderr}); code != 0 {
			t.Errorf("%q: exit %d, %s", c.args, code, stderr.String())
		}
		if c.says == "" && stdout.Len() > 0 || !strings.Contains(stdout.String(), c.says) {
			t.Errorf("%q does not say %q:\n%.400s", c.args, c.says, stdout.String())
		}
	}
	if page, err := os.ReadFile(out); err != nil || !bytes.Contains(page, []byte("PASSED")) {
		t.Errorf("%v, %.100q", err, page)
	}
}

// TestShowWrongly: what cannot be shown is an error that says why.
func TestShowWrongly(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	a := keptRun(t, folder, "before", 1)
	other := filepath.Join(folder, "other.json")
	raw, err := json.Marshal(map[string]string{"not": "a run"})
	if err == nil {
		err = os.WriteFile(other, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"report"}, "name one run's file"},
		{[]string{"report", a, "--history", folder}, "name one run's file"},
		{[]string{"report", a, "-o", "pdf"}, `unknown output "pdf"`},
		{[]string{"report", filepath.Join(folder, "none.json")}, "read run"},
		{[]string{"report", other}, "read run"},
		{[]string{"report", "--history", folder}, "other.json"},
		{[]string{"report", "--history", folder, "-o", "junit"}, "a history is html"},
		{[]string{"compare", a}, "A B"},
		{[]string{"compare", a, other}, "read run"},
		{[]string{"compare", a, a, "-o", "junit"}, `unknown output "junit"`},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), environment{args: c.args, stdout: &stdout, stderr: &stderr})
		if code != record.ExitConfig || stdout.Len() > 0 || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%q: exit %d, %q on standard error, want %q", c.args, code, stderr.String(), c.says)
		}
	}
}
