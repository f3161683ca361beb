package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"
)

// trio is three nodes in one process, over loopback TCP.
type trio struct {
	opts  []Options
	nodes []*Node
	tapes []tapes
}

func startTrio(t *testing.T, change ...func(*Options)) *trio {
	t.Helper()
	c := &trio{nodes: make([]*Node, 3), tapes: make([]tapes, 3)}
	var peers []Peer
	var lns []net.Listener
	for i := range 3 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		lns = append(lns, ln)
		peers = append(peers, Peer{fmt.Sprint("n", i), ln.Addr().String()})
	}
	for i, p := range peers {
		o := options(t, t.TempDir())
		o.NodeID, o.ClusterID, o.Peers, o.Listener = p.ID, "trio", peers, lns[i]
		o.TrailingEntries = 1
		for _, f := range change {
			f(&o)
		}
		c.opts = append(c.opts, o)
		c.start(t, i)
	}
	return c
}

func (c *trio) start(t *testing.T, i int) {
	c.nodes[i], c.tapes[i] = start(t, c.opts[i])
	c.opts[i].Listener, c.opts[i].Listen = nil, c.opts[i].Peers[i].Address
}

// leader waits until one of the nodes takes proposals for shard.
func (c *trio) leader(t *testing.T, shard int, among ...int) int {
	t.Helper()
	for range 2000 {
		for _, i := range among {
			g := c.nodes[i].groups[shard]
			if _, _, self := c.nodes[i].Leader(shard); self && g.leadership.ready.Load() != 0 {
				return i
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("nobody leads shard %d", shard)
	return -1
}

// propose goes on until somebody has acknowledged.
func (c *trio) propose(t *testing.T, shard int, data string, among ...int) {
	t.Helper()
	for range 100 {
		f, err := c.nodes[c.leader(t, shard, among...)].Propose(shard, []byte(data), time.Second)
		if err == nil {
			err = f.Wait(context.Background())
		}
		switch {
		case err == nil:
			return
		case !errors.Is(err, ErrNotLeader):
			t.Fatalf("propose %q: %v", data, err)
		}
	}
	t.Fatalf("propose %q: given up", data)
}

func (c *trio) expect(t *testing.T, shard int, want []string, among ...int) {
	t.Helper()
	for _, i := range among {
		p := c.tapes[i][shard]
		p.until(t, fmt.Sprintf("%d entries on node %d", len(want), i), func() bool { return len(p.data) >= len(want) })
		if got := p.strings(); !slices.Equal(got, want) {
			t.Errorf("node %d, shard %d has %q, want %q", i, shard, got, want)
		}
	}
}

func others(i int) []int { return []int{(i + 1) % 3, (i + 2) % 3} }

// TestThreeNodes cuts the leader off, lets the others go on without it, and brings it back too late for the log.
func TestThreeNodes(t *testing.T) {
	c := startTrio(t)
	var want []string
	say := func(among ...int) {
		want = append(want, fmt.Sprint("entry ", len(want)))
		c.propose(t, 0, want[len(want)-1], among...)
	}
	for range 20 {
		say(0, 1, 2)
	}
	c.expect(t, 0, want, 0, 1, 2)
	old := c.leader(t, 0, 0, 1, 2)
	if _, err := c.nodes[others(old)[0]].Propose(0, []byte("x"), time.Second); !errors.Is(err, ErrNotLeader) {
		t.Errorf("a follower took a proposal: %v", err)
	}
	if id, _, _ := c.nodes[others(old)[0]].Leader(0); id != c.opts[old].NodeID {
		t.Errorf("a follower thinks %q leads, it is %q", id, c.opts[old].NodeID)
	}

	lost := c.tapes[old][0]
	c.nodes[old].mux.Close() // the network, not the node
	f, err := c.nodes[old].Propose(0, []byte("into the void"), time.Second)
	if err == nil {
		err = f.Wait(context.Background())
	}
	if !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrNotLeader) {
		t.Errorf("a leader without a majority answered %v", err)
	}
	lost.until(t, "the old leader to step down", func() bool { return lost.lost == len(lost.ready) })
	for range 20 {
		say(others(old)...)
	}
	c.expect(t, 0, want, others(old)...)
	stop(t, c.nodes[old])

	for _, i := range others(old) {
		if err := c.nodes[i].Snapshot(0); err != nil {
			t.Fatal(err)
		}
	}
	say(others(old)...)
	c.start(t, old)
	c.expect(t, 0, want, 0, 1, 2)
	if c.nodes[old].Status()[0].Snapshot == 0 {
		t.Error("the late node was not sent a snapshot")
	}
	if v := c.nodes[old].Status()[0].Voters; len(v) != 3 {
		t.Errorf("voters: %q", v)
	}
}

// TestStallHandsOver pretends that the leader's disk hangs.
func TestStallHandsOver(t *testing.T) {
	c := startTrio(t)
	old := c.leader(t, 1, 0, 1, 2)
	c.propose(t, 1, "before", 0, 1, 2)
	g := c.nodes[old].groups[1]
	now := time.Now()
	g.log.busy.Store(now.Add(-3 * time.Second).UnixNano())
	g.checkStall(now)
	g.log.busy.Store(0)
	next := c.leader(t, 1, others(old)...)
	c.propose(t, 1, "after", next)
	c.expect(t, 1, []string{"before", "after"}, 0, 1, 2)
}

// TestCloseHandsOver stops the leader the orderly way: the others need not wait for a timeout to see it.
func TestCloseHandsOver(t *testing.T) {
	c := startTrio(t)
	old := c.leader(t, 0, 0, 1, 2)
	c.propose(t, 0, "before", old)
	stop(t, c.nodes[old])
	c.propose(t, 0, "after", others(old)...)
	c.expect(t, 0, []string{"before", "after"}, others(old)...)
}
