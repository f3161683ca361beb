package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"
)

// peerPromises are how many times the peer's rate Catraca's has to be at least, by peer, nodes and work.
func peerPromises(peer string, nodes int, work string) float64 {
	type key struct {
		peer  string
		nodes int
		work  string
	}
	return map[key]float64{
		{"postgres", 1, "hold"}: 2, {"postgres", 1, "best"}: 5, {"postgres", 1, "join"}: 100,
		{"redis", 1, "hold"}: 0.7, {"redis", 1, "join"}: 0.7,
		{"etcd", 3, "hold"}: 3,
	}[key{peer, nodes, work}]
}

// peerRow is one way of doing some work: its rounds, and the medians of them.
type peerRow struct {
	Who    string       `json:"who"`
	Work   string       `json:"work"`
	Form   string       `json:"form"`
	Rounds []peerFigure `json:"rounds"`

	PerSecond float64 `json:"per_second"`
	P50       int64   `json:"p50_us"`
	P99       int64   `json:"p99_us"`
}

// settle makes the medians.
func (r *peerRow) settle() {
	r.PerSecond = middleOf(r.Rounds, func(f peerFigure) float64 { return f.PerSecond })
	r.P50 = middleOf(r.Rounds, func(f peerFigure) int64 { return f.P50 })
	r.P99 = middleOf(r.Rounds, func(f peerFigure) int64 { return f.P99 })
}

// middleOf is the median of a figure; of an even number the lower one of the two in the middle.
func middleOf[V cmp.Ordered](all []peerFigure, of func(peerFigure) V) V {
	var out []V
	for _, f := range all {
		out = append(out, of(f))
	}
	slices.Sort(out)
	if len(out) == 0 {
		var none V
		return none
	}
	return out[(len(out)-1)/2]
}

// peerRatio is Catraca beside the best form of the peer.
type peerRatio struct {
	Work     string  `json:"work"`
	Form     string  `json:"form"` // the peer's best
	Ratio    float64 `json:"ratio"`
	Promised float64 `json:"promised,omitempty"` // 0: nothing
	Held     bool    `json:"held"`
}

// peerReport is what one comparison has found.
type peerReport struct {
	report

	Peer    string      `json:"peer"`
	Version string      `json:"version"`
	Catraca string      `json:"catraca"`
	Nodes   int         `json:"nodes"`
	Clients int         `json:"clients"`
	Fans    int         `json:"fans"`
	Waiting int         `json:"waiting"`
	For     string      `json:"for"`
	Table   []*peerRow  `json:"table"`
	Ratios  []peerRatio `json:"ratios"`
}

// ours is the form that Catraca's figures go by.
const ours = "Catraca"

// add keeps a figure of one round.
func (r *peerReport) add(who string, f peerFigure) {
	for _, row := range r.Table {
		if row.Who == who && row.Work == f.Work && row.Form == f.Form {
			row.Rounds = append(row.Rounds, f)
			return
		}
	}
	r.Table = append(r.Table, &peerRow{Who: who, Work: f.Work, Form: f.Form, Rounds: []peerFigure{f}})
}

// settle makes medians and ratios when all rounds are over. It returns false when a promise was missed.
func (r *peerReport) settle() bool {
	best, mine := make(map[string]*peerRow), make(map[string]*peerRow)
	held := true
	for _, row := range r.Table {
		row.settle()
		switch b := best[row.Work]; {
		case row.Form == ours:
			mine[row.Work] = row
		case b == nil || row.PerSecond > b.PerSecond:
			best[row.Work] = row
		}
	}
	for _, work := range peerWorks() {
		b, m := best[work], mine[work]
		if b == nil || m == nil || b.PerSecond == 0 {
			continue
		}
		x := peerRatio{Work: work, Form: b.Form, Ratio: m.PerSecond / b.PerSecond, Promised: peerPromises(r.Peer, r.Nodes, work)}
		x.Held = x.Ratio >= x.Promised
		held = held && x.Held
		r.Ratios = append(r.Ratios, x)
	}
	return held
}

// peerWorks are all works, in the order that they are done and shown.
func peerWorks() []string { return []string{"hold", "best", "join"} }

// text is the table as people read it.
func (r *peerReport) text() string {
	what := map[string]string{
		"hold": "hold a named seat", "best": "best available, one seat", "join": fmt.Sprintf("join a queue of %d, position", r.Waiting),
	}
	var b bytes.Buffer
	nodes := "one node each"
	if r.Nodes > 1 {
		nodes = fmt.Sprintf("%d nodes each, all on this machine", r.Nodes)
	}
	_, _ = fmt.Fprintf(&b, "Catraca beside %s, %s, %d clients with one request in flight each, %s a piece, medians of %d rounds in turns\n%s · %d cores · %s · commit %s\n\n",
		r.Version, nodes, r.Clients, r.For, r.rounds(), r.CPU, r.Cores, r.Go, r.Commit)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "a second\tlowest\thighest\tp50 ms\tp99 ms\t  work\t")
	for _, work := range peerWorks() {
		for _, row := range r.Table {
			if row.Work != work {
				continue
			}
			low, high := row.span()
			name := fmt.Sprintf("  %s: %s, %s", what[work], row.Who, row.Form)
			if row.Form == ours {
				name = fmt.Sprintf("  %s: Catraca, live sockets", what[work])
			}
			_, _ = fmt.Fprintf(t, "%.0f\t%.0f\t%.0f\t%.2f\t%.2f\t\v%s\n", row.PerSecond, low, high, float64(row.P50)/1000, float64(row.P99)/1000, name)
		}
	}
	_ = t.Flush() // into memory
	b.WriteString("\n")
	for _, x := range r.Ratios {
		_, _ = fmt.Fprintf(&b, "%s: %.2f × %s (%s)%s\n", what[x.Work], x.Ratio, r.Version, x.Form, x.verdict())
	}
	return b.String()
}

// verdict says how a ratio stands to what is promised.
func (x peerRatio) verdict() string {
	switch {
	case x.Promised == 0:
		return ", nothing is promised"
	case x.Held:
		return fmt.Sprintf(", promised at least %g: held", x.Promised)
	default:
		return fmt.Sprintf(", promised at least %g: MISSED", x.Promised)
	}
}

func (r *peerReport) rounds() int {
	n := 0
	for _, row := range r.Table {
		n = max(n, len(row.Rounds))
	}
	return n
}

// span is the lowest and the highest rate of the rounds.
func (r *peerRow) span() (low, high float64) {
	for i, f := range r.Rounds {
		if i == 0 || f.PerSecond < low {
			low = f.PerSecond
		}
		high = max(high, f.PerSecond)
	}
	return low, high
}

// keep writes the report into a folder, for machines and for people.
func (r *peerReport) keep(folder string) error {
	return keepReport(folder, fmt.Sprintf("peers-%s-%d-%s", r.Peer, r.Nodes, r.At.Format("2006-01-02-1504")), r, r.text())
}

// round shortens a duration for people.
func (o *peerOptions) round() string { return o.length.Round(time.Millisecond).String() }
