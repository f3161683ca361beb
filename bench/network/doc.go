// Package network makes real connections as slow and as unreliable as those of people: a [Class] is a kind of line,
// and a connection that is dialled through it delays, limits, loses and drops what passes, both ways.
//
// The promise: bytes keep their order and none is invented or lost, as TCP has it; a connection's memory is bounded;
// one that is idle costs neither a goroutine nor a running timer.
//
// Deliberately absent: lines that change with the load, and the datagrams below TCP. Loss is what a program sees of
// it: a pause.
package network
