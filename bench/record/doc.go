// Package record holds what a run of the bench found: how long each operation took and how often it failed, second by
// second, and the verdict on the run.
//
// The promise: a latency is measured from the moment at which the operation was planned, so that a server that stalls is
// charged for everybody who had to wait; and a run whose generator could not keep its own plan is called invalid.
//
// Deliberately absent: who makes the load (package drive) and what people look at (package report).
package record
