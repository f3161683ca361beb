package disktest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if child() {
		return
	}
	goleak.VerifyTestMain(m)
}

// mounted is a disk of a test.
type mounted struct {
	*Disk

	t   *testing.T
	dir string
}

func mount(t *testing.T) *mounted {
	t.Helper()
	Need(t)
	m := &mounted{Disk: New(), t: t, dir: t.TempDir()}
	m.must(m.Mount(m.dir))
	t.Cleanup(func() { m.must(m.Unmount()) })
	return m
}

func (m *mounted) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *mounted) path(name string) string { return filepath.Join(m.dir, name) }

// write a file, and flush it if wanted.
func (m *mounted) write(name, content string, sync bool) {
	m.t.Helper()
	f, err := os.OpenFile(m.path(name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	m.must(err)
	_, err = f.WriteString(content)
	m.must(err)
	if sync {
		m.must(f.Sync())
	}
	m.must(f.Close())
}

func (m *mounted) sync(name string) error {
	m.t.Helper()
	f, err := os.Open(m.path(name))
	m.must(err)
	defer func() { _ = f.Close() }()
	return f.Sync()
}

// cut takes the power and gives it back.
func (m *mounted) cut(random *rand.Rand) {
	m.t.Helper()
	m.Cut(random)
	if _, err := os.ReadDir(m.dir); !errors.Is(err, syscall.EIO) {
		m.t.Errorf("without power a folder is read: %v", err)
	}
	m.must(m.Unmount())
	m.must(m.Mount(m.dir))
}

// has wants exactly these files, each with its content.
func (m *mounted) has(want ...string) {
	m.t.Helper()
	var got []string
	m.must(filepath.WalkDir(m.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(m.dir, path)
		got = append(got, name+"="+string(b))
		return err
	}))
	if !slices.Equal(got, want) {
		m.t.Errorf("on the disk: %q, want %q", got, want)
	}
}

func TestWhatACutLeaves(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(m *mounted)
		want []string
	}{
		{"nothing flushed", func(m *mounted) { m.write("a", "1", false) }, nil},
		{"flushed file", func(m *mounted) { m.write("a", "1", true) }, []string{"a=1"}},
		{"flushed in new folders", func(m *mounted) {
			m.must(os.MkdirAll(m.path("x/y"), 0o700))
			m.write("x/y/a", "1", true)
			m.write("x/b", "2", false)
		}, []string{"x/y/a=1"}},
		{"written over", func(m *mounted) { m.write("a", "old", true); m.write("a", "new!", false) }, []string{"a=old"}},
		{"longer and not flushed", func(m *mounted) {
			m.write("a", "old", true)
			m.must(os.Truncate(m.path("a"), 9000))
		}, []string{"a=old"}},
		{"shorter and flushed", func(m *mounted) {
			m.write("a", "long", true)
			m.must(os.Truncate(m.path("a"), 2))
			m.must(m.sync("a"))
		}, []string{"a=lo"}},
		{"name flushed before the bytes", func(m *mounted) { m.write("a", "1", false); m.must(m.sync(".")) }, []string{"a="}},
		{"moved over another", func(m *mounted) {
			m.write("a", "old", true)
			m.write("a.new", "new", true)
			m.must(os.Rename(m.path("a.new"), m.path("a")))
		}, []string{"a=old", "a.new=new"}},
		{"moved and the folder flushed", func(m *mounted) {
			m.write("a", "old", true)
			m.write("a.new", "new", true)
			m.must(os.Rename(m.path("a.new"), m.path("a")))
			m.must(m.sync("."))
		}, []string{"a=new"}},
		{"moved to a folder that is not flushed", func(m *mounted) {
			m.must(os.Mkdir(m.path("x"), 0o700))
			m.write("a", "1", true)
			m.must(m.sync("."))
			m.must(os.Rename(m.path("a"), m.path("x/a")))
			m.must(m.sync("."))
		}, []string{"x/a=1"}},
		{"linked and the first name removed", func(m *mounted) {
			m.write("a.new", "1", true)
			m.must(os.Link(m.path("a.new"), m.path("a")))
			m.must(os.Remove(m.path("a.new")))
		}, []string{"a.new=1"}},
		{"linked, the first name removed, and the folder flushed", func(m *mounted) {
			m.write("a.new", "1", true)
			m.must(os.Link(m.path("a.new"), m.path("a")))
			m.must(os.Remove(m.path("a.new")))
			m.must(m.sync("."))
		}, []string{"a=1"}},
		{"linked over another", func(m *mounted) {
			m.write("a", "1", true)
			m.write("b", "2", true)
			if err := os.Link(m.path("a"), m.path("b")); !errors.Is(err, syscall.EEXIST) {
				m.t.Errorf("link: %v", err)
			}
		}, []string{"a=1", "b=2"}},
		{"removed", func(m *mounted) { m.write("a", "1", true); m.must(os.Remove(m.path("a"))) }, []string{"a=1"}},
		{"removed and the folder flushed", func(m *mounted) {
			m.write("a", "1", true)
			m.must(os.Remove(m.path("a")))
			m.must(m.sync("."))
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mount(t)
			c.do(m)
			m.cut(nil)
			m.has(c.want...)
			m.cut(nil)
			m.has(c.want...) // what has survived one cut survives the next
		})
	}
}

