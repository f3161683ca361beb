package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// house is a cluster that grows and shrinks, in one process, over loopback TCP.
type house struct {
	t     *testing.T
	opts  map[string]Options
	nodes map[string]*Node
	tapes map[string]tapes

	mu    sync.Mutex
	fatal map[string][]error
}

func newHouse(t *testing.T) *house {
	t.Parallel() // they mostly wait
	return &house{t: t, opts: make(map[string]Options), nodes: make(map[string]*Node), tapes: make(map[string]tapes),
		fatal: make(map[string][]error)}
}

func hasty() pace {
	return pace{beat: 40 * time.Millisecond, suspect: 400 * time.Millisecond, reconcile: 60 * time.Millisecond,
		balance: 100 * time.Millisecond, retry: 200 * time.Millisecond, probe: 3 * time.Second}
}

// found starts the first node, join another one; change may be nil.
func (h *house) found(name string, change func(*Options)) *Node {
	return h.begin(name, func(o *Options) {
		if change != nil {
			change(o)
		}
	})
}

func (h *house) join(name, seed string, change func(*Options)) *Node {
	return h.begin(name, func(o *Options) {
		o.Join, o.Seeds = true, []Peer{{seed, h.nodes[seed].Address()}}
		if change != nil {
			change(o)
		}
	})
}

func (h *house) begin(name string, change func(*Options)) *Node {
	h.t.Helper()
	o := Options{NodeID: name, Dir: filepath.Join(h.t.TempDir(), "raft"), Shards: 2, Preallocate: -1, Version: "v-" + name,
		HeartbeatTimeout: 200 * time.Millisecond, CommitTimeout: 20 * time.Millisecond, DeadAfter: time.Hour, pace: hasty()}
	o.Fatal = func(err error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.fatal[name] = append(h.fatal[name], err)
	}
	change(&o)
	h.opts[name] = o
	return h.start(name)
}

// start starts a node again as it was.
func (h *house) start(name string) *Node {
	h.t.Helper()
	h.nodes[name], h.tapes[name] = start(h.t, h.opts[name])
	return h.nodes[name]
}

