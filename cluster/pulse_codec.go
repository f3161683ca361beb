package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
)

// The bodies of the pulse. Numbers are uvarints, bytes have their length in front, yes and no share one byte; every
// body begins with the protocol version, the id and the address of who sends it. An answer has a byte before that
// which says whether there is a response; if not, the rest is the reason.
const (
	pulseResponse byte = iota
	pulseFailure
)

var errPulseBody = errors.New("the body of a message is malformed")

// appendPulse encodes one of raft's small requests and responses.
func appendPulse(b []byte, m any) ([]byte, error) {
	switch m := m.(type) {
	case *raft.AppendEntriesRequest:
		if len(m.Entries) > 0 {
			return nil, fmt.Errorf("encode request: it has %d entries", len(m.Entries))
		}
		b = appendBytes(appendNumbers(appendHeader(b, m.RPCHeader), m.Term), m.Leader) //nolint:staticcheck // what Raft still sends is carried
		return appendNumbers(b, m.PrevLogEntry, m.PrevLogTerm, m.LeaderCommitIndex), nil
	case *raft.AppendEntriesResponse:
		b = appendNumbers(appendHeader(b, m.RPCHeader), m.Term, m.LastLog)
		return appendFlags(b, m.Success, m.NoRetryBackoff), nil
	case *raft.RequestVoteRequest:
		b = appendBytes(appendNumbers(appendHeader(b, m.RPCHeader), m.Term), m.Candidate) //nolint:staticcheck // the same
		return appendFlags(appendNumbers(b, m.LastLogIndex, m.LastLogTerm), m.LeadershipTransfer), nil
	case *raft.RequestVoteResponse:
		b = appendBytes(appendNumbers(appendHeader(b, m.RPCHeader), m.Term), m.Peers)
		return appendFlags(b, m.Granted), nil
	case *raft.RequestPreVoteRequest:
		return appendNumbers(appendHeader(b, m.RPCHeader), m.Term, m.LastLogIndex, m.LastLogTerm), nil
	case *raft.RequestPreVoteResponse:
		return appendFlags(appendNumbers(appendHeader(b, m.RPCHeader), m.Term), m.Granted), nil
	case *raft.TimeoutNowRequest:
		return appendHeader(b, m.RPCHeader), nil
	case *raft.TimeoutNowResponse:
		return appendHeader(b, m.RPCHeader), nil
	default:
		return nil, fmt.Errorf("encode request: %T is not known", m)
	}
}

// decodePulse decodes into m, all of it, and keeps nothing of b.
func decodePulse(b []byte, m any) error {
	r := pulseBody{rest: b}
	switch m := m.(type) {
	case *raft.AppendEntriesRequest:
		*m = raft.AppendEntriesRequest{RPCHeader: r.header(), Term: r.number(), Leader: r.bytes(), //nolint:staticcheck // the same
			PrevLogEntry: r.number(), PrevLogTerm: r.number(), LeaderCommitIndex: r.number()}
	case *raft.AppendEntriesResponse:
		*m = raft.AppendEntriesResponse{RPCHeader: r.header(), Term: r.number(), LastLog: r.number()}
		r.flags(&m.Success, &m.NoRetryBackoff)
	case *raft.RequestVoteRequest:
		*m = raft.RequestVoteRequest{RPCHeader: r.header(), Term: r.number(), Candidate: r.bytes(), //nolint:staticcheck // the same
			LastLogIndex: r.number(), LastLogTerm: r.number()}
		r.flags(&m.LeadershipTransfer)
	case *raft.RequestVoteResponse:
		*m = raft.RequestVoteResponse{RPCHeader: r.header(), Term: r.number(), Peers: r.bytes()}
		r.flags(&m.Granted)
	case *raft.RequestPreVoteRequest:
		*m = raft.RequestPreVoteRequest{RPCHeader: r.header(), Term: r.number(), LastLogIndex: r.number(), LastLogTerm: r.number()}
	case *raft.RequestPreVoteResponse:
		*m = raft.RequestPreVoteResponse{RPCHeader: r.header(), Term: r.number()}
		r.flags(&m.Granted)
	case *raft.TimeoutNowRequest:
		*m = raft.TimeoutNowRequest{RPCHeader: r.header()}
	case *raft.TimeoutNowResponse:
		*m = raft.TimeoutNowResponse{RPCHeader: r.header()}
	default:
		return fmt.Errorf("decode: %T is not known", m)
	}
	if r.bad || len(r.rest) > 0 {
		return errPulseBody
	}
	return nil
}

func appendHeader(b []byte, h raft.RPCHeader) []byte {
	return appendBytes(appendBytes(appendNumbers(b, uint64(h.ProtocolVersion)), h.ID), h.Addr)
}

func appendNumbers(b []byte, ns ...uint64) []byte {
	for _, n := range ns {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func appendBytes(b, v []byte) []byte { return append(appendNumbers(b, uint64(len(v))), v...) }

func appendFlags(b []byte, flags ...bool) []byte {
	var v byte
	for i, f := range flags {
		if f {
			v |= 1 << i
		}
	}
	return append(b, v)
}

// pulseBody reads a body from its beginning. After something malformed everything is zero.
type pulseBody struct {
	rest []byte
	bad  bool
}

func (r *pulseBody) number() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// bytes copies.
func (r *pulseBody) bytes() []byte {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	v := append([]byte(nil), r.rest[:n]...)
	r.rest = r.rest[n:]
	return v
}

func (r *pulseBody) header() raft.RPCHeader {
	v := r.number()
	if v > uint64(raft.ProtocolVersionMax) {
		r.bad = true
	}
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersion(v), ID: r.bytes(), Addr: r.bytes()} //nolint:gosec // bounded
}

func (r *pulseBody) flags(to ...*bool) {
	if len(r.rest) == 0 || r.rest[0]>>len(to) != 0 {
		r.bad, r.rest = true, nil
		return
	}
	for i, f := range to {
		*f = r.rest[0]>>i&1 != 0
	}
	r.rest = r.rest[1:]
}
