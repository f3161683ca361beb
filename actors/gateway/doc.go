// Package gateway keeps the fans who are connected to this node: which account each one is, where its place in
// the queue stands, and when to tell it again.
//
// The order of the queue is the sale's and survives this node; the gateway only watches it. Positions are computed
// here from an immutable picture of the queue, so that a million fans cost the sale nothing. Pushes are coalesced:
// the newest position wins, and those far back are told less often. Workers are proto.actors, each owning a part
// of the accounts; a fan's writes never block one.
package gateway
