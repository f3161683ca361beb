package disktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Need skips a test where no file system can be mounted, and says so in words that can be counted.
func Need(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("skipped: a forgetful disk needs root to be mounted")
	}
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("skipped: a forgetful disk needs /dev/fuse: %v", err)
	}
	_ = f.Close()
	probe := New()
	if err := probe.Mount(t.TempDir()); err != nil {
		t.Skipf("skipped: a forgetful disk cannot be mounted here: %v", err)
	}
	if err := probe.Unmount(); err != nil {
		t.Fatal(err)
	}
}

// Mount makes the disk appear at a folder, and gives it its power back.
func (d *Disk) Mount(dir string) error {
	d.mu.Lock()
	d.off = false
	d.mu.Unlock()
	none := time.Duration(0)
	server, err := fs.Mount(dir, &entry{d: d, n: d.root}, &fs.Options{
		MountOptions: fuse.MountOptions{
			DirectMount: true, DirectMountStrict: true, FsName: "forgetful", Name: "forgetful",
			MaxWrite: 1 << 20, DisableXAttrs: true, IgnoreSecurityLabels: true,
			Logger: log.New(io.Discard, "", 0), // it tells of connections that end with a cut
		},
		EntryTimeout: &none, AttrTimeout: &none,
	})
	if err != nil {
		return fmt.Errorf("mount disk at %s: %w", dir, err)
	}
	d.server, d.dir = server, dir
	return nil
}

// Unmount takes the disk away. Processes that still use it get errors from then on.
func (d *Disk) Unmount() error {
	if d.server == nil {
		return nil
	}
	d.mu.Lock()
	stall := d.faults.SyncStall
	d.faults.SyncStall = 0 // who hangs must let go
	d.wake()
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.faults.SyncStall = stall
	}()
	err := d.server.Unmount()
	if err != nil { // somebody uses it
		if detach := syscall.Unmount(d.dir, syscall.MNT_DETACH); detach != nil {
			return fmt.Errorf("unmount disk: %w", errors.Join(err, detach))
		}
	}
	d.server = nil
	return nil
}

// entry is what the kernel knows of a node.
type entry struct {
	fs.Inode

	d *Disk
	n *node
}

var (
	_ fs.NodeLookuper  = (*entry)(nil)
	_ fs.NodeReaddirer = (*entry)(nil)
	_ fs.NodeGetattrer = (*entry)(nil)
	_ fs.NodeSetattrer = (*entry)(nil)
	_ fs.NodeCreater   = (*entry)(nil)
	_ fs.NodeMkdirer   = (*entry)(nil)
	_ fs.NodeUnlinker  = (*entry)(nil)
	_ fs.NodeRmdirer   = (*entry)(nil)
	_ fs.NodeRenamer   = (*entry)(nil)
	_ fs.NodeLinker    = (*entry)(nil)
	_ fs.NodeOpener    = (*entry)(nil)
	_ fs.NodeReader    = (*entry)(nil)
	_ fs.NodeWriter    = (*entry)(nil)
	_ fs.NodeFsyncer   = (*entry)(nil)
	_ fs.NodeFlusher   = (*entry)(nil)
	_ fs.NodeStatfser  = (*entry)(nil)
)

// powered runs f with the disk's lock, if there is power.
func (e *entry) powered(f func() syscall.Errno) syscall.Errno {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	if e.d.off {
		return syscall.EIO
	}
	return f()
}

func (e *entry) attr(out *fuse.Attr) {
	out.Ino, out.Size, out.Blocks = e.n.ino, uint64(e.n.size), uint64(len(e.n.pages)*pageBytes/sectorBytes)
	out.Mode, out.Nlink, out.Blksize = fuse.S_IFREG|0o600, uint32(max(1, e.n.links)), pageBytes
	if e.n.dir {
		out.Mode = fuse.S_IFDIR | 0o700
	}
	out.SetTimes(&e.n.modified, &e.n.modified, &e.n.modified)
}

func (e *entry) child(ctx context.Context, n *node, out *fuse.EntryOut) *fs.Inode {
	c := &entry{d: e.d, n: n}
	c.attr(&out.Attr)
	mode := uint32(fuse.S_IFREG)
	if n.dir {
		mode = fuse.S_IFDIR
	}
	return e.NewInode(ctx, c, fs.StableAttr{Mode: mode, Ino: n.ino})
}

// Lookup implements fs.NodeLookuper.
func (e *entry) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (child *fs.Inode, errno syscall.Errno) {
	errno = e.powered(func() syscall.Errno {
		n, ok := e.n.entries[name]
		if !ok {
			return syscall.ENOENT
		}
		child = e.child(ctx, n, out)
		return 0
	})
	return child, errno
}

// Readdir implements fs.NodeReaddirer.
func (e *entry) Readdir(context.Context) (stream fs.DirStream, errno syscall.Errno) {
	errno = e.powered(func() syscall.Errno {
		var list []fuse.DirEntry
		for _, name := range e.n.sorted() {
			c := e.n.entries[name]
			mode := uint32(fuse.S_IFREG)
			if c.dir {
				mode = fuse.S_IFDIR
			}
			list = append(list, fuse.DirEntry{Name: name, Ino: c.ino, Mode: mode})
		}
		stream = fs.NewListDirStream(list)
		return 0
	})
	return stream, errno
}

// Getattr implements fs.NodeGetattrer.
func (e *entry) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return e.powered(func() syscall.Errno { e.attr(&out.Attr); return 0 })
}

