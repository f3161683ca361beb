package cluster

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// newsPause is how long raft's own next message may take to carry the news of a commit; while entries flow it does.
const newsPause = 3 * time.Millisecond

// news tells followers of a commit when no entry follows that would. Raft itself repeats its last message every
// CommitTimeout; a short one makes sixteen idle shards cost a quarter of a core, a long one lets whoever waits at a
// follower wait that long. What is sent is a message the leader may send at any time: no entries, a previous entry this
// follower has confirmed in this term, and a commit index that is not beyond it. The answer tells nothing new.
type news struct {
	mu   sync.Mutex
	of   map[raft.ServerID]*followed
	wake chan struct{}
}

// followed is what a leader knows of one follower.
type followed struct {
	target  raft.ServerAddress
	base    raft.AppendEntriesRequest // of the term, without entries; the previous entry is the newest confirmed
	told    uint64                    // commit index sent
	sending bool
}

// sent notes a message of raft's own before it goes out.
func (n *news) sent(id raft.ServerID, args *raft.AppendEntriesRequest) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if f := n.of[id]; f != nil && f.base.Term == args.Term {
		f.told = max(f.told, args.LeaderCommitIndex)
	}
}

// confirmed notes that a follower has everything up to the end of a message.
func (n *news) confirmed(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest) {
	if args.PrevLogEntry == 0 && len(args.Entries) == 0 {
		return // a heartbeat says nothing about the log
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	f := n.of[id]
	if f == nil || f.base.Term != args.Term {
		f = &followed{}
		if n.of == nil {
			n.of = make(map[raft.ServerID]*followed)
		}
		n.of[id] = f
	}
	prev, term := args.PrevLogEntry, args.PrevLogTerm
	if k := len(args.Entries); k > 0 {
		prev, term = args.Entries[k-1].Index, args.Entries[k-1].Term
	}
	f.target, f.told = target, max(f.told, args.LeaderCommitIndex)
	if prev >= f.base.PrevLogEntry {
		f.base = *args
		f.base.Entries, f.base.PrevLogEntry, f.base.PrevLogTerm = nil, prev, term
	}
	if f.told < f.base.PrevLogEntry {
		n.committed() // it may be the last to have an entry that was committed without it
	}
}

// committed asks for the news to be told soon. Any goroutine.
func (n *news) committed() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// tell waits for commits and tells those who have not heard of them from raft in the meantime.
func (g *group) tell(stop <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-g.trans.news.wake:
		case <-stop:
			return
		}
		commit, term := g.raft.CommitIndex(), g.raft.CurrentTerm()
		timer.Reset(newsPause)
		select {
		case <-timer.C:
		case <-stop:
			return
		}
		if g.raft.State() != raft.Leader || g.raft.CurrentTerm() != term {
			continue
		}
		g.trans.tell(term, commit)
	}
}

// tell sends commit to every follower that has confirmed so much and was not told. One message to each is on its way
// at most; a follower that does not answer is left to raft.
func (t *transport) tell(term, commit uint64) {
	n := &t.news
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, f := range n.of {
		if f.base.Term != term || f.sending || f.told >= commit || f.base.PrevLogEntry < commit {
			continue
		}
		req, target := f.base, f.target
		req.LeaderCommitIndex = commit
		f.told, f.sending = commit, true
		go func() {
			var resp raft.AppendEntriesResponse
			_ = t.append(id, target, &req, &resp) // raft's next message says the same
			n.mu.Lock()
			f.sending = false
			n.mu.Unlock()
			n.committed() // more may have been committed meanwhile
		}()
	}
}
