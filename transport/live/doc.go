// Package live is the WebSocket edge: it authenticates before it upgrades, hands the connection to the gateway and
// writes what the gateway pushes.
//
// An idle fan costs one goroutine that reads and nothing that writes: a writer runs only while there is something
// to write. Of positions and ticks the newest wins; replies, holds and orders are never dropped, and a fan who does
// not read them is closed and loses no place. Compression is never negotiated, because the read limit counts
// compressed bytes. The package knows nothing of the queue's rules.
package live
