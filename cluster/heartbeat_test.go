package cluster

import (
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// A leader whose main loop stands still takes no heartbeat of a later term: over the transport's short cut it would,
// and then stamp entries with a term it has never led, so that replicas part for ever. It needs real connections;
// raft's own transport in memory has no short cut.
func TestHeartbeatsWaitForTheMainLoop(t *testing.T) {
	c := startTrio(t)
	c.propose(t, 0, "before", 0, 1, 2)
	old := c.leader(t, 0, 0, 1, 2)
	rival := others(old)[0]
	g, from := c.nodes[old].groups[0], c.nodes[rival].groups[0]

	// An observer that does not look holds up the main loop, which tells it of requests for votes.
	stuck := make(chan raft.Observation)
	ob := raft.NewObserver(stuck, true, func(o *raft.Observation) bool {
		_, vote := o.Data.(raft.RequestVoteRequest)
		return vote
	})
	g.raft.RegisterObserver(ob)
	address, id := g.raft.LeaderWithID()
	header := raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte("rival"), Addr: []byte("127.0.0.1:1")}
	term := g.raft.CurrentTerm()
	asked, beaten := make(chan error, 1), make(chan error, 2)
	go func() {
		asked <- from.trans.RequestVote(id, address, &raft.RequestVoteRequest{RPCHeader: header, Term: term}, &raft.RequestVoteResponse{})
	}()
	select {
	case err := <-asked:
		t.Fatalf("the main loop goes on: %v", err)
	case <-time.After(200 * time.Millisecond): // it has the request by now
	}
	for _, way := range []raft.Transport{from.trans, from.trans.NetworkTransport} { // ours, and raft's with its short cut
		go func() {
			beaten <- way.AppendEntries(id, address, &raft.AppendEntriesRequest{RPCHeader: header, Term: term + 1}, &raft.AppendEntriesResponse{})
		}()
	}
	select {
	case err := <-beaten:
		t.Errorf("a heartbeat was answered past the main loop: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if now := g.raft.CurrentTerm(); now != term {
		t.Errorf("the term went from %d to %d while the main loop stood still", term, now)
	}
	<-stuck
	g.raft.DeregisterObserver(ob)
	for _, answer := range []chan error{asked, beaten, beaten} {
		select {
		case err := <-answer:
			if err != nil && !t.Failed() {
				t.Errorf("the main loop answered: %v", err)
			}
		case <-time.After(10 * time.Second):
			if !t.Failed() {
				t.Error("the main loop has not come back")
			}
		}
	}
	c.propose(t, 0, "after", 0, 1, 2)
	for i := range 3 {
		p := c.tapes[i][0]
		p.until(t, "both entries", func() bool { return len(p.data) == 2 })
		if got := p.strings(); !slices.Equal(got, []string{"before", "after"}) {
			t.Errorf("node %d has %q", i, got)
		}
	}
}
