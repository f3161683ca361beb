package record_test

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/bench/record"
)

// What several recorders took down and were drained of is, in the one that took it in, as if it had been told everything
// itself: every histogram, every second, every late start.
func TestDrainedIsAsIfTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := record.Options{Began: time.Now(), WarmUp: 2 * time.Second, Classes: []string{"fibre", "slow"}, Refusals: []string{"sold_out"}}
		whole, sum := record.NewRecorder(o), record.NewRecorder(o)
		o.Drained = true
		parts := make([]*record.Recorder, rapid.IntRange(1, 3).Draw(t, "parts"))
		for i := range parts {
			parts[i] = record.NewRecorder(o)
		}
		drain := func() {
			for i, p := range parts {
				for _, piece := range p.Drain() {
					if err := sum.Absorb(i, piece); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		here, at := 0, time.Duration(0)
		for range rapid.IntRange(1, 25).Draw(t, "events") {
			planned := o.Began.Add(max(at-time.Duration(rapid.IntRange(0, 3000).Draw(t, "ago"))*time.Millisecond, 0))
			started := planned.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "late")) * time.Millisecond)
			part := parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")]
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				whole.Planned(1)
				part.Planned(1)
				whole.Started(planned, started)
				part.Started(planned, started)
			case 1:
				whole.Sockets(1)
				part.Sockets(1)
				whole.Active(1)
				part.Active(1)
				here++
			case 2:
				whole.Mark("failure", "one")
				part.Mark("failure", "one")
			default:
				op := rapid.SampledFrom([]string{"join", "hold"}).Draw(t, "op")
				class := rapid.SampledFrom([]string{"", "fibre", "slow", "else"}).Draw(t, "class")
				code := rapid.SampledFrom([]string{"", "", "sold_out", "lost"}).Draw(t, "code")
				whole.Done(op, class, planned, started, o.Began.Add(max(at, started.Sub(o.Began))), code)
				part.Done(op, class, planned, started, o.Began.Add(max(at, started.Sub(o.Began))), code)
			}
			if rapid.Bool().Draw(t, "wait") {
				at += time.Duration(rapid.IntRange(1, 900).Draw(t, "ms")) * time.Millisecond
				if rapid.IntRange(0, 2).Draw(t, "drain") == 0 {
					drain()
				}
			}
		}
		drain()
		var want, got record.Run
		whole.Fill(&want)
		sum.Fill(&got)
		want.Marks, got.Marks = nil, nil // the same moments; the order within one is not
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("the sum is\n%+v\nwant\n%+v", got, want)
		}
		a, b := whole.Snapshot(0), sum.Snapshot(0)
		if a.Active != int64(here) || b.Active != a.Active || b.Sockets != a.Sockets || b.Starts != a.Starts || b.Planned != a.Planned || len(a.Marks) != len(b.Marks) {
			t.Fatalf("live it is %+v, want %+v", b, a)
		}
		starts := int64(0)
		for i := range parts {
			starts += sum.StartsOf(i).Started
		}
		if starts != want.Starts.Started {
			t.Errorf("the sources started %d, want %d", starts, want.Starts.Started)
		}
	})
}

// Draining while fans go on loses nothing and counts nothing twice.
func TestDrainWhileItGoesOn(t *testing.T) {
	began := time.Now()
	r := record.NewRecorder(record.Options{Began: began, Drained: true})
	sum := record.NewRecorder(record.Options{Began: began})
	drain := func() {
		for _, piece := range r.Drain() {
			if err := sum.Absorb(0, piece); err != nil {
				t.Error(err)
			}
		}
	}
	const fans, each = 8, 2000
	var all sync.WaitGroup
	for range fans {
		all.Go(func() {
			for i := range each {
				at := began.Add(time.Duration(i) * 10 * time.Millisecond) // twenty seconds: some are closed meanwhile
				r.Done("hold", "", at, at, at.Add(time.Duration(i)*time.Microsecond), map[bool]string{true: "lost"}[i%10 == 0])
			}
		})
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	for going := true; going; {
		select {
		case <-ended:
			going = false
		default:
		}
		drain()
	}
	drain()
	var run record.Run
	sum.Fill(&run)
	o := find(t, run.Operations, "hold", "")
	if o.Count != fans*each || o.Failed != fans*each/10 || o.Codes["lost"] != o.Failed {
		t.Errorf("%d, %d failed: %v", o.Count, o.Failed, o.Codes)
	}
	done := int64(0)
	for _, s := range run.Seconds {
		for _, k := range s.Operations {
			done += k.Done
		}
	}
	if done != fans*each {
		t.Errorf("the seconds hold %d, want %d", done, fans*each)
	}
}

// A second that is told when it has been closed for long still counts.
func TestSecondThatIsToldLate(t *testing.T) {
	began := time.Now()
	late := record.NewRecorder(record.Options{Began: began, Drained: true})
	sum := record.NewRecorder(record.Options{Began: began})
	done := func(r *record.Recorder, second int) {
		at := began.Add(time.Duration(second) * time.Second)
		r.Done("hold", "", at, at, at.Add(time.Millisecond), "lost")
	}
	for s := range 20 {
		done(sum, s)
	}
	done(late, 15)
	done(late, 1)
	done(late, 1)
	done(late, 7) // in the place of 15, and older
	for _, piece := range late.Drain() {
		if err := sum.Absorb(3, piece); err != nil {
			t.Fatal(err)
		}
	}
	var run record.Run
	sum.Fill(&run)
	for _, s := range run.Seconds {
		want := map[int]int64{15: 2, 1: 3, 7: 2}[s.At]
		if k := s.Operations[0]; k.Done != max(want, 1) || k.Failed != k.Done {
			t.Errorf("second %d has %d, %d failed", s.At, k.Done, k.Failed)
		}
	}
}

func TestPiecesThatAreNone(t *testing.T) {
	r := record.NewRecorder(record.Options{Began: time.Now()})
	for _, piece := range [][]byte{nil, {0}, {9, 1}, {1}, {1, 200}, {2, 1, 'a'}, {3, 1, 2}, {4}, make([]byte, record.MostPiece+1)} {
		if err := r.Absorb(0, piece); err == nil {
			t.Errorf("% x was taken", piece[:min(len(piece), 8)])
		}
	}
	if err := r.Absorb(record.MostSources, []byte{4, 0, 0, 0}); err == nil {
		t.Error("a source beyond all was taken")
	}
	var run record.Run
	if r.Fill(&run); len(run.Operations)+len(run.Seconds)+len(run.Marks) != 0 {
		t.Errorf("what was refused has changed something: %+v", run)
	}
}

// A piece is taken whole or refused; what is taken can be filled in and written.
func FuzzAbsorb(f *testing.F) {
	began := time.Now()
	r := record.NewRecorder(record.Options{Began: began, Drained: true})
	r.Planned(2)
	r.Started(began, began.Add(20*time.Millisecond))
	r.Sockets(1)
	r.Done("hold", "slow", began, began, began.Add(time.Second), "lost")
	r.Mark("fault", "n1 was killed")
	for _, piece := range r.Drain() {
		f.Add(piece)
	}
	f.Fuzz(func(t *testing.T, piece []byte) {
		r := record.NewRecorder(record.Options{Began: began})
		if r.Absorb(1, piece) != nil {
			return
		}
		var run record.Run
		r.Fill(&run)
		r.Snapshot(0)
	})
}
