package slab

import (
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// wide makes chunks of few rows, so that short runs cross their borders.
type wide struct {
	n int
	_ [5 << 10]byte
}

func contents[T any](v *View[T]) []T {
	var all []T
	for i := range v.Len() {
		all = append(all, v.Get(i))
	}
	return all
}

// TestSlabIsASlice compares with slices: what is written is read, and a frozen view stays as it was, also when several
// exist.
func TestSlabIsASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Make[wide](1)
		var want []int
		type frozen struct {
			view View[wide]
			want []int
		}
		var views []frozen
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				x := rapid.Int().Draw(t, "x")
				if i := s.Append(wide{n: x}); i != len(want) {
					t.Fatalf("record %d, want %d", i, len(want))
				}
				want = append(want, x)
			},
			"write": func(t *rapid.T) {
				if len(want) == 0 {
					t.Skip("nothing there")
				}
				i := rapid.IntRange(0, len(want)-1).Draw(t, "i")
				want[i] = rapid.Int().Draw(t, "x")
				s.Mut(i).n = want[i]
			},
			"freeze": func(*rapid.T) {
				views = append(views, frozen{s.Freeze(), slices.Clone(want)})
				views = views[max(0, len(views)-3):]
			},
			"": func(t *rapid.T) {
				for i, x := range want {
					if s.Get(i).n != x || s.Read(i).n != x {
						t.Fatalf("record %d is %d, want %d", i, s.Get(i).n, x)
					}
				}
				for _, f := range views {
					if f.view.Len() != len(f.want) {
						t.Fatalf("a view has %d records, want %d", f.view.Len(), len(f.want))
					}
					for i, x := range f.want {
						if f.view.Get(i).n != x {
							t.Fatalf("record %d of a view is %d, want %d", i, f.view.Get(i).n, x)
						}
					}
				}
			},
		})
	})
}

func TestStripsAndRuns(t *testing.T) {
	s := Make[uint64](3)
	for i := range 5000 {
		if got := s.Extend(); got != i {
			t.Fatalf("strip %d, want %d", got, i)
		}
		copy(s.MutStrip(i), []uint64{uint64(i), 1, 2})
	}
	v := s.Freeze()
	for i := range 5000 {
		s.MutStrip(i)[1] = 9
		if got := v.Strip(i); !slices.Equal(got, []uint64{uint64(i), 1, 2}) || s.Strip(i)[1] != 9 {
			t.Fatalf("strip %d of the view is %v, of the slab %v", i, got, s.Strip(i))
		}
	}
	r := Make[uint64](1)
	var at []int
	for i := range 3000 {
		run := make([]uint64, i%7)
		for j := range run {
			run[j] = uint64(i)
		}
		at = append(at, r.AppendRun(run))
	}
	for i, first := range at {
		run := r.Run(first, i%7)
		if len(run) != i%7 || slices.ContainsFunc(run, func(x uint64) bool { return x != uint64(i) }) {
			t.Fatalf("run %d is %v", i, run)
		}
	}
	if r.MaxRun() != chunkBytes/8 {
		t.Errorf("a run may have %d records", r.MaxRun())
	}
}

// TestViewsOnOtherGoroutines is for the race detector.
func TestViewsOnOtherGoroutines(t *testing.T) {
	s, l := Make[uint64](1), MakeLog[uint64]()
	var readers sync.WaitGroup
	for round := range uint64(20) {
		for range 3000 {
			s.Append(round)
			l.Append(round)
		}
		v, lv, n := s.Freeze(), l.Freeze(), s.Len()
		want := contents(&v)
		readers.Go(func() {
			if got := contents(&v); !slices.Equal(got, want) || len(got) != n {
				t.Errorf("round %d: the view moved", round)
			}
			for i := lv.Start(); i < lv.End(); i++ {
				if lv.Get(i) != i/3000 {
					t.Errorf("round %d: row %d of the log is %d", round, i, lv.Get(i))
					return
				}
			}
		})
		for i := int(round); i < n; i += 1000 {
			*s.Mut(i)++
		}
		l.Trim(l.Start() + 1500)
	}
	readers.Wait()
}

func TestLogForgets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := MakeLog[wide]()
		next, start := uint64(0), uint64(0)
		var views []LogView[wide]
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				for range rapid.IntRange(1, 9).Draw(t, "n") {
					if n := l.Append(wide{n: int(next)}); n != next {
						t.Fatalf("row %d, want %d", n, next)
					}
					next++
				}
			},
			"trim": func(t *rapid.T) {
				start = rapid.Uint64Range(start, next).Draw(t, "start")
				l.Trim(start)
			},
			"freeze": func(*rapid.T) {
				views = append(views, l.Freeze())
				views = views[max(0, len(views)-3):]
			},
			"": func(t *rapid.T) {
				for _, v := range append(slices.Clone(views), l.LogView) {
					for n := v.Start(); n < v.End(); n++ {
						if v.Get(n).n != int(n) || v.Read(n).n != int(n) {
							t.Fatalf("row %d is %d", n, v.Get(n).n)
						}
					}
				}
				if l.Start() != start || l.End() != next || l.Chunks() > int(next-start)/8+2 {
					t.Fatalf("has %d to %d in %d chunks, want %d to %d", l.Start(), l.End(), l.Chunks(), start, next)
				}
			},
		})
	})
}
