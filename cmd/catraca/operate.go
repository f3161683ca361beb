package main

import (
	"context"
	"slices"
	"time"

	"github.com/catraca/catraca/cluster"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/wire"
)

// operations is what operators do to the cluster by this node.
type operations struct{ n *node }

var _ api.Cluster = operations{}

// How long the node tries before it answers; what was asked goes on then too.
const (
	leaveTime = 45 * time.Second
	handTime  = 15 * time.Second
)

// Invite implements api.Cluster.
func (o operations) Invite(name, role string, ttl time.Duration, addresses []string) (wire.Invitation, error) {
	return o.n.invite(name, role, ttl, addresses)
}

// Transfer implements api.Cluster.
func (o operations) Transfer(ctx context.Context, shard int, to string) error {
	ctx, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	return o.n.cluster.Transfer(ctx, shard, to)
}

// Drain implements api.Cluster.
func (o operations) Drain(ctx context.Context, name string, on bool) error {
	ctx, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	return o.n.cluster.Drain(ctx, name, on)
}

// Leave implements api.Cluster.
func (o operations) Leave(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	return o.n.cluster.Leave(ctx, name)
}

// Rebalance implements api.Cluster.
func (o operations) Rebalance(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	return o.n.cluster.Rebalance(ctx)
}

// ClusterStatus implements api.Cluster.
func (o operations) ClusterStatus() wire.Cluster {
	members, shards := o.n.cluster.Members(), o.n.cluster.Status()
	c := wire.Cluster{
		ID: o.n.cluster.ClusterID(), Node: o.n.cfg.Node.ID, Nodes: []wire.ClusterNode{}, Shards: []wire.ClusterShard{},
		CertificateExpires: wire.Time(o.n.identity.Expires().UnixMilli()),
	}
	for _, m := range members {
		seen := wire.Time(0)
		if !m.Seen.IsZero() {
			seen = wire.Time(m.Seen.UnixMilli())
		}
		c.Nodes = append(c.Nodes, wire.ClusterNode{
			Name: m.Name, ServerID: m.ServerID, Role: m.Role.String(), State: m.State.String(), Address: m.Address,
			Version: m.Version, Leads: m.Leads, Votes: m.Votes, Seen: seen, Self: m.Self,
		})
	}
	slices.SortFunc(c.Nodes, func(a, b wire.ClusterNode) int { return compareNames(a.Name, b.Name) })
	for _, s := range shards {
		leader, _, _ := o.n.cluster.Leader(s.Shard)
		w := wire.ClusterShard{
			Shard: s.Shard, Leader: leader, Ready: s.Ready, Term: s.Term, Last: s.Last, Commit: s.Commit, Applied: s.Applied,
			Voters: slices.SortedFunc(slices.Values(s.Voters), compareNames), Learners: []string{}, Lost: s.Lost,
		}
		for _, m := range c.Nodes {
			if !slices.Contains(w.Voters, m.Name) && (m.Self || m.Seen != 0) {
				w.Learners = append(w.Learners, m.Name)
			}
		}
		c.Shards = append(c.Shards, w)
	}
	c.Stopped, c.Critical = risks(members, shards)
	return c
}

// risks finds the shards that stand still, and the nodes whose loss would stop one more.
func risks(members []cluster.Member, shards []cluster.ShardStatus) (stopped []int, critical []wire.ClusterRisk) {
	stopped, critical = []int{}, []wire.ClusterRisk{}
	alive := map[string]bool{}
	for _, m := range members {
		alive[m.Name] = m.State != cluster.StateSuspect && m.State != cluster.StateDead
	}
	breaks := map[string]int{}
	for _, s := range shards {
		live := 0
		for _, v := range s.Voters {
			if alive[v] {
				live++
			}
		}
		need := (len(s.Voters)+s.Lost)/2 + 1
		if live < need {
			stopped = append(stopped, s.Shard)
			continue
		}
		for _, v := range s.Voters {
			if alive[v] && live-1 < need {
				breaks[v]++
			}
		}
	}
	for _, m := range members {
		if n := breaks[m.Name]; n > 0 {
			critical = append(critical, wire.ClusterRisk{Node: m.Name, Shards: n})
		}
	}
	slices.SortFunc(critical, func(a, b wire.ClusterRisk) int { return compareNames(a.Node, b.Node) })
	return stopped, critical
}

// compareNames puts n2 before n10.
func compareNames(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}
