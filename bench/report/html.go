package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/catraca/catraca/bench/record"
)

//go:embed files
var files embed.FS

// shell is what every page is made of: one file, no network. The policy names the scripts and styles by their digests, so
// that nothing else can run, whatever a run's texts hold.
type shell struct {
	Title  string
	Policy string
	Style  template.CSS
	Chart  template.JS // uPlot
	Script template.JS
	Charts []chart
	Body   any
}

func asset(name string) string {
	b, err := files.ReadFile("files/" + name)
	if err != nil {
		panic("report: " + err.Error()) // embedded: the build would have failed
	}
	return strings.TrimSpace(string(b))
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// page writes a page of the named body template. What is allowed joins its policy.
func page(w io.Writer, body, title string, charts []chart, model any, allowed ...string) error {
	style, lib, script := asset("uPlot.min.css")+"\n"+asset("report.css"), asset("uPlot.iife.min.js"), asset("report.js")
	if charts == nil {
		charts = []chart{}
	}
	s := shell{
		Title:  title,
		Policy: "default-src 'none'; script-src " + digest(lib) + " " + digest(script) + "; style-src " + digest(style) + "; base-uri 'none'; form-action 'none'" + strings.Join(append([]string{""}, allowed...), "; "),
		Style:  template.CSS(style), Chart: template.JS(lib), Script: template.JS(script), //nolint:gosec // embedded files
		Charts: charts, Body: model,
	}
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"span": span, "count": count, "rate": perSecond, "share": share, "memory": memory, "moment": moment, "everybody": everybody,
		"spaced":  func(s string) string { return strings.ReplaceAll(s, "_", " ") },
		"or":      func(a, b string) string { return cmp.Or(a, b) },
		"percent": func(v float64) string { return fmt.Sprintf("%.0f %%", 100*finite(v)) },
		"three":   func(v float64) string { return fmt.Sprintf("%.3f", finite(v)) },
	}).ParseFS(files, "files/page.html", "files/"+body)
	if err != nil {
		return fmt.Errorf("parse page: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, s); err != nil {
		return fmt.Errorf("draw page: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// runPage is what the report of one run shows beside its charts.
type runPage struct {
	Run        *record.Run
	Verdict    verdict
	Marks      []record.Mark
	Tiles      []tile
	Operations []operationRow
	Classes    []operationRow
	Sections   []section
	Counted    []counted
	Outcomes   []counted
	Sheet      []pairOfTexts
	Plan       string
}

type tile struct {
	Value string `json:"value"`
	Label string `json:"label"`
	Tone  string `json:"tone"`
}

type pairOfTexts struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type operationRow struct {
	record.Operation

	Rate  float64
	Codes []counted
}

// section is a group of charts under one heading.
type section struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Says   string `json:"says"`
	Charts []int  `json:"charts"` // positions within the page's charts
}

// HTML writes the whole report as one file without network.
func HTML(w io.Writer, run *record.Run) error {
	charts, sections := chartsOf(run)
	p := runPage{Run: run, Verdict: judge(run), Marks: inOrder(run.Marks), Tiles: tiles(run), Operations: rows(run, whole(run)), Classes: rows(run, byClass(run)),
		Sections: sections, Counted: most(run.Audit.Counted), Outcomes: most(run.Outcomes), Sheet: sheet(run), Plan: plan(run.Plan)}
	return page(w, "run.html", fmt.Sprintf("%s · %s · Catraca", run.Scenario, strings.ToLower(p.Verdict.Word)), charts, p)
}

func rows(run *record.Run, ops []record.Operation) []operationRow {
	list := make([]operationRow, 0, len(ops))
	for _, o := range ops {
		list = append(list, operationRow{o, rateOf(run, o.Count), most(o.Codes)})
	}
	return list
}

// tiles are the figures that people look for first.
func tiles(run *record.Run) []tile {
	planned, started, late := lateness(run)
	var failed, all int64
	var slowest record.Operation
	for _, o := range whole(run) {
		failed, all = failed+o.Failed, all+o.Count
		if o.Latency.P99 >= slowest.Latency.P99 {
			slowest = o
		}
	}
	lateTone := ""
	if late >= record.FewestLate && float64(late) > record.MostLate*float64(started) {
		lateTone = "warn"
	}
	failedTone := ""
	if failed > 0 {
		failedTone = "warn"
	}
	list := []tile{{count(planned), "fans", ""}}
	if n, ok := run.Outcomes["bought"]; ok {
		list = append(list, tile{count(n), "bought", ""})
	}
	list = append(list,
		tile{count(all), "operations", ""},
		tile{count(failed), "failed (" + share(failed, all) + ")", failedTone})
	if slowest.Name != "" {
		list = append(list, tile{span(slowest.Latency.P99), "slowest p99 (" + slowest.Name + ")", ""}, tile{span(slowest.Latency.Max), "its longest", ""})
	}
	for _, f := range run.Fairness {
		if f.Class == "" {
			list = append(list, tile{count(f.Overtaken), "overtaken in the queue", ""})
		}
	}
	return append(list, tile{share(late, started), "started late", lateTone})
}

func sheet(run *record.Run) []pairOfTexts {
	e := run.Environment
	return []pairOfTexts{
		{"Run", run.ID}, {"Began", moment(run.Began)}, {"Took", span(run.Ended.Sub(run.Began).Seconds())}, {"Warm-up", span(run.WarmUp)},
		{"Seed", fmt.Sprint(run.Seed)}, {"Target", run.Target}, {"Server", e.Server}, {"Nodes", count(int64(e.Nodes))}, {"Agents", count(int64(e.Agents))},
		{"Commit", e.Commit}, {"Go", e.Go}, {"CPU", fmt.Sprintf("%d × %s", e.Cores, e.CPU)}, {"Memory", memory(e.Memory)}, {"Kernel", e.Kernel},
		{"Open files", count(e.OpenFiles)}, {"Command", e.Command},
	}
}

// plan is the plan, indented.
func plan(raw json.RawMessage) string {
	var b bytes.Buffer
	if len(raw) == 0 {
		return ""
	}
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return string(raw) // as it is
	}
	return b.String()
}
