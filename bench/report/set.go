package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/catraca/catraca/bench/record"
)

// Set is runs that were made one after the other, so that they say together how a server is.
type Set struct {
	Began, Ended time.Time
	Runs         []SetRun
	LeftOut      []string // scenarios that this machine cannot run, and why
}

// SetRun is one of them.
type SetRun struct {
	Run    *record.Run
	Page   string      // address of its own report, seen from that of the set; empty: none
	Before *record.Run // the same scenario of an earlier set; nil: none
}

// Passed says whether every run did.
func (s Set) Passed() bool {
	return !slices.ContainsFunc(s.Runs, func(r SetRun) bool { return r.Run.ExitCode() != 0 })
}

// beside says in a few words how a run is beside the earlier one.
func (r SetRun) beside() string {
	if r.Before == nil {
		return ""
	}
	c := Compare(r.Before, r.Run)
	told := 0
	var differ []string
	for _, l := range c.Lines {
		switch l.Finding {
		case Better, Worse:
			differ = append(differ, fmt.Sprintf("%s %s %.2f× (%s)", l.Operation, l.Figure, l.Ratio, l.Finding))
			told++
		case Same:
			told++
		case TooFew, Missing:
		}
	}
	switch {
	case slices.ContainsFunc(c.Warnings, func(w string) bool {
		return strings.Contains(w, "plan") || strings.Contains(w, "CPU") || strings.Contains(w, "cores")
	}):
		return "not comparable: " + strings.Join(c.Warnings, "; ")
	case told == 0:
		return "too short to tell"
	case len(differ) == 0:
		return fmt.Sprintf("no difference in %d figures", told)
	case len(differ) > 4:
		return fmt.Sprintf("%s and %d more of %d figures", strings.Join(differ[:4], ", "), len(differ)-4, told)
	default:
		return fmt.Sprintf("%s, of %d figures", strings.Join(differ, ", "), told)
	}
}

// operation of a run by its name, of all classes.
func operation(run *record.Run, name string) (record.Operation, bool) {
	for _, o := range whole(run) {
		if o.Name == name {
			return o, true
		}
	}
	return record.Operation{}, false
}

// cell is a run's figure, or a dash.
func cell(run *record.Run, name string, of func(record.Operation) string) string {
	if o, ok := operation(run, name); ok {
		return of(o)
	}
	return "–"
}

// figuresOf is a run's line in the table of its set.
func figuresOf(run *record.Run) []string {
	planned, started, late := lateness(run)
	if run.Starts.Counted > 0 { // without the warm-up
		started, late = run.Starts.Counted, run.Starts.Late
	}
	failed := int64(0)
	for _, o := range whole(run) {
		failed += o.Failed
	}
	p99 := func(o record.Operation) string { return span(o.Latency.P99) }
	return []string{
		count(planned), count(run.Outcomes["bought"]), cell(run, "hold", func(o record.Operation) string { return perSecond(rateOf(run, o.Count)) }),
		cell(run, "join", p99), cell(run, "hold", func(o record.Operation) string { return span(o.Latency.P50) }), cell(run, "hold", p99),
		cell(run, "pay", p99), cell(run, "ticket", p99), count(failed), share(late, started),
	}
}

// setColumns head that table.
func setColumns() []string {
	return []string{"fans", "bought", "holds/s", "join p99", "hold p50", "hold p99", "pay p99", "ticket p99", "failed", "late"}
}

