package cluster

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/catraca/catraca/cluster/placement"
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

func allStates() []State {
	return []State{StateAlive, StateSuspect, StateDead, StateDraining, StateLeaving}
}

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
	ServerID string // its name, with the incarnation from the second one on; empty: never heard of
	Role     Role
	Address  string
	Version  string
	State    State
	Seen     time.Time // when it was last heard of; zero: never since this node started
	Leads    int       // shards it leads
	Votes    int       // shards it votes in
	Self     bool
}

// Members are all nodes this one knows of and that have not left, this one first and then by name.
func (n *Node) Members() []Member {
	leads, votes := make(map[string]int), make(map[string]int)
	for i, g := range n.groups {
		if name, _, _ := n.Leader(i); name != "" {
			leads[name]++
		}
		for _, s := range g.voters() {
			votes[string(s.ID)]++
		}
	}
	all := n.known()
	for i := range all {
		all[i].Leads, all[i].Votes = leads[all[i].Name], votes[all[i].ServerID]
	}
	return all
}

// present is the server id of the newest data that this node has heard of under a name; the name itself when it knows
// nothing of it.
func (n *Node) present(name string) string {
	if name == n.opt.NodeID {
		return n.id
	}
	if b, ok := n.book.get(name); ok && b.ServerID != "" {
		return b.ServerID
	}
	return name
}

// known are the Members without what they lead and vote in.
func (n *Node) known() []Member {
	self := Member{Name: n.opt.NodeID, ServerID: n.id, Role: n.opt.Role, Address: n.address, Version: n.opt.Version,
		Seen: time.Now(), Self: true}
	switch {
	case n.book.isGone(self.Name):
		self.State = StateLeaving
	case n.book.draining():
		self.State = StateDraining
	}
	all := []Member{self}
	nodes, _, _ := n.book.all()
	for _, b := range nodes {
		if n.out(b.Name) {
			continue
		}
		m := Member{Name: b.Name, ServerID: b.ServerID, Role: b.Role, Address: b.Address}
		s := n.links.look(b.Name)
		if s.frame != nil {
			m.Seen, m.Version = s.seen, s.frame.Version
		}
		switch {
		case n.book.isGone(b.Name):
			m.State = StateLeaving
		case s.dead:
			m.State = StateDead
		case !s.live:
			m.State = StateSuspect
		case s.frame.Draining:
			m.State = StateDraining
		}
		all = append(all, m)
	}
	return all
}

// view is the members as placement sees them. A node whose disk is full leads nothing, like one that drains.
func (n *Node) view() []placement.Member {
	all := []placement.Member{{Name: n.opt.NodeID, ServerID: n.id, Gateway: n.opt.Role == RoleGateway, Alive: true,
		Draining: n.book.draining() || n.full.Load(), Leaving: n.book.isGone(n.opt.NodeID)}}
	nodes, _, _ := n.book.all()
	for _, b := range nodes {
		id := b.ServerID
		if id == "" { // in the list of the first start, and not yet met
			if id = serverID(b.Name, n.newest(b.Name)); n.newest(b.Name) == 0 {
				continue
			}
		}
		s := n.links.look(b.Name)
		m := placement.Member{Name: b.Name, ServerID: id, Gateway: b.Role == RoleGateway, Alive: s.live, Dead: s.dead,
			Leaving: n.book.isGone(b.Name)}
		if s.frame != nil {
			m.Draining = s.frame.Draining || s.frame.Full
		}
		all = append(all, m)
	}
	return all
}

// servers of a shard, as this replica has the list.
func (g *group) servers() []raft.Server { return g.raft.GetConfiguration().Configuration().Servers }

// newest is the newest incarnation of a node that is known, 0 when there is none.
func (n *Node) newest(name string) int {
	newest := 0
	if b, ok := n.book.get(name); ok && b.ServerID != "" {
		newest = incarnationOf(b.ServerID)
	}
	for _, g := range n.groups {
		for _, s := range g.servers() {
			if nameOf(string(s.ID)) == name {
				newest = max(newest, incarnationOf(string(s.ID)))
			}
		}
	}
	return newest
}

// out says whether a node has left for good and no shard needs it any more.
func (n *Node) out(name string) bool { return n.book.isGone(name) && n.newestReplica(name) == 0 }

func (n *Node) newestReplica(name string) int {
	for _, g := range n.groups {
		for _, s := range g.servers() {
			if nameOf(string(s.ID)) == name {
				return incarnationOf(string(s.ID))
			}
		}
	}
	return 0
}

var errWhoAreYou = errors.New("that is no name of a node")

// welcome says whether the node with that server id may talk to this one.
func (n *Node) welcome(id string) error {
	name, inc := splitID(id)
	switch {
	case inc == 0 || name == "":
		return errWhoAreYou
	case name == n.opt.NodeID:
		return fmt.Errorf("%s is this node's own name", name)
	case n.out(name):
		return fmt.Errorf("%s has left the cluster for good", name)
	}
	if newest := n.newest(name); inc < newest {
		return fmt.Errorf("%s is incarnation %d, and %d is known: its data has been given up", name, inc, newest)
	}
	return nil
}
