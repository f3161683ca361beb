// Package slab keeps the records of a sale in chunks of about 64 KiB, so that the whole can be frozen in time that
// depends on the number of chunks alone: a frozen View shares all chunks, and the first write to a shared chunk copies it.
// Growing never moves what is there, the first chunk apart.
//
// Reading and writing are different calls. Mut returns the one place that may be written. Get returns a copy; Read a pointer,
// for where a copy costs too much, through which nothing may be written. What Mut returned stays the record until the next
// Freeze; what the others returned is as old as the call, because the first Mut after a Freeze moves the record. Hence the
// rule: who changes a record, itself or by what it calls, takes Mut first and reads through that.
//
// A Slab or Log belongs to one goroutine. A View may be read by any number, while its slab goes on. Absent on purpose:
// deleting from the middle (owners keep lists of free slots), and knowing when a View is no longer used: a chunk that was
// shared once is copied even if the View is gone.
package slab
