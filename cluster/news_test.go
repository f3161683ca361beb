package cluster

import (
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// Followers hear of a commit at once, although raft would not repeat itself before the test is over.
func TestFollowersHearOfACommit(t *testing.T) {
	c := startTrio(t, func(o *Options) { o.CommitTimeout = time.Hour })
	var want []string
	for _, say := range []string{"a", "b", "c"} {
		want = append(want, say)
		c.propose(t, 0, say, 0, 1, 2)
		c.expect(t, 0, want, 0, 1, 2)
	}
}

// What is told never goes beyond what a follower has confirmed in the same term.
func TestNewsKeepsToTheConfirmed(t *testing.T) {
	var n news
	n.confirmed("b", "b", &raft.AppendEntriesRequest{Term: 2, PrevLogEntry: 4, PrevLogTerm: 1, LeaderCommitIndex: 4,
		Entries: []*raft.Log{{Index: 5, Term: 2}, {Index: 6, Term: 2}}})
	f := n.of["b"]
	if f.base.PrevLogEntry != 6 || f.base.PrevLogTerm != 2 || f.base.Entries != nil || f.told != 4 {
		t.Fatalf("after six entries: %+v, told %d", f.base, f.told)
	}
	n.confirmed("b", "b", &raft.AppendEntriesRequest{Term: 2}) // a heartbeat
	n.confirmed("b", "b", &raft.AppendEntriesRequest{Term: 2, PrevLogEntry: 5, PrevLogTerm: 2, LeaderCommitIndex: 5})
	if f := n.of["b"]; f.base.PrevLogEntry != 6 || f.told != 5 {
		t.Errorf("an older confirmation set it back to %d, told %d", f.base.PrevLogEntry, f.told)
	}
	n.confirmed("b", "b", &raft.AppendEntriesRequest{Term: 3, PrevLogEntry: 2, PrevLogTerm: 1})
	if f := n.of["b"]; f.base.Term != 3 || f.base.PrevLogEntry != 2 || f.told != 0 {
		t.Errorf("a new term goes on with %+v, told %d", f.base, f.told)
	}
}
