// Package agent carries a share of a run's fans to another process, on this machine or another one, and what came of
// them back.
//
// The promise: an agent does for nobody anything who does not know its secret, and lets fans come to rehearsals only.
// Its clock is measured before the run and after it, so that all moments are on one axis, with a bound for the error.
// What it has recorded comes every second; when it dies, the coordinator hears of it within seconds, and the other way
// round. Every frame is bounded, and the two sides say their version first.
//
// Deliberately absent: starting agents, which is the caller's; deciding who gets which fans, which is drive's.
package agent
