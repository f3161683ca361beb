// Package live is the WebSocket edge: it authenticates before it upgrades, hands the connection to the gateway and
// writes what the gateway pushes.
//
// An idle fan costs one goroutine that reads and nothing that writes: a few writers serve all connections, with one
// system call for whatever waits at one, and never wait for a peer; a peer that has to be waited for gets a goroutine
// while something is left for it. Answers go before what is told to crowds. A call that is one command costs no goroutine
// and no timer: the sale tells its end. Of positions and ticks the newest wins; replies, holds and orders are never dropped, and a fan who does
// not read them is closed and loses no place. Compression is never negotiated, because the read limit counts
// compressed bytes. The package knows nothing of the queue's rules.
package live
