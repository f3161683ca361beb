package disktest

import (
	"maps"
	"slices"
	"time"
)

type page [pageBytes]byte

// node is a file or a folder, as it is read now and as it is on the disk. The disk's lock guards it.
type node struct {
	ino      uint64
	dir      bool
	modified time.Time

	// Of a file. A page is replaced when it is written to, never changed, so the two maps may share it. A missing page
	// is zeros.
	pages, synced    map[int64]*page
	size, syncedSize int64
	dirty            map[int64]bool // pages that differ from the disk's
	doomed           map[int64]bool // pages that a failed flush should have written

	// Of a folder.
	entries, kept map[string]*node

	links  int   // names it has now
	parent *node // where it got the last of them; nil: that was removed
	name   string
	linked bool // some folder has it on the disk
}

func (d *Disk) newNode(dir bool) *node {
	d.ino++
	n := &node{ino: d.ino, dir: dir, modified: time.Now()}
	if dir {
		n.entries, n.kept = map[string]*node{}, map[string]*node{}
	} else {
		n.pages, n.synced = map[int64]*page{}, map[int64]*page{}
		n.dirty, n.doomed = map[int64]bool{}, map[int64]bool{}
	}
	return n
}

// walk visits every file that is there now.
func (n *node) walk(visit func(*node)) {
	if !n.dir {
		visit(n)
		return
	}
	for _, child := range n.entries {
		child.walk(visit)
	}
}

func (n *node) sorted() []string { return slices.Sorted(maps.Keys(n.entries)) }

// unsynced lists the pages that a cut may take, in order, so that a seed repeats it.
func (n *node) unsynced() []int64 {
	all := maps.Clone(n.dirty)
	maps.Copy(all, n.doomed)
	return slices.Sorted(maps.Keys(all))
}

// put sets a page, nil for zeros.
func (n *node) put(at int64, p *page) {
	if p == nil {
		delete(n.pages, at)
	} else {
		n.pages[at] = p
	}
}

// read copies what is there into p.
func (n *node) read(p []byte, off int64) int {
	if off >= n.size {
		return 0
	}
	p = p[:min(int64(len(p)), n.size-off)]
	for done := 0; done < len(p); {
		at, within := (off+int64(done))/pageBytes, (off+int64(done))%pageBytes
		room := p[done:min(len(p), done+int(pageBytes-within))]
		if from := n.pages[at]; from != nil {
			copy(room, from[within:])
		} else {
			clear(room)
		}
		done += len(room)
	}
	return len(p)
}

// grows says how many bytes of new pages a write needs.
func (n *node) grows(off, length int64) int64 {
	more := int64(0)
	for at := off / pageBytes; at*pageBytes < off+length; at++ {
		if n.pages[at] == nil {
			more += pageBytes
		}
	}
	return more
}

func (n *node) write(p []byte, off int64) {
	for done := 0; done < len(p); {
		at, within := (off+int64(done))/pageBytes, (off+int64(done))%pageBytes
		fresh := &page{}
		if old := n.pages[at]; old != nil {
			*fresh = *old
		}
		done += copy(fresh[within:], p[done:])
		n.pages[at] = fresh
		n.touch(at)
	}
	n.size = max(n.size, off+int64(len(p)))
	n.modified = time.Now()
}

// touch marks a page as not flushed. Written anew it has another chance after a failed flush.
func (n *node) touch(at int64) {
	n.dirty[at] = true
	delete(n.doomed, at)
}

// resize cuts a file off or fills it with zeros.
func (n *node) resize(size int64) {
	if size < n.size {
		for at := range n.pages {
			switch begin := at * pageBytes; {
			case begin >= size:
				delete(n.pages, at)
				n.touch(at)
			case begin+pageBytes > size:
				fresh := *n.pages[at]
				clear(fresh[size-begin:])
				n.pages[at] = &fresh
				n.touch(at)
			}
		}
	}
	n.size = size
	n.modified = time.Now()
}

// flushBytes brings the file to the disk, after a cut also what no flush would have brought there.
func (n *node) flushBytes(doomed bool) {
	bring := func(pages map[int64]bool) {
		for at := range pages {
			if p := n.pages[at]; p != nil {
				n.synced[at] = p
			} else {
				delete(n.synced, at)
			}
		}
		clear(pages)
	}
	bring(n.dirty)
	if doomed {
		bring(n.doomed)
	}
	n.syncedSize = n.size
}

// doom is a failed flush: Linux believes the pages to be clean.
func (n *node) doom() {
	if !n.dir {
		maps.Copy(n.doomed, n.dirty)
		clear(n.dirty)
	}
}

// flushNames brings a folder's names to the disk. What was moved elsewhere arrives there in the same moment: a file
// system may forget a move, but not lose the file by it.
func (n *node) flushNames() {
	gone := n.kept
	n.kept = maps.Clone(n.entries)
	for _, child := range n.kept {
		child.linked = true
	}
	for name, child := range gone {
		if n.kept[name] == child {
			continue
		}
		if p := child.parent; p != nil && p.kept[child.name] != child {
			p.kept[child.name] = child
		}
	}
}

// flushLink brings the name of a new file or folder to the disk, and of the new folders it is in.
func (n *node) flushLink() {
	for ; n.parent != nil && !n.linked; n = n.parent {
		n.parent.kept[n.name] = n
		n.linked = true
	}
}

// revert undoes what was done to a folder's names, and says whether that was anything.
func (n *node) revert() bool {
	changed := !maps.Equal(n.entries, n.kept)
	for name, child := range n.entries {
		if n.kept[name] != child && child.parent == n {
			child.parent = nil
		}
	}
	n.entries = maps.Clone(n.kept)
	for name, child := range n.entries {
		child.parent, child.name = n, name
	}
	return changed
}
