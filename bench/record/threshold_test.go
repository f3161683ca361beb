package record_test

import (
	"strings"
	"testing"

	"github.com/catraca/catraca/bench/record"
)

func TestThresholds(t *testing.T) {
	run := sample() // 300 holds of 20 ms in 3.01 s, of which 3 failed
	run.Audit = record.Audit{Ran: true, Counted: map[string]int64{"oversell": 0, "tickets": 12}}
	run.Outcomes = map[string]int64{"bought": 12}
	run.Fairness = []record.Fairness{{}, {Class: "far", Fans: 9, Admitted: 4, Rank: 0.5, EtaError: 0.25, Lag: record.Summary{P99: 0.2}}}
	run.Starts.Late = 3
	for expression, want := range map[string]struct {
		got  string
		held bool
	}{
		"hold.p99<250ms":             {"20ms", true},
		" hold.p99 <= 20ms ":         {"20ms", true},
		"hold.p99<20ms":              {"20ms", false},
		"hold[far].max<1s":           {"20ms", true},
		"hold.service.p99.9>=20ms":   {"20ms", true},
		"hold.failed==0":             {"3", false},
		"hold.failed<1%":             {"1%", false},
		"hold.failed<=1%":            {"1%", true},
		"hold.ok!=297":               {"297", false},
		"hold.count>=300":            {"300", true},
		"hold.rate>98":               {"98.67109634551495", true},
		"hold.p50>0":                 {"20ms", true},
		"hold[fibre].p99<1s":         {"not measured", false},
		"pay.p99<1s":                 {"not measured", false},
		"late<0.1%":                  {"1%", false},
		"late<=0.01":                 {"1%", true},
		"oversell==0":                {"0", true},
		"broken==0":                  {"0", true},
		"audit.tickets>11":           {"12", true},
		"audit.refunds==0":           {"not measured", false},
		"outcome.bought==12":         {"12", true},
		"outcome.failed==0":          {"0", true},
		"queue.overtaken==0":         {"0", true},
		"queue[far].rank>0.9":        {"0.5", false},
		"queue[far].lag.p99<1s":      {"200ms", true},
		"queue[far].eta_error<30%":   {"25%", true},
		"queue[mobile].overtaken==0": {"not measured", false},
	} {
		b, err := record.ParseThreshold(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		got := b.Check(run)
		if got.Got != want.got || got.Held != want.held || got.Expression != strings.ReplaceAll(expression, " ", "") {
			t.Errorf("%s: %+v, want %+v", expression, got, want)
		}
	}
	// Without an audit nothing it would have counted is known to hold.
	b, err := record.ParseThreshold("oversell==0")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Check(&record.Run{}); got.Held {
		t.Errorf("no audit ran, and %+v", got)
	}
}

func TestThresholdsThatMakeNoSense(t *testing.T) {
	for expression, want := range map[string]string{
		"":                              "it compares nothing",
		"hold.p99":                      "it compares nothing",
		"<1s":                           "it names nothing",
		"hold.p99=1s":                   "a comparison is one of",
		"hold.p98<1s":                   `hold has no "p98"`,
		"hold<1s":                       `hold has no ""`,
		"hold.p99<quick":                `"quick" is no number, share (0.1%) or duration (250ms)`,
		"hold.p99<250":                  "it is compared with a duration, as 250ms",
		"hold.rate>1s":                  "it is compared with a number",
		"hold.failed<NaN":               "is no number",
		"hold.failed<x%":                "is no number",
		"hold[].p99<1s":                 "a class is written as in hold[mobile].p99",
		"hold[far]<1s":                  "a class is written as in hold[mobile].p99",
		"hold[far.p99<1s":               "a class is written as in hold[mobile].p99",
		"hôld.p99<1s":                   "a name has letters",
		"late.p99<1s":                   "late has nothing within it",
		"audit==0":                      "write audit.NAME",
		"outcome[far].bought==0":        "write outcome.NAME",
		"queue.wait<1s":                 `queue has no "wait"`,
		strings.Repeat("a", 201) + "<1": "it is longer than 200 bytes",
	} {
		if _, err := record.ParseThreshold(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", expression, err, want)
		}
	}
}

func FuzzParseThreshold(f *testing.F) {
	for _, s := range []string{"hold.p99<250ms", "hold[far].failed<=0.1%", "oversell==0", "late<0.1%", "queue.lag.p99>1", "x.rate!=1e300"} {
		f.Add(s)
	}
	run := sample()
	f.Fuzz(func(t *testing.T, s string) {
		b, err := record.ParseThreshold(s)
		if err != nil {
			return
		}
		again, err := record.ParseThreshold(b.String())
		if err != nil || again != b {
			t.Fatalf("%q was read as %q, which reads as %+v, %v", s, b, again, err)
		}
		if b.Check(run).Got == "" {
			t.Fatalf("%q says nothing", s)
		}
	})
}
