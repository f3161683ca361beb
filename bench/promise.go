package bench

import "fmt"

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
}

// maxFindings bounds what an audit tells, and what it keeps of each promise; one is enough to fail.
const maxFindings = 20

// findings gathers them.
type findings struct {
	list   []finding
	broken [promises]int
	owned  map[uint32]bool // seats that were seen with two owners
}

func (f *findings) add(p promise, format string, args ...any) {
	if f.broken[p]++; f.broken[p] <= maxFindings {
		f.list = append(f.list, finding{p, fmt.Sprintf(format, args...)})
	}
}

// twice notes a seat that has two owners.
func (f *findings) twice(unit uint32) {
	if f.owned == nil {
		f.owned = make(map[uint32]bool)
	}
	f.owned[unit] = true
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
