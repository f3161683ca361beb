package cluster

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxMessage is the largest message of a link, in bytes: 1024 shards need a tenth of it.
const maxMessage = 1 << 20

// message is what goes over a link, as JSON behind its length (four bytes, big endian). Exactly one field is set. A
// length of zero is the answer to a frame.
type message struct {
	Hello   *linkHello   `json:"hello,omitempty"`
	Welcome *linkWelcome `json:"welcome,omitempty"`
	Frame   *statusFrame `json:"frame,omitempty"`
	Gossip  *gossip      `json:"gossip,omitempty"`
	Ask     *ask         `json:"ask,omitempty"`
	Answer  *answer      `json:"answer,omitempty"`
}

// linkHello opens a link. A probe only wants the answer.
type linkHello struct {
	Cluster string `json:"cluster,omitempty"`
	From    string `json:"from"` // server id
	To      string `json:"to"`   // node name
	Probe   bool   `json:"probe,omitempty"`
}

// linkWelcome answers it.
type linkWelcome struct {
	Refused     string `json:"refused,omitempty"`
	Cluster     string `json:"cluster,omitempty"`
	Incarnation int    `json:"incarnation,omitempty"` // newest known of the asking node, 0: none
}

// statusFrame says how a node is.
type statusFrame struct {
	ServerID string       `json:"id"`
	Role     Role         `json:"role,omitempty"`
	Address  string       `json:"address"`
	Version  string       `json:"version,omitempty"`
	Stamp    int64        `json:"stamp"`
	Draining bool         `json:"draining,omitempty"`
	Full     bool         `json:"full,omitempty"`
	Shards   []shardFrame `json:"shards"`
	Hashes   []report     `json:"hashes,omitempty"`
}

// shardFrame is one shard in a frame; the shards come in order.
type shardFrame struct {
	State   uint8  `json:"s,omitempty"` // of raft.RaftState
	Term    uint64 `json:"t,omitempty"`
	Leader  string `json:"l,omitempty"` // server id
	Last    uint64 `json:"i,omitempty"`
	Commit  uint64 `json:"c,omitempty"`
	Applied uint64 `json:"a,omitempty"`
}

// gossip is what a node knows of others. It comes first on a link and again after a change.
type gossip struct {
	Nodes []bookNode `json:"nodes,omitempty"`
	Gone  []string   `json:"gone,omitempty"`
}

// ask is a wish of an operator who talks to another node.
type ask struct {
	ID     uint64 `json:"id"`
	Kind   string `json:"kind"`
	Shard  int    `json:"shard,omitempty"`
	Node   string `json:"node,omitempty"`
	On     bool   `json:"on,omitempty"`
	Millis int64  `json:"millis"` // how long the asking node will wait
}

type answer struct {
	ID        uint64 `json:"id"`
	Error     string `json:"error,omitempty"`
	NotLeader bool   `json:"not_leader,omitempty"`
}

func encodeMessage(m *message) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	if len(body) > maxMessage {
		return nil, fmt.Errorf("encode message: %d bytes, at most %d", len(body), maxMessage)
	}
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body))), body...), nil
}

func writeMessage(w io.Writer, m *message) error {
	b, err := encodeMessage(m)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

var errMessage = errors.New("message of a link is wrong")

// readMessage returns nil for the answer to a frame.
func readMessage(r io.Reader) (*message, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	size := binary.BigEndian.Uint32(head[:])
	if size == 0 {
		return nil, nil //nolint:nilnil // documented
	}
	if size > maxMessage {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", errMessage, size, maxMessage)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	m := new(message)
	if err := json.Unmarshal(body, m); err != nil {
		return nil, fmt.Errorf("%w: %w", errMessage, err)
	}
	return m, nil
}
