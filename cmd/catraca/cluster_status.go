package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/transport/wire"
)

func clusterStatusCommand(env environment) *cobra.Command {
	var out output
	r := &remote{}
	c := &cobra.Command{
		Use: "status", Short: "Show nodes and shards, and whether a node may be lost",
		Long:    "Shows the cluster as one node sees it. A * marks that node." + remoteHelp,
		Example: "  catraca cluster status --config catraca.yaml\n  catraca cluster status --config catraca.yaml --output json",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			asJSON, err := out.json(c)
			if err != nil {
				return err
			}
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			var s wire.Cluster
			raw, err := api.get(c.Context(), clusterPath, &s)
			if err != nil {
				return err
			}
			if asJSON {
				return writeRaw(env.stdout, raw)
			}
			return showCluster(env, s, time.Now())
		},
	}
	r.flags(c)
	out.flag(c)
	return c
}

func showCluster(env environment, s wire.Cluster, now time.Time) error {
	rows := [][]string{{"NODE", "ROLE", "STATE", "ADDRESS", "VERSION", "LEADS", "VOTES", "SEEN"}}
	for _, n := range s.Nodes {
		name := n.Name
		if n.ServerID != "" && n.ServerID != n.Name {
			name = n.ServerID
		}
		if n.Self {
			name += " *"
		}
		rows = append(rows, []string{
			name, n.Role, n.State, dash(n.Address), dash(n.Version), strconv.Itoa(n.Leads), strconv.Itoa(n.Votes), seen(n, now),
		})
	}
	if err := table(env.stdout, rows); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(env.stdout); err != nil {
		return err
	}
	rows = [][]string{{"SHARD", "LEADER", "TERM", "VOTERS", "WITHOUT VOTE", "ENTRIES", "BEHIND"}}
	for _, h := range s.Shards {
		behind := "0"
		if h.Commit > h.Applied && h.Leader != s.Node { // the newest entries of a leader may be for no machine
			behind = thousands(h.Commit - h.Applied)
		}
		rows = append(rows, []string{
			strconv.Itoa(h.Shard), dash(h.Leader), strconv.FormatUint(h.Term, 10), voters(h),
			dash(strings.Join(h.Learners, " ")), thousands(h.Last), behind,
		})
	}
	if err := table(env.stdout, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(env.stdout, "\n%s\n", prospects(s))
	return err
}

// voters are those who vote in a shard, with the votes that nobody can cast any more.
func voters(h wire.ClusterShard) string {
	all := strings.Join(h.Voters, " ")
	if h.Lost > 0 {
		all += fmt.Sprintf(" (%d lost)", h.Lost)
	}
	return all
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// seen says when a node was last heard of.
func seen(n wire.ClusterNode, now time.Time) string {
	switch ago := now.Sub(time.UnixMilli(int64(n.Seen))); {
	case n.Self || n.Seen != 0 && ago < 2*time.Second:
		return "now"
	case n.Seen == 0:
		return "never"
	case ago < time.Minute:
		return strconv.Itoa(int(ago.Seconds())) + " s ago"
	case ago < time.Hour:
		return strconv.Itoa(int(ago.Minutes())) + " min ago"
	default:
		return strconv.Itoa(int(ago.Hours())) + " h ago"
	}
}

// prospects says whether the cluster can lose a node.
func prospects(s wire.Cluster) string {
	leaderless := 0
	for _, h := range s.Shards {
		if h.Leader == "" {
			leaderless++
		}
	}
	switch {
	case len(s.Stopped) > 0:
		return fmt.Sprintf("%s without a majority: nothing can be sold there until more of %s are back.",
			shards(len(s.Stopped)), strings.Join(missing(s), ", "))
	case leaderless > 0:
		return shards(leaderless) + " without a leader known here: this passes within seconds, or this node is cut off from the others."
	case len(s.Nodes) == 1:
		return "One node alone: while it is away, everything waits. `catraca cluster invite NODE` lets another one in."
	case len(s.Critical) == 0:
		return "Any one node can be lost, and everything goes on."
	}
	var names []string
	for _, c := range s.Critical {
		names = append(names, fmt.Sprintf("%s (%s)", c.Node, shards(c.Shards)))
	}
	return "Not every node can be lost now. Without one of these, shards would wait for it: " + strings.Join(names, ", ") + "."
}

func shards(n int) string {
	if n == 1 {
		return "1 shard"
	}
	return strconv.Itoa(n) + " shards"
}

// missing are the voters that are not there.
func missing(s wire.Cluster) []string {
	var out []string
	for _, n := range s.Nodes {
		if n.Votes > 0 && (n.State == "suspect" || n.State == "dead") {
			out = append(out, n.Name)
		}
	}
	return out
}
