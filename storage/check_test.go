package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"

	"github.com/catraca/catraca/storage/storagetest"
)

const envCheck = "CATRACA_STORAGE_CHECK" // what a child process is to check, or how it is to end

// checked is the child.
func checked(arg string) {
	switch arg {
	case "panic":
		panic("page 7 is not there")
	case "fault":
		p := (*byte)(nil)
		fmt.Println(*p)
	case "hang":
		time.Sleep(time.Minute)
	}
	err := Check(context.Background(), Options{Dir: arg, NodeID: "n1", Shards: 3})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(CheckStatus(err))
}

func checkInChild(ctx context.Context, t *testing.T, arg, dir string) error {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), envCheck+"="+arg, "GORACE=atexit_sleep_ms=0")
	return CheckInChild(cmd, dir)
}

// writeSnapshot puts a snapshot into shard 1.
func writeSnapshot(t *testing.T, s *Store, index uint64) {
	t.Helper()
	snaps, err := s.Snapshots(1, hclog.NewNullLogger())
	if err != nil {
		t.Fatal(err)
	}
	_, trans := raft.NewInmemTransport("here")
	sink, err := snaps.Create(1, index, 3, raft.Configuration{}, 1, trans)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sink.Write([]byte(strings.Repeat("state ", 50_000))); err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
}

func flipByte(t *testing.T, path string, at int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// newestSnapshot is the folder of shard 1's newest snapshot.
func newestSnapshot(t *testing.T, dir string) string {
	t.Helper()
	all, err := listSnapshots(dir, 1)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d snapshots, %v", len(all), err)
	}
	return filepath.Join(dir, snapshotFolder, "1", snapshotFolder, all[0].name)
}

// checkCase is something done to a stopped node's folder, and what Check says about it.
type checkCase struct {
	edit func(t *testing.T, dir string)
	want string // of the damage, empty when there is none
}

func checkCases() map[string]checkCase {
	return map[string]checkCase{
		"whole": {func(*testing.T, string) {}, ""},
		"old entry": {func(t *testing.T, dir string) {
			change(t, dir, flipValue(logBucket(1), indexKey(100), 40))
		}, "entry 100"},
		"vote": {func(t *testing.T, dir string) {
			change(t, dir, flipValue(stableBucket(), shardKey(1), 5))
		}, "stable"},
		"extent": {func(t *testing.T, dir string) {
			change(t, dir, flipValue(metaBucket(), shardKey(1), 12))
		}, "extent"},
		"head": {func(t *testing.T, dir string) { flipByte(t, filepath.Join(dir, fileName), headAt+50) }, "head"},
		"state of the newest snapshot": {func(t *testing.T, dir string) {
			flipByte(t, filepath.Join(newestSnapshot(t, dir), "state.bin"), 299_999)
		}, "snapshot"},
		"description of the newest snapshot": {func(t *testing.T, dir string) {
			flipByte(t, filepath.Join(newestSnapshot(t, dir), "meta.json"), 0)
		}, "snapshot"},
		"state is missing": {func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(newestSnapshot(t, dir), "state.bin")); err != nil {
				t.Fatal(err)
			}
		}, "snapshot"},
		"older snapshot": {func(t *testing.T, dir string) {
			all, err := listSnapshots(dir, 1)
			if err != nil || len(all) != 2 {
				t.Fatalf("%v, %v", all, err)
			}
			flipByte(t, filepath.Join(dir, snapshotFolder, "1", snapshotFolder, all[1].name, "state.bin"), 7)
		}, ""},
		"garbage": {func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, fileName), []byte(strings.Repeat("garbage", 5000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "file"},
	}
}

