package cluster

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/raft"
)

// pulseBodies are one of each kind, with nothing left out, and an empty one.
func pulseBodies() []any {
	h := raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte("n1~2"), Addr: []byte("n1")}
	return []any{
		&raft.AppendEntriesRequest{RPCHeader: h, Term: 7, Leader: []byte("n1"), PrevLogEntry: math.MaxUint64, PrevLogTerm: 6, LeaderCommitIndex: 300}, //nolint:staticcheck // what Raft still sends
		&raft.AppendEntriesResponse{RPCHeader: h, Term: 7, LastLog: 128, Success: true, NoRetryBackoff: true},
		&raft.RequestVoteRequest{RPCHeader: h, Term: 7, Candidate: []byte("n1"), LastLogIndex: 9, LastLogTerm: 6, LeadershipTransfer: true}, //nolint:staticcheck // the same
		&raft.RequestVoteResponse{RPCHeader: h, Term: 7, Peers: []byte("x"), Granted: true},
		&raft.RequestPreVoteRequest{RPCHeader: h, Term: 7, LastLogIndex: 9, LastLogTerm: 6},
		&raft.RequestPreVoteResponse{RPCHeader: h, Term: 7, Granted: true},
		&raft.TimeoutNowRequest{RPCHeader: h},
		&raft.TimeoutNowResponse{RPCHeader: h},
	}
}

// blank is an empty message of the same kind.
func blank(m any) any {
	switch m.(type) {
	case *raft.AppendEntriesRequest:
		return new(raft.AppendEntriesRequest)
	case *raft.AppendEntriesResponse:
		return new(raft.AppendEntriesResponse)
	case *raft.RequestVoteRequest:
		return new(raft.RequestVoteRequest)
	case *raft.RequestVoteResponse:
		return new(raft.RequestVoteResponse)
	case *raft.RequestPreVoteRequest:
		return new(raft.RequestPreVoteRequest)
	case *raft.RequestPreVoteResponse:
		return new(raft.RequestPreVoteResponse)
	case *raft.TimeoutNowRequest:
		return new(raft.TimeoutNowRequest)
	default:
		return new(raft.TimeoutNowResponse)
	}
}

// What is decoded is what was encoded, into a message that held something else before; nothing shorter or longer is one.
func TestPulseBodies(t *testing.T) {
	for i, full := range pulseBodies() {
		for _, want := range []any{full, blank(full)} {
			b, err := appendPulse(nil, want)
			if err != nil {
				t.Fatal(err)
			}
			got := pulseBodies()[i]
			if err := decodePulse(b, got); err != nil {
				t.Fatalf("%T: %v", want, err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%T was decoded as something else:\n%s", want, diff)
			}
			for n := range b {
				if decodePulse(b[:n], blank(full)) == nil {
					t.Errorf("%T: %d of %d bytes were enough", want, n, len(b))
				}
			}
			if decodePulse(append(b, 0), blank(full)) == nil {
				t.Errorf("%T: a byte too much was taken", want)
			}
		}
	}
}

func TestPulseBodiesRefused(t *testing.T) {
	if _, err := appendPulse(nil, &raft.AppendEntriesRequest{Entries: []*raft.Log{{}}}); err == nil {
		t.Error("entries were left out of a request")
	}
	if _, err := appendPulse(nil, &raft.InstallSnapshotRequest{}); err == nil {
		t.Error("a snapshot was encoded")
	}
	if err := decodePulse(nil, &raft.InstallSnapshotRequest{}); err == nil {
		t.Error("a snapshot was decoded")
	}
	for name, b := range map[string][]byte{
		"a flag nobody knows":       {3, 0, 0, 1, 2},
		"a version nobody knows":    {200, 1, 0, 0, 1, 1},
		"an id beyond the end":      {3, 100, 0, 1, 1},
		"a length beyond any":       {3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 1, 1},
		"a number without an end":   {3, 0, 0, 128},
		"a number of eleven digits": {3, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 1},
	} {
		if err := decodePulse(b, new(raft.RequestPreVoteResponse)); err == nil {
			t.Errorf("%s: %x was decoded", name, b)
		}
	}
}

// FuzzPulseBody decodes what a node might send that has gone mad. What can be decoded can be encoded again, and then
// says the same.
func FuzzPulseBody(f *testing.F) {
	for i, m := range pulseBodies() {
		b, err := appendPulse(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), b)
		f.Add(uint8(i), b[:len(b)-1])
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		all := pulseBodies()
		m := blank(all[int(which)%len(all)])
		if decodePulse(b, m) != nil {
			return
		}
		once, err := appendPulse(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		again := blank(m)
		if err := decodePulse(once, again); err != nil {
			t.Fatalf("%x, encoded as %x: %v", b, once, err)
		}
		if twice, _ := appendPulse(nil, again); !bytes.Equal(once, twice) || len(once) > len(b) {
			t.Errorf("%x was encoded as %x, then as %x", b, once, twice)
		}
	})
}