// Text writes the table of a set, why runs did not pass, and how they are beside earlier ones.
func (s Set) Text(w io.Writer) error {
	var b bytes.Buffer
	rows := [][]string{append([]string{"scenario", "verdict"}, setColumns()...)}
	for _, r := range s.Runs {
		rows = append(rows, append([]string{r.Run.Scenario, strings.ToLower(judge(r.Run).Word)}, figuresOf(r.Run)...))
	}
	table(&b, rows)
	for _, r := range s.Runs {
		if v := judge(r.Run); len(v.Reasons) > 0 {
			line(&b, "")
			line(&b, "%s: %s", r.Run.Scenario, strings.ToLower(v.Word))
			bounded(&b, v.Reasons)
		}
	}
	if len(s.LeftOut) > 0 {
		line(&b, "")
		line(&b, "left out")
		bounded(&b, s.LeftOut)
	}
	if slices.ContainsFunc(s.Runs, func(r SetRun) bool { return r.Before != nil }) {
		line(&b, "")
		line(&b, "beside the set before")
		for _, r := range s.Runs {
			if r.Before != nil {
				line(&b, "  %-16s  %s", r.Run.Scenario, r.beside())
			}
		}
	}
	line(&b, "")
	line(&b, "%s", s.says())
	if len(s.Runs) > 0 {
		e := s.Runs[0].Run.Environment
		line(&b, "%s · commit %s · %s · %d × %s · %s · Linux %s", moment(s.Began), e.Commit, e.Go, e.Cores, e.CPU, memory(e.Memory), e.Kernel)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write set: %w", err)
	}
	return nil
}

// says is a set in one sentence.
func (s Set) says() string {
	passed := 0
	for _, r := range s.Runs {
		if r.Run.ExitCode() == 0 {
			passed++
		}
	}
	left := ""
	if n := len(s.LeftOut); n > 0 {
		left = fmt.Sprintf(" %d could not be run here.", n)
	}
	return fmt.Sprintf("%d of %d scenarios passed, in %s.%s", passed, len(s.Runs), span(s.Ended.Sub(s.Began).Seconds()), left)
}

// keptSet is what stays of a set when its runs are thrown away: a few kilobytes.
type keptSet struct {
	At      time.Time `json:"at"`
	Commit  string    `json:"commit"`
	Go      string    `json:"go"`
	CPU     string    `json:"cpu"`
	Cores   int       `json:"cores"`
	Memory  int64     `json:"memory_bytes"`
	Kernel  string    `json:"kernel"`
	Seconds float64   `json:"seconds"`
	Set     []keptRun `json:"set"`
}

// keptRun is what stays of a run.
type keptRun struct {
	Scenario   string           `json:"scenario"`
	Seed       uint64           `json:"seed"`
	Nodes      int              `json:"nodes"`
	Verdict    string           `json:"verdict"`
	Reasons    []string         `json:"reasons,omitempty"`
	Planned    int64            `json:"planned"`
	Late       int64            `json:"late"`
	Outcomes   map[string]int64 `json:"outcomes"`
	Operations []keptOperation  `json:"operations"`
}

// keptOperation has latencies in seconds.
type keptOperation struct {
	Name      string  `json:"name"`
	Count     int64   `json:"count"`
	Failed    int64   `json:"failed"`
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50"`
	P99       float64 `json:"p99"`
	Max       float64 `json:"max"`
}

// Keep writes what is to stay of a set, for [ReadKept].
func (s Set) Keep(w io.Writer) error {
	k := keptSet{At: s.Began.UTC().Truncate(time.Second), Seconds: float64(number(round(s.Ended.Sub(s.Began).Seconds()))), Set: []keptRun{}}
	for i, r := range s.Runs {
		if i == 0 {
			e := r.Run.Environment
			k.Commit, k.Go, k.CPU, k.Cores, k.Memory, k.Kernel = e.Commit, e.Go, e.CPU, e.Cores, e.Memory, e.Kernel
		}
		k.Set = append(k.Set, keepRun(r.Run))
	}
	b, err := json.MarshalIndent(k, "", " ")
	if err != nil {
		return fmt.Errorf("keep set: %w", err)
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("keep set: %w", err)
	}
	return nil
}

func keepRun(run *record.Run) keptRun {
	v := judge(run)
	planned, _, late := lateness(run)
	k := keptRun{
		Scenario: run.Scenario, Seed: run.Seed, Nodes: run.Environment.Nodes, Verdict: v.Word, Reasons: v.Reasons[:min(len(v.Reasons), maxLines)],
		Planned: planned, Late: late, Outcomes: run.Outcomes,
	}
	for _, o := range whole(run) {
		k.Operations = append(k.Operations, keptOperation{
			o.Name, o.Count, o.Failed, round(rateOf(run, o.Count)), round(o.Latency.P50), round(o.Latency.P99), round(o.Latency.Max),
		})
	}
	return k
}
