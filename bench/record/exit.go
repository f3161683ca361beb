package record

// Codes with which the bench ends.
const (
	ExitPassed    = 0
	ExitSafety    = 98  // a promise of safety did not hold
	ExitThreshold = 99  // a threshold did not hold, or the run is invalid
	ExitConfig    = 104 // nothing was run: the scenario or a flag is wrong
	ExitAborted   = 105
)

// ExitCode is what the bench ends with; the gravest comes first.
func (run *Run) ExitCode() int {
	v := &run.Verdict
	switch {
	case len(v.Broken) > 0:
		return ExitSafety
	case v.Aborted:
		return ExitAborted
	case len(v.Invalid) > 0:
		return ExitThreshold
	}
	for _, t := range v.Thresholds {
		if !t.Held {
			return ExitThreshold
		}
	}
	return ExitPassed
}
