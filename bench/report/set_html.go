package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/catraca/catraca/bench/record"
)

// setPage is what the report of a set shows.
type setPage struct {
	Word, Tone, Says string
	Tiles            []tile
	Columns          []string
	Beside           bool // some run has an earlier one
	Runs             []setPart
	LeftOut          []string
	Sheet            []pairOfTexts
}

// setPart is one run of it.
type setPart struct {
	Name, Says, Page, Beside string
	Verdict                  verdict
	Figures                  []string
	Marks                    []record.Mark
	Operations               []operationRow
	Charts                   []int
}

// HTML writes a set as one file without network: the table of all runs, and the figures and charts of each.
func (s Set) HTML(w io.Writer) error {
	p := setPage{Word: "PASSED", Tone: "good", Says: s.says(), Columns: setColumns(), LeftOut: s.LeftOut}
	var charts []chart
	var fans, bought, failed int64
	for _, r := range s.Runs {
		part := setPart{
			Name: r.Run.Scenario, Says: describe(r.Run), Page: r.Page, Beside: r.beside(), Verdict: judge(r.Run), Figures: figuresOf(r.Run),
			Marks: inOrder(r.Run.Marks), Operations: rows(r.Run, whole(r.Run)),
		}
		part.Marks = part.Marks[:min(len(part.Marks), maxLines)]
		if r.Run.ExitCode() != 0 && p.Tone != "bad" {
			p.Word, p.Tone = "NOT ALL PASSED", part.Verdict.Tone
		}
		for _, c := range setCharts(r.Run) {
			if len(charts) < maxCharts {
				part.Charts = append(part.Charts, len(charts))
				charts = append(charts, c)
			}
		}
		planned, _, _ := lateness(r.Run)
		fans, bought = fans+planned, bought+r.Run.Outcomes["bought"]
		for _, o := range whole(r.Run) {
			failed += o.Failed
		}
		p.Beside = p.Beside || r.Before != nil
		p.Runs = append(p.Runs, part)
	}
	p.Tiles = []tile{
		{count(int64(len(s.Runs))), "scenarios", ""}, {count(fans), "fans", ""}, {count(bought), "bought", ""}, {count(failed), "failed operations", ""},
	}
	if len(s.Runs) > 0 {
		p.Sheet = slices.DeleteFunc(sheet(s.Runs[0].Run), func(t pairOfTexts) bool {
			return slices.Contains([]string{"Run", "Began", "Took", "Warm-up", "Seed", "Target", "Nodes", "Agents", "Command"}, t.Name)
		})
	}
	return page(w, "set.html", "The canonical set · "+strings.ToLower(p.Word)+" · Catraca", charts, p)
}

// describe says what a run was.
func describe(run *record.Run) string {
	nodes := "one node"
	if n := run.Environment.Nodes; n != 1 {
		nodes = fmt.Sprintf("%d nodes", n)
	}
	return fmt.Sprintf("%s, %s, seed %d", span(run.Ended.Sub(run.Began).Seconds()), nodes, run.Seed)
}

// setCharts are two of a run's: what was answered, and how long the slowest took.
func setCharts(run *record.Run) []chart {
	marks := marksOf(run)
	slowest := chart{Title: "p99", Kind: "time", Unit: "seconds", Log: true, X: clock(run.Seconds), Marks: marks}
	for _, c := range latencies(run, marks) {
		for _, l := range c.Lines {
			if l.Name == "p99" && c.shows() {
				slowest.Lines = append(slowest.Lines, stroke{Name: c.Title, Y: l.Y})
			}
		}
	}
	var list []chart
	for _, c := range arrivals(run, marks) {
		if c.Title == "Answers" {
			list = append(list, c)
		}
	}
	return slices.DeleteFunc(append(list, slowest), func(c chart) bool { return len(c.X) == 0 || !c.shows() })
}
