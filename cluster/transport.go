package cluster

import (
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

const rpcTimeout = 5 * time.Second // of one request to another node; snapshots get more by their size

// transport is raft's own, changed in two ways: heartbeats are not taken past the main loop, and the node can call an
// election of itself. Embedding keeps pre-vote and Close, which raft looks for.
type transport struct {
	*raft.NetworkTransport

	rpc  chan raft.RPC
	done chan struct{}
	once sync.Once
}

var (
	_ raft.Transport   = (*transport)(nil)
	_ raft.WithPreVote = (*transport)(nil)
	_ raft.WithClose   = (*transport)(nil)
)

func newTransport(l *layer, dir directory, logger *raftLogger) *transport {
	t := &transport{
		NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
			Stream: l, MaxPool: 2, Timeout: rpcTimeout, Logger: logger,
			MaxRPCsInFlight:       1, // a stalled follower wedges the pipeline until the leader restarts
			ServerAddressProvider: dir,
		}),
		rpc: make(chan raft.RPC), done: make(chan struct{}),
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

// directory finds nodes by name, so that a node may come back with another address.
type directory map[raft.ServerID]raft.ServerAddress

var errNotListed = errors.New("not in the list of peers")

// ServerAddr implements raft.ServerAddressProvider.
func (d directory) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	if a, ok := d[id]; ok {
		return a, nil
	}
	return "", errNotListed
}
