package drive

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadMetrics(t *testing.T) {
	const page = `# HELP catraca_queue_places Places in the queue by state.
# TYPE catraca_queue_places gauge
catraca_queue_places{event="1",state="waiting"} 40
catraca_queue_places{event="2",state="waiting"} 2
catraca_queue_places{event="1",state="shopping"} 7 1700000000000
catraca_queue_places{event="1",state="done"} 99
catraca_seats{event="1",state="sold"} 11
process_cpu_seconds_total 1.5
go_goroutines	33
odd{text="a } in it, and a \" too",state="sold"} 5
catraca_sequencer_commit_seconds_sum{kind="sale"} 2
catraca_sequencer_commit_seconds_sum{kind="account"} 0.5
catraca_sequencer_commit_seconds_count{kind="sale"} 100
broken{a="b" 5
broken
broken x
 {a="b"} 5
`
	got, err := readMetrics(strings.NewReader(page), wanted)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"waiting": 42, "shopping": 7, "sold": 11, "cpu": 1.5, "goroutines": 33, "commit_seconds": 2.5, "commits": 100,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzSample(f *testing.F) {
	f.Add(`a{b="c",d="e"} 1 2`)
	f.Add(`a 1`)
	f.Add(`a{b="\"}"} NaN`)
	f.Add(`a{`)
	f.Fuzz(func(t *testing.T, line string) {
		name, labels, _, ok := sample(line)
		if ok && (name == "" || strings.HasPrefix(name, "#") || !strings.Contains(line, labels)) {
			t.Errorf("%q is sample %q with labels %q", line, name, labels)
		}
		label(labels, "b")
	})
}
