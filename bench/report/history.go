package report

import (
	"fmt"
	"io"
	"slices"
)

// historyPage is the results over time. Rows of a part are its figures, the latest result beside the one before.
type historyPage struct {
	Kept  []Kept // the latest first
	Parts []historyPart
	Says  string
}

type historyPart struct {
	Title string
	Says  string
	Rows  []historyRow
	// Promised and Before say that some row has such a figure.
	Promised, Before bool
	Charts           []int
	Verdict, Tone    string
}

type historyRow struct{ What, Got, Floor, Before string }

// History writes a page that shows kept results over time, each kind apart: its latest figures, and charts of all of them.
func History(w io.Writer, kept []Kept) error {
	p := historyPage{Kept: slices.Clone(kept), Says: "Nothing is kept yet."}
	slices.Reverse(p.Kept)
	var charts []chart
	for _, g := range []Group{Peers, Scenarios, Engine} {
		for _, kind := range kindsOf(kept, g) {
			one := slices.DeleteFunc(slices.Clone(kept), func(k Kept) bool { return k.Group != g || k.Kind != kind })
			part := partOf(one)
			for _, c := range historyOf(one) {
				if len(charts) == maxCharts {
					break
				}
				part.Charts = append(part.Charts, len(charts))
				charts = append(charts, c)
			}
			p.Parts = append(p.Parts, part)
		}
	}
	if len(kept) > 0 {
		p.Says = fmt.Sprintf("%d kept results, the latest of %s. Figures hold for the machine they were measured on.", len(kept), day(p.Kept[0]))
		if len(kept) == 1 {
			p.Says = fmt.Sprintf("One kept result, of %s. Its figures hold for the machine they were measured on.", day(p.Kept[0]))
		}
	}
	return page(w, "history.html", "The bench over time · Catraca", charts, p)
}

// kindsOf are the kinds of a group, as they first came.
func kindsOf(kept []Kept, g Group) []string {
	var kinds []string
	for _, k := range kept {
		if k.Group == g && !slices.Contains(kinds, k.Kind) {
			kinds = append(kinds, k.Kind)
		}
	}
	return kinds
}

func day(k Kept) string { return k.At.UTC().Format("2006-01-02") }

// partOf is the latest of the results of one kind beside the latest one before it from the same machine.
func partOf(kept []Kept) historyPart {
	last := kept[len(kept)-1]
	part := historyPart{Title: last.Kind, Verdict: last.Verdict, Tone: "good", Says: fmt.Sprintf("%s · commit %s · %s", day(last), last.Commit, last.Machine)}
	if last.Verdict != "held" && last.Verdict != "PASSED" && last.Verdict != "told" {
		part.Tone = "warn"
	}
	var before Kept
	for _, k := range kept[:len(kept)-1] {
		if k.Machine == last.Machine {
			before = k
		}
	}
	if before.Name != "" {
		part.Before = true
		part.Says += fmt.Sprintf(" · before: %s, commit %s", day(before), before.Commit)
	}
	for _, f := range last.Figures {
		r := historyRow{What: f.What, Floor: f.Floor, Got: f.Got}
		for _, o := range before.Figures {
			if o.What == f.What && o.Unit == f.Unit {
				r.Before = o.Got
			}
		}
		part.Promised = part.Promised || f.Floor != ""
		part.Rows = append(part.Rows, r)
	}
	return part
}

// historyOf are the charts of results of one kind; none for a single one.
func historyOf(kept []Kept) []chart {
	if len(kept) < 2 {
		return nil
	}
	kept = kept[max(0, len(kept)-maxPoints):]
	if kept[0].Group == Scenarios {
		return overScenario(kept)
	}
	var list []chart
	for at, k := range kept {
		for _, f := range k.Figures {
			if kept[0].Group == Peers && f.Unit != "×" {
				continue // rates of different peers hang on the day
			}
			i := slices.IndexFunc(list, func(c chart) bool { return c.Title == f.What && c.Unit == f.Unit })
			if i < 0 {
				i = len(list)
				list = append(list, dated(f.What, f.Unit, kept))
			}
			list[i].at(k.Machine, "", at, f.Value)
			if f.Promised > 0 {
				list[i].at("promised", "muted", at, f.Promised)
			}
		}
	}
	return list
}

// overScenario draws the latencies of a scenario's operations into one chart and their rates into another, from the
// machine of the latest result.
func overScenario(kept []Kept) []chart {
	here := kept[len(kept)-1].Machine
	kept = slices.DeleteFunc(slices.Clone(kept), func(k Kept) bool { return k.Machine != here })
	list := []chart{dated("p99", "seconds", kept), dated("rate", "per_second", kept)}
	list[0].Log = true
	for at, k := range kept {
		for _, f := range k.Figures {
			for i := range list {
				if name, ok := cutSuffix(f.What, " "+list[i].Title); ok && f.Unit == list[i].Unit && (!list[i].Log || f.Value > 0) {
					list[i].at(name, "", at, f.Value)
				}
			}
		}
	}
	return slices.DeleteFunc(list, func(c chart) bool { return !c.shows() || len(kept) < 2 })
}

func cutSuffix(s, end string) (string, bool) {
	if n := len(s) - len(end); n > 0 && s[n:] == end {
		return s[:n], true
	}
	return s, false
}

// dated is a chart over the days of results, without lines yet.
func dated(title, unit string, kept []Kept) chart {
	c := chart{Title: title, Kind: "dates", Unit: unit}
	for _, k := range kept {
		c.X = append(c.X, number(k.At.Unix()))
		c.Names = append(c.Names, day(k)+" "+k.Commit)
	}
	return c
}

// at sets a figure of a line, which is added when it is not there.
func (c *chart) at(name, tone string, i int, v float64) {
	at := slices.IndexFunc(c.Lines, func(l stroke) bool { return l.Name == name })
	if at < 0 {
		at = len(c.Lines)
		c.Lines = append(c.Lines, stroke{Name: name, Tone: tone, Y: slices.Repeat([]number{gap()}, len(c.X))})
	}
	c.Lines[at].Y[i] = number(v)
}
