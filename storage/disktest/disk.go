// Package disktest is a disk that forgets: a file system in memory that keeps what was written until it is flushed, and
// loses the rest when its power is cut. It can also fail a flush, let it hang, and be full. Tests run whole processes on
// it.
//
// The promise is that of a careful journaling file system and no more. A flush of a file keeps its bytes and size, and
// its name if it is a new file. Renames and removals are kept by a flush of their folder. Whatever else was done since
// may be there after a cut, or not, or in part: pages of 4 KiB are lost one by one, or torn between sectors of 512
// bytes. After a flush that failed, what it should have written stays readable and is never written, as Linux does it.
//
// A process must not use a disk that it serves itself when it maps files: a page fault stops a thread that the server
// may need. Deliberately absent: symbolic links, permissions, and mapped writing.
//
// Start reading at Disk, then tree.go.
package disktest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

const (
	pageBytes   = 4096
	sectorBytes = 512
	// plenty is the size of a disk that nobody has made smaller.
	plenty = 16 << 30
)

// Faults are what is wrong with a disk. The zero value is a good one.
type Faults struct {
	SyncError syscall.Errno // every flush fails with it; 0: none
	SyncAfter int           // so many flushes go well before
	SyncStall time.Duration // every flush takes so much longer, or until the faults change
	Capacity  int64         // bytes that fit; more is refused with ENOSPC; 0: plenty
}

// Stats count what a disk has done since it was made.
type Stats struct {
	Writes, Syncs, Failed, Refused int // Failed flushes, and writes Refused for lack of space
	Cuts                           int
	Dropped, Torn, Kept            int // pages that were not flushed at a cut
	Names                          int // folders that lost changes at a cut
}

// Disk keeps files. Its methods may be called from any goroutine.
type Disk struct {
	mu      sync.Mutex
	root    *node
	ino     uint64
	used    int64 // bytes of pages
	off     bool  // power is cut
	faults  Faults
	changed chan struct{} // closed when the faults change or the power is cut
	stats   Stats

	server *fuse.Server
	dir    string
}

// New returns an empty disk.
func New() *Disk {
	d := &Disk{changed: make(chan struct{})}
	d.root = d.newNode(true)
	d.root.linked = true
	return d
}

// Set replaces the faults, and wakes the flushes that hang.
func (d *Disk) Set(f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = f
	d.wake()
}

func (d *Disk) wake() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// Stats returns the counts.
func (d *Disk) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// Unsynced counts the pages that a cut could take now.
func (d *Disk) Unsynced() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	d.root.walk(func(f *node) { n += len(f.dirty) + len(f.doomed) })
	return n
}

// Cut takes the power away: everything on its way fails, and nothing is written until the disk is mounted again. Of
// what was not flushed chance decides what is there then; with a nil random nothing of it.
func (d *Disk) Cut(random *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
	d.wake()
	d.stats.Cuts++
	names := random != nil && random.IntN(2) == 0
	d.forget(d.root, names, random)
	d.used = 0
	d.root.walk(func(f *node) { d.used += int64(len(f.pages)) * pageBytes })
}

// forget brings a folder and all below it to what is on the disk.
func (d *Disk) forget(n *node, names bool, random *rand.Rand) {
	if !n.dir {
		d.forgetBytes(n, random)
		return
	}
	if names { // what was done to folders had reached the journal
		n.flushNames()
	} else if n.revert() {
		d.stats.Names++
	}
	for _, name := range n.sorted() {
		d.forget(n.entries[name], names, random)
	}
}

func (d *Disk) forgetBytes(n *node, random *rand.Rand) {
	lost := n.unsynced()
	keepSize := random != nil && random.IntN(2) == 0
	for _, at := range lost {
		fate := 0
		if random != nil && !n.doomed[at] {
			fate = random.IntN(4)
		}
		switch {
		case fate == 0 || fate == 1 && n.pages[at] == nil:
			n.put(at, n.synced[at])
			d.stats.Dropped++
		case fate == 1:
			n.put(at, torn(n.pages[at], n.synced[at], random))
			d.stats.Torn++
		case fate == 2 && random.IntN(2) == 0:
			n.put(at, n.synced[at])
			d.stats.Dropped++
		default:
			d.stats.Kept++
		}
	}
	if !keepSize {
		n.resize(n.syncedSize)
	}
	n.flushBytes(true)
}

// torn is a page of which chance has written some sectors.
func torn(fresh, old *page, random *rand.Rand) *page {
	out := *fresh
	for at := 0; at < pageBytes; at += sectorBytes {
		if random.IntN(2) == 0 {
			continue
		}
		if old == nil {
			clear(out[at : at+sectorBytes])
		} else {
			copy(out[at:at+sectorBytes], old[at:at+sectorBytes])
		}
	}
	return &out
}

// sync flushes a file or a folder, after whatever is wrong with the disk.
func (d *Disk) sync(n *node) syscall.Errno {
	d.mu.Lock()
	began := time.Now()
	for !d.off {
		left := d.faults.SyncStall - time.Since(began)
		if left <= 0 {
			break
		}
		changed := d.changed
		d.mu.Unlock()
		select {
		case <-time.After(left):
		case <-changed:
		}
		d.mu.Lock()
	}
	defer d.mu.Unlock()
	if d.off {
		return syscall.EIO
	}
	if d.faults.SyncError != 0 {
		if d.faults.SyncAfter == 0 {
			d.stats.Failed++
			n.doom()
			return d.faults.SyncError
		}
		d.faults.SyncAfter--
	}
	d.stats.Syncs++
	if n.dir {
		n.flushNames()
	} else {
		n.flushBytes(false)
	}
	n.flushLink()
	return 0
}

// fits says whether so many bytes more may be written.
func (d *Disk) fits(more int64) bool {
	return d.used+more <= d.capacity()
}

func (d *Disk) capacity() int64 {
	if d.faults.Capacity > 0 {
		return d.faults.Capacity
	}
	return plenty
}

// String names the disk in failures of tests.
func (d *Disk) String() string {
	return fmt.Sprintf("%+v", d.Stats())
}
