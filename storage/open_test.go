package storage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/storage/storagetest"
)

func TestOptionsRefuse(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"dir is empty":               func(o *Options) { o.Dir = "" },
		"node id is empty":           func(o *Options) { o.NodeID = "" },
		"at most 255 bytes":          func(o *Options) { o.ClusterID = strings.Repeat("x", 256) },
		"shards is 0, allowed are 1": func(o *Options) { o.Shards = 0 },
		"shards is 1025":             func(o *Options) { o.Shards = 1025 },
		"max bytes is 5":             func(o *Options) { o.MaxBytes = 5 },
		"fatal is nil":               func(o *Options) { o.Fatal = nil },
		"create data folder":         func(o *Options) { o.Dir = "/dev/null/x" },
	} {
		o := options(t, t.TempDir())
		change(&o)
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open: %v, want something about %q", err, want)
		}
	}
}

func TestIdentity(t *testing.T) {
	o := options(t, t.TempDir())
	s := open(t, o)
	id := s.Identity()
	if id.NodeID != "n1" || id.Shards != 3 || len(id.ClusterID) != 32 {
		t.Errorf("identity: %+v", id)
	}
	s.Close()
	for name, change := range map[string]func(*Options){
		"node":    func(o *Options) { o.NodeID = "n2" },
		"cluster": func(o *Options) { o.ClusterID = "c2" },
		"shards":  func(o *Options) { o.Shards = 4 },
	} {
		bad := o
		change(&bad)
		if _, err := Open(bad); !errors.Is(err, ErrForeign) {
			t.Errorf("another %s: %v, want ErrForeign", name, err)
		}
	}
	o.ClusterID = id.ClusterID
	if got := open(t, o).Identity(); got != id {
		t.Errorf("identity is %+v, was %+v", got, id)
	}
}

func TestInUse(t *testing.T) {
	o := options(t, t.TempDir())
	open(t, o)
	if _, err := Open(o); !errors.Is(err, ErrInUse) {
		t.Errorf("second opening: %v, want ErrInUse", err)
	}
}

// TestUnfinishedCreation: whatever is under the unfinished name, it was never voted with.
func TestUnfinishedCreation(t *testing.T) {
	half := filepath.Join(t.TempDir(), "half")
	o := options(t, half)
	s := open(t, o)
	s.Close()
	whole, err := os.ReadFile(o.path())
	if err != nil {
		t.Fatal(err)
	}
	for name, left := range map[string][]byte{
		"empty":     nil,
		"garbage":   []byte(strings.Repeat("not a database", 1000)),
		"torn":      whole[:5000],
		"unrenamed": whole,
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, t.TempDir())
			o.Preallocate = 1 << 20
			if err := os.WriteFile(filepath.Join(o.Dir, newFileName), left, 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, o)
			if err := s.Shard(0).StoreLog(storagetest.Entry(1, 1)); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(o.Dir, newFileName)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the unfinished file is still there: %v", err)
			}
		})
	}
}

