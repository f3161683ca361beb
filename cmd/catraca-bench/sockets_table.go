package main

import (
	"bytes"
	"fmt"
	"slices"
	"text/tabwriter"
)

// socketsFigure is what one round of one server came to, for each socket. Memory is bytes, processor time microseconds.
type socketsFigure struct {
	Handshake           float64 `json:"handshake_us"`
	HandshakesPerSecond float64 `json:"handshakes_per_second"`
	AtOnce              float64 `json:"resident_at_once"`
	Collected           float64 `json:"resident_collected"`
	Live                float64 `json:"heap_and_stacks"`
	Pushed              float64 `json:"resident_after_pushes"`
	PushedLive          float64 `json:"heap_and_stacks_after_pushes"`
	Kernel              float64 `json:"kernel"`                 // both ends
	IdleProcessor       float64 `json:"idle_us_per_second"`     // while nothing happens
	IdleFrames          float64 `json:"idle_frames_per_second"` // that come all the same
	Push                float64 `json:"push_us"`                // beside what idling costs
	Bytes               float64 `json:"bytes"`                  // of a message, on the average
	Last                float64 `json:"last_ms"`                // until the last has it; median of the pushes
	LastLongest         float64 `json:"last_longest_ms"`
}

func (f socketsFigure) String() string {
	return fmt.Sprintf("%.1f KB (%.1f after a collection, %.1f live), %.1f µs a handshake, %.2f µs a push, last after %.0f ms",
		f.AtOnce/1024, f.Collected/1024, f.Live/1024, f.Handshake, f.Push, f.Last)
}

// socketsRow is one server.
type socketsRow struct {
	Who    string          `json:"who"`
	Detail string          `json:"detail"`
	Rounds []socketsFigure `json:"rounds"`
	Median socketsFigure   `json:"median"`
}

// socketsReport is what a comparison has found.
type socketsReport struct {
	report

	Sockets int           `json:"sockets"`
	Pushes  int           `json:"pushes"`
	Idle    string        `json:"idle"`
	Table   []*socketsRow `json:"table"` // Catraca first
}

// add keeps the figure of one round.
func (r *socketsReport) add(who, detail string, f socketsFigure) {
	for _, row := range r.Table {
		if row.Who == who {
			row.Rounds = append(row.Rounds, f)
			return
		}
	}
	r.Table = append(r.Table, &socketsRow{Who: who, Detail: detail, Rounds: []socketsFigure{f}})
}

// settle makes the medians when all rounds are over.
func (r *socketsReport) settle() {
	for _, row := range r.Table {
		for _, l := range socketsLines() {
			var all []float64
			for i := range row.Rounds {
				all = append(all, *l.of(&row.Rounds[i]))
			}
			slices.Sort(all)
			*l.of(&row.Median) = all[(len(all)-1)/2]
		}
	}
}

// socketsLine is one line of the table.
type socketsLine struct {
	what   string
	of     func(*socketsFigure) *float64
	format func(float64) string
	ratio  bool // how many times Catraca's is worth telling
}

// socketsLines are all figures, in the order that they are shown.
func socketsLines() []socketsLine {
	kb := func(v float64) string { return fmt.Sprintf("%.1f KB", v/1024) }
	us := func(v float64) string { return fmt.Sprintf("%.1f µs", v) }
	ms := func(v float64) string { return fmt.Sprintf("%.0f ms", v) }
	return []socketsLine{
		{"resident memory, garbage and all, when the last is open", func(f *socketsFigure) *float64 { return &f.AtOnce }, kb, true},
		{"resident memory, after a collection", func(f *socketsFigure) *float64 { return &f.Collected }, kb, true},
		{"heap and stacks in use, after a collection", func(f *socketsFigure) *float64 { return &f.Live }, kb, true},
		{"resident memory, after pushes and a collection", func(f *socketsFigure) *float64 { return &f.Pushed }, kb, true},
		{"heap and stacks in use, after pushes and a collection", func(f *socketsFigure) *float64 { return &f.PushedLive }, kb, true},
		{"kernel memory, both ends", func(f *socketsFigure) *float64 { return &f.Kernel }, kb, false},
		{"processor time of a handshake", func(f *socketsFigure) *float64 { return &f.Handshake }, us, true},
		{"handshakes a second, client on the same cores", func(f *socketsFigure) *float64 { return &f.HandshakesPerSecond }, func(v float64) string { return fmt.Sprintf("%.0f", v) }, false},
		{"processor time of a pushed message", func(f *socketsFigure) *float64 { return &f.Push }, us, true},
		{"bytes of a message", func(f *socketsFigure) *float64 { return &f.Bytes }, func(v float64) string { return fmt.Sprintf("%.0f", v) }, false},
		{"until the last client has it, median", func(f *socketsFigure) *float64 { return &f.Last }, ms, true},
		{"until the last client has it, longest", func(f *socketsFigure) *float64 { return &f.LastLongest }, ms, true},
		{"processor time of a second of idling", func(f *socketsFigure) *float64 { return &f.IdleProcessor }, us, false},
		{"messages in a second of idling", func(f *socketsFigure) *float64 { return &f.IdleFrames }, func(v float64) string { return fmt.Sprintf("%.2f", v) }, false},
	}
}

// text is the table as people read it.
func (r *socketsReport) text() string {
	var b bytes.Buffer
	rounds := 0
	for _, row := range r.Table {
		rounds = max(rounds, len(row.Rounds))
	}
	_, _ = fmt.Fprintf(&b, "%d live sockets of each server, every figure for one of them; medians of %d rounds in turns, %d pushes in each\n%s · %d cores · %s · Linux %s · commit %s\n\n",
		r.Sockets, rounds, r.Pushes, r.CPU, r.Cores, r.Go, r.Kernel, r.Commit)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for i, row := range r.Table {
		_, _ = fmt.Fprintf(t, "%s\t", row.Who)
		if i > 0 {
			_, _ = fmt.Fprint(t, "×\t")
		}
	}
	_, _ = fmt.Fprintln(t)
	for _, l := range socketsLines() {
		for i, row := range r.Table {
			v := *l.of(&row.Median)
			_, _ = fmt.Fprintf(t, "%s\t", l.format(v))
			if base := *l.of(&r.Table[0].Median); i > 0 {
				times := ""
				if l.ratio && base > 0 {
					times = fmt.Sprintf("%.2f", v/base)
				}
				_, _ = fmt.Fprintf(t, "%s\t", times)
			}
		}
		_, _ = fmt.Fprintf(t, "\v  %s\n", l.what)
	}
	_ = t.Flush() // into memory
	b.WriteString("\n×: so many times Catraca's. Processor time is the server's; a push is what it takes beside idling.\n")
	for _, row := range r.Table {
		_, _ = fmt.Fprintf(&b, "%s: %s.\n", row.Who, row.Detail)
	}
	return b.String()
}

// keep writes the report into a folder, for machines and for people.
func (r *socketsReport) keep(folder string) error {
	return keepReport(folder, "sockets-"+r.At.Format("2006-01-02-1504"), r, r.text())
}
