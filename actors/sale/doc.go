// Package sale is one event's sale as a pure, deterministic machine: seat map, holds, queue, orders,
// payments, issued tickets, gate scans, and the intents for what has to happen outside. It decides,
// everything else carries.
//
// There is no goroutine, clock, random source, I/O, logger, metric, float or map iteration in it: the
// same commands give the same state on every replica, whenever they are applied. Time (unix milliseconds)
// arrives with each batch. The caller is one goroutine.
//
// A batch is Begin, Do for each command, End. Start reading at apply.go.
package sale