// Setattr implements fs.NodeSetattrer: only the size is anybody's business.
func (e *entry) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return e.powered(func() syscall.Errno {
		if size, ok := in.GetSize(); ok && !e.n.dir {
			before := len(e.n.pages)
			e.n.resize(int64(size))
			e.d.used += int64(len(e.n.pages)-before) * pageBytes
		}
		e.attr(&out.Attr)
		return 0
	})
}

func (e *entry) add(name string, dir bool) *node {
	n := e.d.newNode(dir)
	e.name(n, name)
	return n
}

// name gives a node a name, or one more.
func (e *entry) name(n *node, name string) {
	n.links++
	n.parent, n.name = e.n, name
	e.n.entries[name] = n
}

// Create implements fs.NodeCreater.
func (e *entry) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (child *fs.Inode, _ fs.FileHandle, _ uint32, errno syscall.Errno) {
	errno = e.powered(func() syscall.Errno {
		if _, ok := e.n.entries[name]; ok {
			return syscall.EEXIST
		}
		child = e.child(ctx, e.add(name, false), out)
		return 0
	})
	return child, nil, 0, errno
}

// Mkdir implements fs.NodeMkdirer.
func (e *entry) Mkdir(ctx context.Context, name string, _ uint32, out *fuse.EntryOut) (child *fs.Inode, errno syscall.Errno) {
	errno = e.powered(func() syscall.Errno {
		if _, ok := e.n.entries[name]; ok {
			return syscall.EEXIST
		}
		child = e.child(ctx, e.add(name, true), out)
		return 0
	})
	return child, errno
}

// Unlink implements fs.NodeUnlinker.
func (e *entry) Unlink(_ context.Context, name string) syscall.Errno { return e.remove(name, false) }

// Rmdir implements fs.NodeRmdirer.
func (e *entry) Rmdir(_ context.Context, name string) syscall.Errno { return e.remove(name, true) }

func (e *entry) remove(name string, dir bool) syscall.Errno {
	return e.powered(func() syscall.Errno {
		n, ok := e.n.entries[name]
		switch {
		case !ok:
			return syscall.ENOENT
		case n.dir != dir && dir:
			return syscall.ENOTDIR
		case n.dir != dir:
			return syscall.EISDIR
		case len(n.entries) > 0:
			return syscall.ENOTEMPTY
		}
		e.drop(name)
		return 0
	})
}

// drop takes a name away, and the bytes behind it.
func (e *entry) drop(name string) {
	n := e.n.entries[name]
	delete(e.n.entries, name)
	n.links--
	if n.parent == e.n && n.name == name {
		n.parent = nil
	}
	if n.links == 0 {
		e.d.used -= int64(len(n.pages)) * pageBytes
	}
}

// Link implements fs.NodeLinker.
func (e *entry) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (child *fs.Inode, errno syscall.Errno) {
	t, ok := target.(*entry)
	if !ok || t.n.dir {
		return nil, syscall.EPERM
	}
	errno = e.powered(func() syscall.Errno {
		if _, ok := e.n.entries[name]; ok {
			return syscall.EEXIST
		}
		e.name(t.n, name)
		child = e.child(ctx, t.n, out)
		return 0
	})
	return child, errno
}

// Rename implements fs.NodeRenamer.
func (e *entry) Rename(_ context.Context, name string, to fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	target, ok := to.(*entry)
	if !ok || flags != 0 {
		return syscall.EINVAL
	}
	return e.powered(func() syscall.Errno {
		n, ok := e.n.entries[name]
		if !ok {
			return syscall.ENOENT
		}
		if old := target.n.entries[newName]; old != nil && old != n {
			if len(old.entries) > 0 {
				return syscall.ENOTEMPTY
			}
			target.drop(newName)
		}
		delete(e.n.entries, name)
		target.n.entries[newName] = n
		n.parent, n.name = target.n, newName
		return 0
	})
}

// Open implements fs.NodeOpener.
func (e *entry) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	errno := e.powered(func() syscall.Errno {
		if flags&syscall.O_TRUNC != 0 {
			e.d.used -= int64(len(e.n.pages)) * pageBytes
			e.n.resize(0)
		}
		return 0
	})
	return nil, 0, errno
}

// Read implements fs.NodeReader.
func (e *entry) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (out fuse.ReadResult, errno syscall.Errno) {
	errno = e.powered(func() syscall.Errno {
		out = fuse.ReadResultData(dest[:e.n.read(dest, off)])
		return 0
	})
	return out, errno
}

// Write implements fs.NodeWriter.
func (e *entry) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	errno := e.powered(func() syscall.Errno {
		more := e.n.grows(off, int64(len(data)))
		if more > 0 && !e.d.fits(more) {
			e.d.stats.Refused++
			return syscall.ENOSPC
		}
		e.d.stats.Writes++
		e.n.write(data, off)
		e.d.used += more
		return 0
	})
	if errno != 0 {
		return 0, errno
	}
	return uint32(len(data)), 0
}

// Fsync implements fs.NodeFsyncer, for files and folders.
func (e *entry) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno { return e.d.sync(e.n) }

// Flush implements fs.NodeFlusher: closing a file flushes nothing.
func (e *entry) Flush(context.Context, fs.FileHandle) syscall.Errno { return 0 }

// Statfs implements fs.NodeStatfser.
func (e *entry) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	return e.powered(func() syscall.Errno {
		capacity := e.d.capacity()
		free := uint64(max(0, capacity-e.d.used)) / pageBytes
		*out = fuse.StatfsOut{
			Blocks: uint64(capacity) / pageBytes, Bfree: free, Bavail: free, Files: 1 << 20, Ffree: 1 << 19,
			Bsize: pageBytes, Frsize: pageBytes, NameLen: 255,
		}
		return 0
	})
}
