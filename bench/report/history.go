package report

import (
	"io"
	"slices"
)

type historyPage struct {
	Kept     []Kept
	Sections []section
}

// History writes a page that charts kept results over time, each kind and unit apart: the oldest first.
func History(w io.Writer, kept []Kept) error {
	p := historyPage{Kept: slices.Clone(kept)}
	slices.Reverse(p.Kept)
	var kinds []string
	for _, k := range kept {
		if !slices.Contains(kinds, k.Kind) {
			kinds = append(kinds, k.Kind)
		}
	}
	var charts []chart
	for _, kind := range kinds {
		s := section{Title: kind, Says: "Each point is a kept run; only those of one machine may be held against each other."}
		if one := slices.DeleteFunc(slices.Clone(kept), func(k Kept) bool { return k.Kind != kind }); len(one) == 1 {
			s.Says = "A single result so far, below."
			p.Sections = append(p.Sections, s)
			continue
		}
		for _, c := range historyOf(kept, kind) {
			if len(charts) == maxCharts {
				break
			}
			s.Charts = append(s.Charts, len(charts))
			charts = append(charts, c)
		}
		p.Sections = append(p.Sections, s)
	}
	return page(w, "history.html", "The bench over time · Catraca", charts, p)
}

// historyOf has a chart for each figure of a kind, of its last results.
func historyOf(kept []Kept, kind string) []chart {
	kept = slices.DeleteFunc(slices.Clone(kept), func(k Kept) bool { return k.Kind != kind })
	kept = kept[max(0, len(kept)-maxPoints):]
	var list []chart
	for at, k := range kept {
		for _, f := range k.Figures {
			i := slices.IndexFunc(list, func(c chart) bool { return c.Title == f.What && c.Unit == f.Unit })
			if i < 0 {
				i = len(list)
				c := chart{Title: f.What, Kind: "dates", Unit: f.Unit, Lines: []stroke{{Name: "measured", Y: slices.Repeat([]number{gap()}, len(kept))}}}
				for _, o := range kept {
					c.X = append(c.X, number(o.At.Unix()))
				}
				list = append(list, c)
			}
			list[i].Lines[0].Y[at] = number(f.Value)
		}
	}
	return list
}
