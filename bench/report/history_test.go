package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// keptFiles are made-up results: six of the engine, and one run.
func keptFiles(t *testing.T) fstest.MapFS {
	t.Helper()
	folder := fstest.MapFS{"engine-2026-11-01.txt": {Data: []byte("not read")}}
	for i := range 6 {
		at := time.Date(2026, 6+time.Month(i), 3, 17, 15, 0, 0, time.UTC)
		raw := fmt.Sprintf(`{"at":%q,"commit":"c0ffee%d","cpu":"some </script>","cores":2,"rows":[
			{"what":"one node, many clients","got":"%d,458/s","promised":"300,000/s","held":true},{"what":"fsync of 4 KiB","got":"%d.6ms, the disk alone","held":%v},
			{"what":"against a bare file","got":"1.0%d× (of 3)","held":true},{"what":"memory","got":"0.88 MB","held":true},{"what":"seats sold twice","got":"none","held":true}]}`,
			at.Format(time.RFC3339), i, 290+i*7, 5+i%3, i != 4, i)
		folder[fmt.Sprintf("engine-%s.json", at.Format("2006-01-02-1504"))] = &fstest.MapFile{Data: []byte(raw)}
	}
	var b bytes.Buffer
	if err := passed().Write(&b); err != nil {
		t.Fatal(err)
	}
	folder["run-1.json"] = &fstest.MapFile{Data: b.Bytes()}
	return folder
}

func TestReadKept(t *testing.T) {
	t.Parallel()
	kept, err := ReadKept(keptFiles(t))
	if err != nil || len(kept) != 7 {
		t.Fatalf("%d results, %v", len(kept), err)
	}
	first, missed := kept[0], kept[4]
	if first.Kind != "engine" || first.Commit != "c0ffee0" || first.Machine != "2 × some </script>" || first.Verdict != "held" || missed.Verdict != "missed" {
		t.Errorf("%+v\n%+v", first, missed)
	}
	want := []Figure{{"one node, many clients", 290458, "per_second", "290,458/s", 300_000, "300,000/s"}, {"fsync of 4 KiB", 0.0056, "seconds", "5.6ms, the disk alone", 0, ""},
		{"against a bare file", 1.00, "×", "1.00× (of 3)", 0, ""}, {"memory", 922746.88, "bytes", "0.88 MB", 0, ""}}
	if fmt.Sprint(first.Figures) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", first.Figures, want)
	}
	for i := 1; i < len(kept); i++ {
		if kept[i].At.Before(kept[i-1].At) {
			t.Errorf("%s is before %s", kept[i].Name, kept[i-1].Name)
		}
	}
	run := kept[6]
	if run.Name != "run-1.json" || run.Kind != "kill-leader" || run.Verdict != "PASSED" || len(run.Figures) != 2*len(kinds) {
		t.Errorf("%+v", run)
	}
}

// TestReadKeptRefuses: what is neither a run nor a result is named.
func TestReadKeptRefuses(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "{}", "[]", "null", "{", `{"rows":7}`, `{"rows":[{"what":7}]}`, `{"format":99}`, `{"set":7}`, `{"peer":"x","ratios":7}`, `{"at":"yesterday","rows":[]}`} {
		_, err := ReadKept(fstest.MapFS{"good.txt": {}, "odd.json": {Data: []byte(raw)}})
		if err == nil || !strings.Contains(err.Error(), "odd.json") {
			t.Errorf("%q: %v", raw, err)
		}
	}
	if kept, err := ReadKept(fstest.MapFS{}); len(kept) != 0 || err != nil {
		t.Errorf("nothing kept: %v, %v", kept, err)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	kept, err := ReadKept(keptFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	page := historyPageOf(t, kept)
	wellFormed(t, "history", page)
	var charts []chart
	if err := json.Unmarshal([]byte(between(page, `id="charts">`, "</script>")), &charts); err != nil {
		t.Fatal(err)
	}
	if len(charts) != 4 || charts[0].Title != "one node, many clients" || len(charts[0].X) != 6 || charts[0].Lines[0].Y[5] != 325458 || charts[0].Lines[1].Name != "promised" || charts[0].Names[5] != "2026-11-03 c0ffee5" {
		t.Errorf("%d charts, first %+v", len(charts), charts[0])
	}
	for _, want := range []string{"7 kept results, the latest of 2026-11-20", "5.6ms, the disk alone", "c0ffee5", "300,000/s", "before: 2026-10-03, commit c0ffee4", "kill-leader", "missed"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	wellFormed(t, "no history", historyPageOf(t, nil))
}

func historyPageOf(t *testing.T, kept []Kept) string {
	t.Helper()
	var b bytes.Buffer
	if err := History(&b, kept); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// FuzzReadKept: a damaged result is refused or read, and what was read can be drawn.
func FuzzReadKept(f *testing.F) {
	f.Add([]byte(`{"at":"2026-06-03T17:15:00Z","rows":[{"what":"x","got":"5.6ms","held":true}]}`))
	f.Add([]byte(`{"at":"2026-06-03T17:15:00Z","set":[{"scenario":"x","operations":[{"name":"hold","p99":1e308}]},{"scenario":"x"}]}`))
	f.Add([]byte(`{"at":"2026-06-03T17:15:00Z","peer":"x","ratios":[{"work":"hold","ratio":2}],"table":[{"work":"hold","form":"Catraca"}]}`))
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`{"rows":[{"what":"x","got":"1e999/s"},{"what":"x","got":"NaN %"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept, err := ReadKept(fstest.MapFS{"a.json": {Data: raw}})
		if err != nil {
			return
		}
		_ = historyPageOf(t, kept)
	})
}
