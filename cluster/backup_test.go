package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// backup makes the backup of every shard.
func backup(t *testing.T, n *Node) [][]byte {
	t.Helper()
	all := make([][]byte, n.Shards())
	for i := range all {
		var b bytes.Buffer
		if err := n.Backup(t.Context(), i, &b); err != nil {
			t.Fatal(err)
		}
		all[i] = b.Bytes()
	}
	return all
}

func reading(all [][]byte) func(int) (io.ReadCloser, error) {
	return func(i int) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(all[i])), nil }
}

func TestBackupSeedsANewCluster(t *testing.T) {
	o := options(t, t.TempDir())
	n, ts := start(t, o)
	ts.ready(t)
	want := fill(t, n, 0, 40)
	propose(t, n, 1, "of the other shard")
	old := n.Status()[0]
	all := backup(t, n)
	b, err := OpenBackup(bytes.NewReader(all[0]))
	if err != nil || b.Shard != 0 || b.Index < 40 || b.Term != old.Term {
		t.Fatalf("the backup is of shard %d, entry %d, term %d: %v", b.Shard, b.Index, b.Term, err)
	}
	fill(t, n, 40, 50) // lost
	again := backup(t, n)
	if bytes.Equal(again[0], all[0]) {
		t.Error("the second backup is the first")
	}
	stop(t, n)

	fresh := options(t, filepath.Join(t.TempDir(), "raft"))
	fresh.NodeID, fresh.ClusterID = "another", "new"
	first := func(i int) [][]byte { return [][][]byte{{[]byte("first"), []byte("second")}, nil}[i] }
	want = append(want, "first", "second")
	if err := Seed(fresh, reading(all), first); err != nil {
		t.Fatal(err)
	}
	if err := Seed(fresh, reading(all), first); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("seeded over data: %v", err)
	}
	for round := range 2 { // what it does afterwards stays, too
		n, ts = start(t, fresh)
		ts.ready(t)
		if n.ClusterID() != "new" {
			t.Errorf("the cluster is %q", n.ClusterID())
		}
		if got := ts[0].strings(); !slices.Equal(got, want) {
			t.Errorf("restored %d entries, want %d: %q", len(got), len(want), got)
		}
		if got := ts[1].strings(); !slices.Equal(got, []string{"of the other shard"}) {
			t.Errorf("the other shard has %q", got)
		}
		if st := n.Status()[0]; st.Term <= b.Term || st.Last <= b.Index {
			t.Errorf("after the backup of entry %d in term %d it is at %+v", b.Index, b.Term, st)
		}
		want = append(want, fmt.Sprint("after ", round))
		propose(t, n, 0, want[len(want)-1])
		stop(t, n)
	}
}

// A backup is the same on every replica that is caught up, and with nothing new since the last snapshot.
func TestBackupRepeats(t *testing.T) {
	o := options(t, t.TempDir())
	o.Shards = 1
	n, ts := start(t, o)
	ts.ready(t)
	fill(t, n, 0, 10)
	first, second := backup(t, n), backup(t, n)
	if !bytes.Equal(first[0], second[0]) {
		t.Error("two backups of one moment differ")
	}
	if err := n.Backup(t.Context(), 1, io.Discard); err == nil {
		t.Error("backup of a shard that does not exist")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Backup(ctx, 0, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("backup for nobody: %v", err)
	}
	broken := errors.New("the line is cut")
	if err := n.Backup(t.Context(), 0, failing{broken}); !errors.Is(err, broken) {
		t.Errorf("backup to a broken line: %v", err)
	}
	stop(t, n)
	if err := n.Backup(t.Context(), 0, io.Discard); !errors.Is(err, ErrClosed) {
		t.Errorf("backup of a closed node: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Damage is found before anything of the new folder shows.
func TestSeedRefuses(t *testing.T) {
	good := [][]byte{
		frame(t, cut{shard: 0, index: 5, term: 2}, bytes.Repeat([]byte("zero"), 200_000)),
		frame(t, cut{shard: 1, index: 6, term: 3}, []byte("one")),
	}
	with := func(i int, b []byte) [][]byte {
		all := slices.Clone(good)
		all[i] = b
		return all
	}
	flipped := slices.Clone(good[0])
	flipped[len(flipped)-400_000] ^= 8
	for _, c := range []struct {
		name string
		all  [][]byte
	}{
		{"flipped bit", with(0, flipped)},
		{"cut off", with(1, good[1][:len(good[1])-3])},
		{"empty", with(1, nil)},
		{"another shard's", with(1, good[0])},
		{"of no entry", with(1, frame(t, cut{shard: 1}, nil))},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, filepath.Join(t.TempDir(), "raft"))
			if err := Seed(o, reading(c.all), nil); !errors.Is(err, ErrSnapshot) {
				t.Errorf("seed: %v", err)
			}
			for _, dir := range []string{o.Dir, o.Dir + seedSuffix} {
				if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s was left behind: %v", dir, err)
				}
			}
		})
	}
	o := options(t, filepath.Join(t.TempDir(), "raft"))
	missing := errors.New("no such section")
	if err := Seed(o, func(int) (io.ReadCloser, error) { return nil, missing }, nil); !errors.Is(err, missing) {
		t.Errorf("seed from nothing: %v", err)
	}
}

// A seed that was interrupted is begun anew.
func TestSeedAgain(t *testing.T) {
	o := options(t, filepath.Join(t.TempDir(), "raft"))
	o.Shards = 1
	half := filepath.Join(o.Dir+seedSuffix, "snapshots", "0")
	if err := os.MkdirAll(half, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Seed(o, reading([][]byte{frame(t, cut{index: 7, term: 3}, nil)}), nil); err != nil {
		t.Fatal(err)
	}
	n, ts := start(t, o)
	ts.ready(t)
	if st := n.Status()[0]; st.Snapshot != 7 || st.Term != 4 {
		t.Errorf("seeded: %+v", st)
	}
}

func FuzzOpenBackup(f *testing.F) {
	f.Add([]byte{})
	f.Add(append(cut{shard: 3, index: 5, term: 2}.encode(), 0, 0, 0, 1, 0, 0, 0, 0, 'x'))
	var whole bytes.Buffer
	w, err := newFrameWriter(&whole, cut{shard: 1, index: 9, term: 4})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := w.Write([]byte("state")); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := OpenBackup(bytes.NewReader(data))
		if err == nil {
			var again bytes.Buffer
			if err = copyFramed(&again, b); err == nil {
				// Only the cutting into chunks may have been another one's.
				if c, err := OpenBackup(&again); err != nil || c.Index != b.Index || c.Term != b.Term {
					t.Fatalf("written anew it is not what it was: %v", err)
				}
			}
		}
		if err != nil && !errors.Is(err, ErrSnapshot) {
			t.Fatalf("refused without saying that it is damaged: %v", err)
		}
	})
}
