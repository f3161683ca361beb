// Package placement decides who votes where and who leads what. It only decides: the leader of a shard asks Next what
// to change about its shard and does that one thing; whoever leads asks Balance whether to hand a shard over.
//
// The promises. Every live member gets a replica of every shard. The voters of a shard are the same members for
// everybody who knows the same members, an odd number of them, spread evenly, and a member that comes or goes moves no
// vote that need not move. Every step leaves a majority of the voters alive. From any state in which steps can be
// committed at all, repeating Next ends, and then it has nothing to say until something changes.
//
// Deliberately absent: time, so the caller says who is alive and who is dead; addresses; and carrying anything out.
package placement
