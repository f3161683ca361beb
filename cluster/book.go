package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/catraca/catraca/storage/durable"
)

const (
	bookSuffix   = ".nodes.json" // beside the data folder, so that it survives the folder
	bookVersion  = 1
	maxBookNodes = 1000 // names a cluster may ever have had
)

// bookNode is what is known of a node whether or not it runs.
type bookNode struct {
	Name     string `json:"name"`
	ServerID string `json:"server_id,omitempty"` // newest incarnation heard of
	Address  string `json:"address,omitempty"`
	Role     Role   `json:"role,omitempty"`
	// Stamp is when the node started, by its own clock: of two rumours about its address the later one is right.
	Stamp int64 `json:"stamp,omitempty"`
}

// bookFile is the book on the disk.
type bookFile struct {
	Version     int        `json:"version"`
	Cluster     string     `json:"cluster,omitempty"`
	Incarnation int        `json:"incarnation,omitempty"`
	Draining    bool       `json:"draining,omitempty"`
	Nodes       []bookNode `json:"nodes,omitempty"`
	Gone        []string   `json:"gone,omitempty"`
}

// book is the list of nodes: where they are, which have left for good, and what this node must remember of itself. It
// is written to the disk at every change, before the change counts.
type book struct {
	path   string
	self   string
	routes map[string]string
	log    *slog.Logger

	mu      sync.RWMutex
	file    bookFile // without Nodes and Gone
	nodes   map[string]bookNode
	gone    map[string]bool
	seeds   map[string]string // addresses from the settings
	doubted map[string]bool   // names for which those are tried now
	version uint64            // raised by every change others should hear of
	changed chan struct{}     // closed by the next change
}

// openBook reads the book beside dir. A damaged one is as good as none: all of it can be learnt again from the seeds,
// and the incarnation is kept by the storage too.
func openBook(o *Options) *book {
	b := &book{path: filepath.Clean(o.Dir) + bookSuffix, self: o.NodeID, routes: o.Routes, log: o.Logger,
		file:  bookFile{Version: bookVersion},
		nodes: make(map[string]bookNode), gone: make(map[string]bool), seeds: make(map[string]string),
		doubted: make(map[string]bool), changed: make(chan struct{})}
	raw, err := os.ReadFile(b.path)
	var f bookFile
	if err == nil {
		err = json.Unmarshal(raw, &f)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil || f.Version != bookVersion:
		o.Logger.Warn("address book ignored", "path", b.path, "version", f.Version, "error", err)
	default:
		for _, n := range f.Nodes {
			b.nodes[n.Name] = n
		}
		for _, name := range f.Gone {
			b.gone[name] = true
		}
		f.Nodes, f.Gone = nil, nil
		b.file = f
	}
	for _, p := range slices.Concat(o.Seeds, o.Peers) {
		b.seeds[p.ID] = p.Address
		if _, ok := b.nodes[p.ID]; !ok && p.ID != b.self {
			b.nodes[p.ID] = bookNode{Name: p.ID, Address: p.Address}
		}
	}
	return b
}

// save writes the book as it is now. The caller holds mu.
func (b *book) save() error {
	f := b.file
	for _, name := range slices.Sorted(maps.Keys(b.nodes)) {
		f.Nodes = append(f.Nodes, b.nodes[name])
	}
	f.Gone = slices.Sorted(maps.Keys(b.gone))
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("cluster: write address book: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(b.path), 0o700); err != nil {
		return fmt.Errorf("cluster: create folder: %w", err)
	}
	if err := durable.WriteFile(b.path, append(raw, '\n')); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	return nil
}

// change runs f under the lock; when f says so, the book is written and everybody who waits is told.
func (b *book) change(f func() bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !f() {
		return nil
	}
	b.version++
	close(b.changed)
	b.changed = make(chan struct{})
	return b.save()
}

// keep remembers what this node must know of itself at its next start.
func (b *book) keep(cluster string, incarnation int) error {
	return b.change(func() bool {
		if b.file.Cluster == cluster && b.file.Incarnation == incarnation {
			return false
		}
		b.file.Cluster, b.file.Incarnation = cluster, incarnation
		return true
	})
}

func (b *book) drain(on bool) error {
	return b.change(func() bool {
		same := b.file.Draining == on
		b.file.Draining = on
		return !same
	})
}

func (b *book) draining() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.file.Draining
}

// learn takes in what a node says of itself (direct) or what others say of it.
func (b *book) learn(direct bool, heard ...bookNode) {
	err := b.change(func() bool {
		any := false
		for _, h := range heard {
			any = b.take(direct, h) || any
		}
		return any
	})
	if err != nil {
		b.log.Warn("address book not written", "error", err)
	}
}

func (b *book) take(direct bool, h bookNode) bool {
	old, known := b.nodes[h.Name]
	name, inc := splitID(h.ServerID)
	switch {
	case h.Name == "" || h.Name == b.self || h.Address == "" || b.gone[h.Name] && !known:
		return false
	case h.ServerID != "" && (name != h.Name || inc == 0):
		return false
	case !known && len(b.nodes) >= maxBookNodes:
		return false
	case old == h:
		return false
	}
	if known && !direct {
		was := incarnationOf(old.ServerID)
		if inc < was || inc == was && h.Stamp <= old.Stamp {
			return false
		}
	}
	b.nodes[h.Name] = h
	return true
}

// met says whether this node has heard of any other.
func (b *book) met() bool {
	nodes, gone, _ := b.all()
	return slices.ContainsFunc(nodes, func(n bookNode) bool { return n.ServerID != "" && !slices.Contains(gone, n.Name) })
}

// forget drops nodes that have left and that nobody needs any more. Their names stay taken.
func (b *book) forget(names ...string) {
	err := b.change(func() bool {
		before := len(b.nodes)
		for _, name := range names {
			if b.gone[name] {
				delete(b.nodes, name)
			}
		}
		return len(b.nodes) < before
	})
	if err != nil {
		b.log.Warn("address book not written", "error", err)
	}
}

// bury marks nodes as gone for good.
func (b *book) bury(names ...string) error {
	return b.change(func() bool {
		any := false
		for _, name := range names {
			if name != "" && !b.gone[name] && len(b.gone) < maxBookNodes {
				b.gone[name], any = true, true
			}
		}
		return any
	})
}

func (b *book) isGone(name string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.gone[name]
}

func (b *book) get(name string) (bookNode, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	n, ok := b.nodes[name]
	return n, ok
}

// all are the nodes but this one, by name, and the names of those that left.
func (b *book) all() (nodes []bookNode, gone []string, version uint64) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(b.nodes)) {
		nodes = append(nodes, b.nodes[name])
	}
	return nodes, slices.Sorted(maps.Keys(b.gone)), b.version
}

// wait returns a channel that is closed by the next change.
func (b *book) wait() <-chan struct{} {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.changed
}

var errNotListed = errors.New("no address is known")

// address is where to connect to for a node.
func (b *book) address(name string) (string, error) {
	if a := b.routes[name]; a != "" {
		return a, nil
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if a := b.seeds[name]; a != "" && b.doubted[name] {
		return a, nil
	}
	if a := b.nodes[name].Address; a != "" {
		return a, nil
	}
	return "", fmt.Errorf("node %s: %w", name, errNotListed)
}

// doubt says that a node was not where address says; the next time the settings are tried, or no longer.
func (b *book) doubt(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.doubted[name] = !b.doubted[name]
}