func TestGarbageFile(t *testing.T) {
	o := options(t, t.TempDir())
	if err := os.WriteFile(o.path(), []byte(strings.Repeat("not a database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), o.path()) {
		t.Errorf("open: %v", err)
	}
	if b, err := os.ReadFile(o.path()); err != nil || len(b) != 14000 {
		t.Errorf("the file was touched: %d bytes, %v", len(b), err)
	}
}

func TestClosed(t *testing.T) {
	s := open(t, options(t, t.TempDir()))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	sh := s.Shard(0)
	for name, err := range map[string]error{
		"append": sh.StoreLog(storagetest.Entry(1, 1)),
		"delete": sh.DeleteRange(1, 2),
		"set":    sh.Set([]byte("a"), nil),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
}

// TestOldEntriesAreErased: what is cut off leaves the file too, beside other writes and when there are none.
func TestOldEntriesAreErased(t *testing.T) {
	s := open(t, options(t, t.TempDir()))
	sh := s.Shard(0)
	if err := sh.StoreLogs(storagetest.Entries(1, 300, 1)); err != nil {
		t.Fatal(err)
	}
	if err := sh.DeleteRange(1, 250); err != nil {
		t.Fatal(err)
	}
	for i := uint64(301); i <= 350; i++ { // two go for each that comes
		if err := sh.StoreLog(storagetest.Entry(i, 1)); err != nil {
			t.Fatal(err)
		}
	}
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		sh.mu.RLock()
		left := sh.ext.garbage
		sh.mu.RUnlock()
		if left == 0 {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("old entries stay in the file")
		}
	}
	storagetest.Expect(t, sh, storagetest.Entries(251, 350, 1))
	if n, err := s.Scrub(context.Background()); err != nil || n != 100 {
		t.Errorf("scrub: %d entries, %v", n, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Scrub(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("scrub with an ended context: %v", err)
	}
}

func TestEntryTooLarge(t *testing.T) {
	s := open(t, options(t, t.TempDir()))
	if err := s.Shard(0).StoreLog(&raft.Log{Index: 1, Data: make([]byte, MaxEntryBytes+1)}); err == nil {
		t.Error("accepted")
	}
	if err := s.Shard(0).StoreLog(storagetest.Entry(1, 1)); err != nil {
		t.Errorf("a refusal does harm: %v", err)
	}
}

func TestNumberOfWrongSize(t *testing.T) {
	s := open(t, options(t, t.TempDir()))
	if err := s.Shard(0).Set([]byte("k"), []byte("abc")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Shard(0).GetUint64([]byte("k")); err == nil {
		t.Error("three bytes read as a number")
	}
}

func TestSnapshots(t *testing.T) {
	o := options(t, t.TempDir())
	s := open(t, o)
	snaps, err := s.Snapshots(1, hclog.NewNullLogger())
	if err != nil {
		t.Fatal(err)
	}
	_, trans := raft.NewInmemTransport("here")
	for i := uint64(1); i <= 3; i++ {
		sink, err := snaps.Create(1, i*10, 1, raft.Configuration{}, 1, trans)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sink.Write([]byte("state")); err != nil {
			t.Fatal(err)
		}
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := snaps.Create(1, 99, 1, raft.Configuration{}, 1, trans); err != nil { // and then the power fails
		t.Fatal(err)
	}
	if snaps, err = s.Snapshots(1, hclog.NewNullLogger()); err != nil {
		t.Fatal(err)
	}
	metas, err := snaps.List()
	if err != nil || len(metas) != snapshotsKept || metas[0].Index != 30 {
		t.Errorf("%d snapshots are kept: %v", len(metas), err)
	}
	left, err := filepath.Glob(filepath.Join(o.Dir, "snapshots", "1", "snapshots", "*.tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	o := options(t, t.TempDir())
	o.Registerer = reg
	s := open(t, o)
	if err := s.Shard(0).StoreLogs(storagetest.Entries(1, 10, 1)); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, f := range families {
		m := f.GetMetric()[0]
		got[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	for _, name := range []string{"commit_seconds", "commit_requests", "commit_bytes_total", "file_bytes", "writes_total", "recent_bytes",
		"used_bytes", "room_bytes"} {
		if got["catraca_storage_"+name] == 0 {
			t.Errorf("catraca_storage_%s is 0 or missing", name)
		}
	}
	o.Dir = t.TempDir()
	if _, err := Open(o); err == nil {
		t.Error("the same names registered twice")
	}
	s.Close()
	if families, err = reg.Gather(); err != nil || len(families) != 0 {
		t.Errorf("%d families stay registered, %v", len(families), err)
	}
}

// metric reads one counter or gauge.
func metric(t *testing.T, c prometheus.Collector) float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("%d metrics, %v", len(families), err)
	}
	m := families[0].GetMetric()[0]
	return m.GetCounter().GetValue() + m.GetGauge().GetValue()
}
