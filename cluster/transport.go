package cluster

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

const rpcTimeout = 5 * time.Second // of one request to another node; snapshots get more by their size

// transport is raft's own, changed in four ways: heartbeats are not taken past the main loop, what carries no entries
// goes by the pulse, the node can call an election of itself, and answers of followers are noted for ReadIndex and the
// news of commits.
type transport struct {
	*raft.NetworkTransport

	group     uint32
	pulse     *pulse
	rpc       chan raft.RPC
	done      chan struct{}
	once      sync.Once
	confirmed confirmations
	reading   atomic.Int32 // rounds of ReadIndex that wait for confirmations
	news      news
}

var (
	_ raft.Transport   = (*transport)(nil)
	_ raft.WithPreVote = (*transport)(nil)
	_ raft.WithClose   = (*transport)(nil)
)

func newTransport(l *layer, p *pulse, logger *raftLogger) *transport {
	t := &transport{
		NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
			Stream: l, MaxPool: 2, Timeout: rpcTimeout, Logger: logger,
			MaxRPCsInFlight:       1, // a stalled follower wedges the pipeline until the leader restarts
			ServerAddressProvider: byID{},
		}),
		group: l.group, pulse: p,
		rpc: make(chan raft.RPC), done: make(chan struct{}), news: news{wake: make(chan struct{}, 1)},
	}
	go t.forward()
	return t
}

// SetHeartbeatHandler does nothing, so heartbeats come through Consumer like any request. The handler would run on
// the connection's goroutine and change the term while the main loop is leading: entries could then carry a term the
// node never led.
func (t *transport) SetHeartbeatHandler(func(raft.RPC)) {}

// Consumer implements raft.Transport.
func (t *transport) Consumer() <-chan raft.RPC { return t.rpc }

// Close implements raft.WithClose.
func (t *transport) Close() error {
	t.once.Do(func() { close(t.done) })
	return t.NetworkTransport.Close()
}

func (t *transport) forward() {
	for {
		select {
		case rpc := <-t.NetworkTransport.Consumer():
			select {
			case t.rpc <- rpc:
			case <-t.done:
				return
			}
		case <-t.done:
			return
		}
	}
}

// elect makes a follower stand for election at once. It is what the leader asks of its successor during a transfer;
// the only voter of a group may ask itself and need not wait for a leader it knows cannot exist.
func (t *transport) elect() {
	rpc := raft.RPC{
		Command:  &raft.TimeoutNowRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax}},
		RespChan: make(chan raft.RPCResponse, 1),
	}
	select {
	case t.rpc <- rpc:
	case <-t.done:
	}
}

// byID makes raft connect by server id: where a node is, the book knows at that moment. Addresses in configurations
// mean nothing; those of old data are still there.
type byID struct{}

// ServerAddr implements raft.ServerAddressProvider.
func (byID) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	return raft.ServerAddress(id), nil
}

// confirmations are when each replica last confirmed that this node leads, and in which term. raft's own VerifyLeader
// counts replicas without a vote and answers to requests sent before it was called.
type confirmations struct {
	mu   sync.Mutex
	by   map[raft.ServerID]confirmation
	news chan struct{} // closed by the next one, when somebody waits
}

type confirmation struct {
	term uint64
	sent time.Time // when the request it answered was begun
}

func (c *confirmations) note(id raft.ServerID, term uint64, sent time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = make(map[raft.ServerID]confirmation)
	}
	c.by[id] = confirmation{term, sent}
	if c.news != nil {
		close(c.news)
		c.news = nil
	}
}

// since counts the voters but self that have confirmed term by a request begun after at. When they are too few, the
// channel says when to look again.
func (c *confirmations) since(voters []raft.Server, self raft.ServerID, term uint64, at time.Time) (int, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, v := range voters {
		if got := c.by[v.ID]; v.ID != self && got.term == term && got.sent.After(at) {
			n++
		}
	}
	if c.news == nil {
		c.news = make(chan struct{})
	}
	return n, c.news
}

// AppendEntries implements raft.Transport.
func (t *transport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if len(args.Entries) == 0 && args.PrevLogEntry == 0 && args.LeaderCommitIndex == 0 {
		return t.beat(id, args, resp)
	}
	sent := time.Now()
	t.news.sent(id, args)
	err := t.append(id, target, args, resp)
	if err == nil && resp.Success {
		t.confirmed.note(id, args.Term, sent)
		t.news.confirmed(id, target, args)
	}
	return err
}

// beat sends what is nothing but a heartbeat, which can wait for those of other groups unless somebody reads.
func (t *transport) beat(id raft.ServerID, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	sent, err := t.pulse.beat(raft.ServerAddress(id), t.group, args, resp, func() bool { return t.reading.Load() > 0 })
	if err == nil && resp.Success {
		t.confirmed.note(id, args.Term, sent)
	}
	return err
}

func (t *transport) append(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if len(args.Entries) > 0 {
		return t.NetworkTransport.AppendEntries(id, target, args, resp)
	}
	return t.pulse.ask(raft.ServerAddress(id), t.group, pulseAppend, args, resp)
}

// RequestVote implements raft.Transport.
func (t *transport) RequestVote(id raft.ServerID, _ raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return t.pulse.ask(raft.ServerAddress(id), t.group, pulseVote, args, resp)
}

// RequestPreVote implements raft.WithPreVote.
func (t *transport) RequestPreVote(id raft.ServerID, _ raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return t.pulse.ask(raft.ServerAddress(id), t.group, pulsePreVote, args, resp)
}

// TimeoutNow implements raft.Transport.
func (t *transport) TimeoutNow(id raft.ServerID, _ raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return t.pulse.ask(raft.ServerAddress(id), t.group, pulseNow, args, resp)
}
