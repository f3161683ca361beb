package storage

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"pgregory.net/rapid"

	"github.com/catraca/catraca/storage/storagetest"
)

func entryOf(index uint64, size int) *raft.Log {
	pattern := fmt.Appendf(nil, "%d of %d.", index, size)
	return &raft.Log{Index: index, Term: 1, Data: bytes.Repeat(pattern, size/len(pattern)+1)[:size]}
}

// fillUp appends until there is no room and returns the last index.
func fillUp(t *testing.T, sh *Shard, size int) uint64 {
	t.Helper()
	last, _ := sh.LastIndex()
	for start := last; ; last++ {
		err := sh.StoreLog(entryOf(last+1, size))
		if errors.Is(err, ErrFull) {
			return last
		}
		if err != nil {
			t.Fatal(err)
		}
		if last-start > 1<<20 {
			t.Fatal("it never gets full")
		}
	}
}

// stillWorks is what a full store must do, and then it makes room.
func stillWorks(t *testing.T, s *Store, last uint64) {
	t.Helper()
	sh := s.Shard(0)
	if sp := s.Space(); !sp.ReadOnly || !sp.Low {
		t.Errorf("a full store says %+v", sp)
	}
	for i := range 3 * s.opt.Shards { // more than once each: no pages are lost by it
		sh := s.Shard(i % s.opt.Shards)
		if err := errors.Join(sh.SetUint64([]byte(keyVoteTerm), uint64(i+1)), sh.Set([]byte(keyVoteCandidate), fmt.Append(nil, "n", i))); err != nil {
			t.Fatalf("vote: %v", err)
		}
	}
	if got, _ := sh.LastIndex(); got != last {
		t.Errorf("the log ends at %d, acknowledged was %d", got, last)
	}
	if n, err := s.Scrub(t.Context()); err != nil || n == 0 {
		t.Errorf("scrub: %d entries, %v", n, err)
	}
	if err := sh.DeleteRange(1, last*3/4); err != nil {
		t.Fatalf("delete: %v", err)
	}
	storeWhenRoom(t, sh, last+1)
	if sp := s.Space(); sp.ReadOnly {
		t.Errorf("it took an entry and says %+v", sp)
	}
}

// storeWhenRoom tries until the entry is taken.
func storeWhenRoom(t *testing.T, sh *Shard, index uint64) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		err := sh.StoreLog(entryOf(index, 1000))
		if err == nil {
			return
		}
		if !errors.Is(err, ErrFull) || time.Now().After(limit) {
			t.Fatalf("there is room and %v", err)
		}
	}
}

// TestMaxBytes: appends are refused before anything is written, nothing else is, and room comes back by itself.
func TestMaxBytes(t *testing.T) {
	for _, size := range []int{1000, 64 << 10, 300 << 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			o := options(t, t.TempDir())
			o.MaxBytes, o.noSync = 6<<20, true
			s := open(t, o)
			sh := s.Shard(0)
			var last uint64
			for round := range 3 { // the free pages of one round are the room of the next
				was := last
				last = fillUp(t, sh, size)
				if got := int(last-was) * size; round == 0 && got < 2<<20 {
					t.Errorf("full after %d bytes", got)
				}
				stillWorks(t, s, last)
				last++
			}
			if info, err := os.Stat(o.path()); err != nil || info.Size() > o.MaxBytes {
				t.Errorf("the file has %d bytes, %v", info.Size(), err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if got, _ := open(t, o).Shard(0).LastIndex(); got != last {
				t.Errorf("the log ends at %d, acknowledged was %d", got, last)
			}
		})
	}
}

// TestRecoversUnasked: a store that is asked nothing any more, because it said it was full, says when it no longer is.
func TestRecoversUnasked(t *testing.T) {
	o := options(t, t.TempDir())
	o.MaxBytes, o.noSync = MinMaxBytes, true
	s := open(t, o)
	last := fillUp(t, s.Shard(0), 10<<10)
	if err := s.Shard(0).DeleteRange(1, last-3); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(20 * time.Second); s.Space().ReadOnly; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("it stays full: %+v", s.Space())
		}
	}
	if err := s.Shard(0).StoreLog(entryOf(last+1, 10<<10)); err != nil {
		t.Error(err)
	}
}

