package record

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bound is a threshold that was asked for, before a run is held against it.
//
//	hold.p99<250ms          latency of an operation: min, mean, p50, p90, p99, p999, max
//	hold.service.p99<50ms   the same from when it was really begun
//	hold[mobile].p99<1s     of one network class
//	hold.failed==0          also count and ok; a share with a percent sign: hold.failed<0.1%
//	hold.rate>1000          successes per second of the measured span
//	late<0.1%               share of late starts
//	oversell==0             what the audit counted: oversell, and audit.NAME for anything else
//	broken==0               broken promises of safety
//	outcome.bought>=8897    fans by how their story ended
//	queue.overtaken==0      fairness, also queue[mobile]: fans, admitted, overtaken, lapsed, rank, eta_error, wait.p99, lag.p99
type Bound struct { //nolint:recvcheck // parsed in place, and a value from then on
	text     string
	subject  string
	class    string
	metric   string
	relation string
	limit    float64
	unit     unit
}

type unit int

const (
	unitNone unit = iota
	unitSeconds
	unitShare
)

// mostExpression is the length of the longest threshold that is read, in bytes.
const mostExpression = 200

// ParseThreshold reads a threshold; spaces do not matter.
func ParseThreshold(s string) (Bound, error) {
	b, err := parse(strings.Join(strings.Fields(s), ""))
	if err != nil {
		return Bound{}, fmt.Errorf("parse threshold %.*q: %w", mostExpression, s, err)
	}
	return b, nil
}

func parse(s string) (Bound, error) {
	b := Bound{text: s}
	if len(s) > mostExpression {
		return b, fmt.Errorf("it is longer than %d bytes", mostExpression)
	}
	i := strings.IndexAny(s, "<>=!")
	if i < 0 {
		return b, errors.New("it compares nothing; write for example hold.p99<250ms")
	}
	left, right := s[:i], s[i:]
	for _, r := range []string{"<=", ">=", "==", "!=", "<", ">"} {
		if limit, ok := strings.CutPrefix(right, r); ok {
			b.relation, right = r, limit
			break
		}
	}
	if b.relation == "" {
		return b, errors.New("a comparison is one of < <= > >= == !=")
	}
	if err := b.name(left); err != nil {
		return b, err
	}
	var err error
	if b.limit, b.unit, err = value(right); err != nil {
		return b, err
	}
	return b, b.fits()
}

// name reads SUBJECT, SUBJECT.METRIC or SUBJECT[CLASS].METRIC.
func (b *Bound) name(s string) error {
	b.subject, b.metric, _ = strings.Cut(s, ".")
	if subject, rest, ok := strings.Cut(s, "["); ok {
		class, metric, closed := strings.Cut(rest, "]")
		if !closed || class == "" || len(metric) < 2 || metric[0] != '.' {
			return errors.New("a class is written as in hold[mobile].p99")
		}
		b.subject, b.class, b.metric = subject, class, metric[1:]
	}
	for _, part := range []string{b.subject, b.class, b.metric} {
		if strings.ContainsFunc(part, func(r rune) bool { return !nameRune(r) }) {
			return errors.New("a name has letters, digits and _ - . only")
		}
	}
	if b.subject == "" {
		return errors.New("it names nothing to compare")
	}
	return nil
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.", r)
}

func value(s string) (float64, unit, error) {
	if share, ok := strings.CutSuffix(s, "%"); ok {
		v, err := number(share)
		return v / 100, unitShare, err
	}
	if v, err := number(s); err == nil {
		return v, unitNone, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, 0, fmt.Errorf("%q is no number, share (0.1%%) or duration (250ms)", s)
	}
	return d.Seconds(), unitSeconds, nil
}

func number(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return v, nil
}

// fits checks that the metric exists and has the unit of the limit.
func (b *Bound) fits() error {
	var want []unit
	switch b.subject {
	case "late":
		want = []unit{unitShare, unitNone}
	case "oversell", "broken":
		want = []unit{unitNone}
	case "audit", "outcome":
		if b.metric == "" || b.class != "" {
			return fmt.Errorf("write %s.NAME", b.subject)
		}
		return b.is(unitNone)
	case "queue":
		want = queueUnits(b.metric)
	default:
		want = operationUnits(b.metric)
	}
	if b.metric != "" && (b.subject == "late" || b.subject == "oversell" || b.subject == "broken") {
		return fmt.Errorf("%s has nothing within it", b.subject)
	}
	if want == nil {
		return fmt.Errorf("%s has no %q", b.subject, b.metric)
	}
	return b.is(want...)
}

func (b *Bound) is(want ...unit) error {
	for _, u := range want {
		if u == b.unit || b.limit == 0 && b.unit == unitNone {
			return nil
		}
	}
	names := map[unit]string{unitNone: "a number", unitSeconds: "a duration, as 250ms", unitShare: "a share, as 0.1%"}
	return fmt.Errorf("it is compared with %s", names[want[0]])
}

func operationUnits(metric string) []unit {
	switch metric {
	case "failed", "ok":
		return []unit{unitNone, unitShare}
	case "count", "rate":
		return []unit{unitNone}
	}
	if _, ok := pick(Summary{}, strings.TrimPrefix(metric, "service.")); ok {
		return []unit{unitSeconds}
	}
	return nil
}

func queueUnits(metric string) []unit {
	switch metric {
	case "fans", "admitted", "overtaken", "lapsed", "rank":
		return []unit{unitNone}
	case "eta_error":
		return []unit{unitShare, unitNone}
	}
	of, which, _ := strings.Cut(metric, ".")
	if _, ok := pick(Summary{}, which); ok && (of == "wait" || of == "lag") {
		return []unit{unitSeconds}
	}
	return nil
}

// pick returns the figure of a summary with that name.
func pick(s Summary, name string) (float64, bool) {
	switch name {
	case "min":
		return s.Min, true
	case "mean":
		return s.Mean, true
	case "p50":
		return s.P50, true
	case "p90":
		return s.P90, true
	case "p99":
		return s.P99, true
	case "p999", "p99.9":
		return s.P999, true
	case "max":
		return s.Max, true
	}
	return 0, false
}

// String returns the threshold without its spaces.
func (b Bound) String() string { return b.text }

// Check holds a run against the threshold. What was not measured did not hold.
func (b Bound) Check(run *Run) Threshold {
	t := Threshold{Expression: b.text, Got: "not measured"}
	got, u, ok := b.measure(run)
	if !ok {
		return t
	}
	t.Got, t.Held = show(got, u), b.holds(got)
	return t
}

func (b Bound) holds(got float64) bool {
	switch b.relation {
	case "<":
		return got < b.limit
	case "<=":
		return got <= b.limit
	case ">":
		return got > b.limit
	case ">=":
		return got >= b.limit
	case "==":
		return got == b.limit
	case "!=":
		return got != b.limit
	}
	return false // the zero Bound
}

func show(v float64, u unit) string {
	switch u {
	case unitSeconds:
		d := time.Duration(math.Round(v * 1e9))
		return d.Round(max(d/1000, 1)).String()
	case unitShare:
		return percent(v) + "%"
	default:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
}
