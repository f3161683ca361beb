package report

import "io"

// comparePage is what a comparison shows.
type comparePage struct {
	C     Comparison
	A, B  verdict
	Says  string
	Tone  string
	Lines []compareRow
}

type compareRow struct{ Operation, Figure, A, B, Times, Interval, Finding, Tone string }

// HTML writes the comparison as one file without network.
func (c Comparison) HTML(w io.Writer) error {
	p := comparePage{C: c, A: judge(c.A), B: judge(c.B), Says: c.says(), Tone: "good"}
	tones := map[Finding]string{Better: "better", Worse: "worse"}
	for _, l := range c.Lines {
		tone := tones[l.Finding]
		if tone == "" {
			tone = "same"
		}
		if l.Finding == Worse {
			p.Tone = "warn"
		}
		p.Lines = append(p.Lines, compareRow{l.Operation, l.Figure, l.value(l.A), l.value(l.B), l.times(), l.interval(), string(l.Finding), tone})
	}
	if len(c.Warnings) > 0 {
		p.Tone = "warn"
	}
	return page(w, "compare.html", "Comparison · Catraca", nil, p)
}
