package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/catraca/catraca/bench/record"
)

// maxLines bounds how many reasons, findings or marks the text tells; the file has them all.
const maxLines = 20

// Text writes the summary that people paste into a chat: the verdict and its reasons, then the figures.
func Text(w io.Writer, run *record.Run) error {
	var b bytes.Buffer
	textHead(&b, run)
	textOperations(&b, run)
	textFans(&b, run)
	textFairness(&b, run)
	textAudit(&b, run)
	textMarks(&b, run)
	textEnvironment(&b, run)
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func line(b *bytes.Buffer, format string, args ...any) {
	b.WriteString(strings.TrimRight(oneLine(fmt.Sprintf(format, args...)), " ") + "\n")
}

// bounded writes at most maxLines lines and says how many are left.
func bounded(b *bytes.Buffer, lines []string) {
	for i, s := range lines {
		if i == maxLines {
			line(b, "  … and %d more", len(lines)-i)
			return
		}
		line(b, "  %s", s)
	}
}

func textHead(b *bytes.Buffer, run *record.Run) {
	v := judge(run)
	planned, _, _ := lateness(run)
	line(b, "%s  %s", v.Word, v.Says)
	bounded(b, v.Reasons)
	line(b, "")
	line(b, "%s · %s fans in %s · seed %d · %s", run.Scenario, count(planned), span(run.Ended.Sub(run.Began).Seconds()), run.Seed, run.ID)
}

func textOperations(b *bytes.Buffer, run *record.Run) {
	ops := whole(run)
	if len(ops) == 0 {
		return
	}
	line(b, "")
	rows := make([][]string, 0, len(ops)+1)
	rows = append(rows, []string{"operation", "count", "failed", "/s", "p50", "p90", "p99", "p99.9", "max"})
	for _, o := range ops {
		l := o.Latency
		rows = append(rows, []string{o.Name, count(o.Count), count(o.Failed), perSecond(rateOf(run, o.Count)), span(l.P50), span(l.P90), span(l.P99), span(l.P999), span(l.Max)})
	}
	table(b, rows)
	for _, o := range ops {
		if codes := most(o.Codes); len(codes) > 0 {
			line(b, "  %s refused or failed: %s", o.Name, tally(codes))
		}
	}
}

// table sets its rows in columns: names to the left, figures to the right.
func table(b *bytes.Buffer, rows [][]string) {
	widest := 0
	for _, r := range rows {
		widest = max(widest, len([]rune(oneLine(r[0]))))
	}
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 3, ' ', tabwriter.AlignRight)
	for _, r := range rows {
		name := oneLine(r[0])
		cells := []string{name + strings.Repeat(" ", widest-len([]rune(name)))}
		for _, c := range r[1:] {
			cells = append(cells, oneLine(c))
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")+"\t") // a buffer takes all
	}
	_ = w.Flush()
	for l := range strings.Lines(out.String()) {
		line(b, "%s", strings.TrimPrefix(strings.TrimRight(l, "\n"), "   "))
	}
}

func tally(list []counted) string {
	parts := make([]string, 0, len(list))
	for i, c := range list {
		if i == maxLines {
			parts = append(parts, fmt.Sprintf("%d more", len(list)-i))
			break
		}
		parts = append(parts, strings.ReplaceAll(c.Name, "_", " ")+" "+count(c.Count))
	}
	return strings.Join(parts, ", ")
}

func textFans(b *bytes.Buffer, run *record.Run) {
	planned, started, late := lateness(run)
	line(b, "")
	if len(run.Outcomes) > 0 {
		line(b, "fans        %s", tally(most(run.Outcomes)))
	}
	line(b, "arrivals    %s planned, %s started, %s of them late (%s; valid up to %g %%)", count(planned), count(started), count(late), share(late, started), record.MostLate*100)
	for _, t := range run.Verdict.Thresholds {
		line(b, "threshold   %s %s, got %s", word(t.Held, "held  ", "MISSED"), t.Expression, t.Got)
	}
}

func word(held bool, yes, no string) string {
	if held {
		return yes
	}
	return no
}

func textFairness(b *bytes.Buffer, run *record.Run) {
	if len(run.Fairness) == 0 {
		return
	}
	line(b, "")
	rows := [][]string{{"fairness", "fans", "admitted", "order kept", "overtaken", "lost turns", "wait p50", "wait p99", "told p99", "estimate off"}}
	for _, f := range run.Fairness {
		rows = append(rows, []string{everybody(f.Class), count(f.Fans), count(f.Admitted), fmt.Sprintf("%.3f", f.Rank), count(f.Overtaken), count(f.Lapsed),
			span(f.Wait.P50), span(f.Wait.P99), span(f.Lag.P99), fmt.Sprintf("%.0f %%", 100*finite(f.EtaError))})
	}
	table(b, rows)
}

// everybody names a network class; "" is all of them.
func everybody(class string) string {
	if class == "" {
		return "everybody"
	}
	return class
}

func textAudit(b *bytes.Buffer, run *record.Run) {
	line(b, "")
	if !run.Audit.Ran {
		line(b, "audit       did not run")
		return
	}
	for _, c := range run.Audit.Checks {
		line(b, "audit       %s %s", word(c.Held, "held  ", "BROKEN"), c.Name)
	}
	if len(run.Audit.Counted) > 0 {
		line(b, "counted     %s", tally(most(run.Audit.Counted)))
	}
	if len(run.Verdict.Broken) == 0 { // else they are told at the top
		bounded(b, run.Audit.Findings)
	}
}

func textMarks(b *bytes.Buffer, run *record.Run) {
	if len(run.Marks) == 0 {
		return
	}
	line(b, "")
	lines := make([]string, 0, len(run.Marks))
	for _, m := range inOrder(run.Marks) {
		lines = append(lines, fmt.Sprintf("%7.1f s  %-6s %s", m.At, m.Kind, m.Text))
	}
	bounded(b, lines)
}

func textEnvironment(b *bytes.Buffer, run *record.Run) {
	e := run.Environment
	line(b, "")
	line(b, "%s · %s · commit %s · server %s", moment(run.Began), run.Target, e.Commit, e.Server)
	line(b, "%d × %s · %s · Linux %s · %s · %s nodes, %s agents", e.Cores, e.CPU, memory(e.Memory), e.Kernel, e.Go, count(int64(e.Nodes)), count(int64(e.Agents)))
	for _, a := range run.Agents {
		line(b, "%s at %s · %s fans, %s late · clock ahead by %s ± %s, drifted %s · %s CPU", a.Name, a.Address, count(a.Fans), count(a.Starts.Late),
			signed(a.Offset), span(a.Unsure), signed(a.Drift), span(a.CPU))
	}
	if e.Command != "" {
		line(b, "%s", e.Command)
	}
}

// signed is a span that may be below zero.
func signed(seconds float64) string {
	if seconds < 0 {
		return "−" + span(-seconds)
	}
	return span(seconds)
}
