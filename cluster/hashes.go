package cluster

import (
	"bytes"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	maxReports    = 256  // of this node in one frame
	maxComparings = 4096 // states that are compared at once
)

// report is the hash of one machine's state.
type report struct {
	Shard   int    `json:"s"`
	Machine uint32 `json:"m"`
	Index   uint64 `json:"i"`
	Hash    []byte `json:"h"`
}

// stateKey says which state was hashed.
type stateKey struct {
	shard   int
	machine uint32
	index   uint64
}

// comparing is what was reported about one state, by node.
type comparing struct {
	by      map[string][32]byte
	settled int // reports at the last verdict that was worth a word
}

// hashes compares the states of machines between the nodes.
type hashes struct {
	n *Node

	mu    sync.Mutex
	own   []ownReport // newest last
	known map[stateKey]*comparing
	order []stateKey // oldest first
}

type ownReport struct {
	report

	until time.Time // it is in the frames until then
}

func newHashes(n *Node) *hashes { return &hashes{n: n, known: make(map[stateKey]*comparing)} }

// Hashed reports the hash of a machine's state after the entry at index. Nodes compare what they report: one that
// differs from the majority of those that reported marks its data and calls Fatal with a *DivergedError.
func (n *Node) Hashed(shard int, machine uint32, index uint64, hash [32]byte) {
	if shard < 0 || shard >= len(n.groups) {
		return
	}
	n.hashes.report(report{shard, machine, index, hash[:]})
	n.links.touch()
}

func (h *hashes) report(r report) {
	h.mu.Lock()
	if len(h.own) >= maxReports {
		h.own = slices.Delete(h.own, 0, len(h.own)-maxReports+1)
	}
	h.own = append(h.own, ownReport{r, time.Now().Add(10 * h.n.opt.pace.beat)})
	verdict := h.add(h.n.opt.NodeID, r)
	h.mu.Unlock()
	if verdict != nil {
		verdict()
	}
}

// fresh are the reports for the next frame.
func (h *hashes) fresh() []report {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	h.own = slices.DeleteFunc(h.own, func(o ownReport) bool { return now.After(o.until) })
	var out []report
	for _, o := range h.own {
		out = append(out, o.report)
	}
	return out
}

// hear takes in the reports of another node.
func (h *hashes) hear(name string, rs []report) {
	for _, r := range rs[:min(len(rs), maxReports)] {
		if len(r.Hash) != 32 {
			continue
		}
		h.mu.Lock()
		verdict := h.add(name, r)
		h.mu.Unlock()
		if verdict != nil {
			verdict()
		}
	}
}

// add notes one report and returns what is to be done about it, without the lock. The caller holds mu.
func (h *hashes) add(name string, r report) func() {
	k := stateKey{r.Shard, r.Machine, r.Index}
	c := h.known[k]
	if c == nil {
		if len(h.order) >= maxComparings {
			delete(h.known, h.order[0])
			h.order = h.order[1:]
		}
		c = &comparing{by: make(map[string][32]byte)}
		h.known[k] = c
		h.order = append(h.order, k)
	}
	if old, ok := c.by[name]; ok && bytes.Equal(old[:], r.Hash) {
		return nil
	}
	c.by[name] = [32]byte(r.Hash)
	odd, majority := c.judge()
	if len(odd) == 0 || c.settled == len(c.by) {
		return nil
	}
	c.settled = len(c.by)
	return func() { h.n.diverged(k, odd, majority) }
}

// judge names those who differ: from the majority, when there is one, else everybody.
func (c *comparing) judge() (odd []string, majority bool) {
	votes := make(map[[32]byte]int)
	for _, hash := range c.by {
		votes[hash]++
	}
	if len(votes) < 2 {
		return nil, false
	}
	names := slices.Sorted(maps.Keys(c.by))
	for hash, n := range votes {
		if 2*n > len(c.by) {
			return slices.DeleteFunc(names, func(name string) bool { return c.by[name] == hash }), true
		}
	}
	return names, false
}

// diverged tells of nodes whose state is not what it should be, and stops this one if it is among them.
func (n *Node) diverged(k stateKey, odd []string, majority bool) {
	n.m.divergences.Inc()
	n.opt.Logger.Error("replicas differ", "shard", k.shard, "machine", k.machine, "index", k.index, "nodes", odd, "majority", majority)
	if majority && slices.Contains(odd, n.opt.NodeID) {
		n.fatal(&DivergedError{Shard: k.shard, Machine: k.machine, Index: k.index})
	}
}
