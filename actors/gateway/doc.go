// Package gateway keeps the fans who are connected to this node: which account each one is, where its place in
// the queue stands, and when to tell it again.
//
// The order of the queue is the sale's and survives this node; the gateway only watches it. Positions are computed
// here from an immutable picture of the queue, so that a million fans cost the sale nothing, and the position shown
// to a connection never rises while it waits. Pushes are coalesced: the newest position wins, and those far back are
// told less often. Workers are proto.actors, each owning a part of the accounts; a fan's writes never block one.
//
// Each node knows its own connections only. A fan that has moved from one node to another is said to be away by the
// first, once, and back by the second as soon as it hears that; a fan whom this node itself has sent to another is not
// said to be away at all, and one whose node died is not either.
//
// A place whose last connection is gone for a while is told to be away, and back when there is one again, or when
// its account asks for the place without a connection. Nobody is away who was never seen to go: after a restart the
// gateway cannot know who is connected to another node, or follows on a page without scripts, and would take their
// turn from them. Who is really gone costs one offer that lapses.
package gateway
