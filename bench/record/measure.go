package record

import "strings"

// measure returns what a threshold is about; false when the run did not measure it.
func (b Bound) measure(run *Run) (float64, unit, bool) {
	switch b.subject {
	case "late":
		return run.Starts.LateShare(), unitShare, run.Starts.Counted > 0
	case "broken":
		return float64(len(run.Verdict.Broken)), unitNone, run.Audit.Ran || len(run.Verdict.Broken) > 0
	case "oversell":
		n, ok := run.Audit.Counted["oversell"]
		return float64(n), unitNone, ok && run.Audit.Ran
	case "audit":
		n, ok := run.Audit.Counted[b.metric]
		return float64(n), unitNone, ok && run.Audit.Ran
	case "outcome":
		// A story's end that nobody came to is none, if anybody came to any.
		return float64(run.Outcomes[b.metric]), unitNone, len(run.Outcomes) > 0
	case "queue":
		for i := range run.Fairness {
			if f := &run.Fairness[i]; f.Class == b.class {
				return f.measure(b.metric)
			}
		}
		return 0, 0, false
	}
	for i := range run.Operations {
		if o := &run.Operations[i]; o.Name == b.subject && o.Class == b.class {
			return b.operation(o, run.Span)
		}
	}
	return 0, 0, false
}

func (b Bound) operation(o *Operation, span float64) (float64, unit, bool) {
	ok := o.Count - o.Failed
	switch b.metric {
	case "count":
		return float64(o.Count), unitNone, true
	case "rate":
		if span <= 0 {
			return 0, 0, false
		}
		return float64(ok) / span, unitNone, true
	case "failed":
		return b.part(o.Failed, o.Count)
	case "ok":
		return b.part(ok, o.Count)
	}
	from, name := o.Latency, b.metric
	if rest, service := strings.CutPrefix(name, "service."); service {
		from, name = o.Service, rest
	}
	v, known := pick(from, name)
	return v, unitSeconds, known && o.Count > 0
}

// part is a number, or a share when the limit is one.
func (b Bound) part(n, all int64) (float64, unit, bool) {
	if b.unit != unitShare {
		return float64(n), unitNone, true
	}
	if all == 0 {
		return 0, 0, false
	}
	return float64(n) / float64(all), unitShare, true
}

func (f *Fairness) measure(metric string) (float64, unit, bool) {
	switch metric {
	case "fans":
		return float64(f.Fans), unitNone, true
	case "admitted":
		return float64(f.Admitted), unitNone, true
	case "overtaken":
		return float64(f.Overtaken), unitNone, true
	case "lapsed":
		return float64(f.Lapsed), unitNone, true
	case "rank":
		return f.Rank, unitNone, f.Admitted > 1
	case "eta_error":
		return f.EtaError, unitShare, true
	}
	of, which, _ := strings.Cut(metric, ".")
	from := f.Wait
	if of == "lag" {
		from = f.Lag
	}
	v, ok := pick(from, which)
	return v, unitSeconds, ok && f.Admitted > 0
}
