package cluster

import (
	"strconv"

	"github.com/hashicorp/raft"
)

// ShardStatus is one shard as this node sees it.
type ShardStatus struct {
	Shard  int
	State  string // follower, candidate, leader or stopped
	Leader string // node id, empty when unknown
	Ready  bool   // this node leads and its pump has everything older, or follows a known leader
	Term   uint64
	First  uint64 // oldest entry in the log, 0: none
	Last   uint64 // newest entry in the log or the snapshot
	Commit uint64 // newest entry known to be committed
	// Applied is the newest entry the pump has, counting entries that are not for it.
	Applied  uint64
	Snapshot uint64 // newest entry in the snapshot, 0: none
	Voters   []string
	Lost     int // further votes, of data that was lost or set aside: nobody can cast them, and they count for a majority
}

// Leader says who leads a shard, by the newest term this node has heard of, itself or from others: an empty name means
// nobody. isSelf is true when it is this node, which may be a moment before LeaderReady.
func (n *Node) Leader(shard int) (nodeID string, term uint64, isSelf bool) {
	if shard < 0 || shard >= len(n.groups) {
		return "", 0, false
	}
	r := n.groups[shard].raft
	_, own := r.LeaderWithID()
	id, term := string(own), r.CurrentTerm()
	if b := n.links.best[shard].Load(); b != nil && (b.term > term || id == "" && b.term == term) {
		id, term = b.leader, b.term
	}
	if id == n.id && r.State() != raft.Leader { // it was until just now
		return "", term, false
	}
	return nameOf(id), term, id == n.id && id != ""
}

// Ready says whether every shard has a leader this node knows of, those this node leads have been told so, and the
// replicas of the others have applied what was committed when this node first heard of their leader.
func (n *Node) Ready() bool {
	if n.closed.Load() {
		return false
	}
	for _, g := range n.groups {
		if !g.ready() {
			return false
		}
	}
	return true
}

func (g *group) ready() bool {
	_, id := g.raft.LeaderWithID()
	if id == "" {
		return false
	}
	if string(id) == g.node.id {
		return g.leadership.ready.Load() != 0
	}
	return g.caughtUpOnce()
}

// heardCommit notes what the leader of term has committed, when it is the first this node hears of.
func (g *group) heardCommit(term, commit uint64) {
	if commit > 0 && term >= g.raft.CurrentTerm() {
		g.learnt.CompareAndSwap(0, commit)
	}
}

// caughtUpOnce says whether this replica has not been behind all the time since the start.
func (g *group) caughtUpOnce() bool {
	if g.synced.Load() {
		return true
	}
	learnt := g.learnt.Load()
	if learnt == 0 || g.fsm.index.Load() < learnt && g.raft.AppliedIndex() < learnt {
		return false
	}
	g.synced.Store(true)
	return true
}

// Applied is the newest entry of the shard that this node's pump has, or need not have.
func (n *Node) Applied(shard int) uint64 {
	if shard < 0 || shard >= len(n.groups) {
		return 0
	}
	return n.groups[shard].fsm.index.Load()
}

// Status describes all shards.
func (n *Node) Status() []ShardStatus {
	all := make([]ShardStatus, len(n.groups))
	for i, g := range n.groups {
		all[i] = g.status()
	}
	return all
}

func (g *group) status() ShardStatus {
	_, leader := g.raft.LeaderWithID()
	first, _ := g.log.FirstIndex() // never fails
	st := ShardStatus{
		Shard: g.id, State: stateName(g.raft.State()), Leader: nameOf(string(leader)), Ready: g.ready(),
		Term: g.raft.CurrentTerm(), First: first, Last: g.raft.LastIndex(), Commit: g.raft.CommitIndex(),
		Applied: max(g.fsm.index.Load(), g.raft.AppliedIndex()), Snapshot: g.lastSnapshot(),
	}
	for _, v := range g.voters() {
		if name := nameOf(string(v.ID)); g.node.present(name) == string(v.ID) {
			st.Voters = append(st.Voters, name)
		} else {
			st.Lost++
		}
	}
	return st
}

// lastSnapshot is told by raft only in words.
func (g *group) lastSnapshot() uint64 {
	i, _ := strconv.ParseUint(g.raft.Stats()["last_snapshot_index"], 10, 64)
	return i
}

func stateName(s raft.RaftState) string {
	switch s {
	case raft.Follower:
		return "follower"
	case raft.Candidate:
		return "candidate"
	case raft.Leader:
		return "leader"
	default:
		return "stopped"
	}
}
