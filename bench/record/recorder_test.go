package record_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"

	"github.com/catraca/catraca/bench/record"
)

func find(t *testing.T, all []record.Operation, name, class string) record.Operation {
	t.Helper()
	for _, o := range all {
		if o.Name == name && o.Class == class {
			return o
		}
	}
	t.Fatalf("no operation %s of class %q", name, class)
	return record.Operation{}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > want*0.002+1e-6 {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// TestStall shows that coordinated omission cannot occur: a server with one connection stands still for 2 s while
// requests go on falling due every 10 ms.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := record.NewRecorder(record.Options{Began: began})
		server := make(chan struct{}, 1) // whoever has put something in is being served
		serve := func() {
			if at := time.Since(began); at >= 5*time.Second && at < 5*time.Second+10*time.Millisecond {
				time.Sleep(2 * time.Second)
			}
			time.Sleep(time.Millisecond)
		}
		const n = 1_000
		r.Planned(n)
		var all sync.WaitGroup
		for i := range n {
			planned := began.Add(time.Duration(i) * 10 * time.Millisecond)
			time.Sleep(time.Until(planned))
			all.Go(func() {
				r.Started(planned, time.Now())
				server <- struct{}{}
				started := time.Now()
				serve()
				<-server
				r.Done("hold", "", planned, started, time.Now(), "")
			})
		}
		all.Wait()

		var run record.Run
		r.Fill(&run)
		o := find(t, run.Operations, "hold", "")
		if o.Count != n || o.Failed != 0 {
			t.Fatalf("%d done and %d failed, want %d and 0", o.Count, o.Failed, n)
		}
		near(t, "the longest latency", o.Latency.Max, 2.001)
		near(t, "p99.9 of latency", o.Latency.P999, 2.001-0.009) // the second to wait came 10 ms later
		// 222 came before the backlog was gone: 2.001 s less 9 ms for each before it.
		near(t, "p90 of latency", o.Latency.P90, 2.001-100*0.009)
		near(t, "the longest service", o.Service.Max, 2.001)
		near(t, "p99 of service", o.Service.P99, 0.001)
		if len(run.Verdict.Invalid) != 0 {
			t.Errorf("the server stalled, not the generator: %q", run.Verdict.Invalid)
		}
		near(t, "the longest of second 7", run.Seconds[7].Operations[0].Max, 2.001)
		if s := run.Seconds[6]; s.Started != 100 || len(s.Operations) != 0 {
			t.Errorf("second 6 is %+v, want 100 starts and no answer", s)
		}
	})
}

func TestSaturatedGeneratorIsInvalid(t *testing.T) {
	for _, c := range []struct {
		name                 string
		planned, starts, bad int
		by                   time.Duration
		aborted              bool
		want                 []string
	}{
		{name: "in time", planned: 1_000, starts: 1_000},
		{name: "as late as is allowed", planned: 1_000, starts: 1_000, bad: 1_000, by: 10 * time.Millisecond},
		{name: "as often as is allowed", planned: 1_000, starts: 1_000, bad: 1, by: time.Second},
		{
			name: "late", planned: 1_000, starts: 1_000, bad: 13, by: 11 * time.Millisecond,
			want: []string{"generator saturated: 1.3 % of starts were late by more than 10 ms, at most 0.1 % is allowed"},
		},
		{name: "never", planned: 1_001, starts: 1_000, want: []string{"generator saturated: 1 of 1001 planned starts never happened"}},
		{name: "aborted", planned: 1_001, starts: 1_000, aborted: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			r := record.NewRecorder(record.Options{Began: began, WarmUp: time.Second})
			r.Planned(c.planned)
			for i := range c.starts {
				planned := began.Add(time.Second + time.Duration(i)*time.Millisecond)
				started := planned
				if i < c.bad {
					started = planned.Add(c.by)
				}
				r.Started(planned, started)
				r.Done("join", "", planned, started, started, "")
			}
			run := record.Run{Verdict: record.Verdict{Aborted: c.aborted}}
			r.Fill(&run)
			if !slices.Equal(run.Verdict.Invalid, c.want) {
				t.Errorf("got %q, want %q", run.Verdict.Invalid, c.want)
			}
			if want := len(c.want) > 0; (run.ExitCode() == record.ExitThreshold) != want {
				t.Errorf("exit code %d, invalid is %v", run.ExitCode(), want)
			}
		})
	}
}

