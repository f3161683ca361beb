package report

import (
	"slices"
	"testing"

	"github.com/catraca/catraca/bench/record"
)

// Operations stand as a fan does them, whatever order a run's file has them in.
func TestOperationsInOrder(t *testing.T) {
	t.Parallel()
	run := &record.Run{}
	for _, name := range []string{"bot", "claim", "connect", "hold", "join", "map", "sign-in", "ticket", "abc"} {
		run.Operations = append(run.Operations, record.Operation{Name: name}, record.Operation{Name: name, Class: "far"})
	}
	var got, far []string
	for _, o := range whole(run) {
		got = append(got, o.Name)
	}
	for _, o := range byClass(run) {
		far = append(far, o.Name)
	}
	want := []string{"sign-in", "connect", "join", "claim", "map", "hold", "ticket", "bot", "abc"}
	if !slices.Equal(got, want) || !slices.Equal(far, want) || run.Operations[0].Name != "bot" {
		t.Errorf("the order is %v and %v, the run's own %s first", got, far, run.Operations[0].Name)
	}
}

// The percentile chart ends with the last nine that the run had operations for.
func TestSpreadIsTrimmed(t *testing.T) {
	t.Parallel()
	c := spreads(passed())[0]
	last := len(c.X) - 1
	if c.X[last] != 5 || len(c.Lines[0].Y) != last+1 {
		t.Errorf("87,000 operations end at %v nines", c.X[last])
	}
	short := chart{X: c.X, Lines: []stroke{{Y: slices.Clone(c.Lines[0].Y)}, {Y: slices.Clone(c.Lines[0].Y)}}}
	for i := range short.Lines[0].Y {
		if i > 30 {
			short.Lines[0].Y[i] = gap()
		}
		if i > 41 { // 2.05 nines
			short.Lines[1].Y[i] = gap()
		}
	}
	if short.trim(); short.X[len(short.X)-1] != 3 || len(short.Lines[0].Y) != len(short.X) || len(short.Lines[1].Y) != len(short.X) {
		t.Errorf("figures up to 2.05 nines end at %v", short.X[len(short.X)-1])
	}
	none := chart{X: []number{0, 1, 2}, Lines: []stroke{{Y: []number{gap(), gap(), gap()}}}}
	if none.trim(); none.shows() {
		t.Error("a chart of nothing shows something")
	}
}
