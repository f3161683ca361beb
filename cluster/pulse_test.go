package cluster

import (
	"bytes"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// FuzzReadPulse reads what a node might send that has gone mad.
func FuzzReadPulse(f *testing.F) {
	good := appendMessage(nil, pulseVote, 7, 3, []byte("body"))
	f.Add(good)
	f.Add(good[:9])
	f.Add([]byte{255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, id, group, body, err := readPulse(bytes.NewReader(b))
		if err != nil {
			return
		}
		again := appendMessage(nil, kind, id, group, body)
		if !bytes.HasPrefix(b, again) {
			t.Errorf("%x was read as %x", b, again)
		}
	})
}

// Small requests do not need raft's own connections, and end with an error as soon as the way is cut.
func TestPulse(t *testing.T) {
	c := startTrio(t)
	c.propose(t, 0, "x", 0, 1, 2)
	n := c.nodes[0]
	req := raft.RequestPreVoteRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte("n0"), Addr: []byte("n0")}, Term: 1}
	var resp raft.RequestPreVoteResponse
	if err := n.pulse.ask("n1", 0, pulsePreVote, &req, &resp); err != nil {
		t.Fatal(err)
	}
	if resp.Granted || resp.Term == 0 || string(resp.ID) != "n1" {
		t.Errorf("an election nobody needs was answered with %+v", resp)
	}
	if err := n.pulse.ask("n1", 99, pulsePreVote, &req, &resp); err == nil {
		t.Error("a shard that does not exist has answered")
	}
	if err := n.pulse.ask("n1", 0, pulsePreVote, &req, &resp); err != nil {
		t.Errorf("after a connection was refused: %v", err)
	}
	n.mux.Close()
	began := time.Now()
	if err := n.pulse.ask("n1", 0, pulsePreVote, &req, &resp); err == nil || time.Since(began) > rpcTimeout {
		t.Errorf("a cut connection answered %v after %v", err, time.Since(began))
	}
}

// A heartbeat waits for company, and no longer than until somebody reads: before or after it was asked for.
func TestBeatsHurry(t *testing.T) {
	c := startTrio(t)
	c.propose(t, 0, "x", 0, 1, 2)
	lead := c.leader(t, 0, 0, 1, 2)
	n := c.nodes[lead]
	p := n.pulse
	to := raft.ServerAddress(c.nodes[others(lead)[0]].id)
	p.mu.Lock()
	p.armed = true // by nobody: what is on hold stays there
	p.mu.Unlock()
	req := raft.AppendEntriesRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(n.id), Addr: []byte(n.id)},
		Term: n.groups[0].raft.CurrentTerm(), Leader: []byte(n.id)} //nolint:staticcheck // what Raft still sends
	began := time.Now()
	var resp raft.AppendEntriesResponse
	if left, err := p.beat(to, 0, &req, &resp, func() bool { return true }); err != nil || !resp.Success || left.Before(began) {
		t.Fatalf("a heartbeat in a hurry left at %v and was answered with %v, %+v", left, err, resp)
	}
	type beaten struct {
		left time.Time
		err  error
	}
	done := make(chan beaten, 1)
	held := make(chan struct{})
	go func() {
		left, err := p.beat(to, 0, &req, &raft.AppendEntriesResponse{}, func() bool { close(held); return false })
		done <- beaten{left, err}
	}()
	<-held
	p.hurry(99) // of another group
	select {
	case got := <-done:
		t.Fatalf("a heartbeat did not wait: %v", got.err)
	case <-time.After(50 * time.Millisecond):
	}
	asked := time.Now()
	p.hurry(0)
	if got := <-done; got.err != nil || got.left.Before(asked) {
		t.Errorf("a heartbeat left %v before it was hurried, and was answered with %v", asked.Sub(got.left), got.err)
	}
	p.beats() // as when the moment comes
}
