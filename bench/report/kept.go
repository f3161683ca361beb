package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/catraca/catraca/bench/record"
)

// maxKept bounds one kept result, maxResults how many are read.
const (
	maxKept    = 256 << 20
	maxResults = 2000
)

// Kept is what a kept result says that can be charted beside others of its kind.
type Kept struct {
	Name    string // of its file
	Kind    string // engine, or a scenario
	At      time.Time
	Commit  string
	Machine string
	Verdict string
	Figures []Figure
}

// Figure is one of a kept result's.
type Figure struct {
	What  string
	Value float64
	Unit  string // seconds or per_second
	Got   string // as the result itself says it
}

// engineResult is how catraca-bench engine keeps what it found.
type engineResult struct {
	At     time.Time `json:"at"`
	Commit string    `json:"commit"`
	CPU    string    `json:"cpu"`
	Cores  int       `json:"cores"`
	Rows   []struct {
		What string `json:"what"`
		Got  string `json:"got"`
		Held bool   `json:"held"`
	} `json:"rows"`
}

// ReadKept reads all results kept in a folder (*.json), the oldest first. A file that is neither a run nor an engine's
// result is an error that names it.
func ReadKept(folder fs.FS) ([]Kept, error) {
	paths, err := fs.Glob(folder, "*.json")
	if err != nil {
		return nil, fmt.Errorf("list results: %w", err)
	}
	if len(paths) > maxResults {
		return nil, fmt.Errorf("list results: %d files, at most %d", len(paths), maxResults)
	}
	var all []Kept
	for _, name := range paths {
		info, err := fs.Stat(folder, name)
		if err == nil && info.Size() > maxKept {
			err = fmt.Errorf("%d bytes, at most %d", info.Size(), int64(maxKept))
		}
		var raw []byte
		if err == nil {
			raw, err = fs.ReadFile(folder, name)
		}
		var k Kept
		if err == nil {
			k, err = parseKept(raw)
		}
		if err != nil {
			return nil, fmt.Errorf("read result %s: %w", name, err)
		}
		k.Name = name
		all = append(all, k)
	}
	slices.SortStableFunc(all, func(a, b Kept) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name)) })
	return all, nil
}

func parseKept(raw []byte) (Kept, error) {
	var kind struct {
		Format int             `json:"format"`
		Rows   json.RawMessage `json:"rows"`
	}
	if err := json.Unmarshal(raw, &kind); err != nil {
		return Kept{}, fmt.Errorf("parse result: %w", err)
	}
	switch {
	case kind.Format != 0:
		run, err := record.ReadRun(bytes.NewReader(raw))
		if err != nil {
			return Kept{}, fmt.Errorf("parse result: %w", err)
		}
		return keptRun(run), nil
	case len(kind.Rows) > 0:
		var e engineResult
		if err := json.Unmarshal(raw, &e); err != nil {
			return Kept{}, fmt.Errorf("parse result: %w", err)
		}
		return keptEngine(e), nil
	}
	return Kept{}, fmt.Errorf("parse result: neither a run nor what the engine command keeps")
}

func keptRun(run *record.Run) Kept {
	e := run.Environment
	k := Kept{Kind: run.Scenario, At: run.Began, Commit: e.Commit, Machine: fmt.Sprintf("%d × %s", e.Cores, e.CPU), Verdict: judge(run).Word}
	for _, o := range whole(run) {
		k.Figures = append(k.Figures,
			Figure{o.Name + " p99", o.Latency.P99, "seconds", span(o.Latency.P99)},
			Figure{o.Name + " rate", rateOf(run, o.Count), "per_second", perSecond(rateOf(run, o.Count)) + "/s"})
	}
	return k
}

func keptEngine(e engineResult) Kept {
	k := Kept{Kind: "engine", At: e.At, Commit: e.Commit, Machine: fmt.Sprintf("%d × %s", e.Cores, e.CPU), Verdict: "held"}
	for _, r := range e.Rows {
		if !r.Held {
			k.Verdict = "missed"
		}
		if v, unit := leading(r.Got); unit != "" {
			k.Figures = append(k.Figures, Figure{r.What, v, unit, r.Got})
		}
	}
	return k
}