func (h *house) until(what string, cond func() bool) {
	h.t.Helper()
	limit := time.Now().Add(20 * time.Second)
	for !cond() {
		if time.Now().After(limit) {
			for name, n := range h.nodes {
				h.t.Logf("%s: %+v\n%+v", name, n.Members(), n.Status())
			}
			h.t.Fatalf("waited too long for: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// voters waits until every shard has these voters, as each of the nodes sees it, and they are ready.
func (h *house) voters(want []string, seenBy ...string) {
	h.t.Helper()
	h.until(fmt.Sprintf("%v to vote", want), func() bool {
		for _, name := range seenBy {
			for _, s := range h.nodes[name].Status() {
				slices.Sort(s.Voters)
				if !slices.Equal(s.Voters, want) || s.Lost > 0 {
					return false
				}
			}
			if !h.nodes[name].Ready() {
				return false
			}
		}
		return true
	})
}

// propose asks whoever leads until one has acknowledged.
func (h *house) propose(shard int, data string, via string) {
	h.t.Helper()
	h.until("an acknowledgement of "+data, func() bool {
		leader, _, _ := h.nodes[via].Leader(shard)
		n := h.nodes[leader]
		if n == nil {
			return false
		}
		f, err := n.Propose(shard, []byte(data), time.Second)
		if err == nil {
			err = f.Wait(context.Background())
		}
		return err == nil
	})
}

// expect waits until the nodes have these entries. An entry may be there twice: propose tries again when leadership
// moves and the outcome is unknown.
func (h *house) expect(shard int, want []string, among ...string) {
	h.t.Helper()
	for _, name := range among {
		h.until(fmt.Sprintf("%q on %s", want, name), func() bool {
			return slices.Equal(slices.Compact(h.tapes[name][shard].strings()), want)
		})
	}
}

// leader waits until somebody leads.
func (h *house) leader(seenBy string, shard int) (name string) {
	h.t.Helper()
	h.until("somebody to lead", func() bool {
		name, _, _ = h.nodes[seenBy].Leader(shard)
		return name != ""
	})
	return name
}

func (h *house) member(seenBy, name string) Member {
	for _, m := range h.nodes[seenBy].Members() {
		if m.Name == name {
			return m
		}
	}
	return Member{}
}

func ctx(t *testing.T) context.Context {
	c, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	t.Cleanup(cancel)
	return c
}

// three is a cluster of a, b and c, all voting.
func three(t *testing.T, change func(*Options)) *house {
	t.Helper()
	h := newHouse(t)
	h.found("a", change)
	h.tapes["a"].ready(t)
	h.join("b", "a", change)
	h.join("c", "a", change)
	h.voters([]string{"a", "b", "c"}, "a", "b", "c")
	return h
}

// TestGrow joins three nodes and a fourth to one that has data already; the fourth is a spare until a voter dies.
func TestGrow(t *testing.T) {
	h := newHouse(t)
	change := func(o *Options) { o.DeadAfter = 700 * time.Millisecond; o.TrailingEntries = 1 }
	h.found("a", change)
	h.tapes["a"].ready(t)
	h.propose(0, "first", "a")
	if err := h.nodes["a"].Snapshot(0); err != nil {
		t.Fatal(err)
	}
	h.propose(0, "second", "a")
	h.join("b", "a", change)
	h.join("c", "b", change) // the one it asks need not be the founder
	h.voters([]string{"a", "b", "c"}, "a", "b", "c")
	h.expect(0, []string{"first", "second"}, "a", "b", "c")
	h.join("d", "a", change)
	h.until("d to follow", h.nodes["d"].Ready)
	h.propose(0, "third", "d")
	h.expect(0, []string{"first", "second", "third"}, "a", "b", "c", "d")
	if id := h.nodes["d"].ClusterID(); id != h.nodes["a"].ClusterID() {
		t.Errorf("d thinks the cluster is %q", id)
	}
	h.until("everybody to know everybody", func() bool {
		return len(h.nodes["d"].Members()) == 4 && len(h.nodes["c"].Members()) == 4
	})
	h.until("three votes in each of 2 shards", func() bool { // one more while a vote moves
		votes := 0
		for _, m := range h.nodes["d"].Members() {
			votes += m.Votes
		}
		return votes == 6
	})
	for _, m := range h.nodes["d"].Members() {
		if m.State != StateAlive || m.ServerID != m.Name || m.Version != "v-"+m.Name || m.Address == "" {
			t.Errorf("d sees %+v", m)
		}
	}

	stop(t, h.nodes["c"])
	h.until("c to count as dead and to have no vote", func() bool {
		m := h.member("a", "c")
		return m.State == StateDead && m.Votes == 0
	})
	h.voters([]string{"a", "b", "d"}, "a", "b", "d")
	h.propose(0, "fourth", "b")
	h.expect(0, []string{"first", "second", "third", "fourth"}, "a", "b", "d")
}

// TestGateway never votes, but has everything, and serves who asks for the leader.
func TestGateway(t *testing.T) {
	h := newHouse(t)
	h.found("a", nil)
	h.tapes["a"].ready(t)
	h.join("b", "a", func(o *Options) { o.Role = RoleGateway })
	h.join("c", "a", func(o *Options) { o.Role = RoleGateway })
	h.join("d", "a", nil)
	h.until("all to follow", func() bool { return h.nodes["b"].Ready() && h.nodes["c"].Ready() && h.nodes["d"].Ready() })
	h.join("e", "a", nil)
	h.voters([]string{"a", "d", "e"}, "a", "b", "c", "d", "e")
	h.propose(1, "x", "b")
	h.expect(1, []string{"x"}, "a", "b", "c", "d", "e")
	if m := h.member("e", "b"); m.Role != RoleGateway || m.Votes != 0 || m.Role.String() != "gateway" {
		t.Errorf("e sees %+v", m)
	}
}

// TestDrain moves leaderships away, over a restart too, and back.
func TestDrain(t *testing.T) {
	h := three(t, nil)
	h.until("leaderships to be spread", func() bool {
		for _, m := range h.nodes["a"].Members() {
			if m.Leads > 1 {
				return false
			}
		}
		return true
	})
	leader := h.leader("a", 0)
	other := "a"
	if leader == "a" {
		other = "b"
	}
	if err := h.nodes[other].Drain(ctx(t), leader, true); err != nil { // asked at another node
		t.Fatal(err)
	}
	h.until("others to know", func() bool { return h.member(other, leader).State == StateDraining })
	h.until("others to lead", func() bool {
		a, _, _ := h.nodes[other].Leader(0)
		b, _, _ := h.nodes[other].Leader(1)
		return a != "" && b != "" && a != leader && b != leader
	})
	stop(t, h.nodes[leader])
	h.until("it to be missed", func() bool { return h.member(other, leader).State == StateSuspect })
	asked, n := make(chan error, 1), h.nodes[other]
	go func() { asked <- n.Drain(ctx(t), leader, true) }() // waits for it
	h.start(leader)
	if err := <-asked; err != nil {
		t.Errorf("asked while it was away: %v", err)
	}
	h.until("it to be back", func() bool { return h.nodes[leader].Ready() && h.member(other, leader).State == StateDraining })
	if err := h.nodes[leader].Transfer(ctx(t), 0, ""); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := h.nodes[other].Leader(0); got == leader {
		t.Errorf("%s drains and was chosen to lead", leader)
	}
	if err := h.nodes[other].Drain(ctx(t), leader, false); err != nil {
		t.Fatal(err)
	}
	h.until("it to be alive", func() bool { return h.member(other, leader).State == StateAlive })
	if err := h.nodes[other].Transfer(ctx(t), 0, leader); err != nil { // by name, from wherever
		t.Fatal(err)
	}
	h.until("it to lead", func() bool { got, _, _ := h.nodes[other].Leader(0); return got == leader })
	if err := h.nodes[other].Transfer(ctx(t), 0, "nobody"); err == nil {
		t.Error("handed over to somebody who does not exist")
	}
	if err := h.nodes[other].Drain(ctx(t), "nobody", true); err == nil {
		t.Error("drained somebody who does not exist")
	}
	if err := h.nodes[other].Rebalance(ctx(t)); err != nil {
		t.Errorf("rebalance: %v", err)
	}
}

// TestLeave takes a voter out for good, with a spare there, and keeps its name out.
func TestLeave(t *testing.T) {
	h := three(t, nil)
	h.join("d", "a", nil)
	h.until("d to follow", h.nodes["d"].Ready)
	leader := h.leader("a", 0)
	if err := h.nodes[leader].Leave(ctx(t), leader); err != nil { // asks another one
		t.Fatal(err)
	}
	rest := slices.DeleteFunc([]string{"a", "b", "c", "d"}, func(s string) bool { return s == leader })
	h.voters(rest, rest...)
	h.until("it to be forgotten", func() bool { return h.member(rest[0], leader).Name == "" })
	h.propose(0, "without it", rest[0])
	h.expect(0, []string{"without it"}, rest...)
	h.until("it to see that it is out", func() bool { return !h.nodes[leader].Ready() })
	stop(t, h.nodes[leader])

	o := h.opts[leader]
	o.Dir, o.Join, o.Seeds = filepath.Join(t.TempDir(), "raft"), true, []Peer{{rest[0], h.nodes[rest[0]].Address()}}
	if n, err := Start(o, newTapes(2).pump); err == nil {
		n.Close()
		t.Error("a name that has left came back")
	}
	if err := h.nodes[rest[0]].Leave(ctx(t), "nobody"); err == nil {
		t.Error("somebody left who does not exist")
	}
}

func TestOnlyNodeCannotLeave(t *testing.T) {
	h := newHouse(t)
	n := h.found("a", nil)
	h.tapes["a"].ready(t)
	if err := n.Leave(ctx(t), "a"); err == nil {
		t.Error("the only node left")
	}
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := n.Drain(short, "a", true); err == nil {
		t.Error("the only node leads nothing")
	}
	if err := n.Transfer(ctx(t), 0, ""); err == nil {
		t.Error("handed over to nobody")
	}
	if err := n.Transfer(ctx(t), 7, ""); err == nil {
		t.Error("handed over a shard that does not exist")
	}
}

// TestNewAddress starts two of three nodes at other addresses at the same time: with the third they find each other.
func TestNewAddress(t *testing.T) {
	h := three(t, nil)
	was := h.nodes["b"].Address()
	stop(t, h.nodes["b"])
	stop(t, h.nodes["c"])
	for _, name := range []string{"b", "c"} { // free ports: Listen is empty
		o := h.opts[name]
		o.Seeds = nil
		h.opts[name] = o
		h.start(name)
	}
	if h.nodes["b"].Address() == was {
		t.Skip("the same port was free again")
	}
	h.propose(0, "found", "c")
	h.expect(0, []string{"found"}, "a", "b", "c")
	h.voters([]string{"a", "b", "c"}, "a", "b", "c")
	h.until("c to know b's address", func() bool { return h.member("c", "b").Address == h.nodes["b"].Address() })
}