func TestCheck(t *testing.T) {
	for name, c := range checkCases() {
		t.Run(name, func(t *testing.T) {
			o := options(t, t.TempDir())
			o.noSync = true
			s := open(t, o)
			if err := s.Shard(1).StoreLogs(storagetest.Entries(1, 1200, 3)); err != nil {
				t.Fatal(err)
			}
			writeSnapshot(t, s, 10)
			writeSnapshot(t, s, 1000)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			c.edit(t, o.Dir)
			before := listing(t, o.Dir)
			calls, last := 0, int64(0)
			o.Progress = func(done, total int64) {
				calls++
				if done < last || total <= 0 {
					t.Errorf("progress %d of %d after %d", done, total, last)
				}
				last = done
			}
			err := Check(t.Context(), o)
			var bad *DamageError
			switch {
			case c.want == "" && (err != nil || calls < 3):
				t.Errorf("check: %v, %d reports", err, calls)
			case c.want != "" && (!errors.As(err, &bad) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("check: %v, want damage of %s", err, c.want)
			}
			if after := listing(t, o.Dir); after != before {
				t.Errorf("the check changed something:\n%s\nwas\n%s", after, before)
			}
			if errChild := checkInChild(t.Context(), t, o.Dir, o.Dir); (errChild == nil) != (err == nil) || err != nil && !errors.As(errChild, &bad) {
				t.Errorf("a child says %v", errChild)
			}
		})
	}
}

// listing is every file with its size and time.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCheckRefuses(t *testing.T) {
	o := options(t, t.TempDir())
	if err := Check(t.Context(), o); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	s := open(t, o)
	if err := Check(t.Context(), o); !errors.Is(err, ErrInUse) {
		t.Errorf("in use: %v", err)
	}
	if err := checkInChild(t.Context(), t, o.Dir, o.Dir); !errors.Is(err, ErrInUse) {
		t.Errorf("in use, in a child: %v", err)
	}
	s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Check(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	o.NodeID = "n2"
	if err := Check(t.Context(), o); !errors.Is(err, ErrForeign) {
		t.Errorf("foreign: %v", err)
	}
	if err := Check(t.Context(), Options{}); err == nil {
		t.Error("no options are enough")
	}
}

func TestCheckInChildCrash(t *testing.T) {
	for arg, want := range map[string]string{"panic": "panic: page 7 is not there", "fault": "nil pointer"} {
		var bad *DamageError
		if err := checkInChild(t.Context(), t, arg, "/data"); !errors.As(err, &bad) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want damage", arg, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	var bad *DamageError
	if err := checkInChild(ctx, t, "hang", "/data"); err == nil || errors.As(err, &bad) {
		t.Errorf("killed: %v, which proves nothing", err)
	}
	if err := CheckInChild(exec.Command("/does/not/exist"), "/data"); err == nil || errors.As(err, &bad) {
		t.Errorf("no program: %v", err)
	}
	if s := CheckStatus(errors.New("other")); s != statusOther || CheckStatus(nil) != 0 || CheckStatus(fmt.Errorf("x: %w", ErrForeign)) != statusForeign {
		t.Errorf("status of another error is %d", s)
	}
}

// TestScrubber finds damage that nobody reads.
func TestScrubber(t *testing.T) {
	for name, edit := range map[string]func(*bbolt.Tx) error{
		"":      func(*bbolt.Tx) error { return nil },
		"entry": flipValue(logBucket(1), indexKey(100), 40),
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, t.TempDir())
			writeLog(t, o, 1200)
			change(t, o.Dir, edit)
			fatal := make(chan error, 1)
			o.Fatal = func(err error) { fatal <- err }
			o.ScrubBytes, o.ScrubEvery = 100<<20, time.Millisecond
			s := open(t, o)
			if name == "" {
				for limit := time.Now().Add(20 * time.Second); metric(t, s.m.scrubPasses) < 3; time.Sleep(time.Millisecond) {
					if time.Now().After(limit) {
						t.Fatal("nobody reads")
					}
				}
				if metric(t, s.m.scrubEntries) < 3600 || metric(t, s.m.scrubBytes) < 3*20_000 || metric(t, s.m.scrubLast) == 0 {
					t.Errorf("%v entries, %v bytes", metric(t, s.m.scrubEntries), metric(t, s.m.scrubBytes))
				}
				return
			}
			expectDamage(t, <-fatal, 100, "")
			if _, ok := Marked(o.Dir); !ok {
				t.Error("the folder is not marked")
			}
			if err := s.Shard(0).StoreLog(storagetest.Entry(1, 1)); err == nil {
				t.Error("written after damage was found")
			}
		})
	}
}

