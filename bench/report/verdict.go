package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/catraca/catraca/bench/record"
)

// verdict is what a run comes to, in the order in which it matters.
type verdict struct {
	Word    string   // PASSED, SAFETY BROKE, ABORTED, INVALID, THRESHOLD MISSED
	Tone    string   // good, bad, warn
	Says    string   // one sentence
	Reasons []string // each reason, the worst first
}

// inOrder are the marks by their time, whoever noted them first.
func inOrder(marks []record.Mark) []record.Mark {
	marks = slices.Clone(marks)
	slices.SortStableFunc(marks, func(a, b record.Mark) int { return cmp.Compare(a.At, b.At) })
	return marks
}

func judge(run *record.Run) verdict {
	v := verdict{"PASSED", "good", "The figures are valid, every promise held, and every threshold was met.", nil}
	if !run.Audit.Ran {
		v.Says = "The figures are valid and every threshold was met. The books were not audited."
	}
	raise := func(word, tone, says string) { v.Word, v.Tone, v.Says = word, tone, says }
	missed := missed(run)
	if len(missed) > 0 {
		raise("THRESHOLD MISSED", "warn", fmt.Sprintf("%d of %d thresholds missed.", len(missed), len(run.Verdict.Thresholds)))
	}
	if len(run.Verdict.Invalid) > 0 {
		raise("INVALID", "warn", "The figures below are worth nothing: the run could not keep its own plan.")
	}
	if run.Verdict.Aborted {
		raise("ABORTED", "warn", "The run was ended before its plan was done.")
	}
	broken := broken(run)
	if len(broken) > 0 {
		raise("SAFETY BROKE", "bad", "The server broke a promise it must keep. Keep its data and this file.")
	}
	v.Reasons = slices.Concat(broken, run.Verdict.Invalid, missed)
	return v
}

// broken is the evidence for broken promises; a check that did not hold breaks safety even where no evidence was written.
func broken(run *record.Run) []string {
	b := slices.Clone(run.Verdict.Broken)
	if len(b) > 0 {
		return b
	}
	b = append(b, run.Audit.Findings...)
	for _, c := range run.Audit.Checks {
		if !c.Held {
			b = append(b, c.Name)
		}
	}
	return b
}

func missed(run *record.Run) []string {
	var m []string
	for _, t := range run.Verdict.Thresholds {
		if !t.Held {
			m = append(m, t.Expression+": got "+t.Got)
		}
	}
	return m
}

// lateness sums what the plan asked for and what the generator did.
func lateness(run *record.Run) (planned, started, late int64) {
	for _, s := range run.Seconds {
		planned, started, late = planned+s.Planned, started+s.Started, late+s.Late
	}
	return planned, started, late
}

// measured is how many seconds of the run count.
func measured(run *record.Run) float64 {
	return max(0, run.Ended.Sub(run.Began).Seconds()-max(0, finite(run.WarmUp)))
}

// rateOf is how many of an operation were done in a measured second.
func rateOf(run *record.Run, done int64) float64 {
	if m := measured(run); m > 0 {
		return float64(done) / m
	}
	return 0
}

// whole is the operations of all classes together, as a fan does them; byClass those of each class.
func whole(run *record.Run) []record.Operation {
	return asDone(slices.DeleteFunc(slices.Clone(run.Operations), func(o record.Operation) bool { return o.Class != "" }))
}

func byClass(run *record.Run) []record.Operation {
	return asDone(slices.DeleteFunc(slices.Clone(run.Operations), func(o record.Operation) bool { return o.Class == "" }))
}

// asDone puts operations into the order in which a fan does them; those that are not known here come last, as they were.
func asDone(list []record.Operation) []record.Operation {
	order := []string{"sign-in", "connect", "join", "claim", "map", "hold", "order", "pay", "provider", "ticket", "tickets", "push"}
	rank := func(o record.Operation) int {
		if i := slices.Index(order, o.Name); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(list, func(a, b record.Operation) int { return cmp.Compare(rank(a), rank(b)) })
	return list
}

// counted is one entry of a map of counters.
type counted struct {
	Name  string
	Count int64
}

// most lists a map of counters, the largest first.
func most(m map[string]int64) []counted {
	list := make([]counted, 0, len(m))
	for name, n := range m {
		list = append(list, counted{name, n})
	}
	slices.SortFunc(list, func(a, b counted) int {
		switch {
		case a.Count != b.Count && a.Count > b.Count:
			return -1
		case a.Count != b.Count:
			return 1
		case a.Name < b.Name:
			return -1
		}
		return 1
	})
	return list
}
