package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCompareItself: a run beside itself is no different, in every figure.
func TestCompareItself(t *testing.T) {
	t.Parallel()
	c := Compare(passed(), passed())
	if len(c.Warnings) > 0 || len(c.Lines) != 3*len(kinds) {
		t.Errorf("%q, %d lines", c.Warnings, len(c.Lines))
	}
	for _, l := range c.Lines {
		if l.Finding != Same || l.Ratio != 1 {
			t.Errorf("%+v", l)
		}
	}
}

func TestCompareWarns(t *testing.T) {
	t.Parallel()
	a, b := passed(), brokenRun()
	b.Environment.Kernel, b.Environment.Go = "6.1", "go1.27"
	b.Seconds = b.Seconds[:15]
	c := Compare(a, b)
	all := strings.Join(c.Warnings, "\n")
	for _, want := range []string{"run B is no measure: SAFETY BROKE", "scenario differs", "the plans differ", "CPU differs", "kernel differs: 6.18.44 and 6.1", "Go differs"} {
		if !strings.Contains(all, want) {
			t.Errorf("no warning %q in\n%s", want, all)
		}
	}
	for _, l := range c.Lines {
		if l.Finding != TooFew {
			t.Errorf("a few seconds say %+v", l)
		}
	}
	var page bytes.Buffer
	if err := c.HTML(&page); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, "comparison", page.String())
	if d := cmp.Diff(c.Lines, Compare(a, b).Lines); d != "" {
		t.Error("the same runs, another comparison:", d)
	}
	var text bytes.Buffer
	if err := Compare(a, madeUp(11, 1.3)).Text(&text); err != nil {
		t.Fatal(err)
	}
	golden(t, "compared.txt", text.Bytes())
}
