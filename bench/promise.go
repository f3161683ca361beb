package bench

import (
	"fmt"
	"slices"
	"time"
)

// promise is what a finding breaks.
type promise int

const (
	noSeatTwice promise = iota
	nothingLost
	noOvertaking
	moneyAgrees
	viewMonotonic
	booksAgree
	promises // how many there are
)

// String is the promise as the record of a run has it.
func (p promise) String() string {
	return [promises]string{
		"no seat twice", "nothing acknowledged lost", "no overtaking", "captures = tickets + refunds",
		"each fan's view is monotonic", "the books agree with themselves",
	}[p]
}

// finding is a promise that was broken, and the evidence.
type finding struct {
	promise promise
	text    string
	at      time.Time // when a fan saw it; zero: in the end
	nth     int       // of its kind, from 0
}

// maxFindings bounds what an audit tells, and what it keeps of each kind; one is enough to fail. When several
// promises are broken they share it, but each is told at least fewestFindings times.
const (
	maxFindings    = 20
	fewestFindings = 3
)

// findings gathers them.
type findings struct {
	named   names
	list    []finding
	broken  [promises]int
	kinds   map[string]int  // how many of each kind
	pending int             // of them: may still heal, because something is under way
	owned   map[uint32]bool // seats that were seen with two owners
}

func (f *findings) add(p promise, format string, args ...any) {
	f.seen(p, time.Time{}, format, args...)
}

// seen is add for what a fan saw at some time.
func (f *findings) seen(p promise, at time.Time, format string, args ...any) {
	f.broken[p]++
	if f.kinds == nil {
		f.kinds = make(map[string]int)
	}
	nth := f.kinds[format]
	f.kinds[format]++
	if nth < maxFindings {
		f.list = append(f.list, finding{p, fmt.Sprintf(format, args...), at, nth})
	}
}

// money is add of what the money's agreement lacks, and may still heal if under way is true.
func (f *findings) money(underWay bool, format string, args ...any) {
	if underWay {
		f.pending++
	}
	f.add(moneyAgrees, format, args...)
}

// total is how many there are, told or not.
func (f *findings) total() (n int) {
	for _, b := range f.broken {
		n += b
	}
	return n
}

// twice notes a seat that has two owners.
func (f *findings) twice(unit uint32) {
	if f.owned == nil {
		f.owned = make(map[uint32]bool)
	}
	f.owned[unit] = true
}

// told are the findings in sentences, by promise, of each the first of every kind before the second of any: what fans saw
// and what the books say are different evidence. Of what is left out the number is told.
func (f *findings) told() []string {
	broken := 0
	for _, n := range f.broken {
		broken += min(n, 1)
	}
	out := []string{}
	for p := range promises {
		share := max(fewestFindings, maxFindings/max(broken, 1))
		left := f.broken[p]
		if left > share {
			share-- // for the line that says how many are left out
		}
		for _, one := range slices.SortedStableFunc(slices.Values(f.list), func(a, b finding) int { return a.nth - b.nth }) {
			if one.promise == p && share > 0 {
				out = append(out, p.String()+": "+one.text)
				share, left = share-1, left-1
			}
		}
		if left > 0 {
			out = append(out, fmt.Sprintf("%s: %d more", p, left))
		}
	}
	return out
}

func (f *findings) err() error {
	if len(f.list) == 0 {
		return nil
	}
	e := &AuditError{}
	for _, one := range f.list[:min(len(f.list), maxFindings)] {
		e.Findings = append(e.Findings, one.text)
	}
	return e
}
