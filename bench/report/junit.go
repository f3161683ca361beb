package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/catraca/catraca/bench/record"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	Failure *junitReason `xml:"failure,omitempty"`
	Skipped *junitReason `xml:"skipped,omitempty"`
}

type junitReason struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (s *junitSuite) add(scenario, name string, failures []string) {
	c := junitCase{Name: name, Class: scenario + "." + s.Name}
	if len(failures) > 0 {
		c.Failure = &junitReason{failures[0], strings.Join(failures, "\n")}
		s.Failures++
	}
	s.Cases = append(s.Cases, c)
	s.Tests++
}

// evidenceOf are the findings about one check; all of them when they do not say about which.
func evidenceOf(check string, findings []string) []string {
	var own []string
	for _, f := range findings {
		if text, ok := strings.CutPrefix(f, check+": "); ok {
			own = append(own, text)
		}
	}
	if own == nil {
		return findings
	}
	return own
}

// JUnit writes the verdict for a build server: validity, safety, and each check of the audit and each threshold as a test
// case.
func JUnit(w io.Writer, run *record.Run) error {
	at := run.Began.UTC().Format("2006-01-02T15:04:05")
	validity, audit, thresholds := junitSuite{Name: "validity", Timestamp: at}, junitSuite{Name: "audit", Timestamp: at}, junitSuite{Name: "thresholds", Timestamp: at}
	validity.add(run.Scenario, "the generator kept its plan", run.Verdict.Invalid)
	var aborted []string
	if run.Verdict.Aborted {
		aborted = []string{"the run was aborted"}
	}
	validity.add(run.Scenario, "the run came to its end", aborted)
	audit.add(run.Scenario, "safety", broken(run))
	for _, c := range run.Audit.Checks {
		var failures []string
		if !c.Held {
			failures = append([]string{c.Name}, evidenceOf(c.Name, run.Audit.Findings)...)
		}
		audit.add(run.Scenario, c.Name, failures)
	}
	if !run.Audit.Ran {
		audit.Cases = append(audit.Cases, junitCase{Name: "the books", Class: run.Scenario + ".audit", Skipped: &junitReason{Message: "the audit did not run"}})
		audit.Tests, audit.Skipped = audit.Tests+1, 1
	}
	for _, t := range run.Verdict.Thresholds {
		var failures []string
		if !t.Held {
			failures = []string{"got " + t.Got}
		}
		thresholds.add(run.Scenario, t.Expression, failures)
	}
	all := junitSuites{Name: "catraca-bench " + run.ID, Time: fmt.Sprintf("%.3f", run.Ended.Sub(run.Began).Seconds()), Suites: []junitSuite{validity, audit, thresholds}}
	for _, s := range all.Suites {
		all.Tests, all.Failures, all.Skipped = all.Tests+s.Tests, all.Failures+s.Failures, all.Skipped+s.Skipped
	}
	b, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	if _, err := io.WriteString(w, xml.Header+string(b)+"\n"); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	return nil
}
