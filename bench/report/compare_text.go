package report

import (
	"bytes"
	"fmt"
	"io"
)

// Text writes the comparison as a table: warnings first.
func (c Comparison) Text(w io.Writer) error {
	var b bytes.Buffer
	line(&b, "A  %s · %s · %s · commit %s", c.A.Scenario, c.A.ID, judge(c.A).Word, c.A.Environment.Commit)
	line(&b, "B  %s · %s · %s · commit %s", c.B.Scenario, c.B.ID, judge(c.B).Word, c.B.Environment.Commit)
	for _, s := range c.Warnings {
		line(&b, "warning: %s", s)
	}
	line(&b, "")
	line(&b, "%s", c.says())
	line(&b, "")
	rows := [][]string{{"operation", "figure", "A", "B", "B/A", "99 % interval", "finding"}}
	for _, l := range c.Lines {
		rows = append(rows, []string{l.Operation, l.Figure, l.value(l.A), l.value(l.B), l.times(), l.interval(), string(l.Finding)})
	}
	table(&b, rows)
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// says is the comparison in one sentence.
func (c Comparison) says() string {
	better, worse, told := 0, 0, 0
	for _, l := range c.Lines {
		switch l.Finding {
		case Better:
			better++
		case Worse:
			worse++
		case Same:
		case TooFew, Missing:
			continue
		}
		told++
	}
	switch {
	case told == 0:
		return "Nothing can be told from these two runs."
	case better+worse == 0 && told == 1:
		return "No difference in the one figure that can be told."
	case better+worse == 0:
		return fmt.Sprintf("No difference in any of %d figures.", told)
	default:
		return fmt.Sprintf("B is worse in %d, better in %d and no different in %d of %d figures.", worse, better, told-better-worse, told)
	}
}

func (l Ratio) value(v float64) string {
	switch {
	case l.Finding == Missing || !usable(v):
		return "–"
	case l.Figure == "rate":
		return perSecond(v) + " /s"
	default:
		return span(v)
	}
}

func (l Ratio) times() string {
	if !usable(l.Ratio) {
		return "–"
	}
	return fmt.Sprintf("%.3f×", l.Ratio)
}

func (l Ratio) interval() string {
	if l.High == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3f – %.3f", l.Low, l.High)
}
