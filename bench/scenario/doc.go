// Package scenario says what a run of the bench is to be: who comes when, over which network, what they set out to do,
// what breaks meanwhile, and what has to hold at the end. Scenarios have names, and can be written as YAML files.
//
// The promise: a [Scenario] that [Scenario.Check] lets pass can be run, and every default stands in it in full, so that
// what is kept of a run is enough to run it again.
//
// Deliberately absent: anything that runs. Package drive does that.
package scenario
