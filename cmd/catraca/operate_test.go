package main

import (
	"log/slog"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catraca/catraca/cluster"
	"github.com/catraca/catraca/transport/wire"
)

func TestRisks(t *testing.T) {
	state := func(states ...cluster.State) []cluster.Member {
		var out []cluster.Member
		for i, s := range states {
			out = append(out, cluster.Member{Name: "n" + string(rune('1'+i)), State: s})
		}
		return out
	}
	shard := func(id int, voters ...string) cluster.ShardStatus {
		return cluster.ShardStatus{Shard: id, Voters: voters}
	}
	all := []cluster.ShardStatus{shard(0, "n1", "n2", "n3"), shard(1, "n1", "n2", "n3")}
	const alive, suspect, dead, draining = cluster.StateAlive, cluster.StateSuspect, cluster.StateDead, cluster.StateDraining
	for _, c := range []struct {
		name     string
		members  []cluster.Member
		shards   []cluster.ShardStatus
		stopped  []int
		critical []wire.ClusterRisk
	}{
		{"one node", state(alive), []cluster.ShardStatus{shard(0, "n1")}, []int{}, []wire.ClusterRisk{{Node: "n1", Shards: 1}}},
		{"three nodes", state(alive, alive, alive), all, []int{}, []wire.ClusterRisk{}},
		{"one drains", state(alive, alive, draining), all, []int{}, []wire.ClusterRisk{}},
		{"one is away", state(alive, alive, suspect), all, []int{}, []wire.ClusterRisk{{Node: "n1", Shards: 2}, {Node: "n2", Shards: 2}}},
		{"two are away", state(alive, dead, suspect), all, []int{0, 1}, []wire.ClusterRisk{}},
		{"a node without votes is away", state(alive, alive, alive, suspect), all, []int{}, []wire.ClusterRisk{}},
		{"one was lost and comes back with nothing", state(alive, alive, alive), []cluster.ShardStatus{{Voters: []string{"n1", "n2"}, Lost: 1}}, []int{},
			[]wire.ClusterRisk{{Node: "n1", Shards: 1}, {Node: "n2", Shards: 1}}},
		{"two voters in passing", state(alive, alive), []cluster.ShardStatus{shard(3, "n1", "n2")}, []int{}, []wire.ClusterRisk{{Node: "n1", Shards: 1}, {Node: "n2", Shards: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			stopped, critical := risks(c.members, c.shards)
			if d := cmp.Diff(c.stopped, stopped) + cmp.Diff(c.critical, critical); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestProspects(t *testing.T) {
	nodes := []wire.ClusterNode{{Name: "n1", State: "alive", Votes: 1}, {Name: "n2", State: "dead", Votes: 1}, {Name: "n3", State: "suspect", Votes: 1}}
	led, orphan := wire.ClusterShard{Shard: 0, Leader: "n1"}, wire.ClusterShard{Shard: 1}
	for _, c := range []struct {
		s    wire.Cluster
		want string
	}{
		{wire.Cluster{Nodes: nodes[:1], Shards: []wire.ClusterShard{led}, Critical: []wire.ClusterRisk{{Node: "n1", Shards: 1}}},
			"One node alone: while it is away, everything waits. `catraca cluster invite NODE` lets another one in."},
		{wire.Cluster{Nodes: nodes, Shards: []wire.ClusterShard{led}}, "Any one node can be lost, and everything goes on."},
		{wire.Cluster{Nodes: nodes, Shards: []wire.ClusterShard{led}, Critical: []wire.ClusterRisk{{Node: "n1", Shards: 16}, {Node: "n2", Shards: 1}}},
			"Not every node can be lost now. Without one of these, shards would wait for it: n1 (16 shards), n2 (1 shard)."},
		{wire.Cluster{Nodes: nodes, Shards: []wire.ClusterShard{led}, Stopped: []int{0}},
			"1 shard without a majority: nothing can be sold there until more of n2, n3 are back."},
		{wire.Cluster{Nodes: nodes, Shards: []wire.ClusterShard{led, orphan}},
			"1 shard without a leader known here: this passes within seconds, or this node is cut off from the others."},
	} {
		if got := prospects(c.s); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestNamesInOrder(t *testing.T) {
	got := slices.SortedFunc(slices.Values([]string{"n10", "n2", "n1", "g1"}), compareNames)
	if d := cmp.Diff([]string{"g1", "n1", "n2", "n10"}, got); d != "" {
		t.Error(d)
	}
}

func TestCheckProgressReadsLines(t *testing.T) {
	p := &checkProgress{log: slog.New(slog.DiscardHandler)}
	for _, part := range []string{"1 10\n5", " 10\n", "nonsense\n", "7 0\n"} {
		if n, err := p.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if p.rest != "" || p.told.IsZero() {
		t.Errorf("rest %q, told %v", p.rest, p.told)
	}
}
