package report

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// madeSet is a set of made-up runs: the first like the one before it, the second a tenth slower and broken, the third new.
func madeSet() Set {
	slower := madeUp(8, 1.1)
	slower.Scenario, slower.ID = "steady", "20261120-190400-steady-0001"
	slower.Verdict.Broken = []string{"seat A-12 has two owners: orders K3F7 and 9QX2"}
	again := madeUp(13, 1)
	fresh := another()
	fresh.Scenario, fresh.ID = "spike", "20261120-190800-spike-0001"
	fresh.Verdict.Invalid = []string{"generator <b>saturated"}
	return Set{Began: passed().Began, Ended: passed().Began.Add(610 * time.Second), Runs: []SetRun{
		{Run: passed(), Page: "run-1.html", Before: again}, {Run: slower, Page: "run-2.html", Before: passed()}, {Run: fresh},
	}, LeftOut: []string{"whole-sale: too few <i>files"}}
}

func setText(t *testing.T, s Set) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Text(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func setHTML(t *testing.T, s Set) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSetText(t *testing.T) {
	t.Parallel()
	text := setText(t, madeSet())
	for _, want := range []string{
		"scenario           verdict     fans", "kill-leader         passed", "steady        safety broke", "spike              invalid", "no difference in ",
		"seat A-12 has two owners", "generator <b>saturated", "1 of 3 scenarios passed, in 10 min 10 s. 1 could not be run here.", "left out\n  whole-sale: too few <i>files", "commit 7bae1e1", "claim p99 1.1", "(worse)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not say %q:\n%s", want, text)
		}
	}
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "  spike") {
			t.Errorf("what has nothing before it is held beside something: %s", l)
		}
	}
	if none := setText(t, Set{}); !strings.Contains(none, "0 of 0 scenarios passed") {
		t.Errorf("an empty set is %q", none)
	}
	if s := madeSet(); s.Passed() || !(Set{Runs: s.Runs[:1]}).Passed() {
		t.Error("a set passes with a run that did not, or not with those that did")
	}
}

func TestSetPage(t *testing.T) {
	t.Parallel()
	page := setHTML(t, madeSet())
	wellFormed(t, "set", page)
	for _, want := range []string{"NOT ALL PASSED", `href="run-2.html"`, "1 of 3 scenarios passed", "generator &lt;b&gt;saturated", `id="steady"`, "left out: whole-sale: too few &lt;i&gt;files", "Beside the set before"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if alone := setHTML(t, Set{Runs: []SetRun{{Run: passed()}}}); strings.Contains(alone, "Beside the set before") || !strings.Contains(alone, ">PASSED<") {
		t.Error("a first set is held beside another")
	}
	wellFormed(t, "an empty set", setHTML(t, Set{}))
}

// What is kept of a set is small, and charted as if its runs had been kept.
func TestSetIsKept(t *testing.T) {
	t.Parallel()
	var b, one bytes.Buffer
	if err := madeSet().Keep(&b); err != nil {
		t.Fatal(err)
	}
	if err := passed().Write(&one); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 12<<10 {
		t.Errorf("%d bytes are kept of three runs", b.Len())
	}
	kept, err := ReadKept(fstest.MapFS{"set-1.json": {Data: b.Bytes()}, "run-1.json": {Data: one.Bytes()}})
	if err != nil || len(kept) != 4 {
		t.Fatalf("%d results, %v", len(kept), err)
	}
	var set, run Kept
	for _, k := range kept {
		switch {
		case k.Name == "run-1.json":
			run = k
		case k.Kind == run.Kind || k.Kind == "kill-leader":
			set = k
		}
	}
	if set.Group != Scenarios || set.Verdict != "PASSED" || set.Machine != run.Machine || set.Commit != run.Commit || len(set.Figures) != len(run.Figures) {
		t.Errorf("kept are %+v and %+v", set, run)
	}
	for i, f := range set.Figures {
		if f.What != run.Figures[i].What || f.Got != run.Figures[i].Got {
			t.Errorf("%+v is kept of a set, %+v of a run", f, run.Figures[i])
		}
	}
	if page := historyPageOf(t, kept); strings.Count(page, "data-chart=") != 2 || !strings.Contains(page, "safety broke") && !strings.Contains(page, "SAFETY BROKE") {
		t.Errorf("two results of one scenario have %d charts", strings.Count(page, "data-chart="))
	}
}

// What was kept of a comparison with a peer is read, ratios beside what is promised.
func TestPeersAreKept(t *testing.T) {
	t.Parallel()
	raw := func(at, ratio, held string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`{"at":"` + at + `","commit":"c0ffee1","cpu":"some","cores":2,"rows":null,"peer":"etcd","nodes":3,
			"table":[{"who":"etcd 3.5","work":"hold","form":"a transaction","rounds":[],"per_second":1400,"p99_us":90000},
			{"who":"etcd 3.5","work":"hold","form":"worse","per_second":1,"p99_us":1},
			{"who":"Catraca","work":"hold","form":"Catraca","per_second":5000.4,"p99_us":21000}],
			"ratios":[{"work":"hold","form":"a transaction","ratio":` + ratio + `,"promised":3,"held":` + held + `}]}`)}
	}
	kept, err := ReadKept(fstest.MapFS{"peers-1.json": raw("2026-11-20T10:00:00Z", "3.57", "true"), "peers-2.json": raw("2026-11-21T10:00:00Z", "2.9", "false")})
	if err != nil || len(kept) != 2 {
		t.Fatalf("%d results, %v", len(kept), err)
	}
	k := kept[0]
	if k.Group != Peers || k.Kind != "beside etcd, 3 nodes" || k.Verdict != "held" || kept[1].Verdict != "missed" || len(k.Figures) != 3 {
		t.Fatalf("%+v", k)
	}
	if f := k.Figures[0]; f.Got != "3.57× (a transaction)" || f.Promised != 3 || f.Floor != "3×" || k.Figures[2].Got != "5,000/s, p99 21.0 ms" {
		t.Errorf("%+v", k.Figures)
	}
	page := historyPageOf(t, kept)
	for _, want := range []string{"beside etcd, 3 nodes", "2.90× (a transaction)", "missed", "hold, times etcd"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Count(page, "data-chart=") != 1 {
		t.Error("a ratio is not charted, or rates of different days are")
	}
}
