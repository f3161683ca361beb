package report

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catraca/catraca/bench/record"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s differs (go test ./bench/report -update, when it is meant to):\n%s", name, d)
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(io.Writer, *record.Run) error{"txt": Text, "xml": JUnit} {
		for what, run := range map[string]*record.Run{"passed": passed(), "broken": brokenRun(), "empty": {}} {
			var b bytes.Buffer
			if err := write(&b, run); err != nil {
				t.Fatal(err)
			}
			golden(t, what+"."+name, b.Bytes())
			if name == "xml" {
				if err := xml.Unmarshal(b.Bytes(), new(junitSuites)); err != nil {
					t.Error(err)
				}
			}
			if strings.Contains(b.String(), "\x1b") {
				t.Errorf("%s.%s can steer a terminal", what, name)
			}
		}
	}
}

// TestVerdict: what is worst is said.
func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want string
		make func(*record.Run)
	}{
		{"PASSED", func(*record.Run) {}},
		{"THRESHOLD MISSED", func(r *record.Run) { r.Verdict.Thresholds[1].Held = false }},
		{"INVALID", func(r *record.Run) { r.Verdict.Thresholds[1].Held, r.Verdict.Invalid = false, []string{"late"} }},
		{"ABORTED", func(r *record.Run) { r.Verdict.Aborted, r.Verdict.Invalid = true, []string{"late"} }},
		{"SAFETY BROKE", func(r *record.Run) { r.Verdict.Aborted, r.Verdict.Broken = true, []string{"twice"} }},
		{"SAFETY BROKE", func(r *record.Run) { r.Audit.Checks[0].Held = false }},
	} {
		run := another()
		c.make(run)
		if got := judge(run).Word; got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0 s", 0.0000004: "0.40 µs", 0.00087: "870 µs", 0.0382: "38.2 ms", 0.9996: "1.00 s", 2.05: "2.05 s", 59.96: "1 min 0 s", 200: "3 min 20 s", 7260: "2 h 1 min", -0.5: "−500 ms"} {
		if got := span(v); got != want {
			t.Errorf("span(%v) = %q, want %q", v, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "−1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}
