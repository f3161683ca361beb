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
	Group   Group
	Kind    string // within the group: engine, beside a peer, or a scenario
	At      time.Time
	Commit  string
	Machine string
	Verdict string
	Figures []Figure
}

// Group is what made a result.
type Group string

// Groups, in the order in which they are shown.
const (
	Peers     Group = "peers"
	Scenarios Group = "scenarios"
	Engine    Group = "engine"
)

// Figure is one of a kept result's.
type Figure struct {
	What     string
	Value    float64
	Unit     string  // seconds, per_second, bytes, ×, %
	Got      string  // as the result itself says it
	Promised float64 // in the same unit; 0: nothing
	Floor    string  // as the result says that
}

// engineResult is how catraca-bench engine keeps what it found.
type engineResult struct {
	At     time.Time `json:"at"`
	Commit string    `json:"commit"`
	CPU    string    `json:"cpu"`
	Cores  int       `json:"cores"`
	Rows   []struct {
		What     string `json:"what"`
		Got      string `json:"got"`
		Promised string `json:"promised"`
		Held     bool   `json:"held"`
	} `json:"rows"`
}

// peerResult is how catraca-bench compare PEER keeps what it found. Latencies are microseconds.
type peerResult struct {
	At     time.Time `json:"at"`
	Commit string    `json:"commit"`
	CPU    string    `json:"cpu"`
	Cores  int       `json:"cores"`
	Peer   string    `json:"peer"`
	Nodes  int       `json:"nodes"`
	Table  []struct {
		Who       string  `json:"who"`
		Work      string  `json:"work"`
		Form      string  `json:"form"`
		PerSecond float64 `json:"per_second"`
		P99       float64 `json:"p99_us"`
	} `json:"table"`
	Ratios []struct {
		Work     string  `json:"work"`
		Form     string  `json:"form"`
		Ratio    float64 `json:"ratio"`
		Promised float64 `json:"promised"`
		Held     bool    `json:"held"`
	} `json:"ratios"`
}

// ReadKept reads all results kept in a folder (*.json), the oldest first. A file that is neither a run, a set of runs, nor
// a result of the engine, beside a peer or of live sockets is an error that names it.
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
		var list []Kept
		if err == nil {
			list, err = parseKept(raw)
		}
		if err != nil {
			return nil, fmt.Errorf("read result %s: %w", name, err)
		}
		for _, k := range list {
			k.Name = name
			all = append(all, k)
		}
	}
	slices.SortStableFunc(all, func(a, b Kept) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name)) })
	return all, nil
}

func parseKept(raw []byte) ([]Kept, error) {
	var kind struct {
		Format int             `json:"format"`
		Rows   json.RawMessage `json:"rows"`
		Peer   string          `json:"peer"`
		Set    json.RawMessage `json:"set"`
		// Sockets is how many a comparison of live sockets opened.
		Sockets int `json:"sockets"`
	}
	if err := json.Unmarshal(raw, &kind); err != nil {
		return nil, fmt.Errorf("parse result: %w", err)
	}
	var list []Kept
	var err error
	switch {
	case kind.Format != 0:
		var run *record.Run
		if run, err = record.ReadRun(bytes.NewReader(raw)); err == nil {
			list = []Kept{keptOfRun(run.Began, run.Environment, keepRun(run))}
		}
	case len(kind.Set) > 0:
		list, err = parsed(raw, keptOfSet)
	case kind.Peer != "":
		list, err = parsed(raw, keptOfPeer)
	case kind.Sockets > 0:
		list, err = parsed(raw, keptOfSockets)
	case len(kind.Rows) > 0:
		list, err = parsed(raw, keptOfEngine)
	default:
		err = fmt.Errorf("it is neither a run, a set of runs, nor what the engine, compare and sockets commands keep")
	}
	if err != nil {
		return nil, fmt.Errorf("parse result: %w", err)
	}
	return list, nil
}

func parsed[T any](raw []byte, kept func(T) []Kept) ([]Kept, error) {
	var t T
	if err := json.Unmarshal(raw, &t); err != nil {
		return nil, err
	}
	return kept(t), nil
}

func keptOfSet(s keptSet) []Kept {
	list := make([]Kept, 0, len(s.Set))
	for _, r := range s.Set {
		list = append(list, keptOfRun(s.At, record.Environment{Commit: s.Commit, CPU: s.CPU, Cores: s.Cores}, r))
	}
	return list
}

func keptOfRun(at time.Time, e record.Environment, r keptRun) Kept {
	k := Kept{Group: Scenarios, Kind: r.Scenario, At: at, Commit: e.Commit, Machine: machine(e.Cores, e.CPU), Verdict: r.Verdict}
	for _, o := range r.Operations {
		k.Figures = append(k.Figures,
			Figure{What: o.Name + " p99", Value: o.P99, Unit: "seconds", Got: span(o.P99)},
			Figure{What: o.Name + " rate", Value: o.PerSecond, Unit: "per_second", Got: perSecond(o.PerSecond) + "/s"})
	}
	return k
}

func keptOfEngine(e engineResult) []Kept {
	k := Kept{Group: Engine, Kind: "engine", At: e.At, Commit: e.Commit, Machine: machine(e.Cores, e.CPU), Verdict: "held"}
	for _, r := range e.Rows {
		if !r.Held {
			k.Verdict = "missed"
		}
		if v, unit := leading(r.Got); unit != "" {
			f := Figure{What: r.What, Value: v, Unit: unit, Got: asSpan(r.Got)}
			if p, same := leading(r.Promised); same == unit {
				f.Promised, f.Floor = p, asSpan(r.Promised)
			}
			k.Figures = append(k.Figures, f)
		}
	}
	return []Kept{k}
}

// asSpan is a duration as every report writes it, and anything else as it is.
func asSpan(text string) string {
	if d, err := time.ParseDuration(text); err == nil {
		return span(d.Seconds())
	}
	return text
}

func keptOfPeer(p peerResult) []Kept {
	k := Kept{Group: Peers, Kind: "beside " + p.Peer, At: p.At, Commit: p.Commit, Machine: machine(p.Cores, p.CPU), Verdict: "held"}
	if p.Nodes > 1 {
		k.Kind += fmt.Sprintf(", %d nodes", p.Nodes)
	}
	for _, x := range p.Ratios {
		if !x.Held {
			k.Verdict = "missed"
		}
		f := Figure{What: x.Work + ", times " + p.Peer, Value: finite(x.Ratio), Unit: "×", Got: fmt.Sprintf("%.2f× (%s)", x.Ratio, x.Form), Promised: finite(x.Promised)}
		if f.Promised > 0 {
			f.Floor = fmt.Sprintf("%g×", f.Promised)
		}
		k.Figures = append(k.Figures, f)
		for _, r := range p.Table {
			if r.Work == x.Work && (r.Form == x.Form || r.Form == "Catraca") {
				k.Figures = append(k.Figures, Figure{What: x.Work + ", " + r.Who, Value: finite(r.PerSecond), Unit: "per_second",
					Got: fmt.Sprintf("%s/s, p99 %s", perSecond(r.PerSecond), span(r.P99/1e6))})
			}
		}
	}
	return []Kept{k}
}

func machine(cores int, cpu string) string { return fmt.Sprintf("%d × %s", cores, cpu) }
