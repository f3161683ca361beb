// Package storage keeps the Raft logs, votes and snapshots of every shard of one node.
//
// The promise: when StoreLogs, DeleteRange or Set has returned nil, the change is on the disk, and what is read back
// later is what was written, or an error that names the damaged entry. All shards share one bbolt file, and what they
// want to write at the same time goes into one transaction, so sixteen busy shards cost about as many disk flushes as
// one. bbolt itself notices few of the bit errors in its data pages; every entry here carries a checksum over its
// content, its shard and its index, looked at on every read and by a scrubber that reads everything every hour.
//
// A failed write is never tried again: after a failed flush nobody knows what the disk holds. Options.Fatal is called
// once, everybody waiting gets the error, and nothing is written after it. Damage, wherever it is found, also leaves a
// mark in the folder, with which Open refuses it; SetAside makes way for a new beginning under another incarnation.
//
// A full disk is foreseen: appends get ErrFull before anything is written, votes and deletions go on, and appends are
// taken again when there is room.
//
// Deliberately absent: what the entries mean, elections, and repair. A damaged entry is reported, never guessed at;
// the node rejoins from a snapshot of its peers or from a backup. What a checksum cannot see is a page that was
// replaced by an older copy of itself with the same keys; the ends of every log and all votes are protected against
// that, an entry in the middle is not.
//
// Start reading at Open, then commit.go.
package storage
