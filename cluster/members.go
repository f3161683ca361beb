package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Role says what a node may do.
type Role uint8

// The roles.
const (
	RoleVoter   Role = iota // may vote and lead
	RoleGateway             // has a replica of everything and never votes
)

// String is the role as it is written in settings.
func (r Role) String() string {
	if r == RoleGateway {
		return "gateway"
	}
	return "voter"
}

// State is what is thought of a node.
type State uint8

// The states of a member.
const (
	StateAlive    State = iota
	StateSuspect        // silent for a moment
	StateDead           // silent for Options.DeadAfter: its votes go to others
	StateDraining       // alive, and leads nothing
	StateLeaving        // told to leave for good
)

// String is one lower-case word.
func (s State) String() string {
	switch s {
	case StateAlive:
		return "alive"
	case StateSuspect:
		return "suspect"
	case StateDead:
		return "dead"
	case StateDraining:
		return "draining"
	default:
		return "leaving"
	}
}

// Member is one node of the cluster, as this node sees it.
type Member struct {
	Name     string
	ServerID string // its name, with the incarnation from the second one on
	Role     Role
	Address  string
	Version  string
	State    State
	Seen     time.Time // when it was last heard of; zero: never since this node started
	Leads    int       // shards it leads
	Votes    int       // shards it votes in
	Self     bool
}

var errNotBuilt = errors.New("cluster: not built yet")

// Members are all nodes this one knows of, by name.
func (n *Node) Members() []Member {
	return []Member{{Name: n.opt.NodeID, ServerID: n.opt.NodeID, Role: n.opt.Role, Address: n.address,
		Version: n.opt.Version, Seen: time.Now(), Self: true}}
}

// Transfer hands the leadership of a shard to the node named to, or to anybody when to is empty. Any node may be asked.
func (n *Node) Transfer(context.Context, int, string) error { return errNotBuilt }

// Drain moves every leadership away from a node and keeps it away until on is false again. Any node may be asked.
func (n *Node) Drain(context.Context, string, bool) error { return errNotBuilt }

// Leave takes a node out of the cluster for good: its name is refused from then on. Any other node may be asked.
func (n *Node) Leave(context.Context, string) error { return errNotBuilt }

// Rebalance spreads leaderships evenly now, without waiting for the pause between two hand-overs.
func (n *Node) Rebalance(context.Context) error { return errNotBuilt }

// ReadIndex returns an index such that a replica that has applied it has everything acknowledged before the call.
// Only the leader can tell; elsewhere the error is ErrNotLeader.
func (n *Node) ReadIndex(context.Context, int) (uint64, error) { return 0, errNotBuilt }

// Applied is the newest entry of the shard that this node's pump has, or need not have.
func (n *Node) Applied(shard int) uint64 {
	if shard < 0 || shard >= len(n.groups) {
		return 0
	}
	return n.groups[shard].fsm.index.Load()
}

// DialActors connects to the listener that the named node gave to ServeActors. What goes over the connection is the
// caller's, also its encryption.
func (n *Node) DialActors(context.Context, string) (net.Conn, error) { return nil, errNotBuilt }

// ServeActors says where connections of other nodes' DialActors go: a loopback address of this machine. Before it is
// called, and with an empty address, they are closed.
func (n *Node) ServeActors(string) {}

// HandleJoin takes the connections of machines that want to join, before any handshake; f owns the connection and must
// bound how long it takes. nil refuses them.
func (n *Node) HandleJoin(func(net.Conn)) {}

// Hashed reports the hash of a machine's state after the entry at index. Nodes compare what they report.
func (n *Node) Hashed(int, uint32, uint64, [32]byte) {}

// DivergedError says that this node's state is not what the majority has.
type DivergedError struct {
	Shard   int
	Machine uint32
	Index   uint64
}

// Error implements error.
func (e *DivergedError) Error() string {
	return fmt.Sprintf("cluster: shard %d: the state of machine %d after entry %d is not what most others have", e.Shard, e.Machine, e.Index)
}

// ErrFull: surely not in the log; the disk of the leader is nearly full and it only answers reads.
var ErrFull = errors.New("cluster: read-only, the disk is full")

// Recover makes the node of o the only voter of every shard after the others are lost for good. The node must not run,
// and its folder should have been copied. Entries that were on their way become committed.
func Recover(Options, []Peer) error { return errNotBuilt }
