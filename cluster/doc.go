// Package cluster keeps the shards: each is a Raft group whose committed entries every node hands, in order, to a
// Pump. What the entries mean is nobody's business here.
//
// The promise: when Future.Wait has returned nil, the entry is on the disks of a majority and the local pump has it;
// every pump of the shard, on every node and after every restart, gets the same entries in the same order. When Wait
// says ErrUnknown the entry may still be committed, now or by the next leader, and comes without a Future then: the
// caller must recognise a repeated command by what is in it.
//
// hashicorp/raft is used with three safeguards that are not options: heartbeats go through its main loop instead of
// past it (issue 695 of its tracker lets replicas diverge otherwise), requests to a follower are not pipelined
// (issue 612), and a node whose disk hangs hands leadership over and then stops (issues 503 and 614).
//
// Every node has a replica of every shard; placement says which of them vote, and the leader of a shard carries that
// out, one change at a time. Nodes are called by name. Raft knows them by server id, which is another one whenever the
// data begins anew: what an earlier incarnation has promised is never held against the later one, and a connection that
// means one incarnation does not reach another. One TCP port serves everything between nodes. Each node tells every
// other how it is, over a link, and by that the nodes find each other at new addresses, see who is silent, and compare
// the hashes of their states: who differs from the majority stops, and begins anew.
//
// Deliberately absent: commands, sessions, forwarding a proposal to the leader, any retry, and encryption of what
// actors send, which is theirs.
//
// Start reading at Start, then propose.go and fsm.go for one shard, and links.go, reconcile.go and damage.go for many
// nodes.
package cluster
