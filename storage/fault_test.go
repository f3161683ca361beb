package storage

import (
	"errors"
	"sync"
	"syscall"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/catraca/catraca/storage/storagetest"
)

// broken opens a store with some entries on a disk that will fail.
func broken(t *testing.T) (o Options, s *Store, f *storagetest.Faults, fatal func() []error) {
	t.Helper()
	f = &storagetest.Faults{}
	o = options(t, t.TempDir())
	o.Preallocate = 1 << 20 // the file need not grow, which would notice by itself
	o.OpenFile, o.AroundCommit = f.OpenFile, f.AroundCommit
	var mu sync.Mutex
	var told []error
	o.Fatal = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err)
	}
	s = open(t, o)
	for i := range o.Shards {
		for j := uint64(1); j <= 20; j++ { // one at a time: leaves free pages
			if err := s.Shard(i).StoreLog(storagetest.Entry(j, 1)); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(s.Shard(i).StoreLog(entryOf(21, 200<<10)), s.Shard(i).DeleteRange(21, 21)); err != nil {
			t.Fatal(err) // and more free pages
		}
	}
	return o, s, f, func() []error {
		mu.Lock()
		defer mu.Unlock()
		return told
	}
}

// TestFailedCommit: everybody waiting hears of it, Fatal once, and nothing is tried again.
func TestFailedCommit(t *testing.T) {
	for name, c := range map[string]struct {
		fail    func(*storagetest.Faults) error
		want    error
		written bool
	}{
		"flush fails":            {(*storagetest.Faults).LoseWrites, syscall.EINVAL, false},
		"disk is full":           {(*storagetest.Faults).FillDisk, syscall.ENOSPC, false},
		"refused":                {func(f *storagetest.Faults) error { f.Refuse(syscall.EIO); return nil }, syscall.EIO, false},
		"done, but nobody knows": {func(f *storagetest.Faults) error { f.Doubt(syscall.EIO); return nil }, syscall.EIO, true},
	} {
		t.Run(name, func(t *testing.T) {
			o, s, f, fatal := broken(t)
			before := f.Commits()
			goOn := f.Stall() // so that all wait together
			if err := c.fail(f); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for i := range o.Shards {
				for name, write := range map[string]func() error{
					"append": func() error { return s.Shard(i).StoreLog(storagetest.Entry(21, 1)) },
					"set":    func() error { return s.Shard(i).Set([]byte("a"), []byte("b")) },
				} {
					wg.Go(func() {
						if err := write(); !errors.Is(err, c.want) {
							t.Errorf("%s: %v, want %v", name, err, c.want)
						}
					})
				}
			}
			goOn()
			wg.Wait()
			if err := s.Shard(0).DeleteRange(1, 5); !errors.Is(err, c.want) {
				t.Errorf("delete: %v, want %v", err, c.want)
			}
			if got := fatal(); len(got) != 1 || !errors.Is(got[0], c.want) {
				t.Errorf("fatal got %v", got)
			}
			if n := f.Commits() - before; n != 1 {
				t.Errorf("%d commits were tried, want one", n)
			}
			if _, ok := Marked(o.Dir); ok {
				t.Error("a failed commit marked the data as damaged")
			}
			if err := s.Shard(0).GetLog(20, new(raft.Log)); err != nil {
				t.Errorf("what was acknowledged cannot be read: %v", err)
			}
			if err := errors.Join(s.Close(), f.Close()); err != nil {
				t.Fatal(err)
			}
			o.OpenFile, o.AroundCommit = nil, nil
			s = open(t, o)
			for i := range o.Shards {
				last, _ := s.Shard(i).LastIndex()
				if last < 20 || last > 20 && !c.written {
					t.Errorf("the log ends at %d", last)
				}
			}
			if n, err := s.Scrub(t.Context()); err != nil || n < 60 {
				t.Errorf("scrub: %d entries, %v", n, err)
			}
		})
	}
}

// TestStall: nobody is answered while the disk hangs, and everybody afterwards.
func TestStall(t *testing.T) {
	_, s, f, fatal := broken(t)
	before := f.Commits()
	goOn := f.Stall()
	done := make(chan error, 1)
	go func() { done <- s.Shard(0).StoreLog(storagetest.Entry(21, 1)) }()
	for f.Commits() == before { // until it hangs
		select {
		case err := <-done:
			t.Fatalf("answered while the disk hangs: %v", err)
		default:
		}
	}
	if err := s.Shard(0).GetLog(20, new(raft.Log)); err != nil {
		t.Errorf("reading waits for the disk, too: %v", err)
	}
	if last, _ := s.Shard(0).LastIndex(); last != 20 {
		t.Errorf("the log ends at %d before it is on the disk", last)
	}
	goOn()
	if err := <-done; err != nil || len(fatal()) != 0 {
		t.Errorf("%v, fatal %v", err, fatal())
	}
}
