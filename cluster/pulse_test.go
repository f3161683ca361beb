package cluster

import (
	"bytes"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// FuzzReadPulse reads what a node might send that has gone mad.
func FuzzReadPulse(f *testing.F) {
	good, err := encodePulse(pulseVote, 7, 3, []byte(`{"Term":4}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:9])
	f.Add([]byte{255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, id, group, body, err := readPulse(bytes.NewReader(b))
		if err != nil {
			return
		}
		again, err := encodePulse(kind, id, group, body)
		if err != nil {
			t.Fatal(err)
		}
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
