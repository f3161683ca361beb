// Package relay carries commands to the node that leads their shard, and the answers back.
//
// Every node has one relay. Between two relays travel frames over proto.actor's remote: the requests and the answers of
// many callers packed together, in the order they came. There is no timer in it: what comes in while the frames before
// are on their way gathers for the next one. A receiver acknowledges each frame; at most two are unacknowledged, and the
// commands that wait for an answer are bounded in number and bytes, so that nothing queues without limit anywhere.
//
// A command that was surely not done says so, and everything else is unknown: a lost node, a lost connection, a silence.
// [Ask] sends unknown ones again with the same bytes; the key inside makes that one effect.
//
// The wire is not trusted: connections are authenticated on both sides, a node speaks only in its own name and only to
// the relay, and what it sends is checked before anything else looks at it. The relay has an actor system of its own:
// nothing else of the process can be addressed. Deliberately absent: futures, watches, remote spawning, the cluster
// package of proto.actor, and any knowledge of what a command means.
package relay