// Every sector is as before or as written, all combinations come, and a repetition of the seed gives the same.
func TestTornPages(t *testing.T) {
	const pages = 64
	before, after := bytes.Repeat([]byte("b"), pages*pageBytes), bytes.Repeat([]byte("a"), pages*pageBytes)
	var seen [2][]byte
	for round := range seen {
		m := mount(t)
		m.write("f", string(before), true)
		m.write("g", "x", true)
		f, err := os.OpenFile(m.path("f"), os.O_WRONLY, 0)
		m.must(err)
		_, err = f.WriteAt(after, 0)
		m.must(err)
		m.must(f.Close())
		if n := m.Unsynced(); n != pages {
			t.Errorf("%d pages are not flushed, want %d", n, pages)
		}
		m.cut(rand.New(rand.NewPCG(7, 7)))
		got, err := os.ReadFile(m.path("f"))
		m.must(err)
		for at := 0; at < len(got); at += sectorBytes {
			if s := got[at : at+sectorBytes]; !bytes.Equal(s, before[:sectorBytes]) && !bytes.Equal(s, after[:sectorBytes]) {
				t.Fatalf("sector %d is mixed", at/sectorBytes)
			}
		}
		if st := m.Stats(); st.Dropped == 0 || st.Torn == 0 || st.Kept == 0 || st.Dropped+st.Torn+st.Kept != pages {
			t.Errorf("of %d pages %+v", pages, st)
		}
		seen[round] = got
	}
	if !bytes.Equal(seen[0], seen[1]) {
		t.Error("the same seed gives two results")
	}
}

// After a failed flush the kernel believes the pages to be clean: a later flush that succeeds does not help them.
func TestFailedFlush(t *testing.T) {
	m := mount(t)
	m.write("a", "old", true)
	m.Set(Faults{SyncError: syscall.EIO, SyncAfter: 1})
	m.must(m.sync("a"))
	m.write("a", "newer", false)
	if err := m.sync("a"); !errors.Is(err, syscall.EIO) {
		t.Errorf("flush: %v", err)
	}
	m.Set(Faults{})
	m.must(m.sync("a"))
	m.has("a=newer")
	m.cut(nil)
	m.has("a=old\x00\x00") // the size got through, the page did not
	if st := m.Stats(); st.Failed != 1 {
		t.Errorf("counted %+v", st)
	}
}

func TestFullDisk(t *testing.T) {
	m := mount(t)
	m.Set(Faults{Capacity: 8 * pageBytes})
	m.write("a", "1", true)
	err := os.WriteFile(m.path("b"), make([]byte, 8*pageBytes), 0o600)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write: %v", err)
	}
	var st syscall.Statfs_t
	m.must(syscall.Statfs(m.dir, &st))
	if st.Blocks != 8 || st.Bavail > 7 {
		t.Errorf("the disk says that it has %d pages, %d of them free", st.Blocks, st.Bavail)
	}
	m.must(os.Remove(m.path("b")))
	m.write("c", "room again", true)
	m.has("a=1", "c=room again")
}

func TestStalledFlush(t *testing.T) {
	m := mount(t)
	m.write("a", "1", false)
	m.Set(Faults{SyncStall: time.Hour})
	for _, end := range []struct {
		how  string
		do   func()
		want error
	}{
		{"healed", func() { m.Set(Faults{}) }, nil},
		{"cut", func() { m.Cut(nil) }, syscall.EIO},
	} {
		m.Set(Faults{SyncStall: time.Hour})
		m.write("a", "2", false)
		done := make(chan error, 1)
		go func() { done <- m.sync("a") }()
		select {
		case err := <-done:
			t.Fatalf("%s: the flush did not hang: %v", end.how, err)
		case <-time.After(20 * time.Millisecond):
		}
		end.do()
		if err := <-done; !errors.Is(err, end.want) {
			t.Errorf("%s: %v, want %v", end.how, err, end.want)
		}
	}
	if s := fmt.Sprint(m.Disk); s == "" {
		t.Error("a disk says nothing about itself")
	}
}