// TestFullAfterIdle: a store that had nothing to do before it became full makes room all the same.
func TestFullAfterIdle(t *testing.T) {
	o := options(t, t.TempDir())
	o.MaxBytes, o.noSync = MinMaxBytes, true
	s := open(t, o)
	sh := s.Shard(0)
	last := uint64(0)
	for ; s.Space().Room > 1<<20; last++ {
		if err := sh.StoreLog(entryOf(last+1, 10<<10)); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(idleWait + idleWait/4) // it falls asleep
	if err := sh.StoreLog(entryOf(last+1, 2<<20)); !errors.Is(err, ErrFull) {
		t.Fatalf("append: %v, want ErrFull", err)
	}
	if err := sh.DeleteRange(1, last-3); err != nil {
		t.Fatal(err)
	}
	storeWhenRoom(t, sh, last+1)
}

// TestFullBesideVotes: requests in one transaction with refused appends are done.
func TestFullBesideVotes(t *testing.T) {
	o := options(t, t.TempDir())
	f := &storagetest.Faults{}
	o.MaxBytes, o.AroundCommit = MinMaxBytes, f.AroundCommit
	s := open(t, o)
	last := fillUp(t, s.Shard(0), 64<<10)
	goOn := f.Stall()
	var wg sync.WaitGroup
	wg.Go(func() { // holds the committer up, so that the others gather
		if err := s.Shard(2).Set([]byte("a"), []byte("b")); err != nil {
			t.Error(err)
		}
	})
	for n := f.Commits(); f.Commits() == n && n == 0; {
	}
	wg.Go(func() {
		if err := s.Shard(0).StoreLog(entryOf(last+1, 64<<10)); !errors.Is(err, ErrFull) {
			t.Errorf("append: %v, want ErrFull", err)
		}
	})
	wg.Go(func() {
		if err := s.Shard(1).Set([]byte("a"), []byte("c")); err != nil {
			t.Errorf("set: %v", err)
		}
	})
	goOn()
	wg.Wait()
	if v, err := s.Shard(1).Get([]byte("a")); err != nil || string(v) != "c" {
		t.Errorf("value is %q, %v", v, err)
	}
}

// TestFullModel: whatever is done around the limit, what was acknowledged is there and what was refused is not.
func TestFullModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := options(t, t.TempDir())
		o.Shards, o.noSync, o.MaxBytes = 1, true, MinMaxBytes
		s := mustOpen(rt, o)
		defer func() { s.Close() }()
		var model []*raft.Log
		last, refused := uint64(0), 0
		for range rapid.IntRange(10, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0:
				if len(model) > 0 {
					n := rapid.IntRange(1, len(model)).Draw(rt, "cut")
					if err := s.Shard(0).DeleteRange(1, model[n-1].Index); err != nil {
						rt.Fatal(err)
					}
					model = model[n:]
				}
			case 1:
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
				s = mustOpen(rt, o)
			default:
				var logs []*raft.Log
				for i := range rapid.Uint64Range(1, 5).Draw(rt, "n") {
					logs = append(logs, entryOf(last+1+i, rapid.IntRange(1, 200<<10).Draw(rt, "bytes")))
				}
				switch err := s.Shard(0).StoreLogs(logs); {
				case errors.Is(err, ErrFull):
					refused++
				case err != nil:
					rt.Fatal(err)
				default:
					model = append(model, logs...)
					last = logs[len(logs)-1].Index
				}
			}
		}
		compare(rt, s.Shard(0), model)
		if n, err := s.Scrub(t.Context()); err != nil || n != len(model) {
			rt.Fatalf("scrub: %d entries, %v", n, err)
		}
	})
}

// TestFullDisk fills a small disk from outside and frees it again.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("skipped: cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	o := options(t, filepath.Join(dir, "data"))
	s := open(t, o)
	sh := s.Shard(0)
	if err := sh.StoreLogs([]*raft.Log{entryOf(1, 10), entryOf(2, 10)}); err != nil {
		t.Fatal(err)
	}
	if got, want := o.reserve(24<<20), int64(24<<20/20); got != want {
		t.Errorf("the reserve is %d, want %d", got, want)
	}
	other := filepath.Join(dir, "other") // somebody else's
	if err := os.WriteFile(other, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	last := fillUp(t, sh, 64<<10)
	left, _, err := diskSpace(dir)
	if err != nil || left < 1<<20 || left > 3<<20 {
		t.Errorf("full with %d bytes left on the disk, %v", left, err)
	}
	f, err := os.OpenFile(other, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil { // who now takes the rest
		_, err = f.Write(make([]byte, 4<<10))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	f.Close()
	stillWorks(t, s, last)
	last = fillUp(t, sh, 64<<10)
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	storeWhenRoom(t, sh, last+1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o)
	if n, err := s.Scrub(t.Context()); err != nil || n == 0 {
		t.Errorf("scrub: %d entries, %v", n, err)
	}
	s.Close() // before its disk goes
}

// TestGrows: the file is made larger ahead of need, and what bbolt uses stays inside.
func TestGrows(t *testing.T) {
	o := options(t, t.TempDir())
	o.Preallocate = 3<<20 + 1
	s := open(t, o)
	if sp := s.Space(); sp.File < o.Preallocate || sp.Used > 1<<20 || sp.Low {
		t.Errorf("at first: %+v", sp)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for i := uint64(1); i <= 200; i++ {
		if err := s.Shard(0).StoreLog(entryOf(i, r.IntN(100<<10))); err != nil {
			t.Fatal(err)
		}
		if sp := s.Space(); sp.Used > sp.File {
			t.Fatalf("%d bytes of %d are used", sp.Used, sp.File)
		}
	}
	info, err := os.Stat(o.path())
	if err != nil || info.Size() < 8<<20 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
}
