package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"github.com/catraca/catraca/bench/record"
)

// LivePage writes a page that shows a run while it goes: it reads what [LiveState] writes from the events of "events"
// beside it, and asks for nothing else.
func LivePage(w io.Writer, title string) error {
	return page(w, "live.html", title+" · Catraca", nil, title, "connect-src 'self'")
}

// liveState is what the page shows of a moment.
type liveState struct {
	Says     string        `json:"says"`
	Tiles    []tile        `json:"tiles"`
	Sections []section     `json:"sections"`
	Charts   []chart       `json:"charts"`
	Marks    []pairOfTexts `json:"marks"`
}

// LiveState writes one moment of a run as a line of JSON. The snapshot is to hold all seconds so far; server may be nil.
func LiveState(w io.Writer, l record.Live, server []record.Series) error {
	run := &record.Run{Seconds: l.Seconds, Operations: l.Operations, Starts: l.Starts, Marks: l.Marks, Server: server}
	s := liveState{Says: span(l.At) + " so far", Tiles: liveTiles(l), Marks: []pairOfTexts{}}
	if l.WarmingUp {
		s.Says += ", warming up: nothing counts yet"
	}
	charts, sections := chartsOf(run)
	s.Charts, s.Sections = append([]chart{}, charts...), append([]section{}, sections...)
	marks := inOrder(l.Marks)
	for _, m := range marks[max(0, len(marks)-maxLines):] {
		s.Marks = append(s.Marks, pairOfTexts{span(m.At), m.Kind + ": " + m.Text})
	}
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write live state: %w", err)
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write live state: %w", err)
	}
	return nil
}

func liveTiles(l record.Live) []tile {
	var failed, done int64
	var slowest record.SecondOfAKind
	if len(l.Seconds) > 0 {
		for _, o := range l.Seconds[len(l.Seconds)-1].Operations {
			done += o.Done
			if o.P99 >= slowest.P99 {
				slowest = o
			}
		}
	}
	for _, o := range l.Operations {
		failed += o.Failed
	}
	list := []tile{{count(l.Starts.Started) + " of " + count(l.Planned), "fans came", ""}, {count(l.Active), "here now", ""}, {count(l.Sockets), "sockets", ""},
		{count(done), "answers in the last second", ""}, {span(slowest.P99), "its slowest p99 (" + cmp.Or(slowest.Name, "none") + ")", ""},
		{count(failed), "failed so far", ""}, {share(l.Starts.Late, l.Starts.Counted), "started late", ""}}
	if failed > 0 {
		list[5].Tone = "warn"
	}
	if l.Starts.Late >= record.FewestLate && float64(l.Starts.Late) > record.MostLate*float64(l.Starts.Counted) {
		list[6].Tone = "warn"
	}
	return list
}