func TestWarmUpCountsForNoSummary(t *testing.T) {
	began := time.Now()
	r := record.NewRecorder(record.Options{Began: began, WarmUp: 2 * time.Second})
	at := func(d time.Duration) time.Time { return began.Add(d) }
	// Planned within the warm-up and answered after it: it belongs to the warm-up.
	r.Done("hold", "", at(1999*time.Millisecond), at(2*time.Second), at(9*time.Second), "busy")
	r.Started(at(time.Second), at(3*time.Second))
	for range record.FewestOperations - 1 {
		r.Done("hold", "", at(2*time.Second), at(2*time.Second), at(4*time.Second), "")
	}
	var run record.Run
	r.Fill(&run)
	o := find(t, run.Operations, "hold", "")
	if o.Count != 99 || o.Failed != 0 || len(o.Codes) != 0 || o.Latency.Max != 2 {
		t.Errorf("the summary has something of the warm-up: %+v", o)
	}
	if w := find(t, run.WarmUpOperations, "hold", ""); w.Count != 1 || w.Failed != 1 || w.Codes["busy"] != 1 {
		t.Errorf("the warm-up is %+v", w)
	}
	if run.Span != 2 || run.Starts.Counted != 0 || run.Starts.Late != 0 || run.Starts.Started != 1 {
		t.Errorf("span %v, starts %+v", run.Span, run.Starts)
	}
	if want := []string{"too few operations: 99 were measured, at least 100 are needed"}; !slices.Equal(run.Verdict.Invalid, want) {
		t.Errorf("got %q, want %q", run.Verdict.Invalid, want)
	}
	if s := run.Seconds[9].Operations[0]; s.Done != 1 || s.Failed != 1 {
		t.Errorf("the seconds leave out the warm-up: %+v", s)
	}
}

// TestFiguresAreHdrHistograms holds the figures of values that were recorded at once by several goroutines against the
// library's own.
func TestFiguresAreHdrHistograms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 700_000_000_000), 1, 300).Draw(t, "values")
		began := time.Now()
		r := record.NewRecorder(record.Options{Began: began})
		want := hdrhistogram.New(1_000, 600_000_000_000, 3)
		var all sync.WaitGroup
		for i, v := range values {
			if err := want.RecordValue(min(v, 600_000_000_000)); err != nil {
				t.Fatal(err)
			}
			planned := began.Add(time.Duration(i) * time.Second / 10)
			all.Go(func() { r.Done("seats", fmt.Sprint("c", i%3), planned, planned, planned.Add(time.Duration(v)), "") })
		}
		all.Wait()
		var run record.Run
		r.Fill(&run)
		if len(run.Operations) == 0 || run.Operations[0].Class != "" || run.Operations[0].Count != int64(len(values)) {
			t.Fatalf("%d values are %+v", len(values), run.Operations)
		}
		o := &run.Operations[0]
		h, err := o.Decode()
		if err != nil {
			t.Fatal(err)
		}
		if !h.Equals(want) {
			t.Fatal("the histogram is not what the library would have recorded")
		}
		slices.Sort(values)
		last := len(values) - 1
		for q, got := range map[int]float64{500: o.Latency.P50, 900: o.Latency.P90, 990: o.Latency.P99, 999: o.Latency.P999} {
			w := float64(values[(q*len(values)+999)/1000-1]) / 1e9
			if w < 600 && math.Abs(got-w) > w*0.001+1e-6 {
				t.Fatalf("the %d-permille is %v, of the values it is %v", q, got, w)
			}
		}
		if o.Latency.Min != float64(values[0])/1e9 || o.Latency.Max != float64(values[last])/1e9 || o.Service != o.Latency {
			t.Fatalf("of %v to %v the figures are %+v", values[0], values[last], o.Latency)
		}
	})
}

func TestSeconds(t *testing.T) {
	began := time.Now()
	r := record.NewRecorder(record.Options{Began: began, Refusals: []string{"sold_out"}})
	done := func(op string, at, took time.Duration, code string) {
		r.Done(op, "far", began.Add(at-took), began.Add(at-took), began.Add(at), code)
	}
	for i := range 100 {
		done("hold", 3*time.Second, time.Duration(i+1)*time.Millisecond, "")
	}
	done("hold", 3*time.Second, time.Second, "busy")
	done("hold", 40*time.Second, time.Second, "sold_out")
	done("join", 40*time.Second, time.Second, "")
	done("hold", 3500*time.Millisecond, 3*time.Second, "busy") // told when its second is long closed
	done("hold", 11*time.Second, time.Second, "")
	r.Done("hold", "far", began, began, began.Add(record.MostSeconds*time.Second), "") // counts, in no second
	var run record.Run
	r.Fill(&run)
	if len(run.Seconds) != 41 {
		t.Fatalf("%d seconds, want 41", len(run.Seconds))
	}
	s := run.Seconds[3].Operations[0]
	if s.Done != 102 || s.Failed != 2 || s.Max != 3 || math.Abs(s.P50-0.051) > 0.0006 {
		t.Errorf("second 3 is %+v", s)
	}
	if s := run.Seconds[40].Operations; len(s) != 2 || s[0].Name != "hold" || s[1].Name != "join" || s[0].Failed != 0 {
		t.Errorf("second 40 is %+v", s)
	}
	o := find(t, run.Operations, "hold", "far")
	if o.Count != 105 || o.Failed != 2 || o.Codes["busy"] != 2 || o.Codes["sold_out"] != 1 {
		t.Errorf("the whole is %d, %d failed, %v", o.Count, o.Failed, o.Codes)
	}
}

func TestSnapshotOfARunningRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record.NewRecorder(record.Options{Began: time.Now(), WarmUp: time.Second})
		r.Planned(50)
		for range 10 {
			now := time.Now()
			r.Started(now, now)
			r.Active(1)
			r.Sockets(2)
			r.Done("join", "mobile", now, now, now, "")
			time.Sleep(time.Second)
		}
		r.Mark("fault", "kill node b")
		l := r.Snapshot(-3)
		if len(l.Seconds) != 3 || l.Seconds[0].At != 7 || l.Seconds[2].Active != 10 || l.Seconds[0].Sockets != 16 {
			t.Errorf("the last seconds are %+v", l.Seconds)
		}
		if l.At != 10 || l.Planned != 50 || l.Active != 10 || l.Sockets != 20 || l.Starts.Counted != 9 || l.WarmingUp {
			t.Errorf("the totals are %+v", l)
		}
		if len(l.Operations) != 1 || l.Operations[0].Count != 9 || l.Marks[0].At != 10 {
			t.Errorf("operations %+v, marks %+v", l.Operations, l.Marks)
		}
		if l := r.Snapshot(9); len(l.Seconds) != 1 || l.Seconds[0].At != 9 {
			t.Errorf("from second 9 on: %+v", l.Seconds)
		}
	})
}

func TestNamesAreBounded(t *testing.T) {
	now := time.Now()
	r := record.NewRecorder(record.Options{Began: now})
	for i := range 200 {
		r.Done(fmt.Sprint("op", i), fmt.Sprint("class", i), now, now, now, fmt.Sprint("code", i))
		r.Done("op0", "class0", now, now, now, fmt.Sprint("code", i))
		r.Mark("fault", "again")
	}
	for range record.MostMarks {
		r.Mark("fault", "again")
	}
	var run record.Run
	r.Fill(&run)
	names, classes, n := map[string]bool{}, map[string]bool{}, int64(0)
	for _, o := range run.Operations {
		names[o.Name], classes[o.Class] = true, true
		if o.Class == "" {
			n += o.Count
		}
		if len(o.Codes) > 2*record.MostCodes {
			t.Errorf("%s has %d codes", o.Name, len(o.Codes))
		}
	}
	if n != 400 || len(names) > record.MostOperations || len(classes) > record.MostClasses+1 || len(run.Marks) != record.MostMarks {
		t.Errorf("%d operations of %d names, %d classes, %d marks", n, len(names), len(classes), len(run.Marks))
	}
	r = record.NewRecorder(record.Options{Began: now, Classes: []string{"far"}})
	r.Done("hold", "nobody", now, now, now, "")
	r.Fill(&run)
	find(t, run.Operations, "hold", "other")
}

func TestDoneAllocatesNothing(t *testing.T) {
	now := time.Now()
	r := record.NewRecorder(record.Options{Began: now})
	if n := testing.AllocsPerRun(1_000, func() { r.Done("hold", "mobile", now, now, now.Add(time.Millisecond), "busy") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLogIsReadByTheLibrary(t *testing.T) {
	run := sample()
	var b bytes.Buffer
	if err := run.WriteHDR(&b); err != nil {
		t.Fatal(err)
	}
	lr := hdrhistogram.NewHistogramLogReader(&b)
	tags := map[string]int64{}
	for {
		h, err := lr.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		tags[h.Tag()] = h.TotalCount()
		if h.StartTimeMs() != run.Began.UnixMilli()+1000 {
			t.Errorf("%s begins at %d, want %d", h.Tag(), h.StartTimeMs(), run.Began.UnixMilli()+1000)
		}
	}
	if len(tags) != 3 || tags["hold"] != 300 || tags["hold.far"] != 150 || tags["hold.a_mobile___"] != 150 {
		t.Errorf("the log has %v", tags)
	}
}

// sample is a run of 300 holds in two classes.
func sample() *record.Run {
	began := time.Unix(1_790_000_000, 0)
	r := record.NewRecorder(record.Options{Began: began, WarmUp: time.Second})
	for i := range 300 {
		at := began.Add(time.Second + time.Duration(i)*10*time.Millisecond)
		code := ""
		if i%100 == 0 {
			code = "busy"
		}
		r.Done("hold", []string{"far", "a mobile, \n"}[i%2], at, at, at.Add(20*time.Millisecond), code)
		r.Started(at, at)
	}
	run := &record.Run{Format: record.Format, ID: "sample"}
	r.Fill(run)
	return run
}
