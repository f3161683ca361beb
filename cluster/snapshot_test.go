package cluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func fill(t *testing.T, n *Node, from, to int) (all []string) {
	t.Helper()
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprint("entry ", i))
		propose(t, n, 0, all[len(all)-1])
	}
	return all
}

func TestSnapshotCutsTheLog(t *testing.T) {
	o := options(t, t.TempDir())
	o.Shards, o.TrailingEntries = 1, 5
	n, ts := start(t, o)
	ts.ready(t)
	want := fill(t, n, 0, 60)
	if err := n.Snapshot(0); err != nil {
		t.Fatal(err)
	}
	st := n.Status()[0]
	if st.Snapshot < 60 || st.First != st.Last-4 {
		t.Errorf("after a snapshot with 5 trailing entries: %+v", st)
	}
	want = append(want, fill(t, n, 60, 70)...)
	stop(t, n)

	n, ts = start(t, o)
	ts.ready(t)
	if got := ts[0].strings(); !slices.Equal(got, want) {
		t.Errorf("restored %q", got)
	}
	if err := n.Snapshot(0); err != nil {
		t.Fatal(err)
	}
	if err := n.Snapshot(0); err != nil {
		t.Errorf("nothing new: %v", err)
	}
	if err := n.Snapshot(7); err == nil {
		t.Error("snapshot of a shard that does not exist")
	}
}

func TestSnapshotBySize(t *testing.T) {
	o := options(t, t.TempDir())
	o.Shards, o.SnapshotBytes = 1, 10_000
	n, ts := start(t, o)
	ts.ready(t)
	propose(t, n, 0, strings.Repeat("x", 6_000))
	if n.groups[0].log.due(o.SnapshotBytes) {
		t.Error("due too early")
	}
	propose(t, n, 0, strings.Repeat("y", 6_000))
	ts[0].until(t, "a snapshot", func() bool { return n.groups[0].lastSnapshot() > 0 })
	ts[0].until(t, "the count to start anew", func() bool { return !n.groups[0].log.due(o.SnapshotBytes) })
}

// states lists the state files of shard 0, oldest snapshot first.
func states(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "snapshots", "0", "snapshots", "*", "state.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no snapshots: %v", err)
	}
	slices.SortFunc(files, func(a, b string) int { // term-index-time
		var x, y, i, j int
		fmt.Sscanf(filepath.Base(filepath.Dir(a)), "%d-%d", &x, &i)
		fmt.Sscanf(filepath.Base(filepath.Dir(b)), "%d-%d", &y, &j)
		return (x-y)*1_000_000 + i - j
	})
	return files
}

func flip(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedSnapshot damages the newest snapshot. The one before it helps only while the log reaches back to it.
func TestDamagedSnapshot(t *testing.T) {
	for _, c := range []struct {
		name     string
		trailing uint64
		starts   bool
	}{
		{"older one joins the log", 100, true},
		{"older one is cut off", 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, t.TempDir())
			o.Shards, o.TrailingEntries = 1, c.trailing
			n, ts := start(t, o)
			ts.ready(t)
			want := fill(t, n, 0, 20)
			for range 2 {
				if err := n.Snapshot(0); err != nil {
					t.Fatal(err)
				}
				want = append(want, fill(t, n, len(want), len(want)+20)...)
			}
			stop(t, n)
			files := states(t, o.Dir)
			flip(t, files[len(files)-1])

			ts = newTapes(1)
			n, err := Start(o, ts.pump)
			if !c.starts {
				if err == nil || !strings.Contains(err.Error(), "snapshot") {
					t.Fatalf("start: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer stop(t, n)
			ts.ready(t)
			if got := ts[0].strings(); !slices.Equal(got, want) {
				t.Errorf("restored %d entries, want %d", len(got), len(want))
			}
		})
	}
}

func TestMissingSnapshots(t *testing.T) {
	o := options(t, t.TempDir())
	o.Shards, o.TrailingEntries = 1, 1
	n, ts := start(t, o)
	ts.ready(t)
	fill(t, n, 0, 20)
	if err := n.Snapshot(0); err != nil {
		t.Fatal(err)
	}
	stop(t, n)
	if err := os.RemoveAll(filepath.Join(o.Dir, "snapshots")); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(o, newTapes(1).pump); err == nil || !strings.Contains(err.Error(), "no snapshot reaches up to it") {
		t.Errorf("start without the snapshot: %v", err)
	}
}

// careless is a pump that does not look at what it reads.
type careless struct {
	*tape

	read int64
}

func (c careless) Restore(r io.Reader) error {
	_, _ = io.CopyN(io.Discard, r, c.read)
	return nil
}

func TestRestoreRefuses(t *testing.T) {
	good := frame(t, cut{shard: 1, index: 5, term: 2}, []byte("0123456789"))
	bad := slices.Clone(good)
	bad[len(bad)-20] ^= 1
	for _, c := range []struct {
		name  string
		shard uint32
		data  []byte
		read  int64
		want  error // nil: any
		ok    bool
	}{
		{"good", 1, good, 10, nil, true},
		{"another shard's", 2, good, 10, ErrSnapshot, false},
		{"damage the pump overlooks", 1, bad, 10, ErrSnapshot, false},
		{"damage it does not come to", 1, bad, 0, ErrSnapshot, false},
		{"read in part", 1, good, 4, nil, false},
		{"empty", 1, nil, 0, ErrSnapshot, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fsm{shard: c.shard, pump: careless{newTape(), c.read}}
			err := f.Restore(io.NopCloser(strings.NewReader(string(c.data))))
			if c.ok != (err == nil) || (c.want != nil && !errors.Is(err, c.want)) {
				t.Fatalf("restore: %v", err)
			}
			if want := map[bool]uint64{true: 5, false: 0}[c.ok]; f.index.Load() != want {
				t.Errorf("applied index is %d, want %d", f.index.Load(), want)
			}
		})
	}
}