// TestScrubberStops: closing does not wait for a slow pass.
func TestScrubberStops(t *testing.T) {
	o := options(t, t.TempDir())
	writeLog(t, o, 1200)
	o.ScrubBytes, o.ScrubEvery = 1, time.Millisecond // it would take hours
	s := open(t, o)
	for limit := time.Now().Add(20 * time.Second); metric(t, s.m.scrubBytes) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("it does not begin")
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestScrubBesideWriters: cutting off and taking back while everything is read is not mistaken for damage.
func TestScrubBesideWriters(t *testing.T) {
	o := options(t, t.TempDir())
	o.noSync, o.RingBytes = true, -1
	o.ScrubBytes, o.ScrubEvery = 1<<30, time.Nanosecond
	s := open(t, o)
	sh := s.Shard(1)
	stop := make(chan struct{})
	read := make(chan error, 1)
	go func() {
		for {
			first, _ := sh.FirstIndex()
			last, _ := sh.LastIndex()
			for i := first; i <= last; i++ {
				if err := sh.GetLog(i, new(raft.Log)); err != nil && !errors.Is(err, raft.ErrLogNotFound) {
					read <- err
					return
				}
			}
			select {
			case <-stop:
				read <- nil
				return
			default:
			}
		}
	}()
	last := uint64(0)
	for term := uint64(1); term <= 300; term++ {
		logs := storagetest.Entries(last+1, last+20, term)
		if err := sh.StoreLogs(logs); err != nil {
			t.Fatal(err)
		}
		last += 20
		if term%3 == 0 {
			if err := sh.DeleteRange(last-9, last); err != nil {
				t.Fatal(err)
			}
			last -= 10
		}
		if first, _ := sh.FirstIndex(); last-first > 200 {
			if err := sh.DeleteRange(1, last-50); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(stop)
	if err := <-read; err != nil {
		t.Error(err)
	}
}

// TestMissingFile: a node that has snapshots had votes, too.
func TestMissingFile(t *testing.T) {
	o := options(t, t.TempDir())
	s := open(t, o)
	writeSnapshot(t, s, 10)
	s.Close()
	if err := os.Remove(o.path()); err != nil {
		t.Fatal(err)
	}
	_, err := Open(o)
	expectDamage(t, err, 0, "file")
}

// TestCompact: a large file that is mostly empty becomes small, and says the same.
func TestCompact(t *testing.T) {
	o := options(t, t.TempDir())
	o.noSync = true
	s := open(t, o)
	sh := s.Shard(1)
	for i := uint64(1); i <= 100; i++ {
		if err := sh.StoreLog(entryOf(i, 100<<10)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(sh.SetUint64([]byte("CurrentTerm"), 7), s.Shard(0).StoreLogs(storagetest.Entries(5, 700, 3)), sh.DeleteRange(1, 95)); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(20 * time.Second); s.Space().Free < 8<<20; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("old entries stay: %+v", s.Space())
		}
	}
	before := s.Space().File
	s.Close()
	if err := os.WriteFile(filepath.Join(o.Dir, compactName), []byte("left behind"), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, s *Store, want bool) {
		t.Helper()
		var entries []*raft.Log
		for i := uint64(96); i <= 100; i++ {
			entries = append(entries, entryOf(i, 100<<10))
		}
		storagetest.Expect(t, s.Shard(1), entries)
		storagetest.Expect(t, s.Shard(0), storagetest.Entries(5, 700, 3))
		if term, err := s.Shard(1).GetUint64([]byte("CurrentTerm")); err != nil || term != 7 {
			t.Errorf("term is %d, %v", term, err)
		}
		if got := s.Space().File < before/3; got != want {
			t.Errorf("the file has %d bytes, had %d", s.Space().File, before)
		}
		if exists(filepath.Join(o.Dir, compactName)) {
			t.Error("an unfinished file is there")
		}
	}
	o.compactAbove = before + 1<<20
	s = open(t, o)
	check(t, s, false)
	s.Close()
	o.compactAbove = 1 << 20
	s = open(t, o)
	check(t, s, true)
	if _, err := Open(o); !errors.Is(err, ErrInUse) {
		t.Errorf("second opening: %v, want ErrInUse", err)
	}
	if err := s.Shard(1).StoreLog(entryOf(101, 10)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := Check(t.Context(), o); err != nil {
		t.Error(err)
	}
	if last, _ := open(t, o).Shard(1).LastIndex(); last != 101 {
		t.Errorf("the log ends at %s", strconv.FormatUint(last, 10))
	}
}

// TestCompactKeepsDamage: writing the file anew does not make a bad entry a good one.
func TestCompactKeepsDamage(t *testing.T) {
	o := options(t, t.TempDir())
	writeLog(t, o, 1200)
	change(t, o.Dir, flipValue(logBucket(1), indexKey(100), 40))
	s := &Store{opt: o}
	if err := s.opt.complete(); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.db, err = openFile(&s.opt); err != nil {
		t.Fatal(err)
	}
	if err := s.load(); err != nil {
		t.Fatal(err)
	}
	db, err := s.copyTo(filepath.Join(o.Dir, compactName))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.db.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	expectDamage(t, Check(t.Context(), o), 100, "")
}
